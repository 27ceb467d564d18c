package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// byClass is a floor that asks two approvals of a normal change, and that a standard
// one is small.
const byClass = `version: 1
owner: security
classes: [{name: standard, labels: [standard]}]
changes:
  - branches: ["**"]
    classes: [normal]
    peer-review: {approvals: 2}
  - branches: ["**"]
    classes: [standard]
    assertions: [{name: small, that: "size(change.files) < 2"}]
`

// labelledBy returns the change of approvedChange with a label that somebody set.
func labelledBy(p change.Person) change.Facts {
	f := approvedChange(change.Human)
	f.Labels = change.Known([]string{"standard"})
	f.Timeline = change.Known([]change.Event{tagging("standard", true, p, start().Add(1))})
	return f
}

// A repository that makes whoever set a label one of the makers, or takes them for
// one, changes the class by the floor in its own eyes only: both views must hold.
func TestFloorsClassInBothViews(t *testing.T) {
	joined := mustRead(t, narrow+"people: [{accounts: [\"github:301\", \"github:103\"]}]\n", byClass)
	f := labelledBy("p3")
	f.People["p3"] = change.Identity{Kind: change.Human, Account: "github:103", Login: "linus"}
	f = joined.Resolve(f, "")
	d := joined.Evaluate(f)
	require.Equal(t, change.Pending, result(t, d, policy.PeerReviewID).Status, "normal, where linus is a maker")
	require.Equal(t, change.Pass, result(t, d, policy.AssertionsID).Status, "standard, where he is not")
	require.Equal(t, change.Pending, d.Status)
	require.Equal(t, "changes[0]; organisation floor: changes[1], changes[0]", d.Rule)
	require.Contains(t, string(d.ClassReason), "not settled: ")
	var order []string
	for _, r := range d.Results {
		order = append(order, r.Control)
	}
	require.Equal(t, []string{"peer-review", "segregation-of-duties", "assertions", "no-bypass"}, order)

	apart := mustRead(t, narrow, byClass)
	d = apart.Evaluate(apart.Resolve(labelledBy("p2"), ""))
	require.Equal(t, "standard", d.Class)
	require.Equal(t, change.Pass, d.Status)
}

// What the two views cannot judge for different reasons is said of both.
func TestFloorsReasonsInBothViews(t *testing.T) {
	floor := strings.Replace(byClass, "classes: [normal]", "classes: [standard]", 1)
	joined := mustRead(t, narrow+"people: [{accounts: [\"github:301\", \"github:103\"]}]\n", floor)
	f := labelledBy("p3")
	f.People["p3"] = change.Identity{Kind: change.Human, Account: "github:103", Login: "linus"}
	d := joined.Evaluate(joined.Resolve(f, ""))
	require.Equal(t, change.Undetermined, d.Status, "in one view no entry of the floor applies")
	require.Contains(t, string(d.Reason), "organisation floor: no entry of changes that names the branch")
	require.Contains(t, d.Rule, "organisation floor: changes[0], changes[1]")
}

// A demand that an entry of either policy makes for some changes only is met, and
// guarded, by what applies to the change.
func TestChecksOfBothPoliciesThatApply(t *testing.T) {
	const test = "  - branches: [\"**\"]\n    classes: [%]\n    required-checks: [{name: test, app: ci, class: test}]\n"
	const head = "version: 1\nowner: a\nclasses: [{name: standard, labels: [standard]}]\nchanges:\n"
	floor := head + "  - branches: [\"**\"]\n    required-checks: [{class: test}]\n"
	for class, want := range map[string]change.Status{"standard": change.Pending, "normal": change.Fail} {
		own := head + "  - branches: [\"**\"]\n    segregation-of-duties: {}\n" + strings.Replace(test, "%", class, 1)
		set := mustRead(t, own, floor)
		f := labelledBy("p2")
		f.Checks = change.Known([]change.Check{})
		d := set.Evaluate(set.Resolve(f, ""))
		require.Equal(t, want, result(t, d, policy.RequiredChecksID).Status, class)
	}
}

