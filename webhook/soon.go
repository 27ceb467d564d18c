package webhook

import (
	"context"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A waiting room holds deliveries that a change is only soon to be looked at for, so
// that what comes in a burst, as the checks of a commit do, costs one look. Whoever is
// in a hurry takes those who wait along.
type waitingRoom struct {
	wait time.Duration

	mu    sync.Mutex
	byKey map[string]*party // by Ref.Key
}

// A party is the deliveries that wait for one look at one change.
type party struct {
	taken chan struct{} // closed when somebody in a hurry looks for all
	done  chan struct{} // closed when err is the result of the look
	err   error
	n     int // how many wait
}

func newWaitingRoom(wait time.Duration) *waitingRoom {
	return &waitingRoom{wait: wait, byKey: map[string]*party{}}
}

// now looks at once, for those too who wait.
func (r *waitingRoom) now(key string, look func() error) error {
	w := r.take(key, nil)
	if w == nil {
		return look()
	}
	close(w.taken)
	w.end(look)
	return w.err
}

// soon returns what a look that begins later comes to: the first to come looks, after
// the wait, for all who have come by then.
func (r *waitingRoom) soon(ctx context.Context, key string, look func() error) error {
	w, first := r.enter(key)
	if first {
		timer := time.NewTimer(r.wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-w.taken:
		case <-ctx.Done():
		}
		if r.take(key, w) != nil {
			w.end(look)
		}
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// enter returns those who wait for a key, and whether the caller is the first.
func (r *waitingRoom) enter(key string) (w *party, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w, there := r.byKey[key]; there {
		w.n++
		return w, false
	}
	w = &party{n: 1, taken: make(chan struct{}), done: make(chan struct{})}
	r.byKey[key] = w
	return w, true
}

// take ends the wait for a key and returns those who waited; nil when they were taken
// before or, where only is given, are others.
func (r *waitingRoom) take(key string, only *party) *party {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.byKey[key]
	if w == nil || only != nil && w != only {
		return nil
	}
	delete(r.byKey, key)
	return w
}

// end looks and tells everybody.
func (w *party) end(look func() error) {
	w.err = look()
	close(w.done)
}

// look brings one change up to date as soon as the topic asks for it. While the first
// look at a change goes on nothing is known of it yet, and what it rests on is known
// when that look has ended.
func (w *worker) look(ctx context.Context, ref change.Ref, t change.Topic) error {
	run := func() error {
		_, err := w.turns.Do(ctx, ref.Key(), func() (struct{}, error) { return struct{}{}, w.run(ref) })
		return err
	}
	urgency := w.assessor.Urgency(ref, t)
	if urgency == change.Now && t != (change.Topic{}) {
		if err := w.turns.Ended(ctx, ref.Key()); err != nil {
			return err
		}
		urgency = w.assessor.Urgency(ref, t)
	}
	switch urgency {
	case change.Idle:
		w.metrics.spared.Inc()
		return nil
	case change.Soon:
		return w.room.soon(ctx, ref.Key(), run)
	}
	return w.room.now(ref.Key(), run)
}
