package evidence

import "context"

// A chainEnd is the last record of a chain, behind which the next one goes. Both
// fields are zero before the first.
type chainEnd struct {
	n      uint64
	digest string
}

// chains holds the ends of chains by name. It belongs to the writer of a ledger,
// of which there is one at a time. A chain is not in it before its first use, and
// after an append of which it is not known how it went.
type chains map[string]chainEnd

// end returns the end of a chain, from the index when it is not known.
func (l *Ledger) end(ctx context.Context, chain string) (chainEnd, error) {
	if at, known := l.chains[chain]; known {
		return at, nil
	}
	if err := l.catchUpIfBehind(ctx); err != nil {
		return chainEnd{}, err
	}
	n, digest, err := l.index.head(ctx, chain)
	if err != nil {
		return chainEnd{}, err
	}
	l.chains[chain] = chainEnd{n, digest}
	return l.chains[chain], nil
}

// doubt forgets the ends of the chains of drafts whose leaves may or may not be in
// the log, and has the index caught up before anything is built upon them.
func (l *Ledger) doubt(drafts []*draft) {
	for _, d := range drafts {
		delete(l.chains, d.chain)
	}
	l.behind.Store(true)
}