// What must be asked is asked for entries that apply or may, and for no others.
func TestNeedsOfEntriesThatApply(t *testing.T) {
	const text = `version: 1
owner: a
roles: {lead: [team:acme/leads], engineer: [team:acme/engineers]}
classes: [{name: standard, labels: [standard]}]
changes:
  - branches: ["**"]
    classes: [standard]
    peer-review: {approvals: 1, from: [engineer]}
    required-checks: [{name: test, app: ci, attempts: 1}]
  - branches: ["**"]
    classes: [normal]
    peer-review: {approvals: 1, from: [lead]}
    code-owners: {}
    carry-over: updates
`
	p := parsed(t, text)
	n := p.Needs(labelledBy("p2"))
	require.Equal(t, []change.Selector{"team:acme/engineers"}, n.Selectors)
	require.True(t, n.Attempts)
	require.False(t, n.Owners)
	n = p.Needs(labelledBy("p1"))
	require.Equal(t, []change.Selector{"team:acme/leads"}, n.Selectors)
	require.False(t, n.Attempts)
	require.True(t, n.Owners)
	unsure := labelledBy("p2")
	unsure.Labels = change.Fact[[]string]{}
	require.Equal(t, []change.Selector{"team:acme/engineers", "team:acme/leads"}, p.Needs(unsure).Selectors)
	unsure.Base = change.Fact[change.Base]{}
	require.Empty(t, p.Needs(unsure).Selectors)

	set := mustRead(t, text, narrow)
	require.Equal(t, []change.Selector{"team:acme/engineers"}, set.Needs(labelledBy("p2")).Selectors)
	set = mustRead(t, narrow, text)
	require.Equal(t, []change.Selector{"team:acme/leads"}, set.Needs(labelledBy("p1")).Selectors)
	group := change.Facts{Ref: change.Ref{Kind: change.MergeGroup, Branch: "main"}}
	require.True(t, p.Needs(group).Attempts, "of a group every entry applies")
	p = parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    when: change.kind == \"pull_request\"\n    required-checks: [{name: test, app: ci, attempts: 1}]\n")
	require.True(t, p.Needs(group).Attempts, "whatever its conditions")
	proposal := labelledBy("p2")
	require.True(t, p.Needs(proposal).Attempts)
	proposal.Ref.Kind = change.MergeRequest
	require.False(t, p.Needs(proposal).Attempts)
}

// The authors of a class are asked of everybody who had a hand in a change, once, and
// a record keeps the answers without saying who they are.
func TestAuthorsAreResolved(t *testing.T) {
	p := parsed(t, "version: 1\nowner: a\nclasses: [{name: routine, authors: [\"github:301\", \"user:github:7\"]}]\nchanges:\n  - branches: [\"**\"]\n    peer-review: {approvals: 1}\n")
	f := approvedChange(change.Human)
	f = p.Resolve(f, "")
	require.Equal(t, []change.Membership{{Selector: "user:github:301", Person: "p1", Member: true}, {Selector: "user:github:7", Person: "p1"}}, f.Members.Or(nil))
	require.Equal(t, "routine", p.Evaluate(f).Class)
	for person, id := range f.People {
		f.People[person] = id.Withhold("withheld")
	}
	require.Equal(t, wireOf(f), wireOf(p.Resolve(f, "")))
	require.Equal(t, "routine", p.Evaluate(f).Class)

	f.Members = change.Fact[[]change.Membership]{}
	require.Empty(t, p.Evaluate(f).Class, "nobody said whether p1 is an author")
	require.Contains(t, string(p.Evaluate(f).ClassReason), "it is not known whether @{p1}, who had a hand in it, is one of its authors")

	f.Opener = change.Known(change.Person(""))
	require.Empty(t, p.Evaluate(p.Resolve(f, "")).Class)
}
