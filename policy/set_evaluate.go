package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// ofFloor begins what the floor says, where both policies speak.
const ofFloor = "organisation floor: "

// Evaluate decides on a change by both policies, control by control: of each the
// worse result counts. A policy that names no rule for the target branch asks for
// nothing; where neither names one, the change is nobody's concern.
func (s *Set) Evaluate(f change.Facts) change.Decision {
	if s.Floor == nil {
		return s.Repository.Evaluate(f)
	}
	s = s.tied(f)
	floor := s.floor(f)
	if s.Repository == nil {
		return floor
	}
	own := s.own(f)
	switch {
	case floor.Ungoverned:
		return own
	case own.Ungoverned:
		floor.Notes = s.notes(f)
		return floor
	}
	d := tightened(own, floor)
	d.Notes = s.notes(f)
	return d
}

// tied returns the set with each policy knowing what of the other's rules for the
// change it rests on: which checks are required by name, and which paths are
// protected. A floor does not rely on what a repository protects, because the
// repository says in which roles. s is not changed.
func (s *Set) tied(f change.Facts) *Set {
	if s.Repository == nil {
		return s
	}
	own, floor := *s.Repository, *s.Floor
	mine, theirs := sure(s.ownView(f)), sure(s.floorView(f))
	own.above = theirs
	own.beside, floor.beside = namedChecks(theirs, theirs), succeeding(namedChecks(mine, slices.Concat(mine, theirs)))
	return &Set{Repository: &own, Floor: &floor}
}

// ownView returns the rules of the repository's policy that apply to a change.
func (s *Set) ownView(f change.Facts) []applying {
	p, own := s.asOwn(f)
	return p.view(own)
}

// floorView returns the rules of the floor that apply to a change.
func (s *Set) floorView(f change.Facts) []applying { return s.Floor.view(automationsOf(f, true)) }

// floor decides by the floor, in its own name. What repositories say of people may
// make its judgement stricter and not milder: it is judged with and without that.
func (s *Set) floor(f change.Facts) change.Decision {
	if s.Repository != nil {
		f = automationsOf(f, true)
	}
	d := s.Floor.Evaluate(f)
	if f.ByFloor != nil {
		d = worseOf(s.Floor.Evaluate(withPeople(f, f.ByFloor)), d)
	}
	if d.Rule != "" {
		d.Rule = ofFloor + d.Rule
	}
	d.Reason = inFloor(d.Reason)
	for i := range d.Results {
		r := &d.Results[i]
		r.Reason, r.Supply = inFloor(r.Reason), inFloor(r.Supply)
	}
	return d
}

// inFloor says that the floor says something.
func inFloor(t change.Text) change.Text {
	if t == "" || strings.HasPrefix(string(t), ofFloor) {
		return t // so began what a member of a group came to, or nothing was said
	}
	return ofFloor + t
}

// worseOf returns one policy's decision over two views of the same people: of each
// control the worse result, and the first's where they are as bad. The class of the
// change can be another in each, and so can what is asked of it: then both hold.
func worseOf(a, b change.Decision) change.Decision {
	out := a
	out.Results, out.Status = slices.Clone(a.Results), a.Status.Worse(b.Status)
	for _, r := range b.Results {
		switch own := of(out, r.Control); {
		case own == nil:
			out.Results = append(out.Results, r)
		case own.Status.Worse(r.Status) != own.Status:
			*own = r
		}
	}
	inOrder(out.Results)
	if a.Rule != b.Rule {
		out.Rule = join(", ", a.Rule, b.Rule)
	}
	if a.Reason != b.Reason {
		out.Reason = change.Text(join(". ", string(a.Reason), string(b.Reason)))
	}
	if a.Class != b.Class {
		out.Class, out.ClassReason = "", change.Text("not settled: "+join("; ", string(a.ClassReason), string(b.ClassReason)))
	}
	return out
}

// inOrder sorts results as a decision lists them.
func inOrder(results []change.Result) {
	slices.SortStableFunc(results, func(a, b change.Result) int { return place(a.Control) - place(b.Control) })
}

// tightened returns a repository's decision made as strict as the floor's.
func tightened(own, floor change.Decision) change.Decision {
	d := change.Decision{
		Owner: own.Owner, Class: cmp.Or(own.Class, floor.Class), ClassReason: cmp.Or(own.ClassReason, floor.ClassReason), Results: []change.Result{},
		Rule: join("; ", own.Rule, floor.Rule), Status: own.Status.Worse(floor.Status),
	}
	if bare(own.Reason) == bare(floor.Reason) {
		d.Reason = own.Reason
	} else {
		d.Reason = change.Text(join(". ", string(own.Reason), string(floor.Reason)))
	}
	for _, r := range own.Results {
		if also := of(floor, r.Control); also != nil {
			r = stricter(r, *also)
		}
		d.Results = append(d.Results, r)
	}
	for _, r := range floor.Results {
		if of(own, r.Control) == nil {
			d.Results = append(d.Results, r)
		}
	}
	inOrder(d.Results)
	return d
}

// of returns a control's result in a decision, or nil.
func of(d change.Decision, control string) *change.Result {
	if i := slices.IndexFunc(d.Results, func(r change.Result) bool { return r.Control == control }); i >= 0 {
		return &d.Results[i]
	}
	return nil
}

// place returns where a control stands in a decision.
func place(control string) int {
	return slices.Index(ControlIDs(), control)
}

// stricter returns one result of a control that both policies ask for: the worse of
// them, with all that it rests on, or both where they are as bad.
func stricter(own, floor change.Result) change.Result {
	if own.Status != floor.Status {
		if own.Status.Worse(floor.Status) == own.Status {
			return own
		}
		return floor
	}
	if own.Reason == bare(floor.Reason) {
		floor.Reason = own.Reason
	}
	if own.Supply == bare(floor.Supply) {
		floor.Supply = own.Supply
	}
	out := combine([]change.Result{own, floor})
	out.Control, out.Criteria = own.Control, own.Criteria
	return out
}

// bare returns what the floor says without who says it.
func bare(t change.Text) change.Text {
	return change.Text(strings.TrimPrefix(string(t), ofFloor))
}

// join joins the texts that there are.
func join(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), separator)
}
