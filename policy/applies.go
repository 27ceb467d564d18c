package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// An applying rule is one that applies to a change, or may.
type applying struct {
	at     int // position in the policy's changes
	rule   *ChangeRule
	unsure string // why it is not known whether it applies; empty where it does
	judged bool   // of an unsure one: whether it is judged all the same
}

// appliesTo returns which rules apply to a change, of those that name its branch.
// To a push and to a merge group all of them do, whatever their conditions: what a
// change came to that landed or waits in the group was decided by its own judgement,
// and nobody goes around the gate by the class of what they push.
func (p *Policy) appliesTo(s *subject, rules []int) []applying {
	var out []applying
	for _, i := range rules {
		a := applying{at: i, rule: &p.Changes[i]}
		if s == nil || s.applies(&a) {
			out = append(out, a)
		}
	}
	return out
}

// applies reports whether a rule applies to the change, or may.
func (s *subject) applies(a *applying) bool {
	if classes := a.rule.Classes; len(classes) > 0 {
		c := s.class()
		in := 0
		for _, name := range c.may {
			if slices.Contains(classes, name) {
				in++
			}
		}
		if in == 0 {
			return false
		}
		if in < len(c.may) && c.unknown {
			a.unsure, a.judged = "the class of the change is "+string(c.reason()), true
		}
	}
	if a.rule.When == nil {
		return true
	}
	f := s.meets(a.rule.When, s.classFact())
	if f.is == unknowable {
		a.unsure, a.judged = join("; ", a.unsure, f.why), false
	}
	return f.is != holdsNot
}

// tempered returns what a control comes to by a rule of which it is not known
// whether it applies: nothing it asks for passes.
func (a applying) tempered(judge func() change.Result) change.Result {
	if a.unsure == "" {
		return judge()
	}
	out := say(change.Undetermined, "it is not known whether this entry applies: %s", a.unsure)
	if !a.judged {
		return out
	}
	return combine([]change.Result{out, judge()})
}

// positions returns where rules stand in the policy.
func positions(list []applying) []int {
	var at []int
	for _, a := range list {
		at = append(at, a.at)
	}
	return at
}

// rulesIn returns the rules that apply, or may.
func rulesIn(list []applying) []*ChangeRule {
	var rules []*ChangeRule
	for _, a := range list {
		rules = append(rules, a.rule)
	}
	return rules
}

// sure returns the rules that certainly apply.
func sure(list []applying) []*ChangeRule {
	var rules []*ChangeRule
	for _, a := range list {
		if a.unsure == "" {
			rules = append(rules, a.rule)
		}
	}
	return rules
}

// isProposal reports whether a kind of change is one that people propose.
func isProposal(k change.Kind) bool { return k == change.PullRequest || k == change.MergeRequest }

// view returns the rules that apply to a change, or may, of those that name its
// branch. A subject is made only where a rule asks for it.
func (p *Policy) view(f change.Facts) []applying {
	branch, known := targetBranch(f)
	if !known {
		return nil
	}
	rules := p.rulesFor(branch)
	var s *subject
	if isProposal(f.Ref.Kind) && slices.ContainsFunc(rules, func(i int) bool { return p.Changes[i].conditional() }) {
		s = newSubject(p, f)
	}
	return p.appliesTo(s, rules)
}

// nothingApplies says that a change to a governed branch is one that no entry speaks
// of. Of such a change nothing was asked, and so it does not pass.
func nothingApplies(branch string, s *subject) change.Decision {
	why := ""
	if len(s.policy.Classes) > 0 {
		why = "; its class is " + join(": ", s.class().name(), string(s.class().reason()))
	}
	return undetermined("no entry of changes that names the branch %s applies to this change%s; add an entry without classes and when, or one for changes like this",
		change.Quote(branch), why)
}
