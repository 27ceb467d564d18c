package webhook

import (
	"context"
	"sync"

	"github.com/countersign-dev/countersign/change"
)

// lines gives each change one run at a time and all changes together no more
// runs than there are slots. Callers who wait for the same change share the next
// run, which sees all that happened before they came. The assessor shares runs
// as well; doing it here keeps those who wait from holding slots that other
// changes need.
type lines struct {
	slots chan struct{}
	run   func(change.Ref) error // never panics, and comes to an end

	mu    sync.Mutex
	byKey map[string]*line
}

// A line is the run of one change that callers wait for. A change has a line
// while it runs or has callers.
type line struct {
	next *shared // nil when nobody waits
}

// A shared run has one result for all its callers.
type shared struct {
	ref  change.Ref // as the latest caller wrote it: a repository may have been renamed
	done chan struct{}
	err  error // to be read once done is closed
}

func newLines(slots int, run func(change.Ref) error) *lines {
	return &lines{slots: make(chan struct{}, slots), run: run, byKey: map[string]*line{}}
}

// do returns the result of a run that began after do was called. It stops waiting
// when ctx ends; the run goes on for the others.
func (l *lines) do(ctx context.Context, ref change.Ref) error {
	s := l.join(ref)
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join returns the next run of the change, and opens a line when there is none.
func (l *lines) join(ref change.Ref) *shared {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := ref.Key()
	ln, open := l.byKey[key]
	if !open {
		ln = &line{}
		l.byKey[key] = ln
		go l.serve(key, ln)
	}
	if ln.next == nil {
		ln.next = &shared{done: make(chan struct{})}
	}
	ln.next.ref = ref
	return ln.next
}

// serve runs for the callers of a line until there are none. The slot is taken
// before the callers are: whoever comes while it waits shares the run.
func (l *lines) serve(key string, ln *line) {
	for l.waiting(key, ln) {
		l.slots <- struct{}{}
		s := l.take(ln)
		s.err = l.run(s.ref)
		<-l.slots
		close(s.done)
	}
}

// waiting reports whether a line has callers, and closes it when it has none.
func (l *lines) waiting(key string, ln *line) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ln.next == nil {
		delete(l.byKey, key)
		return false
	}
	return true
}

// take returns the next run, which nobody can join any more.
func (l *lines) take(ln *line) *shared {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := ln.next
	ln.next = nil
	return s
}
