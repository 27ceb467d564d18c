package evidence

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/countersign-dev/countersign/change"
	"golang.org/x/sync/errgroup"
)

// These bound how much is made durable together, so that the first of a group
// does not wait long for the last and the group fits into memory.
const (
	groupRecords = tileWidth
	groupBytes   = 8 << 20 // of statements; one may be larger
)

// A draft is a record that is being written.
type draft struct {
	*submission
	receipt   change.Receipt // without Index before the log has the leaf
	statement Statement
	envelope  Envelope // signed
	opened    Disclosures
	row       row
}

// serve writes what waits in the line until nothing does.
func (l *Ledger) serve(ctx context.Context) {
	for {
		group := l.line.next(groupRecords)
		if len(group) == 0 {
			return
		}
		for len(group) > 0 {
			group = l.writeSome(ctx, group)
		}
	}
}

// answer tells the caller of a submission what became of it.
func (l *Ledger) answer(s *submission, o outcome) {
	s.done <- o
	l.working.Done()
}

// writeSome writes the first submissions of a group, as many as go together, and
// returns those that it has not answered. It answers at least one.
//
// The order is what makes a crash harmless. Bodies are durable before the log has
// their leaves; leaves go into the log in the order of their chains, none before
// the one that it follows; the index comes last.
func (l *Ledger) writeSome(ctx context.Context, group []*submission) (rest []*submission) {
	if err := l.whole(); err != nil {
		for _, s := range group {
			l.answer(s, outcome{err: err})
		}
		return nil
	}
	drafts, rest := l.compose(ctx, group)
	if len(drafts) == 0 {
		return rest
	}
	sound, err := l.sign(ctx, drafts)
	if err == nil && len(sound) < len(drafts) {
		// Those behind one that was refused name it as the record before.
		for _, d := range slices.Backward(sound) {
			rest = slices.Insert(rest, 0, d.submission)
		}
		return rest
	}
	if err == nil {
		err = l.bodies.stage(drafts)
	}
	if err != nil {
		l.note(err)
		for _, d := range drafts {
			l.answer(d.submission, outcome{err: err})
		}
		return rest
	}
	l.commit(ctx, drafts)
	return rest
}

// compose makes drafts of the first submissions of a group, each behind the one
// before it in its chain: the link is the digest of its statement, which is known
// as soon as that is. It answers those that cannot be composed, and returns those
// that are too many.
func (l *Ledger) compose(ctx context.Context, group []*submission) (drafts []*draft, rest []*submission) {
	ends, size := chains{}, 0
	for i, s := range group {
		if size >= groupBytes {
			return drafts, group[i:]
		}
		at, known := ends[s.chain]
		var err error
		if !known {
			at, err = l.end(ctx, s.chain)
		}
		var d *draft
		if err == nil {
			d, err = l.draft(s, at)
		}
		if err != nil {
			l.answer(s, outcome{err: err})
			continue
		}
		ends[s.chain] = chainEnd{d.receipt.N, d.receipt.Digest}
		drafts, size = append(drafts, d), size+len(d.envelope.Payload)
	}
	return drafts, nil
}

// draft composes the record that follows the end of its chain, unsigned.
func (l *Ledger) draft(s *submission, at chainEnd) (*draft, error) {
	statement, opened, err := compose(s.entry, at.n+1, at.digest, l.config.Now(), l.config.Rand)
	if err != nil {
		return nil, err
	}
	payload, err := encode(statement)
	if err != nil {
		return nil, fmt.Errorf("encoding a statement: %w", err)
	}
	d := &draft{submission: s, statement: statement, opened: opened}
	d.envelope = Envelope{PayloadType: PayloadType, Payload: payload, KeyID: l.config.Keys.public.keyID}
	d.receipt = change.Receipt{Digest: d.envelope.Digest(), Chain: statement.Predicate.Sequence.Ref, N: at.n + 1}
	return d, nil
}

// sign signs drafts, with all processors. It refuses, and answers, those whose
// statement would not read back as itself, such as one with text that is not
// UTF-8, because nobody could verify it; and returns the others.
func (l *Ledger) sign(ctx context.Context, drafts []*draft) (sound []*draft, err error) {
	refused := make([]error, len(drafts))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, d := range drafts {
		g.Go(func() error {
			if _, refused[i] = ParseStatement(d.envelope.Payload); refused[i] != nil {
				return nil
			}
			return d.finish(ctx, l.config.Keys)
		})
	}
	err = g.Wait()
	for i, d := range drafts {
		if refused[i] == nil {
			sound = append(sound, d)
		} else if err == nil {
			l.answer(d.submission, outcome{err: fmt.Errorf("checking a statement before signing it: %w", refused[i])})
		}
	}
	return sound, err
}

// finish adds the signature and the row of the index.
func (d *draft) finish(ctx context.Context, keys Keys) (err error) {
	if d.envelope, err = sign(ctx, keys, d.envelope.Payload); err != nil {
		return err
	}
	print := d.entry.Print
	if print == "" {
		print = Fingerprint(d.entry)
	}
	d.row, err = rowOf(d.receipt, d.statement, print)
	return err
}

// commit appends the leaves of drafts whose bodies are durable, writes their rows,
// puts their bodies in their places, and answers.
func (l *Ledger) commit(ctx context.Context, drafts []*draft) {
	leaves := make([]leaf, len(drafts))
	for i, d := range drafts {
		leaves[i] = leafOf(d.envelope, l.config.Keys.public.spki)
	}
	indexes, failed := l.log.append(leaves)
	done, lost := drafts[:len(indexes)], drafts[len(indexes):]
	rows := make([]row, len(done))
	for i, d := range done {
		d.receipt.Index = indexes[i]
		d.row.receipt.Index = indexes[i]
		rows[i] = d.row
		l.grow(indexes[i] + 1)
	}
	err := l.index.insert(ctx, rows...)
	l.bodies.settle(done, l.config.Log)
	l.note(errors.Join(failed, err))
	for _, d := range done {
		if err == nil {
			l.chains[d.chain] = chainEnd{d.receipt.N, d.receipt.Digest}
			l.answer(d.submission, outcome{receipt: d.receipt})
		}
	}
	if err != nil {
		l.doubt(done)
		for _, d := range done {
			l.answer(d.submission, outcome{err: fmt.Errorf("record %s is in the log: %w", d.receipt.Digest, err)})
		}
	}
	if failed != nil {
		// The leaves may be in the log all the same: only the log can tell.
		l.doubt(lost)
		for _, d := range lost {
			l.answer(d.submission, outcome{err: failed})
		}
	}
}
