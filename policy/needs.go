package policy

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Needs returns the questions that remain before the policy can judge a change:
// which of its approvers, and of those who asked for changes, match the selectors
// of roles that matter for its target branch and touched paths, and which runs were
// at work when automations made the change for whoever started them. Selectors that
// name one account are not among them, because Resolve answers those.
//
// Of an entry that may apply is asked whatever it needs; what decides that is looked
// at as it will be when the change is judged, as far as it is known by then.
func (p *Policy) Needs(f change.Facts) change.Needs {
	resolved := f
	if p.chooses(f) {
		resolved = p.Resolve(f, "")
	}
	return p.needs(f, rulesIn(p.view(resolved)))
}

// chooses reports whether a rule for the change's branch applies to some changes
// only.
func (p *Policy) chooses(f change.Facts) bool {
	return slices.ContainsFunc(p.applying(f), (*ChangeRule).conditional)
}

// needs is Needs where the rules are known that apply to the change, or may.
func (p *Policy) needs(f change.Facts, rules []*ChangeRule) change.Needs {
	var n change.Needs
	n.Attempts = f.Ref.Kind != change.Push && slices.ContainsFunc(rules, (*ChangeRule).countsAttempts) // a merge group has checks of its own
	if f.Ref.Kind != change.PullRequest && f.Ref.Kind != change.MergeRequest {
		return n // its members, or the changes that explain it, are judged by themselves
	}
	for _, r := range rules {
		for _, role := range r.rolesFor(f) {
			for _, s := range p.Roles[role] {
				if !strings.HasPrefix(string(s), userPrefix) {
					n.Selectors = append(n.Selectors, s)
				}
			}
		}
		if r.LinkedRequest != nil {
			n.Requests = append(n.Requests, r.LinkedRequest.Pattern)
		}
	}
	slices.Sort(n.Selectors)
	n.Selectors = slices.Compact(n.Selectors)
	n.Requests = sorted(n.Requests)
	n.Starters = p.startMoments(f)
	n.Owners = slices.ContainsFunc(rules, func(r *ChangeRule) bool { return r.CodeOwners != nil })
	n.Updates = p.couldCarry(f, rules)
	return n
}

// couldCarry reports whether one of the rules carries approvals over, and there is
// one which only lacks that all that came after it is known to be updates.
func (p *Policy) couldCarry(f change.Facts, rules []*ChangeRule) bool {
	i := slices.IndexFunc(rules, func(r *ChangeRule) bool { return r.CarryOver != "" })
	if i < 0 {
		return false
	}
	f.Updates = change.Fact[[]change.Update]{}
	s := newSubject(p, f).under(rules[i])
	return slices.ContainsFunc(s.reviews.approvals, func(a approval) bool { return a.unsure != "" })
}

// countsAttempts reports whether a rule limits the attempts behind a required check.
func (r *ChangeRule) countsAttempts() bool {
	return slices.ContainsFunc(r.RequiredChecks, func(c RequiredCheck) bool { return c.Attempts > 0 })
}

// applying returns the rules that name the target branch of a change.
func (p *Policy) applying(f change.Facts) []*ChangeRule {
	branch, known := targetBranch(f)
	if !known {
		return nil
	}
	var rules []*ChangeRule
	for _, i := range p.rulesFor(branch) {
		rules = append(rules, &p.Changes[i])
	}
	return rules
}

// rolesFor returns the roles that matter for a change under a rule. Where the
// touched files are not known, every protected path may be touched.
func (r *ChangeRule) rolesFor(f change.Facts) []string {
	var roles []string
	if r.PeerReview != nil {
		roles = append(roles, r.PeerReview.From...)
	}
	files, known := f.Files.Get()
	for _, entry := range r.ProtectedPaths {
		if !known || len(entry.touchedBy(files)) > 0 {
			roles = append(roles, entry.From...)
		}
	}
	return roles
}
