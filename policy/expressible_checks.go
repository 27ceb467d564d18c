package policy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// untrusted is the conclusion that expressions see of a success which the change
// has decided itself: see checkpoint.judgesItself.
const untrusted = "untrusted"

// checksSeen returns the checks on the head as expressions see them, or why they are
// not known.
func (s *subject) checksSeen() (change.Fact[[]expression.Check], string) {
	none := change.Fact[[]expression.Check]{}
	checks, known := s.facts.Checks.Get()
	head, knowsHead := s.facts.Head.Get()
	switch {
	case !known:
		return none, absent(s.facts, "checks", "the checks are not known")
	case !knowsHead:
		return none, absent(s.facts, "head", "the head is not known")
	}
	type named struct{ app, name, workflow string }
	newest := map[named]change.Check{}
	for _, k := range checks {
		of := named{appOf(k), k.Name, k.Workflow}
		late := s.landed && k.Started.After(s.landing.At)
		if k.Source != change.CheckRun || k.Commit != head.Commit || late {
			continue
		}
		if old, found := newest[of]; !found || (RequiredCheck{}).newer(old, k) < 0 {
			newest[of] = k
		}
	}
	seen := map[named]expression.Check{}
	for _, of := range slices.SortedFunc(maps.Keys(newest), func(a, b named) int {
		return cmp.Or(cmp.Compare(a.workflow, b.workflow), cmp.Compare(a.app, b.app), cmp.Compare(a.name, b.name))
	}) {
		c, why := s.checkSeen(newest[of])
		if why != "" {
			return none, why
		}
		of.workflow = ""
		if old, found := seen[of]; !found || old.Conclusion == change.Success {
			seen[of] = c
		}
	}
	list := slices.Collect(maps.Values(seen))
	slices.SortFunc(list, func(a, b expression.Check) int { return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Name, b.Name)) })
	return change.Known(list), ""
}

// checkSeen returns one run as expressions see it, or why it is not known what it
// came to.
func (s *subject) checkSeen(k change.Check) (expression.Check, string) {
	c := expression.Check{App: appOf(k), Name: k.Name, Status: k.Status, Conclusion: k.Conclusion}
	label := RequiredCheck{Name: k.Name, App: c.App}.label()
	switch {
	case k.Status != "completed":
		c.Conclusion = ""
	case s.landed && k.Completed.IsZero():
		return c, "when " + label + " ended is not known, so perhaps after the change landed"
	case s.landed && k.Completed.After(s.landing.At):
		c.Status, c.Conclusion = "in_progress", ""
	case k.Conclusion == change.Success:
		on := checkpoint{facts: s.facts, commit: k.Commit, proposed: true}
		own := on.judgesItself(RequiredCheck{Name: k.Name, App: c.App, guards: s.guards()}, k)
		if own.Status == change.Undetermined {
			return c, string(own.Reason)
		}
		if own.Status == change.Fail {
			c.Conclusion = untrusted
		}
	}
	return c, ""
}

// guards returns the rules for the branch that apply to every change, and so guard
// a workflow whatever an expression comes to.
func (s *subject) guards() []*ChangeRule {
	branch, _ := targetBranch(s.facts)
	var rules []*ChangeRule
	for _, i := range s.policy.rulesFor(branch) {
		if r := &s.policy.Changes[i]; !r.conditional() {
			rules = append(rules, r)
		}
	}
	return rules
}
