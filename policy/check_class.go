package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// NamedChecks returns the checks that the rules for a branch require by name, in the
// order of the policy. A demand for a class, of this policy or of one above it, is
// met by any of them that is of the class.
func (p *Policy) NamedChecks(branch string) []RequiredCheck {
	var named []RequiredCheck
	for _, i := range p.rulesFor(branch) {
		for _, c := range p.Changes[i].RequiredChecks {
			if c.Name != "" {
				named = append(named, c)
			}
		}
	}
	return named
}

// bound returns the rules at the given positions with their demands for classes tied
// to the checks that can meet them, which are among the named.
func (p *Policy) bound(rules []int, named []RequiredCheck) []*ChangeRule {
	out := make([]*ChangeRule, len(rules))
	for at, i := range rules {
		out[at] = p.Changes[i].withClasses(named)
	}
	return out
}

// withClasses returns the rule with each of its demands for a class tied to those of
// the named checks that can meet it. r is not changed.
func (r *ChangeRule) withClasses(named []RequiredCheck) *ChangeRule {
	out := *r
	out.RequiredChecks = slices.Clone(r.RequiredChecks)
	for i := range out.RequiredChecks {
		if c := &out.RequiredChecks[i]; c.Name == "" {
			c.among = slices.DeleteFunc(slices.Clone(named), func(n RequiredCheck) bool { return n.Class != c.Class })
		}
	}
	return &out
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
