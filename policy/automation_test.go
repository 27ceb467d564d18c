package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// registering returns a policy that registers automations, and facts in which p3 is
// one of them.
func registering(t *testing.T, text, entry string, f change.Facts, accountable change.Person) (*policy.Policy, change.Facts) {
	t.Helper()
	p, err := policy.Parse("policy.yml", []byte(text+"automations:\n  - "+entry+"\n"))
	require.NoError(t, err)
	people := change.People{}
	for person, id := range f.People {
		people[person] = id
	}
	id := people["p3"]
	id.Kind, id.SameAs = change.Bot, ""
	people["p3"] = id
	f.People, f.Automations = people, []change.Automation{{Person: "p3", Accountable: accountable}}
	return p, f
}

// TestWhoAnswersNeverCounts: whoever answers for an automation that has a part in a
// change adds nothing to it by approving.
func TestWhoAnswersNeverCounts(t *testing.T) {
	tried := 0
	eachCase(t, func(t *testing.T, d dice, _ *policy.Policy, f change.Facts) {
		p, f := registering(t, narrow, `{account: "github:103", accountable: "github:108"}`, f, "p8")
		f.People["p8"] = change.Identity{Kind: change.Human}
		if f.Ref.Kind != change.PullRequest || !slices.Contains(makersIn(f), "p3") {
			return
		}
		f = silent(f, "p8")
		more, ok := approve(f, "p8")
		if !ok {
			return
		}
		f.Members = more.Members
		tried++
		require.Equal(t, statuses(p.Evaluate(f)), statuses(p.Evaluate(more)), "%s", wireOf(more))
	})
	require.Greater(t, tried, cases()/10)
}

// TestScopeOnlyNarrows: an automation that is trusted with fewer paths never lets a
// change through that one trusted with every path would hold.
func TestScopeOnlyNarrows(t *testing.T) {
	narrowed := 0
	eachCase(t, func(t *testing.T, _ dice, _ *policy.Policy, f change.Facts) {
		all, f := registering(t, narrow, `{account: "github:103", accountable: "github:108"}`, f, "p8")
		some, f := registering(t, narrow, `{account: "github:103", accountable: "github:108", paths: [a.go, deploy/]}`, f, "p8")
		was, is := all.Evaluate(f).Status, some.Evaluate(f).Status
		if was != is {
			narrowed++
		}
		require.True(t, !was.Blocks() || is.Blocks(), "%s", wireOf(f))
	})
	require.Greater(t, narrowed, cases()/200)
}

// TestOneMoreRunNeverAllows: another run that was at work takes nothing away from
// who may be behind an automation, and fewer runs never add a maker.
func TestOneMoreRunNeverAllows(t *testing.T) {
	held := 0
	eachCase(t, func(t *testing.T, d dice, _ *policy.Policy, f change.Facts) {
		p, f := registering(t, narrow, `{account: "github:103", accountable: starter}`, f, "")
		f.Opened = start()
		f.Head = change.Known(change.Head{Branch: "topic", Commit: commitID(1), Tree: treeID(1), Repository: f.Ref.Repository.ID})
		always := change.Run{ID: 1, Actor: "p2", Starter: "p2", Started: start().Add(-time.Hour)}
		f.Runs = change.Known([]change.Run{always})
		more := f
		more.Runs = change.Known([]change.Run{always, {ID: 2, Actor: d.reviewer(), Starter: d.maker(), Started: start().Add(-time.Hour)}})
		before, after := p.Evaluate(f).Status, p.Evaluate(more).Status
		if before != after {
			held++
		}
		require.True(t, !before.Blocks() || after.Blocks(), "%s", wireOf(more))
	})
	require.Greater(t, held, cases()/200)
}

