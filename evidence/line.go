package evidence

import (
	"slices"
	"sync"

	"github.com/countersign-dev/countersign/change"
)

// A submission is an entry on its way into the log.
type submission struct {
	entry Entry        // its facts canonical
	chain string       // see place.chain
	done  chan outcome // takes one answer
}

func newSubmission(e Entry) *submission {
	e.Facts = e.Facts.Canonical()
	return &submission{entry: e, chain: placeOf(e.Facts).chain, done: make(chan outcome, 1)}
}

// An outcome is what became of a submission.
type outcome struct {
	receipt change.Receipt
	err     error
}

// line is the submissions that wait, in the order in which they came, and
// whether somebody writes them. The zero value is an empty line.
type line struct {
	mu      sync.Mutex
	waiting []*submission
	served  bool // a writer is at work and will see what joins
}

// join puts s at the end and reports whether the caller has to have the line
// served, because nobody does.
func (q *line) join(s *submission) (idle bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, s)
	idle, q.served = !q.served, true
	return idle
}

// leave takes s out again and reports whether it still waited.
func (q *line) leave(s *submission) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, s)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// next takes up to most submissions from the front. When there are none the line
// is not served any more, and the writer has to end.
func (q *line) next(most int) []*submission {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.waiting))
	group := q.waiting[:n:n]
	if q.waiting = q.waiting[n:]; n == 0 {
		q.waiting, q.served = nil, false
	}
	return group
}
