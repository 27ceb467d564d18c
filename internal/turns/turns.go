// Package turns lets one run per key go on at a time, and lets all who ask for
// one meanwhile share the next.
//
// That is what bringing something up to date needs: a run that began after I
// asked has seen everything that made me ask, and one more run than that is waste.
package turns

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// Turns gives out turns by key. The results of runs are of type T.
type Turns[T any] struct {
	slots chan struct{} // nil where any number of keys may run at once

	mu    sync.Mutex
	byKey map[string]*line[T]
}

// A line is the callers of one key that wait for a run. A key has a line while it
// runs or is waited for.
type line[T any] struct {
	going *shared[T] // nil before the first run
	next  *shared[T] // nil when nobody waits
}

// A shared run has one result for all its callers.
type shared[T any] struct {
	run    func() (T, error) // the latest caller's
	done   chan struct{}
	result T // to be read once done is closed, as is err
	err    error
}

// New returns turns of which atOnce may go on at the same time, each of another
// key. Zero sets no bound.
func New[T any](atOnce int) *Turns[T] {
	t := &Turns[T]{byKey: map[string]*line[T]{}}
	if atOnce > 0 {
		t.slots = make(chan struct{}, atOnce)
	}
	return t
}

// Do returns the result of a run, the caller's or that of another caller for the
// same key, that began after Do was called. It stops waiting when ctx ends, with
// ctx's cause; the run goes on for the others. A run that panics is a *Panic for
// all its callers.
func (t *Turns[T]) Do(ctx context.Context, key string, run func() (T, error)) (T, error) {
	s := t.join(key, run)
	select {
	case <-s.done:
		return s.result, s.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// Ended returns once the run of a key that goes on has ended, or the one that is
// about to begin where none does yet; at once when there is neither, and with ctx's
// cause when that ends first.
func (t *Turns[T]) Ended(ctx context.Context, key string) error {
	t.mu.Lock()
	var run *shared[T]
	if l, open := t.byKey[key]; open {
		if run = l.going; run == nil {
			run = l.next
		}
	}
	t.mu.Unlock()
	if run == nil {
		return nil
	}
	select {
	case <-run.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join returns the next run of a key, and opens a line when there is none.
func (t *Turns[T]) join(key string, run func() (T, error)) *shared[T] {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, open := t.byKey[key]
	if !open {
		l = &line[T]{}
		t.byKey[key] = l
		go t.serve(key, l)
	}
	if l.next == nil {
		l.next = &shared[T]{done: make(chan struct{})}
	}
	l.next.run = run
	return l.next
}

// serve runs for the callers of a line until there are none. The slot is taken
// before the callers are: whoever comes while it waits shares the run.
func (t *Turns[T]) serve(key string, l *line[T]) {
	for t.waiting(key, l) {
		if t.slots != nil {
			t.slots <- struct{}{}
		}
		t.take(l).finish()
		if t.slots != nil {
			<-t.slots
		}
	}
}

// waiting reports whether a line has callers, and closes it when it has none.
func (t *Turns[T]) waiting(key string, l *line[T]) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.next == nil {
		delete(t.byKey, key)
		return false
	}
	return true
}

// take returns the next run, which nobody can join any more.
func (t *Turns[T]) take(l *line[T]) *shared[T] {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.going, l.next = l.next, nil
	return l.going
}

// finish runs s and lets its callers go.
func (s *shared[T]) finish() {
	defer close(s.done)
	s.err = Guard(func() (err error) {
		s.result, err = s.run()
		return err
	})
}

// A Panic is a bug in this program that ended a run. The stack is for the log;
// the message may be kept.
type Panic struct {
	Value any
	Stack []byte
}

// Error returns what the run panicked with.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Guard calls f and returns a panic of it as a *Panic, so that it counts as a
// failure and ends visibly like any other.
func Guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Panic{Value: p, Stack: debug.Stack()}
		}
	}()
	return f()
}
