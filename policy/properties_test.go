package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// cases returns how many random facts each property is tried on: a few with -short,
// which still reach every outcome.
func cases() int {
	if testing.Short() {
		return 600
	}
	return 4000
}

// broad is a policy with every control, and two rules for main.
const broad = `version: 1
owner: platform-team
roles:
  engineer: [team:acme/engineers, "permission:maintain"]
  platform: [team:acme/platform]
changes:
  - branches: [main]
    peer-review: {approvals: 1}
    segregation-of-duties: {}
    required-checks:
      - {name: test, app: github-actions}
    linked-request: {pattern: "SHOP-[0-9]+"}
  - branches: ["**"]
    peer-review: {approvals: 2, from: [engineer]}
    protected-paths:
      - {paths: [CODEOWNERS], from: [platform, engineer]}
      - {paths: [deploy/*], from: [engineer]}
`

// narrow has one control of approvals, so that allowed changes are common.
const narrow = `version: 1
owner: platform-team
changes:
  - branches: ["**"]
    peer-review: {approvals: 1}
    segregation-of-duties: {}
`

// signed asks for owners and signatures, and carries approvals over.
const signed = `version: 1
owner: platform-team
changes:
  - branches: ["**"]
    code-owners: {}
    signed-commits: {by-forge: allow}
    carry-over: updates
  - branches: [main]
    peer-review: {approvals: 1}
    code-owners: {unowned: deny}
    carry-over: updates
`

// eachCase calls try with random facts under each policy.
func eachCase(t *testing.T, try func(t *testing.T, d dice, p *policy.Policy, f change.Facts)) {
	t.Helper()
	for _, text := range []string{broad, narrow, signed} {
		p, err := policy.Parse("policy.yml", []byte(text))
		require.NoError(t, err)
		for seed := range uint64(cases() / 2) {
			d := newDice(seed)
			try(t, d, p, d.facts())
		}
	}
}

