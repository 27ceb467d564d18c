package evidence

import (
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// receiptOf returns where a statement lies.
func receiptOf(index uint64, digest string, s Statement) change.Receipt {
	return change.Receipt{Index: index, Digest: digest, Chain: s.Predicate.Sequence.Ref, N: s.Predicate.Sequence.N}
}

// rowOf returns what the index holds of a record.
func rowOf(receipt change.Receipt, s Statement, fingerprint string) (row, error) {
	p := s.Predicate
	judgement, err := encode(p.Judgement)
	if err != nil {
		return row{}, fmt.Errorf("encoding a judgement: %w", err)
	}
	return row{
		receipt: receipt, chain: chainName(p.Facts.Ref.Repository, p.Sequence.Ref), subject: p.Facts.Ref.Key(),
		ref: p.Facts.Ref, allowed: !p.Judgement.Status.Blocks(), head: judged(p.Facts), state: stateOf(p.Facts), at: p.Times.RecordedAt, fingerprint: fingerprint, judgement: judgement,
		requests: lookedUp(p.Facts),
	}, nil
}

// stateOf returns where a change was in its life when it was judged, or "" when
// nothing could be gathered of it.
func stateOf(f change.Facts) change.State {
	if l, known := f.Landing.Get(); known && l.Landed {
		return change.LandedState
	}
	return f.State.Or("")
}

// judged returns the head that was judged, or otherwise the commit a record is
// about.
func judged(f change.Facts) change.SHA {
	if h, known := f.Head.Get(); known {
		return h.Commit
	}
	commit, _ := tip(f)
	return commit
}
