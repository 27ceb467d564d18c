package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// assertions asks that expressions of the policy hold of the change.
func assertions(s *subject, r *ChangeRule) change.Result {
	results := make([]change.Result, len(r.Assertions))
	for i := range r.Assertions {
		results[i] = s.asserted(&r.Assertions[i])
	}
	return combine(results)
}

// asserted judges one assertion. One that does not hold is pending as long as what it
// looks at can become another, and failed where it cannot.
func (s *subject) asserted(a *Assertion) change.Result {
	name, message := "the assertion "+change.Quote(a.Name), ""
	if a.Message != "" {
		message = ": " + change.Quote(a.Message)
	}
	f := s.meets(&a.That, s.classFact())
	uses := a.That.compiled.Uses()
	var out change.Result
	switch f.is {
	case holds:
		out = say(change.Pass, "%s holds", name)
	case unknowable:
		out = say(change.Undetermined, "it is not known whether %s holds: %s", name, f.why)
	default:
		out = say(change.Fail, "%s does not hold%s", name, message)
		if f.is == contested {
			out.Reason += change.Text("; " + f.why)
		}
		if changing := slices.DeleteFunc(slices.Clone(uses), settledWhenOpened); len(changing) > 0 {
			out.Status = change.Pending
			out.Supply = change.Text("whoever can change " + enumerate(changing, "or"))
		}
	}
	out.Facts = uses
	return out
}

// settledWhenOpened reports whether a variable stays what it is as long as a change
// is open.
func settledWhenOpened(variable string) bool {
	return slices.Contains([]string{"change.kind", "change.repository", "change.opened", "change.opener", "change.from_fork"}, variable)
}