// wireOf returns the JSON form of a value, quicker than a require for each case.
func wireOf(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// statuses returns the status of each control.
func statuses(d change.Decision) map[string]change.Status {
	out := map[string]change.Status{"": d.Status}
	for _, r := range d.Results {
		out[r.Control] = r.Status
	}
	return out
}

// TestRandomFactsReachEveryOutcome keeps the other properties from being empty:
// the facts they are tried on are allowed and denied, by every control.
func TestRandomFactsReachEveryOutcome(t *testing.T) {
	seen, carried := map[string]map[change.Status]int{}, 0
	eachCase(t, func(_ *testing.T, _ dice, p *policy.Policy, f change.Facts) {
		d := p.Evaluate(f)
		if slices.ContainsFunc(d.Results, func(r change.Result) bool { return len(r.Carried) > 0 }) {
			carried++
		}
		for control, s := range statuses(d) {
			if seen[control] == nil {
				seen[control] = map[change.Status]int{}
			}
			seen[control][s]++
		}
	})
	for _, control := range []string{"", "peer-review", "segregation-of-duties", "required-checks", "linked-request", "protected-paths", "code-owners", "signed-commits", "no-bypass"} {
		for _, s := range []change.Status{change.Pass, change.Fail, change.Pending, change.Undetermined} {
			if (control == "no-bypass" || control == "signed-commits") && s == change.Pending {
				continue // nothing pends on a landing, and a commit is signed or it is not
			}
			require.Greater(t, seen[control][s], 10, "%s %s", control, s)
		}
	}
	require.Greater(t, carried, cases()/200, "decisions that rest on approvals carried over")
}

// TestOrderNeverMatters: the order in which a forge lists anything changes no byte
// of the decision.
func TestOrderNeverMatters(t *testing.T) {
	eachCase(t, func(t *testing.T, d dice, p *policy.Policy, f change.Facts) {
		want := wireOf(p.Evaluate(f))
		for range 3 {
			other := d.shuffled(f)
			if got := wireOf(p.Evaluate(other)); !bytes.Equal(want, got) {
				require.Equal(t, string(want), string(got), "facts:\n%s\nshuffled:\n%s", wireOf(f), wireOf(other))
			}
		}
	})
}

// TestReplay: facts that were written and read again, and whose identities are
// withheld, give the same bytes, and judging changes no fact.
func TestReplay(t *testing.T) {
	eachCase(t, func(t *testing.T, _ dice, p *policy.Policy, f change.Facts) {
		before := wireOf(f)
		want := wireOf(p.Evaluate(f))
		require.Equal(t, before, wireOf(f), "judging changed the facts")
		again, err := change.ParseFacts(bytes.NewReader(before))
		require.NoError(t, err)
		for person, id := range again.People {
			again.People[person] = id.Withhold("withheld")
		}
		if got := wireOf(p.Evaluate(again)); !bytes.Equal(want, got) {
			require.Equal(t, string(want), string(got))
		}
		if got := wireOf(p.Evaluate(again.Canonical())); !bytes.Equal(want, got) {
			require.Equal(t, string(want), string(got), "canonical")
		}
	})
}

// approve adds an approval of the head by somebody who has every right to give
// one, after all that happened and before the landing. It reports false where
// there is nothing to approve.
func approve(f change.Facts, by change.Person) (change.Facts, bool) {
	head, knowsHead := f.Head.Get()
	reviews, knowsReviews := f.Reviews.Get()
	members, knowsMembers := f.Members.Get()
	if !knowsHead || !knowsReviews || !knowsMembers {
		return f, false
	}
	at := start().Add(9*time.Minute + 59*time.Second)
	f.Reviews = change.Known(append(slices.Clone(reviews), change.Review{
		ID: 99, By: by, State: change.Approved, Commit: head.Commit, Tree: head.Tree, At: at, CanPush: change.Known(true),
	}))
	members = slices.DeleteFunc(slices.Clone(members), func(m change.Membership) bool { return m.Person == by })
	for _, s := range []change.Selector{"team:acme/engineers", "team:acme/platform", "permission:maintain"} {
		members = append(members, change.Membership{Selector: s, Person: by, Member: true})
	}
	f.Members = change.Known(members)
	return f, true
}

// TestOneMoreApprovalNeverHurts: an independent approval that counts makes no
// control worse.
func TestOneMoreApprovalNeverHurts(t *testing.T) {
	tried, helped := 0, 0
	eachCase(t, func(t *testing.T, _ dice, p *policy.Policy, f change.Facts) {
		people := change.People{"p9": {Kind: change.Human}}
		for person, id := range f.People {
			people[person] = id
		}
		f.People = people
		more, ok := approve(f, "p9")
		if !ok {
			return
		}
		tried++
		before, after := statuses(p.Evaluate(f)), statuses(p.Evaluate(more))
		for control, was := range before {
			if is := after[control]; is.Worse(was) != was {
				require.Equal(t, was, is, "%s got worse:\n%s", control, wireOf(more))
			}
		}
		if before[""].Blocks() && !after[""].Blocks() {
			helped++
		}
	})
	require.Greater(t, tried, cases()/2)
	require.Greater(t, helped, 20)
}

// TestMakersApprovalChangesNothing: an approval by anybody who had a hand in the
// change leaves every control's status as it was. They have said nothing before,
// because whoever asked for changes takes that back by approving.
func TestMakersApprovalChangesNothing(t *testing.T) {
	tried := 0
	eachCase(t, func(t *testing.T, d dice, p *policy.Policy, f change.Facts) {
		if f.Ref.Kind != change.PullRequest {
			return
		}
		for _, maker := range makersIn(f) {
			f := silent(f, maker)
			more, ok := approve(f, maker)
			if !ok {
				return
			}
			// The maker's roles are not the question, so they are the same before.
			f.Members = more.Members
			tried++
			require.Equal(t, statuses(p.Evaluate(f)), statuses(p.Evaluate(more)), "approved by %s", maker)
		}
	})
	require.Greater(t, tried, cases())
}

// silent returns the facts without any review by any account of a person.
func silent(f change.Facts, p change.Person) change.Facts {
	if reviews, known := f.Reviews.Get(); known {
		f.Reviews = change.Known(slices.DeleteFunc(slices.Clone(reviews), func(r change.Review) bool {
			return f.People.Same(r.By) == f.People.Same(p)
		}))
	}
	return f
}

// TestACommitSilencesNobody: an empty commit on top of the head that names somebody
// as its co-author never makes the decision better, whatever they have said.
func TestACommitSilencesNobody(t *testing.T) {
	tried, held := 0, 0
	eachCase(t, func(t *testing.T, _ dice, p *policy.Policy, f change.Facts) {
		head, knowsHead := f.Head.Get()
		commits, knowsCommits := f.Commits.Get()
		if !knowsHead || !knowsCommits {
			return
		}
		before := p.Evaluate(f).Status
		for _, r := range f.Reviews.Or(nil) {
			empty := change.Commit{SHA: commitID(60), Tree: head.Tree, Parents: []change.SHA{head.Commit}, Author: "p1", ByForge: true, CoAuthors: []change.Person{r.By}}
			more := f
			more.Commits = change.Known(append(slices.Clone(commits), empty))
			more.Head = change.Known(change.Head{Branch: head.Branch, Commit: empty.SHA, Tree: head.Tree})
			tried++
			if after := p.Evaluate(more).Status; before.Blocks() {
				held++
				require.True(t, after.Blocks(), "%s was %s and is %s:\n%s", r.By, before, after, wireOf(more))
			}
		}
	})
	require.Greater(t, tried, cases())
	require.Greater(t, held, cases()/4)
}

// makersIn lists the makers that facts name, and every other account of theirs.
func makersIn(f change.Facts) []change.Person {
	set := map[change.Person]bool{}
	if p, known := f.Opener.Get(); known {
		set[p] = true
	}
	for _, c := range f.Commits.Or(nil) {
		set[c.Author] = true
		if !c.ByForge {
			set[c.Committer] = true
		}
		for _, p := range c.CoAuthors {
			set[p] = true
		}
	}
	for _, b := range f.Pushes.Or(nil) {
		set[b.By] = true
	}
	for _, e := range f.Timeline.Or(nil) {
		if e.Kind == change.HeadForcePushed {
			set[e.By] = true
		}
	}
	var list []change.Person
	for p := range f.People {
		for maker := range set {
			if f.People.Same(p) == f.People.Same(maker) {
				list = append(list, p)
				break
			}
		}
	}
	slices.Sort(list)
	return list
}

// forgotten returns the facts without one answer each: a signature, that an update is
// pure, who owns a path.
func forgotten(f change.Facts) map[string]change.Facts {
	out := map[string]change.Facts{}
	for i := range f.Commits.Or(nil) {
		less, commits := f, slices.Clone(f.Commits.Or(nil))
		commits[i].Signature = change.Fact[change.Signature]{}
		less.Commits = change.Known(commits)
		out[fmt.Sprintf("signature %d", i)] = less
	}
	for i := range f.Updates.Or(nil) {
		less, updates := f, slices.Clone(f.Updates.Or(nil))
		updates[i].Pure = false
		less.Updates = change.Known(updates)
		out[fmt.Sprintf("pure update %d", i)] = less
	}
	if o, known := f.Owners.Get(); known {
		for i := range o.Paths {
			less, owners := f, o
			path := o.Paths[i].Path
			owners.Paths = slices.DeleteFunc(slices.Clone(o.Paths), func(p change.OwnedPath) bool { return p.Path == path })
			less.Owners = change.Known(owners)
			out["owners of "+path] = less
		}
	}
	return out
}

// TestForgettingNeverAllows: a fact that is taken away, or an answer inside one,
// never lets a change through that was held.
func TestForgettingNeverAllows(t *testing.T) {
	blocked := 0
	eachCase(t, func(t *testing.T, _ dice, p *policy.Policy, f change.Facts) {
		if !p.Evaluate(f).Status.Blocks() {
			return
		}
		blocked++
		for _, name := range factNames() {
			less := f
			forget(&less, name)
			if d := p.Evaluate(less); !d.Status.Blocks() {
				require.Failf(t, "allowed", "without %s: %s\n%s", name, wireOf(d), wireOf(f))
			}
		}
		reviews := slices.Clone(f.Reviews.Or(nil))
		for i := range reviews {
			reviews[i].CanPush = change.Fact[bool]{}
		}
		if f.Reviews.IsKnown() {
			less := f
			less.Reviews = change.Known(reviews)
			require.True(t, p.Evaluate(less).Status.Blocks(), "without write access known")
		}
		for what, less := range forgotten(f) {
			require.True(t, p.Evaluate(less).Status.Blocks(), "without %s:\n%s", what, wireOf(less))
		}
	})
	require.Greater(t, blocked, cases()/4)
}
