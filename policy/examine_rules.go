package policy

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// roles notes roles that nothing asks for.
func (e *examiner) roles() {
	for _, role := range slices.Sorted(maps.Keys(e.policy.Roles)) {
		repeats(e, e.policy.Roles[role], "the selector", "roles", role)
		if !slices.Contains(e.policy.askedRoles(), role) {
			e.warn([]any{"roles", role}, "no rule asks for the role %s; leave it out, or name it where it belongs", change.Quote(role))
		}
	}
}

// askedRoles returns every role that a rule names.
func (p *Policy) askedRoles() []string {
	var asked []string
	for _, r := range p.Changes {
		if r.PeerReview != nil {
			asked = append(asked, r.PeerReview.From...)
		}
		for _, entry := range r.ProtectedPaths {
			asked = append(asked, entry.From...)
		}
	}
	for _, r := range p.Deployments {
		if r.DeploymentApproval != nil {
			asked = append(asked, r.DeploymentApproval.From...)
		}
	}
	if p.Emergency != nil {
		asked = append(asked, p.Emergency.AuthorisedBy...)
	}
	return asked
}

// change examines one entry of changes.
func (e *examiner) change(i int) {
	r, at := &e.policy.Changes[i], []any{"changes", i}
	repeats(e, r.Branches, "the pattern", under(at, "branches")...)
	for j, pattern := range r.Branches {
		e.branch(pattern, under(at, "branches", j))
	}
	if first := slices.IndexFunc(e.policy.Changes[:i], func(o ChangeRule) bool { return same(o, *r) }); first >= 0 {
		e.warn(at, "this entry says the same as %s; leave one of them out", ruleName(first))
	}
	if !slices.ContainsFunc(controls(), func(c control) bool { return c.id != NoBypassID && c.askedBy(r) }) {
		e.warn(at, "this entry asks for no review and no check, only that nothing goes around the gate; add peer-review")
	}
	e.conditions(r, at)
	if r.PeerReview != nil {
		a := askingOf(r.PeerReview, under(at, PeerReviewID))
		if !e.tooMany(a) {
			e.noneToSpare(a)
		}
	}
	e.checks(r.RequiredChecks, under(at, RequiredChecksID))
	if r.LinkedRequest != nil {
		e.request(r.LinkedRequest, under(at, LinkedRequestID))
	}
	e.paths(r.ProtectedPaths, under(at, ProtectedPathsID))
	if r.CarryOver != "" && !r.asksApproval() {
		e.warn(under(at, "carry-over"), "this entry asks for no approval that could be carried over; leave carry-over out, or add peer-review")
	}
}

// asksApproval reports whether a rule asks for an approval by any control.
func (r *ChangeRule) asksApproval() bool {
	return r.PeerReview != nil || r.SegregationOfDuties || r.CodeOwners != nil || len(r.ProtectedPaths) > 0 ||
		r.LinkedRequest != nil && r.LinkedRequest.Independent
}

// deployment examines one entry of deployments.
func (e *examiner) deployment(i int) {
	r, at := e.policy.Deployments[i], []any{"deployments", i}
	repeats(e, r.Environments, "the pattern", under(at, "environments")...)
	if d := r.DeploymentApproval; d != nil {
		e.tooMany(askingOf(d, under(at, "deployment-approval")))
	}
}

// askingOf returns what a peer review, or the approval of a deployment, asks for.
func askingOf(r *PeerReview, at []any) asking {
	return asking{r.Approvals, r.From, under(at, "approvals"), under(at, "from")}
}

// repeats notes items of a list that stand in it twice.
func repeats[T ~string](e *examiner, items []T, what string, path ...any) {
	for i, item := range items {
		if slices.Contains(items[:i], item) {
			e.warn(under(path, i), "%s %s stands twice in this list; leave one of them out", what, change.Quote(string(item)))
		}
	}
}

// same reports whether two rules ask for the same of the same branches.
func same(a, b ChangeRule) bool {
	return bytes.Equal(wire(a), wire(b))
}

// checks notes checks that are required twice.
func (e *examiner) checks(checks []RequiredCheck, path []any) {
	for i, c := range checks {
		first := slices.IndexFunc(checks[:i], func(o RequiredCheck) bool { return o.Name == c.Name && o.App == c.App })
		if first >= 0 {
			e.warn(under(path, i), "the check %s of the app %s is required in line %d already; leave one of them out",
				change.Quote(c.Name), change.Quote(c.App), nodeAt(e.root, under(path, first)).Line)
		}
	}
}

// pattern notes a pattern of keys that is tied to the ends of a text.
func (e *examiner) pattern(pattern string, path []any) {
	begins := strings.HasPrefix(pattern, "^") || strings.HasPrefix(pattern, `\A`)
	ends := strings.HasSuffix(pattern, "$") && !strings.HasSuffix(pattern, `\$`) || strings.HasSuffix(pattern, `\z`)
	if begins || ends {
		e.warn(path, "the pattern is tied to the beginning or the end of a text, so that a key inside a title is not found; leave out ^ and $, a whole key must match anyway")
	}
}

// paths notes patterns of paths that stand twice for the same roles, and entries
// that too few people can satisfy. Two entries with other roles both count.
func (e *examiner) paths(entries []ProtectedPaths, path []any) {
	type place struct {
		entry, pattern int
	}
	var seen []place
	for i, entry := range entries {
		if a := (asking{1, entry.From, under(path, i), under(path, i, "from")}); !e.tooMany(a) {
			e.noneToSpare(a)
		}
		for j, pattern := range entry.Paths {
			first := slices.IndexFunc(seen, func(p place) bool {
				o := entries[p.entry]
				return slices.Equal(o.Paths[p.pattern].globs, pattern.globs) && sameRoles(o.From, entry.From)
			})
			if first < 0 {
				seen = append(seen, place{i, j})
				continue
			}
			p := seen[first]
			e.warn(under(path, i, "paths", j), "the pattern %s matches what %s matches in line %d, for the same roles; leave one of them out",
				change.Quote(pattern.Text), change.Quote(entries[p.entry].Paths[p.pattern].Text), nodeAt(e.root, under(path, p.entry, "paths", p.pattern)).Line)
		}
	}
}

// sameRoles reports whether two lists name the same roles.
func sameRoles(a, b []string) bool {
	return slices.Equal(sorted(slices.Clone(a)), sorted(slices.Clone(b)))
}
