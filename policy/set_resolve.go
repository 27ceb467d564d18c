package policy

import (
	"bytes"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// Resolve returns the facts completed by what both policies know, as Policy.Resolve
// does by one.
//
// Which accounts are one human is what either says: that makes more makers and
// fewer approvers. It can also take something away: an automation gets a human who
// answers for it, and two people who are one have one last word. So that nothing a
// repository writes can satisfy the floor, the facts also keep, as ByFloor, what the
// floor alone knows of people, and the floor is judged by that too. What the floor
// says of people holds for the repositories' own policies as well.
func (s *Set) Resolve(f change.Facts, description string) change.Facts {
	switch {
	case s.Floor == nil:
		f = s.Repository.Resolve(f, description)
		f.ByFloor = nil
		return f
	case s.Repository == nil:
		f = s.Floor.Resolve(f, description)
		f.ByFloor = nil
		return f
	}
	// The floor comes first, so that whoever it adds to the people has the same
	// reference in what both know.
	theirs, ours := automationsOf(f, true), automationsOf(f, false)
	floor := s.Floor.Resolve(theirs, description)
	joint := s.joint().Resolve(withPeople(f, floor.People), description).People
	floor = s.Floor.Resolve(withPeople(theirs, asGathered(f, joint)), description)
	out := s.Repository.Resolve(withPeople(ours, joint), description)
	out.People = joint
	out.ByFloor = byFloor(f, floor.People, joint)
	out.Automations = append(out.Automations, fromFloor(floor.Automations)...)
	out.Members = bothOf(out.Members, floor.Members)
	out.Requests = bothOf(out.Requests, floor.Requests)
	if !out.Owners.IsKnown() {
		out.Owners = floor.Owners // either may rest on them
	}
	return out
}

// withPeople returns the facts with other people.
func withPeople(f change.Facts, people change.People) change.Facts {
	f.People = people
	return f
}

// joint returns a policy that knows of people what either of the set does.
func (s *Set) joint() *Policy {
	return &Policy{
		People:      joined(slices.Concat(s.Floor.People, s.Repository.People)),
		Automations: slices.Concat(s.Floor.Automations, s.Repository.Automations),
	}
}

// joined returns entries of people in which no account stands twice: two that share
// an account are of one human.
func joined(people []Alias) []Alias {
	var out []Alias
	for _, a := range people {
		a.Accounts = slices.Clone(a.Accounts)
		var apart []Alias
		for _, o := range out {
			if !slices.ContainsFunc(o.Accounts, func(id change.AccountID) bool { return slices.Contains(a.Accounts, id) }) {
				apart = append(apart, o)
				continue
			}
			// The accounts that stand first are kept first: of automations alone, the
			// first other account is the human.
			merged := slices.Clone(o.Accounts)
			for _, id := range a.Accounts {
				if !slices.Contains(merged, id) {
					merged = append(merged, id)
				}
			}
			a.Accounts = merged
		}
		out = append(apart, a)
	}
	return out
}

// byFloor returns what only the floor knows of people, or nil where it is the same
// as what both know. Of an identity withheld only the record knows it.
func byFloor(f change.Facts, floor, joint change.People) change.People {
	alone := make(change.People, len(joint))
	same := true
	for p, id := range joint {
		alone[p] = floor[p].Withhold("")
		if recorded, found := f.ByFloor[p]; found && id.Digest != "" {
			alone[p] = recorded
		}
		same = same && bytes.Equal(wire(alone[p]), wire(id.Withhold("")))
	}
	if same {
		return nil
	}
	return alone
}

// bothOf returns the entries of two lists of which each may hold what the other
// lacks. What is in neither is not known when either is not.
func bothOf[T any](a, b change.Fact[[]T]) change.Fact[[]T] {
	first, known := a.Get()
	second, also := b.Get()
	switch {
	case !known:
		return b
	case !also:
		return a
	}
	all := slices.Clone(first)
	seen := map[string]bool{}
	for _, v := range first {
		seen[string(wire(v))] = true
	}
	for _, v := range second {
		if !seen[string(wire(v))] {
			all = append(all, v)
		}
	}
	return change.Known(all)
}
