package policy

import (
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// peerReview asks for a number of approvals that count, and that nobody who could
// approve still asks for changes.
func peerReview(s *subject, r *ChangeRule) change.Result {
	want := r.PeerReview
	out, _ := s.approvedBy(s.from(want.From), want.Approvals)
	out.Supply = supplyWhile(out.Status, s.supplyOf(want.From))
	objections := s.standing(s.from(want.From))
	if len(objections) == 0 {
		return out
	}
	return combine(append(objections, out))
}

// supplyWhile returns who can supply what is missing where something is.
func supplyWhile(s change.Status, supply change.Text) change.Text {
	if s == change.Pending {
		return supply
	}
	return ""
}

// approvedBy says whether enough approvals meet a demand. One whose role is not
// known leaves the count unknown as long as it is short.
func (s *subject) approvedBy(d demand, want int) (change.Result, tally) {
	t := s.tally(d)
	out := s.enough(t, want)
	out.Facts, out.Uncounted, out.Carried = t.facts(), t.uncounted, s.carried(t)
	return out, t
}

// enough compares a tally with what is wanted.
func (s *subject) enough(t tally, want int) change.Result {
	if len(t.unknown) > 0 {
		return say(change.Undetermined, "it cannot be told which approvals count: %s", sample(t.unknown))
	}
	score := fmt.Sprintf("%d of %d independent approvals", len(t.counted), want)
	switch {
	case len(t.counted) >= want:
		return say(change.Pass, "%s: %s", score, t.counters())
	case len(t.unsure) > 0:
		return say(change.Undetermined, "%s: %s", score, s.whyUnsure(t))
	case len(t.uncounted) > 0:
		return say(change.Pending, "%s: %s", score, sample(t.reasons()))
	}
	return say(change.Pending, "%s", score)
}

// whyUnsure says why it is not known whether approvals count, and why the forge did
// not answer where it told. Some memberships may be answered and others not.
func (s *subject) whyUnsure(t tally) string {
	clauses := t.unsure
	if s.facts.Absent["memberships"] != "" {
		clauses = append(clauses, absent(s.facts, "memberships", "memberships were not all answered"))
	}
	return sample(clauses)
}

// standing returns a result for each request for changes that may still hold the
// change back. A reviewer who certainly could not approve cannot do that either.
func (s *subject) standing(d demand) []change.Result {
	var results []change.Result
	for _, o := range s.reviews.objections {
		if d.may(o.review) == no {
			continue
		}
		by := mark(o.review.By)
		r := say(change.Fail, "%s %s", by, o.how)
		if !o.sure {
			r = say(change.Undetermined, "it is not known what a dismissed review said; perhaps %s %s", by, o.how)
		}
		r.Supply = change.Text("another review by " + by)
		r.Facts = []string{reviewFact(o.review)}
		results = append(results, r)
	}
	return results
}
