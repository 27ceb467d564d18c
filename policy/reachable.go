package policy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// pushed returns how to judge a movement of a protected branch by one control of one
// rule. What a branch that was created from another asks for must have been asked when
// the commits reached the other.
func (p *Policy) pushed(f change.Facts) func(control, int, *ChangeRule) change.Result {
	f = p.governed(f)
	l, _ := f.Landing.Get()
	return func(c control, at int, _ *ChangeRule) change.Result {
		if broughtNothing(l) && !p.askedOn(l.Reachable, c.id, at) {
			return p.unasked(l.Reachable, c)
		}
		return c.push(f)
	}
}

// unasked says that a branch was created from one on which a control was not asked as
// it is here.
func (p *Policy) unasked(branch string, c control) change.Result {
	how := "is not asked for"
	if slices.ContainsFunc(p.rulesFor(branch), func(i int) bool { return c.askedBy(&p.Changes[i]) }) {
		how = "may ask for less than here"
	}
	return say(change.Fail, "every commit was on %s already, where %s %s; name both branches in one entry, or bring the commits by merged changes",
		change.Quote(branch), c.id, how)
}

// askedOn reports whether all that a rule asks of a control is asked of every change to
// another branch too: by the same rule, or by others that ask for as much.
func (p *Policy) askedOn(branch, id string, at int) bool {
	r, rules := &p.Changes[at], p.rulesFor(branch)
	if slices.Contains(rules, at) && !p.goesByTarget(r, id) {
		return true
	}
	for _, e := range entries(placedRule{at, r}, id) {
		asks := func(i int) bool { return p.asksAsMuch(placedRule{i, &p.Changes[i]}, r, id, e) }
		if !slices.ContainsFunc(rules, asks) {
			return false
		}
	}
	return true
}

// asksAsMuch reports whether a rule asks of every change to its branches at least what
// another one asks by one entry of a control. Demands that merely differ are not
// compared, and a rule that applies to some changes is not asked of every change.
func (p *Policy) asksAsMuch(has placedRule, r *ChangeRule, id string, e entry) bool {
	q := has.rule
	if q.conditional() || p.goesByTarget(q, id) || r.CarryOver == "" && q.CarryOver != "" && overApprovals(id) {
		return false
	}
	switch {
	case id == PeerReviewID && q.PeerReview != nil:
		return q.PeerReview.Approvals >= r.PeerReview.Approvals && slices.Equal(p.holders(q.PeerReview.From), p.holders(r.PeerReview.From))
	case id == CodeOwnersID && q.CodeOwners != nil && q.CodeOwners.Unowned == Deny:
		return true
	case id == SignedCommitsID && q.SignedCommits != nil && q.SignedCommits.ByForge == Deny:
		return true
	}
	return slices.ContainsFunc(entries(has, id), func(own entry) bool { return bytes.Equal(own.form, e.form) })
}

// overApprovals reports whether a control may look at approvals, so that carrying them
// over loosens it.
func overApprovals(id string) bool { return id != RequiredChecksID && id != SignedCommitsID }

// goesByTarget reports whether what a rule asks of a control may depend on the branch
// that the change lands on. What an expression only seems to ask is not trusted.
func (p *Policy) goesByTarget(r *ChangeRule, id string) bool {
	named := func(c *Condition) bool { return c != nil && strings.Contains(c.Text, "target") }
	return named(r.When) ||
		len(r.Classes) > 0 && slices.ContainsFunc(p.Classes, func(c Class) bool { return named(c.When) }) ||
		id == AssertionsID && slices.ContainsFunc(r.Assertions, func(a Assertion) bool { return named(&a.That) })
}
