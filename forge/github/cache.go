package github

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// cache keeps answers of the forge that many changes share: which rules hold a
// branch, who is in a team, who may write. It is bounded in number and in age,
// asks once for what several want at the same time, and forgets on request.
type cache struct {
	ttl    time.Duration
	now    func() time.Time
	kept   *lru.Cache[string, kept]
	flight singleflight.Group

	mu sync.Mutex
	// round counts the calls of forget. A fetch that began in an earlier round
	// may have read what was true before, so its answer is not kept, and nobody
	// who asks in a later round joins it.
	round uint64
}

type kept struct {
	value   any
	group   string // the key that forget names it by
	expires time.Time
}

func newCache(size int, ttl time.Duration, now func() time.Time) (*cache, error) {
	entries, err := lru.New[string, kept](size)
	if err != nil {
		return nil, err
	}
	return &cache{ttl: ttl, now: now, kept: entries}, nil
}

// remember returns the answer under key, fetching it when it is missing or old.
// Failures are not kept. The fetch outlives the caller that started it, because
// others may wait for it; calls carry their own time limit.
func remember[T any](ctx context.Context, c *cache, key, group string, fetch func(context.Context) (T, error)) (T, error) {
	if k, ok := c.kept.Get(key); ok && c.now().Before(k.expires) {
		return k.value.(T), nil
	}
	round := c.current()
	flight := c.flight.DoChan(key+"\x00"+strconv.FormatUint(round, 16), func() (any, error) {
		value, err := fetch(context.WithoutCancel(ctx))
		if err == nil {
			c.keep(key, group, value, round)
		}
		return value, err
	})
	var none T
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case result := <-flight:
		if result.Err != nil {
			return none, result.Err
		}
		return result.Val.(T), nil
	}
}

func (c *cache) current() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.round
}

func (c *cache) keep(key, group string, value any, round uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.round == round {
		c.kept.Add(key, kept{value, group, c.now().Add(c.ttl)})
	}
}

// forget drops every answer of the groups.
func (c *cache) forget(groups []string) {
	if len(groups) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	drop := map[string]bool{}
	for _, g := range groups {
		drop[g] = true
	}
	for _, key := range c.kept.Keys() {
		if k, ok := c.kept.Peek(key); ok && drop[k.group] {
			c.kept.Remove(key)
		}
	}
}

// The groups that Forget names. Answers are grouped by the account that owns the
// repository, coarsely: a change of one team can change the members of its
// parents and the permission on every repository of the organisation.
func peopleKey(owner string) string       { return "people:" + strings.ToLower(owner) }
func rulesKey(owner string) string        { return "rules:" + strings.ToLower(owner) }
func floorKey(owner string) string        { return "floor:" + strings.ToLower(owner) }
func trunkKey(repository int64) string    { return "trunk:" + strconv.FormatInt(repository, 10) }
func installationKey(owner string) string { return "installation:" + strings.ToLower(owner) }

// Forget drops the cached answers that a delivery said are out of date.
func (f *Forge) Forget(keys []string) { f.answers.forget(keys) }
