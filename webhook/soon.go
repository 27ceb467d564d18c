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
//
// What is put off late has no delivery that waits for it, so that a server that stops
// forgets it: the words of a verdict are out of date then until the next event of the
// change, and never the verdict.
type waitingRoom struct {
	wait, late time.Duration

	mu     sync.Mutex
	byKey  map[string]*party      // by Ref.Key
	timers map[string]*time.Timer // of what is put off late, by Ref.Key
	closed bool
	looks  sync.WaitGroup // of timers that have run out
}

// lateWait is how long a look is put off at most when others are expected to come.
const lateWait = 30 * time.Second

// A party is the deliveries that wait for one look at one change.
type party struct {
	taken chan struct{} // closed when somebody in a hurry looks for all
	done  chan struct{} // closed when err is the result of the look
	err   error
	n     int // how many wait
}

func newWaitingRoom(wait time.Duration) *waitingRoom {
	return &waitingRoom{wait: wait, late: lateWait, byKey: map[string]*party{}, timers: map[string]*time.Timer{}}
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

// later has somebody look after the longer wait, unless anybody has looked by then.
func (r *waitingRoom) later(key string, look func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.timers[key] != nil {
		return
	}
	r.timers[key] = time.AfterFunc(r.late, func() {
		if r.due(key) {
			defer r.looks.Done()
			_ = r.now(key, look)
		}
	})
}

// due reports whether what was put off is still to be done. The caller then is one of
// the looks.
func (r *waitingRoom) due(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.timers[key] == nil {
		return false
	}
	delete(r.timers, key)
	r.looks.Add(1)
	return true
}

// close puts nothing off any more and returns when nobody looks late.
func (r *waitingRoom) close() {
	r.mu.Lock()
	r.closed = true
	for _, t := range r.timers {
		t.Stop()
	}
	clear(r.timers)
	r.mu.Unlock()
	r.looks.Wait()
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
	if only != nil && w != only {
		return nil
	}
	if t := r.timers[key]; t != nil { // the look that comes now serves it too
		t.Stop()
		delete(r.timers, key)
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
	run := func() error { return w.turn(ctx, ref) }
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
	case change.Late:
		w.metrics.spared.Inc()
		w.room.later(ref.Key(), func() error {
			err := w.turn(w.ctx, ref)
			if err != nil {
				w.config.Log.Warn("late look failed", "change", ref.String(), "err", err)
			}
			return err
		})
		return nil
	case change.Soon:
		return w.room.soon(ctx, ref.Key(), run)
	}
	return w.room.now(ref.Key(), run)
}

// turn has a change assessed by a run of its own or one that others wait for too.
func (w *worker) turn(ctx context.Context, ref change.Ref) error {
	_, err := w.turns.Do(ctx, ref.Key(), func() (struct{}, error) { return struct{}{}, w.run(ref) })
	return err
}
