package policy

import (
	"reflect"

	"github.com/countersign-dev/countersign/change"
)

// Interest returns what either policy rests on when it judges changes to a branch.
// Of a control that this function does not know it says that it rests on everything.
func (s *Set) Interest(branch string) change.Interest {
	all := change.Interest{Limited: true}
	for _, p := range s.policies() {
		all = all.And(p.interest(branch))
	}
	return all
}

func (p *Policy) interest(branch string) change.Interest {
	if !p.isKnownWhole() {
		return change.Interest{}
	}
	// Breaking the glass is for people to declare, in whatever words the forge has.
	glass := p.Emergency != nil
	all := change.Interest{Limited: true, Labels: glass, Words: glass, Comments: glass}
	for _, i := range p.rulesFor(branch) {
		all = all.And(p.Changes[i].interest())
	}
	return all
}

// isKnownWhole reports whether the policy holds nothing but what is known to rest on
// no more than the interests of its rules.
func (p *Policy) isKnownWhole() bool {
	rest := *p
	rest.Version, rest.Owner, rest.Roles, rest.People, rest.Automations = 0, "", nil, nil, nil
	rest.Changes, rest.Deployments, rest.Emergency = nil, nil, nil
	rest.above = nil // which is asked for itself
	return reflect.ValueOf(rest).IsZero()
}

// interest returns what a rule rests on. What is left of it when the known controls
// are taken out is a control that is not known here.
func (r ChangeRule) interest() change.Interest {
	in := change.Interest{Limited: true, Words: r.LinkedRequest != nil}
	for _, c := range r.RequiredChecks {
		if c.Name != "" { // a demand for a class is met by those that have names
			in.Checks = append(in.Checks, change.Named{Name: c.Name, App: c.App})
		}
	}
	r.Branches, r.PeerReview, r.SegregationOfDuties, r.RequiredChecks, r.LinkedRequest, r.ProtectedPaths = nil, nil, false, nil, nil, nil
	r.CodeOwners, r.SignedCommits, r.CarryOver = nil, nil, ""
	if !reflect.ValueOf(r).IsZero() {
		return change.Interest{}
	}
	return in
}
