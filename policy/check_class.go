package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// namedChecks returns the checks that the rules for a branch require by name, in the
// order of the policy.
func (p *Policy) namedChecks(branch string) []RequiredCheck {
	guards := p.guardsOf(branch)
	var named []RequiredCheck
	for _, i := range p.rulesFor(branch) {
		for _, c := range p.Changes[i].RequiredChecks {
			if c.Name != "" {
				c.guards = guards
				named = append(named, c)
			}
		}
	}
	return named
}

// bound returns the rules at the given positions, which are for a branch, with each
// required check tied to the rules that guard what runs it, and each demand for a
// class to the checks that can meet it: those that this policy names, and those that
// the policy beside it does.
func (p *Policy) bound(rules []int, branch string) []*ChangeRule {
	guards, named := p.guardsOf(branch), p.namedChecks(branch)
	for _, other := range []*Policy{p.above, p.below} {
		if other != nil {
			named = append(named, other.namedChecks(branch)...)
		}
	}
	out := make([]*ChangeRule, len(rules))
	for at, i := range rules {
		r := p.Changes[i]
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
