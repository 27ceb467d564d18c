package policy

import (
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// Judge decides on a change by the policy file that governs it, and by the floor of
// the organisation where there is one. It is total: where there is no policy, or
// none that can be read, the decision is unknown and says why. Equal facts and an
// equal file give an equal decision, whatever the order of the facts' lists and
// whichever identities are withheld.
func Judge(f change.Facts, file change.PolicyFile) change.Decision {
	if why := f.Absent["change"]; why != "" {
		return undetermined("nothing is known of the change: %s", change.Quote(why))
	}
	if why := f.Absent["policy"]; why != "" {
		return undetermined("the policy cannot be read: %s", change.Quote(why))
	}
	if why := f.Absent["floor"]; why != "" {
		return undetermined("the organisation's floor cannot be read: %s", change.Quote(why))
	}
	s, err := Read(file)
	if err != nil {
		return undetermined("%s", err)
	}
	return s.Evaluate(f)
}

// problemsText returns what Parse found wrong, for a decision's reason.
func problemsText(err error) string {
	problems, _ := err.(Problems)
	clauses := make([]string, len(problems))
	for i, p := range problems {
		p.Name = strings.Trim(change.Quote(p.Name), `"`)
		clauses[i] = p.String()
	}
	return sample(clauses)
}

// undetermined returns a decision about which nothing could be judged.
func undetermined(format string, args ...any) change.Decision {
	return change.Decision{Status: change.Undetermined, Reason: change.Text(fmt.Sprintf(format, args...)), Results: []change.Result{}}
}

// Evaluate decides on a change. Every rule that names the target branch applies,
// and every control of each of them is evaluated, whatever the others say.
//
// The makers of a change are whoever opened it; the author, committer and
// co-authors of every commit; everyone who pushed to its branch or force-pushed
// it over all its versions; every alias account of those; and whoever answers for an
// automation among them: see Automation. Where one of them is nobody the forge knows,
// or an automation that nobody answers for, who made the change is unknown, and so is
// whether anybody independent approved.
func (p *Policy) Evaluate(f change.Facts) change.Decision {
	d := p.evaluate(f)
	d.Owner = p.Owner
	return d
}

// evaluate decides on a change without naming the policy's owner.
func (p *Policy) evaluate(f change.Facts) change.Decision {
	branch, known := targetBranch(f)
	if !known {
		return undetermined("%s", absent(f, "base", "the target branch is not known"))
	}
	rules := p.rulesFor(branch)
	if len(rules) == 0 {
		d := undetermined("no rule of the policy names the branch %s; add it to the branches of one", change.Quote(branch))
		d.Ungoverned = true
		return d
	}
	judge, s := p.judgeOf(f)
	if judge == nil {
		return undetermined("this program cannot judge a change of the kind %s", change.Quote(string(f.Ref.Kind)))
	}
	applying := p.appliesTo(s, rules)
	d := change.Decision{Results: []change.Result{}}
	if len(applying) == 0 {
		d = nothingApplies(branch, s)
	}
	if s != nil && len(p.Classes) > 0 {
		d.Class, d.ClassReason = s.class().name(), s.class().reason()
	}
	if len(applying) == 0 {
		return d
	}
	d.Rule = ruleNames(positions(applying))
	asked := p.bound(applying)
	for _, c := range controls() {
		var said []ruled
		for at, a := range applying {
			if r := asked[at]; c.askedBy(r) {
				said = append(said, ruled{a.at, a.tempered(func() change.Result { return judge(c, a.at, r) })})
			}
		}
		if len(said) > 0 {
			r := together(said)
			r.Control, r.Criteria = c.id, criteria(c.id)
			d.Results = append(d.Results, r)
		}
	}
	d.Status = change.Conclude(d.Results)
	return d
}

// judgeOf returns how to judge one control of one rule for this kind of change, or
// nil for a kind this program does not know. Of a proposal it returns the subject too.
func (p *Policy) judgeOf(f change.Facts) (func(control, int, *ChangeRule) change.Result, *subject) {
	switch f.Ref.Kind {
	case change.PullRequest, change.MergeRequest:
		s := newSubject(p, f)
		return func(c control, _ int, r *ChangeRule) change.Result { return s.whenLanded(c.proposal(s.under(r), r)) }, s
	case change.Push:
		return p.pushed(f), nil
	case change.MergeGroup:
		return func(c control, _ int, r *ChangeRule) change.Result { return c.group(f, r) }, nil
	}
	return nil, nil
}

// A subject is a proposed or landed change under judgement, and what several
// controls want to know of it.
type subject struct {
	policy  *Policy
	facts   change.Facts
	answers map[question]answer
	landed  bool
	landing change.Landing // set when landed
	makers  makers
	carries bool // whether approvals are carried over updates
	reviews reviews

	carrying *subject // the same with approvals carried over, once somebody has asked

	classed *classing // once it is asked for, as is
	seen    *world    // what expressions see, without labels and class, once one looks

	spent *expression.Budget // by expressions, approvals carried over or not
}

// under returns the subject as a rule looks at it: it says whether approvals are
// carried over.
func (s *subject) under(r *ChangeRule) *subject {
	if r.CarryOver == "" {
		return s
	}
	if s.carrying == nil {
		other := *s
		other.carries, other.seen = true, nil
		other.reviews = other.reviewsOf()
		s.carrying = &other
	}
	return s.carrying
}

// class returns which class the change is of.
func (s *subject) class() classing {
	if s.classed == nil {
		c := s.classify()
		s.classed = &c
	}
	return *s.classed
}

// classFact returns the class as expressions see it.
func (s *subject) classFact() change.Fact[string] {
	c := s.class()
	switch {
	case len(s.policy.Classes) == 0:
		return change.Known("")
	case c.name() == "":
		return change.Fact[string]{}
	}
	return change.Known(c.name())
}

// newSubject works out what several controls want to know of a change.
func newSubject(p *Policy, f change.Facts) *subject {
	s := &subject{policy: p, facts: f, answers: answersOf(f), spent: &expression.Budget{}}
	if l, known := f.Landing.Get(); known && l.Landed {
		s.landed, s.landing = true, l
	}
	s.makers = makersOf(f, p.Automations)
	s.reviews = s.reviewsOf()
	return s
}

// whenLanded turns what was still pending into a failure once the change has
// landed, because nothing can satisfy it any more.
func (s *subject) whenLanded(r change.Result) change.Result {
	if s.landed && r.Status == change.Pending && !s.policy.hindsight {
		r.Status, r.Supply = change.Fail, ""
		r.Reason = "the change landed without it: " + r.Reason
	}
	return r
}

// unknownApprovals says why it cannot be told which approvals count, or returns
// nothing.
func (s *subject) unknownApprovals() []string {
	return sorted(append(append([]string(nil), s.makers.unknown...), s.reviews.unknown...))
}