// TestOneMoreAliasNeverAllows: stating that two humans are one never lets a change
// through that was held, unless one of them had asked for changes: a human has one
// last word.
func TestOneMoreAliasNeverAllows(t *testing.T) {
	tried := 0
	eachCase(t, func(t *testing.T, d dice, p *policy.Policy, f change.Facts) {
		a, b := d.reviewer(), d.maker()
		if b == "" || f.People[a].Kind != change.Human || f.People[b].Kind != change.Human || f.People.Same(a) == f.People.Same(b) ||
			slices.ContainsFunc(f.Reviews.Or(nil), func(r change.Review) bool { return r.State != change.Approved && r.State != change.Commented }) {
			return
		}
		tried++
		people := change.People{}
		for person, id := range f.People {
			if f.People.Same(person) == f.People.Same(a) {
				id.SameAs = f.People.Same(b)
			}
			people[person] = id
		}
		before := p.Evaluate(f).Status
		f.People = people
		require.True(t, !before.Blocks() || p.Evaluate(f).Status.Blocks(), "%s", wireOf(f))
	})
	require.Greater(t, tried, cases()/20)
}

// TestNeedsTheRunsOfStarters: only what an automation did that acts for its starter
// is asked about.
func TestNeedsTheRunsOfStarters(t *testing.T) {
	p, err := policy.Parse("policy.yml", []byte(narrow+`automations: [{account: "github:302", accountable: starter}, {account: "github:301", accountable: "github:101"}]`))
	require.NoError(t, err)
	f := change.Facts{
		Ref:    change.Ref{Kind: change.PullRequest, Number: 1},
		Base:   change.Known(change.Base{Branch: "main", Target: "main"}),
		Opened: start(),
		People: change.People{"p1": {Kind: change.Bot, Account: "github:302"}, "p2": {Kind: change.Bot, Account: "github:301"}, "p3": {Kind: change.Human, Account: "github:101"}},
	}
	push := func(by change.Person, minute int) change.BranchPush {
		return change.BranchPush{By: by, After: commitID(minute), At: start().Add(time.Duration(minute) * time.Minute)}
	}
	f.Opener = change.Known(change.Person("p1"))
	f.Pushes = change.Known([]change.BranchPush{push("p1", 2), push("p2", 3), push("p3", 4), push("p1", 2)})
	f.Timeline = change.Known([]change.Event{{Kind: change.HeadForcePushed, By: "p1", At: start().Add(5 * time.Minute)}, {Kind: change.Labeled, By: "p1", At: start().Add(6 * time.Minute)}})
	require.Equal(t, []time.Time{start(), start().Add(2 * time.Minute), start().Add(5 * time.Minute)}, p.Needs(f).Starters)
	f.Opener = change.Known(change.Person("p3"))
	f.Pushes, f.Timeline = change.Known([]change.BranchPush{push("p2", 3)}), change.Fact[[]change.Event]{}
	require.Empty(t, p.Needs(f).Starters)
}

// TestAutomationsAreMarkedOnce: an account that is withheld stays what the record
// says it is, and the facts given are not changed.
func TestAutomationsAreMarkedOnce(t *testing.T) {
	p, err := policy.Parse("policy.yml", []byte(narrow+`automations: [{account: "github:301", accountable: "github:101"}]`))
	require.NoError(t, err)
	f := change.Facts{People: change.People{"p1": {Kind: change.Human, Account: "github:301"}}}
	before := wireOf(f)
	resolved := p.Resolve(f, "")
	require.Equal(t, before, wireOf(f))
	require.Equal(t, []change.Automation{{Person: "p1", Entry: 0, Accountable: "p2"}}, resolved.Automations)
	require.Equal(t, change.Bot, resolved.People["p1"].Kind)
	require.Equal(t, change.Identity{Kind: change.Human, Account: "github:101"}, resolved.People["p2"])
	require.Equal(t, wireOf(resolved), wireOf(p.Resolve(resolved, "")), "resolved again")

	for person, id := range resolved.People {
		resolved.People[person] = id.Withhold("digest")
	}
	require.Equal(t, wireOf(resolved), wireOf(p.Resolve(resolved, "")), "resolved from a record")
	require.NotContains(t, strings.ToLower(string(wireOf(resolved))), "github:301")
}
