package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// segregation asks that who made the change is known, and that somebody who may
// write, or holds a role of the rule's peer review, approved it from outside.
func segregation(s *subject, r *ChangeRule) change.Result {
	var roles []string
	if r.PeerReview != nil {
		roles = r.PeerReview.From
	}
	out, t := s.approvedBy(s.anyhow(roles), 1)
	switch out.Status {
	case change.Pass:
		out = say(change.Pass, "made by %s, approved by %s", s.makers.listed(), t.counters())
	case change.Pending:
		out.Supply = s.supplyOf(roles)
		out.Reason = change.Text("made by "+s.makers.listed()+", approved by nobody else: ") + out.Reason
	case change.Undetermined:
		if len(s.makers.unknown) > 0 {
			out = say(change.Undetermined, "who made this change is not fully known: %s", sample(s.unknownApprovals()))
		}
	}
	out.Uncounted = t.uncounted
	out.Facts = sorted(slices.Concat(s.makers.facts, s.reviewFacts()))
	return out
}
