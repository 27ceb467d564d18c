package gate

import (
	"context"
	"runtime/debug"
	"sync"
)

// turns lets one run per key go on at a time. Callers that come while it does all
// share the run after it, which sees everything that happened before they came.
type turns struct {
	mu    sync.Mutex
	byKey map[string]*turn
}

// A turn is a key's run that is going on and the one that waits for it to end.
type turn struct {
	next *shared // nil while nobody waits
}

// A shared run has one result for all its callers.
type shared struct {
	run    func() (Assessment, error)
	done   chan struct{}
	result Assessment
	err    error
}

// do returns the result of a run of f, or of another caller's f for the same key,
// that began after do was called. It stops waiting when ctx ends; the run goes on.
func (t *turns) do(ctx context.Context, key string, f func() (Assessment, error)) (Assessment, error) {
	s := t.join(key, f)
	select {
	case <-s.done:
		return s.result, s.err
	case <-ctx.Done():
		return Assessment{}, ctx.Err()
	}
}

// join starts a run of f when none of its key goes on, and otherwise returns the
// one that comes next.
func (t *turns) join(key string, f func() (Assessment, error)) *shared {
	t.mu.Lock()
	defer t.mu.Unlock()
	current, busy := t.byKey[key]
	if !busy {
		current = &turn{}
		t.byKey[key] = current
		s := &shared{run: f, done: make(chan struct{})}
		go t.play(key, current, s)
		return s
	}
	if current.next == nil {
		current.next = &shared{run: f, done: make(chan struct{})}
	}
	return current.next
}

// play runs s and then, while callers wait, what they wait for.
func (t *turns) play(key string, current *turn, s *shared) {
	for s != nil {
		s.finish()
		t.mu.Lock()
		s, current.next = current.next, nil
		if s == nil {
			delete(t.byKey, key)
		}
		t.mu.Unlock()
	}
}

// finish runs s. A panic is a bug of ours, but the callers must still hear of it,
// or they would wait for ever.
func (s *shared) finish() {
	defer close(s.done)
	defer func() {
		if p := recover(); p != nil {
			s.err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	s.result, s.err = s.run()
}
