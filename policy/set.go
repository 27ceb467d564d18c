package policy

import (
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// A Set is the policies that govern a change together: the repository's own, and
// the floor, which is that of its organisation. What either asks for must hold, so
// that a repository can only tighten the floor. Each is judged by its own rules,
// roles and classes; of people and automations see Resolve.
type Set struct {
	Repository *Policy // nil where the floor alone governs, because the repository has no policy file
	Floor      *Policy // nil where none is configured
}

// Read reads a policy file and the floor that it carries. The error says in words
// for the engineer, which may stand in a Text, why nobody can be judged by them: a
// floor that is missing or cannot be used is as good as an absent fact, and so is a
// missing policy where there is no floor.
func Read(file change.PolicyFile) (*Set, error) {
	s := &Set{}
	var err error
	if file.Floor != nil {
		if !file.Floor.Found {
			return nil, fmt.Errorf("there is no organisation's floor %s at %s; add it, or take it out of the server's configuration",
				change.Quote(file.Floor.Path), abbrev(file.Floor.Commit))
		}
		if s.Floor, err = Parse(nameOf(*file.Floor), []byte(file.Floor.Text)); err != nil {
			return nil, fmt.Errorf("the organisation's floor cannot be used: %s", problemsText(err))
		}
		if !file.Found {
			return s, nil
		}
	}
	if !file.Found {
		return nil, fmt.Errorf("there is no policy %s on the protected branch at %s; add one", change.Quote(nameOf(file)), abbrev(file.Commit))
	}
	if s.Repository, err = Parse(nameOf(file), []byte(file.Text)); err != nil {
		return nil, fmt.Errorf("the policy cannot be used: %s", problemsText(err))
	}
	return s, nil
}

// nameOf returns what to call a policy file.
func nameOf(file change.PolicyFile) string {
	if file.Path == "" {
		return "the policy"
	}
	return file.Path
}

// policies returns those of the set that there are.
func (s *Set) policies() []*Policy {
	var list []*Policy
	for _, p := range []*Policy{s.Repository, s.Floor} {
		if p != nil {
			list = append(list, p)
		}
	}
	return list
}

// Governs reports whether either policy names the branch.
func (s *Set) Governs(branch string) bool {
	for _, p := range s.policies() {
		if p.Governs(branch) {
			return true
		}
	}
	return false
}

// AsksOwners reports whether either policy asks code owners about changes to the branch.
func (s *Set) AsksOwners(branch string) bool {
	return slices.ContainsFunc(s.policies(), func(p *Policy) bool {
		return slices.ContainsFunc(p.rulesFor(branch), func(i int) bool { return p.Changes[i].CodeOwners != nil })
	})
}

// Needs returns the questions that remain before the change can be judged by both.
func (s *Set) Needs(f change.Facts) change.Needs {
	if s.Floor == nil || s.Repository == nil {
		return s.policies()[0].Needs(f)
	}
	resolved := f
	if s.Repository.chooses(f) || s.Floor.chooses(f) {
		resolved = s.Resolve(f, "")
	}
	return s.Repository.needs(f, rulesIn(s.ownView(resolved))).And(s.Floor.needs(f, rulesIn(s.floorView(resolved))))
}
