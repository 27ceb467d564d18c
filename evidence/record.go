package evidence

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/oklog/ulid/v2"
)

// Record writes one record and returns where it lies. When it returns without an
// error, disclosures, envelope and leaf are on stable storage and the index
// knows them. When ctx ends first, the record may still be completed: ask Last
// before recording again.
//
// Records that wait at the same time are made durable together, and those of one
// chain come into it in the order in which Record was called.
func (l *Ledger) Record(ctx context.Context, e Entry) (change.Receipt, error) {
	receipt, err := l.submit(ctx, e)
	if err != nil {
		return change.Receipt{}, fmt.Errorf("recording %s: %w", e.Facts.Ref, err)
	}
	return receipt, nil
}

// submit has an entry written and waits for the outcome.
func (l *Ledger) submit(ctx context.Context, e Entry) (change.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return change.Receipt{}, err
	}
	if err := l.enter(); err != nil {
		return change.Receipt{}, err
	}
	s := newSubmission(e)
	if l.line.join(s) {
		// What has been handed to the log cannot be taken back, so the work goes on
		// when its caller has stopped waiting.
		go l.serve(context.WithoutCancel(ctx))
	}
	select {
	case o := <-s.done:
		return o.receipt, o.err
	case <-ctx.Done():
		if l.line.leave(s) {
			l.working.Done()
		}
		return change.Receipt{}, ctx.Err()
	}
}

// grow raises the size to at least n.
func (l *Ledger) grow(n uint64) {
	for old := l.size.Load(); old < n && !l.size.CompareAndSwap(old, n); old = l.size.Load() {
	}
}

// compose makes the statement of an entry and the disclosures of its people.
func compose(e Entry, n uint64, prev string, now time.Time, random io.Reader) (Statement, Disclosures, error) {
	id, err := ulid.New(ulid.Timestamp(now), random)
	if err != nil {
		return Statement{}, nil, fmt.Errorf("drawing a record id: %w", err)
	}
	withheld, opened, err := withhold(e.Facts.People, random)
	if err != nil {
		return Statement{}, nil, err
	}
	e.Facts.People = withheld
	return content{
		recordID: id.String(), n: n, prev: prev, recorded: now.UTC().Truncate(time.Millisecond),
		facts: e.Facts, policy: e.Policy, judgement: e.Decision,
	}.statement(), opened, nil
}
