package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// idle notes demands of one entry that never decide anything, because another entry
// asks for as much of every branch that this one names.
func (e *examiner) idle(i int) {
	r, idle := &e.policy.Changes[i], false
	for j := range e.policy.Changes {
		o := &e.policy.Changes[j]
		if i == j || same(*r, *o) || !r.onlyWhere(o) {
			continue
		}
		twins := o.onlyWhere(r)
		if !idle && stricterReview(r.PeerReview, o.PeerReview, twins && j > i) {
			idle = true
			e.warn([]any{"changes", i, PeerReviewID}, "this never decides anything: %s asks for %s of the same people of every such change; leave it out", ruleName(j), plural(o.PeerReview.Approvals, "approval"))
		}
		for k, c := range r.RequiredChecks {
			at := slices.IndexFunc(o.RequiredChecks, func(d RequiredCheck) bool { return sameCheck(c, d) })
			if at >= 0 && c.Name != "" && !(twins && j > i) {
				e.warn([]any{"changes", i, RequiredChecksID, k}, "the check %s of the app %s is required by %s of every such change already; leave it out", change.Quote(c.Name), change.Quote(c.App), ruleName(j))
			}
		}
	}
}

// onlyWhere reports whether an entry applies only to changes to which another one, that
// counts approvals no more generously, surely applies too.
func (r *ChangeRule) onlyWhere(o *ChangeRule) bool {
	when := o.When == nil || r.When != nil && r.When.Text == o.When.Text
	return when && within(r.Classes, o.Classes) && allCovered(r.Branches, o.Branches) && (o.CarryOver == "" || o.CarryOver == r.CarryOver)
}

// stricterReview reports whether b asks for all that a does. Of two that ask for the
// same, only the later one is idle.
func stricterReview(a, b *PeerReview, later bool) bool {
	return a != nil && b != nil && sameRoles(a.From, b.From) && (b.Approvals > a.Approvals || b.Approvals == a.Approvals && !later)
}

// sameCheck reports whether two required checks ask for the same.
func sameCheck(a, b RequiredCheck) bool {
	return a.Name == b.Name && a.App == b.App && a.Workflow == b.Workflow && a.Attempts == b.Attempts && a.Class == b.Class &&
		slices.Equal(sorted(slices.Clone(a.Accept)), sorted(slices.Clone(b.Accept)))
}

// allCovered reports whether every branch that the first patterns match is surely
// matched by the others too.
func allCovered(patterns, by []string) bool {
	return !slices.ContainsFunc(patterns, func(p string) bool {
		return !slices.Contains(by, p) && !slices.Contains(by, "**") && (!literal(p) || !matchesBranch(by, p))
	})
}

// literal reports whether a pattern matches nothing but itself.
func literal(pattern string) bool {
	return !slices.ContainsFunc([]rune(pattern), func(r rune) bool { return slices.Contains([]rune(`*?[]{}\`), r) })
}
