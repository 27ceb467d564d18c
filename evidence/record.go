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
func (l *Ledger) Record(ctx context.Context, e Entry) (change.Receipt, error) {
	if err := l.enter(); err != nil {
		return change.Receipt{}, fmt.Errorf("recording %s: %w", e.Facts.Ref, err)
	}
	e.Facts = e.Facts.Canonical()
	c, err := l.chains.take(ctx, placeOf(e.Facts).chain)
	if err != nil {
		l.working.Done()
		return change.Receipt{}, fmt.Errorf("recording %s: %w", e.Facts.Ref, err)
	}
	type outcome struct {
		receipt change.Receipt
		err     error
	}
	done := make(chan outcome, 1)
	// What has been handed to the log cannot be taken back, so the work goes on,
	// and keeps the chain, when the caller has stopped waiting.
	go func() {
		defer l.working.Done()
		defer c.free()
		receipt, err := l.write(context.WithoutCancel(ctx), c, e)
		done <- outcome{receipt, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return change.Receipt{}, fmt.Errorf("recording %s: %w", e.Facts.Ref, o.err)
		}
		return o.receipt, nil
	case <-ctx.Done():
		return change.Receipt{}, fmt.Errorf("recording %s: %w", e.Facts.Ref, ctx.Err())
	}
}

// write makes e the next record of c, whose holder the caller is.
func (l *Ledger) write(ctx context.Context, c *chain, e Entry) (_ change.Receipt, err error) {
	if err := l.find(ctx, c); err != nil {
		return change.Receipt{}, err
	}
	s, opened, err := compose(e, c.n+1, c.digest, l.config.Now(), l.config.Rand)
	if err != nil {
		return change.Receipt{}, err
	}
	envelope, err := l.sign(ctx, s)
	if err != nil {
		return change.Receipt{}, err
	}
	defer func() { l.note(err) }()
	if err := l.bodies.write(envelope, opened); err != nil {
		return change.Receipt{}, err
	}
	digest := envelope.Digest()
	index, err := l.log.append(leafOf(envelope, l.config.Keys.public.spki))
	if err != nil {
		// The leaf may be in the log all the same: only the log can tell.
		c.known = false
		l.behind.Store(true)
		return change.Receipt{}, err
	}
	receipt := change.Receipt{Index: index, Digest: digest, Chain: s.Predicate.Sequence.Ref, N: c.n + 1}
	r, err := rowOf(receipt, s, Fingerprint(e))
	if err == nil {
		err = l.index.insert(ctx, r)
	}
	if err != nil {
		c.known = false
		l.behind.Store(true)
		return change.Receipt{}, fmt.Errorf("record %s is in the log: %w", digest, err)
	}
	c.n, c.digest = receipt.N, digest
	l.grow(index + 1)
	return receipt, nil
}

// find makes sure that c knows its last record.
func (l *Ledger) find(ctx context.Context, c *chain) error {
	if c.known {
		return nil
	}
	if err := l.catchUpIfBehind(ctx); err != nil {
		return err
	}
	var err error
	c.n, c.digest, err = l.index.head(ctx, c.name)
	c.known = err == nil
	return err
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

// sign returns the signed envelope of s. It refuses a statement that would not
// read back as itself, such as one with text that is not UTF-8, because nobody
// could verify it.
func (l *Ledger) sign(ctx context.Context, s Statement) (Envelope, error) {
	payload, err := encode(s)
	if err != nil {
		return Envelope{}, fmt.Errorf("encoding a statement: %w", err)
	}
	if _, err := ParseStatement(payload); err != nil {
		return Envelope{}, fmt.Errorf("checking a statement before signing it: %w", err)
	}
	return sign(ctx, l.config.Keys, payload)
}
