package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// namedChecks returns the checks that rules require by name, in the order of the
// policy, each with the rules that guard what runs it.
func namedChecks(rules, guards []*ChangeRule) []RequiredCheck {
	var named []RequiredCheck
	for _, r := range rules {
		for _, c := range r.RequiredChecks {
			if c.Name != "" {
				c.guards = guards
				named = append(named, c)
			}
		}
	}
	return named
}

// succeeding returns checks of which nothing but success passes, whatever their own
// entries accept: so a floor judges the checks that a repository names for its classes.
func succeeding(checks []RequiredCheck) []RequiredCheck {
	for i := range checks {
		checks[i].Accept = nil
	}
	return checks
}

// bound returns the rules that apply to a change, with each
// required check tied to the rules that guard what runs it, and each demand for a
// class to the checks that can meet it: those that this policy names, and those that
// the policy beside it does.
func (p *Policy) bound(applying []applying) []*ChangeRule {
	rules := sure(applying)
	guards := slices.Concat(rules, p.above)
	named := append(namedChecks(rules, guards), p.beside...)
	out := make([]*ChangeRule, len(applying))
	for at, a := range applying {
		r := *a.rule
		r.RequiredChecks = slices.Clone(r.RequiredChecks)
		for j := range r.RequiredChecks {
			c := &r.RequiredChecks[j]
			if c.guards = guards; c.Name == "" {
				c.among = slices.DeleteFunc(slices.Clone(named), func(n RequiredCheck) bool { return n.Class != c.Class })
			}
		}
		out[at] = &r
	}
	return out
}

// ofClass judges a demand for a class: one of the named checks of the class passes.
// Where several do not, what the least of them lacks is said.
func (o checkpoint) ofClass(c RequiredCheck) change.Result {
	if len(c.among) == 0 {
		out := say(change.Fail, "no check of the class %s is required by name on this branch; name one in the policy", change.Quote(c.Class))
		out.Supply = "the owner of the policy"
		return out
	}
	best := o.entry(c.among[0])
	for _, named := range c.among[1:] {
		if r := o.entry(named); r.Status.Worse(best.Status) != r.Status {
			best = r
		}
	}
	return best
}
