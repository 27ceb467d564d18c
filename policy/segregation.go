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
	made := "made by " + s.makers.listed()
	switch out.Status {
	case change.Pass:
		out.Reason = change.Text(made + ", approved by " + t.counters())
	case change.Pending:
		out.Supply = s.supplyOf(roles)
		out.Reason = change.Text(made+", approved by nobody else: ") + out.Reason
	case change.Undetermined:
		if len(s.makers.unknown) > 0 {
			out.Reason = change.Text("who made this change is not known in full: " + sample(t.unknown))
		}
	}
	out.Facts = sorted(slices.Concat(s.makers.facts, out.Facts))
	return out
}
