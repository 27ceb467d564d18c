package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// An answer is yes, no, or that the facts do not say.
type answer int

const (
	no answer = iota
	unsure
	yes
)

// A question is one a Membership answers.
type question struct {
	selector change.Selector
	person   change.Person
}

// answersOf returns the answers of the facts. Where two contradict each other, no
// holds.
func answersOf(f change.Facts) map[question]answer {
	answers := map[question]answer{}
	members, _ := f.Members.Get()
	for _, m := range members {
		q := question{m.Selector, m.Person}
		switch _, twice := answers[q]; {
		case !m.Member:
			answers[q] = no
		case !twice:
			answers[q] = yes
		}
	}
	return answers
}

// holds says whether a person holds any of the roles.
func (s *subject) holds(p change.Person, roles []string) answer {
	best := no
	for _, role := range roles {
		for _, selector := range s.policy.Roles[role] {
			a, asked := s.answers[question{selector, p}]
			if !asked {
				a = unsure
			}
			best = max(best, a)
		}
	}
	return best
}

// mayApprove says whether the reviewer has what the roles ask for: one of them, or
// where there are none, the right to write to the repository.
func (s *subject) mayApprove(r change.Review, roles []string) answer {
	if len(roles) > 0 {
		return s.holds(r.By, roles)
	}
	canPush, known := r.CanPush.Get()
	switch {
	case !known:
		return unsure
	case canPush:
		return yes
	}
	return no
}

// anyhow is the demand for write access or one of the roles.
func (s *subject) anyhow(roles []string) demand {
	return demand{
		may: func(r change.Review) answer { return max(s.mayApprove(r, nil), s.holds(r.By, roles)) },
		is:  "able to write to the repository",
	}
}

// A tally is which approvals count for one demand of a control.
type tally struct {
	unknown   []string // why none can be counted
	counted   []approval
	unsure    []string // why it is not known whether an approval counts
	uncounted []change.Uncounted
}

// A demand is what an approver must be for one demand of a control.
type demand struct {
	may func(change.Review) answer
	is  string // what that is, such as "in the role engineer"
}

// from is the demand for one of the roles, or for write access where there are none.
func (s *subject) from(roles []string) demand {
	d := demand{may: func(r change.Review) answer { return s.mayApprove(r, roles) }, is: "able to write to the repository"}
	if len(roles) > 0 {
		d.is = "in the role " + enumerate(slices.Clone(roles), "or")
	}
	return d
}

// tally counts the approvals that meet a demand. None counts while it cannot be
// told which are independent, of the head and of the base.
func (s *subject) tally(d demand) tally {
	t := tally{unknown: s.unknownApprovals()}
	for _, a := range s.reviews.approvals {
		r, by, why := a.review, mark(a.review.By), a.why
		may := d.may(r)
		switch {
		case why != "":
		case may == no:
			why = fmt.Sprintf("%s's approval does not count: %s is not %s", by, by, d.is)
		case len(t.unknown) > 0:
			why = fmt.Sprintf("it cannot be told whether %s's approval is independent and of what lands", by)
		case may == unsure:
			why = fmt.Sprintf("it is not known whether %s is %s", by, d.is)
			t.unsure = append(t.unsure, why)
		case a.unsure != "":
			why = a.unsure
			t.unsure = append(t.unsure, why)
		default:
			t.counted = append(t.counted, a)
			continue
		}
		t.uncounted = append(t.uncounted, change.Uncounted{Review: r.ID, By: r.By, Why: change.Text(why)})
	}
	return t
}

// reasons returns why approvals did not count, in their order.
func (t tally) reasons() []string {
	out := make([]string, len(t.uncounted))
	for i, u := range t.uncounted {
		out[i] = string(u.Why)
	}
	return out
}

// counters returns the marks of those whose approvals count, and what an approval was
// carried over.
func (t tally) counters() string {
	marks := make([]string, len(t.counted))
	for i, a := range t.counted {
		marks[i] = mark(a.review.By)
		if len(a.over) > 0 {
			marks[i] += fmt.Sprintf(" (carried from %s over %s)", abbrev(a.review.Commit), updatesNamed(a.over))
		}
	}
	return enumerate(marks, "and")
}

// updatesNamed names updates, the oldest first.
func updatesNamed(over []change.SHA) string {
	const most = 3
	var names []string
	for _, sha := range slices.Backward(over) {
		names = append(names, abbrev(sha))
	}
	noun := "the update "
	if len(names) > 1 {
		noun = "the updates "
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	return noun + enumerate(names, "and")
}

// facts names the reviews that count, and the updates that any was carried over.
func (t tally) facts() []string {
	var facts []string
	for _, a := range t.counted {
		facts = append(facts, reviewFact(a.review))
		for _, sha := range a.over {
			facts = append(facts, "updates/"+string(sha))
		}
	}
	return sorted(facts)
}

// reviewFact names a review, such as "reviews/80".
func reviewFact(r change.Review) string { return "reviews/" + strconv.FormatInt(r.ID, 10) }

// supplyOf says who can give an approval, and how they are recognised.
func (s *subject) supplyOf(roles []string) change.Text {
	if len(roles) == 0 {
		return "anyone who may write to the repository and made no part of the change"
	}
	var parts []string
	for _, role := range roles {
		selectors := make([]string, len(s.policy.Roles[role]))
		for i, sel := range s.policy.Roles[role] {
			selectors[i] = string(sel)
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", role, strings.Join(selectors, ", ")))
	}
	return change.Text(enumerate(slices.Compact(parts), "or") + ", other than who made the change")
}
