package policy

import (
	"maps"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// Where both policies govern, the floor is judged by its own automations alone: who
// answers for one lets changes through that would be unknown otherwise, and nothing
// that a repository writes may do that for the floor. The repository's policy is
// judged by both, first by its own. Whoever either calls an automation is none who
// can approve.

// automationsOf returns the facts with the automations that the floor registers, or
// those that the repository does.
func automationsOf(f change.Facts, floor bool) change.Facts {
	f.Automations = slices.DeleteFunc(slices.Clone(f.Automations), func(a change.Automation) bool { return a.Floor != floor })
	return f
}

// fromFloor returns automations marked as the floor's.
func fromFloor(automations []change.Automation) []change.Automation {
	automations = slices.Clone(automations)
	for i := range automations {
		automations[i].Floor = true
	}
	return automations
}

// asGathered returns people with the kinds that the forge told.
func asGathered(f change.Facts, people change.People) change.People {
	out := maps.Clone(people)
	for p, id := range f.People {
		same := out[p]
		same.Kind = id.Kind
		if alone, recorded := f.ByFloor[p]; recorded {
			same.Kind = alone.Kind
		}
		out[p] = same
	}
	return out
}

// own decides by the repository's policy.
func (s *Set) own(f change.Facts) change.Decision {
	p, own := s.asOwn(f)
	return p.Evaluate(own)
}

// asOwn returns the repository's policy, which also knows the floor's automations, and
// the facts as it sees them.
func (s *Set) asOwn(f change.Facts) (*Policy, change.Facts) {
	both := *s.Repository
	both.Automations = slices.Concat(s.Repository.Automations, s.Floor.Automations)
	own := automationsOf(f, false)
	for _, a := range automationsOf(f, true).Automations {
		if !slices.ContainsFunc(own.Automations, func(o change.Automation) bool { return o.Person == a.Person }) {
			a.Entry += len(s.Repository.Automations)
			own.Automations = append(own.Automations, a)
		}
	}
	return &both, own
}
