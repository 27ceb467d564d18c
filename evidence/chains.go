package evidence

import (
	"context"
	"sync"
)

// chains gives out the chains of a ledger, each to one holder at a time. The
// zero value is ready.
type chains struct {
	mu     sync.Mutex
	byName map[string]*chain
}

// A chain is where the next record of one branch goes. Records of one chain are
// written one after the other: each names the digest of the one before, and a
// record whose predecessor failed must not exist. Records of different chains
// are written at once and share the log's batches.
type chain struct {
	name string
	turn chan struct{} // has one token; who took it may use the following
	// known is whether n and digest are those of the last record in the log. They
	// are not before the first use and after a failed append.
	known  bool
	n      uint64
	digest string
}

// take returns the chain once it is free, or the end of ctx.
func (cc *chains) take(ctx context.Context, name string) (*chain, error) {
	c := cc.get(name)
	select {
	case <-c.turn:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (cc *chains) get(name string) *chain {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	c, there := cc.byName[name]
	if !there {
		if cc.byName == nil {
			cc.byName = map[string]*chain{}
		}
		c = &chain{name: name, turn: make(chan struct{}, 1)}
		c.turn <- struct{}{}
		cc.byName[name] = c
	}
	return c
}

// free lets the next one have the chain.
func (c *chain) free() { c.turn <- struct{}{} }
