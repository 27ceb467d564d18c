package webhook

import (
	"context"
	"sync"
)

// A backlog counts the deliveries that are stored and not yet ended for good. It
// is of this process: the queue's tables learn that a job has ended up to a
// quarter of a second later, when River writes it.
type backlog struct {
	mu    sync.Mutex
	n     int
	empty chan struct{} // closed when n falls to 0; nil when nobody waits
}

// add adds n, which may be negative. The count does not fall below 0: a job whose
// end could not be written is worked, and ends, again.
func (b *backlog) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n = max(0, b.n+n)
	if b.n == 0 && b.empty != nil {
		close(b.empty)
		b.empty = nil
	}
}

// wait returns nil as soon as the count is 0.
func (b *backlog) wait(ctx context.Context) error {
	for {
		empty := b.signal()
		if empty == nil {
			return nil
		}
		select {
		case <-empty:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// signal returns a channel that is closed when the count falls to 0, or nil when
// it is 0.
func (b *backlog) signal() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n == 0 {
		return nil
	}
	if b.empty == nil {
		b.empty = make(chan struct{})
	}
	return b.empty
}
