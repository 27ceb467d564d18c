package gate

import (
	"context"
	"sync"
)

// locks gives out locks by key, each to one holder at a time.
type locks struct {
	mu    sync.Mutex
	byKey map[string]*lock
}

// A lock is one key's. It is forgotten when nobody holds it or waits for it.
type lock struct {
	free  chan struct{} // has one token
	users int
}

// take waits for the lock of a key and returns what gives it back.
func (l *locks) take(ctx context.Context, key string) (unlock func(), err error) {
	l.mu.Lock()
	k, there := l.byKey[key]
	if !there {
		k = &lock{free: make(chan struct{}, 1)}
		k.free <- struct{}{}
		l.byKey[key] = k
	}
	k.users++
	l.mu.Unlock()
	select {
	case <-k.free:
		return func() { k.free <- struct{}{}; l.leave(key, k) }, nil
	case <-ctx.Done():
		l.leave(key, k)
		return nil, ctx.Err()
	}
}

func (l *locks) leave(key string, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.byKey, key)
	}
}
