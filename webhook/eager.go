package webhook

import (
	"context"
	"sync"

	"github.com/countersign-dev/countersign/change"
)

// A head start is the work on deliveries that begins as soon as they are stored. To be
// handed their jobs by River takes a write to the disk. The jobs remain what is durable:
// each takes over what was begun for it, or does it all where nothing was.
type headStart struct {
	slots chan struct{} // taken by what was begun and is not done
	done  sync.WaitGroup

	mu    sync.Mutex
	byRow map[int64]*begun
}

// begun is the work on one delivery.
type begun struct {
	row  int64
	done chan struct{} // closed when the fields below are set

	delivery stored // without its body
	hint     change.Hint
	err      error // of reading the hint
	assessed bool
	failures []failure
}

func newHeadStart(most int) *headStart {
	return &headStart{slots: make(chan struct{}, most), byRow: map[int64]*begun{}}
}

// reserve notes, before its job can be seen, that the work on a delivery is going to
// begin; nil when too much has begun already.
func (h *headStart) reserve(row int64) *begun {
	select {
	case h.slots <- struct{}{}:
	default:
		return nil
	}
	b := &begun{row: row, done: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byRow[row] = b
	return b
}

// take returns what has begun for a row, once.
func (h *headStart) take(row int64) *begun {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.byRow[row]
	delete(h.byRow, row)
	return b
}

// cancel takes a reservation back: the delivery was not stored.
func (h *headStart) cancel(b *begun) {
	if b != nil {
		h.take(b.row)
		<-h.slots
	}
}

// begin begins the work on a delivery that is stored.
func (h *headStart) begin(b *begun, d stored, work func(b *begun)) {
	if b == nil {
		return
	}
	b.delivery = d
	h.done.Go(func() {
		defer func() { <-h.slots }()
		defer close(b.done)
		work(b)
		b.delivery.Body = nil
	})
}

// start does what of a delivery's work needs nobody to wait: what else it has in store
// is left to its job.
func (w *worker) start(b *begun) {
	w.metrics.pickup.Observe(w.config.Now().Sub(b.delivery.at).Seconds())
	b.hint, b.err = w.read(b.delivery.Delivery)
	if b.err != nil || len(b.hint.Owners)+len(b.hint.Scopes)+len(b.hint.Requests) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, waitPerRun*w.config.JobTimeout)
	defer cancel()
	b.failures, b.assessed = w.assess(ctx, b.hint), true
}
