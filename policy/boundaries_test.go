package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// The later of two reviews is the last word, however their ids are written.
func TestLaterReviewHoldsWhateverItsID(t *testing.T) {
	f, _ := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved")
	approval := f.Reviews.Or(nil)[0]
	objection := approval
	approval.ID, objection.ID = 9, 10
	objection.State, objection.At = change.ChangesRequested, approval.At.Add(time.Minute)
	f.Reviews = change.Known([]change.Review{approval, objection})
	require.Equal(t, change.Fail, parsed(t, narrow).Evaluate(f).Status)
	approval.At, objection.At = objection.At, approval.At
	f.Reviews = change.Known([]change.Review{approval, objection})
	require.Equal(t, change.Pass, parsed(t, narrow).Evaluate(f).Status)
}

// Ten are named one by one, of eleven the last ones are only counted.
func TestListsOfTenAreNotCut(t *testing.T) {
	made := func(n int) string {
		f := approvedChange(change.Human)
		var pushes []change.BranchPush
		for i := range n - 1 {
			p := change.Person(fmt.Sprintf("p%d", 10+i))
			f.People[p] = change.Identity{Kind: change.Human, Account: change.NewAccountID(change.GitHub, int64(900+i))}
			pushes = append(pushes, change.BranchPush{By: p, After: commitID(1), At: start()})
		}
		f.Pushes = change.Known(pushes)
		return string(result(t, parsed(t, narrow).Evaluate(f), policy.SegregationID).Reason)
	}
	require.NotContains(t, made(10), "more")
	require.Contains(t, made(11), "and 1 more, approved by")

	explained := func(n int) string {
		numbers := make([]string, n)
		for i := range numbers {
			numbers[i] = fmt.Sprint(40 + i)
		}
		_, d := storyFacts(t, narrow, "push ada merge explained "+strings.Join(numbers, " "))
		return string(result(t, d, policy.NoBypassID).Reason)
	}
	require.NotContains(t, explained(10), "more")
	require.Contains(t, explained(11), "#49 and 1 more")
}

// An automation that the facts place where the policy has none is not registered.
func TestAutomationOfAnotherPolicy(t *testing.T) {
	p := parsed(t, narrow+"automations: [{account: \"github:301\", accountable: \"github:102\"}]\n")
	f := approvedChange(change.Bot)
	f.People["p2"] = change.Identity{Kind: change.Human, Account: "github:103"}
	for entry, want := range map[int]change.Status{-1: change.Undetermined, 0: change.Pass, 1: change.Undetermined} {
		f.People["p3"] = change.Identity{Kind: change.Human, Account: "github:102"}
		f.Automations = []change.Automation{{Person: "p1", Accountable: "p3", Entry: entry}}
		require.Equal(t, want, p.Evaluate(f).Status, "%d", entry)
	}
}

// How often a check ran is asked for where a rule counts it, and of whatever has
// checks of its own.
func TestAttemptsAreAskedFor(t *testing.T) {
	const rule = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    required-checks: [{name: test, app: ci%s}]\n"
	counts, plain := parsed(t, fmt.Sprintf(rule, ", attempts: 1")), parsed(t, fmt.Sprintf(rule, ""))
	f := toMain()
	require.True(t, counts.Needs(f).Attempts)
	require.False(t, plain.Needs(f).Attempts)
	f.Ref.Kind, f.Ref.Branch = change.MergeGroup, "main"
	require.True(t, counts.Needs(f).Attempts)
	f.Ref.Kind = change.Push
	require.False(t, counts.Needs(f).Attempts)
}

// What a registered automation brought to a branch, by movements of every kind.
func TestWhatAnAutomationBrought(t *testing.T) {
	p := parsed(t, narrow+"automations: [{account: \"github:301\", accountable: \"github:102\"}]\n")
	base := change.Base{Branch: "main", Target: "main", Commit: commitID(90), MergeBase: commitID(91)}
	for name, c := range map[string]struct {
		push  change.BranchPush
		event *change.Event
		want  change.Status
	}{
		"the branch at the tip of the base":       {push: change.BranchPush{After: commitID(90)}, want: change.Pass},
		"the branch where the change begins":      {push: change.BranchPush{After: commitID(91)}, want: change.Pass},
		"the branch below the first commit":       {push: change.BranchPush{After: commitID(89)}, want: change.Pass},
		"what is gone":                            {push: change.BranchPush{After: commitID(70)}, want: change.Undetermined},
		"the branch's end":                        {push: change.BranchPush{Before: commitID(1)}, want: change.Undetermined},
		"a force push that only the timeline has": {event: &change.Event{Kind: change.HeadForcePushed, After: string(commitID(1))}, want: change.Undetermined},
		"another event":                           {event: &change.Event{Kind: change.Labeled, After: string(commitID(1))}, want: change.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			f := approvedChange(change.Human)
			f.People["p1"] = change.Identity{Kind: change.Human, Account: "github:101"}
			f.People["p2"] = change.Identity{Kind: change.Human, Account: "github:103"}
			f.People["p3"] = change.Identity{Kind: change.Bot, Account: "github:301"}
			f.People["p4"] = change.Identity{Kind: change.Human, Account: "github:102"}
			f.Automations = []change.Automation{{Person: "p3", Accountable: "p4"}}
			f.Base = change.Known(base)
			f.Commits = change.Known([]change.Commit{{SHA: commitID(1), Tree: treeID(1), Parents: []change.SHA{commitID(89)}, Author: "p1", Committer: "p1"}})
			pushes := []change.BranchPush{{By: "p1", After: commitID(1), At: start()}}
			if c.event != nil {
				c.event.By, c.event.At = "p3", start()
				f.Timeline = change.Known([]change.Event{*c.event})
			} else {
				c.push.By, c.push.At = "p3", start()
				pushes = append(pushes, c.push)
			}
			f.Pushes = change.Known(pushes)
			require.Equal(t, c.want, p.Evaluate(f).Status)
		})
	}
	f := approvedChange(change.Bot)
	f.Automations = []change.Automation{{Person: "p1", Accountable: "p2"}}
	f.Base = change.Known(change.Base{Branch: "main", Target: "main"})
	f.Pushes = change.Known([]change.BranchPush{{By: "p1", Before: commitID(1), At: start()}})
	f.Commits = change.Known([]change.Commit{{SHA: commitID(1), Author: "p2", Committer: "p2"}})
	require.Equal(t, change.Undetermined, p.Evaluate(f).Status, "an end of the branch is no beginning, though neither names a commit")
}

// Who can supply what is missing is said of what decides, and of nothing that passes.
func TestSupplyOfRequests(t *testing.T) {
	const rule = `version: 1
owner: a
changes:
  - branches: [main]
    linked-request: {pattern: "#[0-9]+", tracker: github, types: [Story]}
`
	supply := func(events ...string) change.Text {
		_, d := storyFacts(t, rule, append(events, "author ada", "commit ada")...)
		return result(t, d, policy.LinkedRequestID).Supply
	}
	const ofType = `another request, or whoever can change the type of "#7"`
	require.Equal(t, change.Text(ofType), supply("ticket #7 by margaret", "no-ticket #8", "title \"#7 and #8\""), "what is missing cannot be supplied, what is wrong can")
	require.Equal(t, change.Text("whoever can edit the change"), supply("no-ticket #8", "title \"for #8\""))
	require.Empty(t, supply("ticket #7 by margaret type Story", "title \"for #7\""))

	f, _ := storyFacts(t, rule, "ticket #7 by margaret", "title \"for #7\"", "author ada", "commit ada")
	requests := f.Requests.Or(nil)
	ticket, _ := requests[0].Ticket.Get()
	ticket.Created = time.Time{}
	requests[0].Ticket = change.Known(ticket)
	r := result(t, parsed(t, rule).Evaluate(f), policy.LinkedRequestID)
	require.Equal(t, change.Undetermined, r.Status)
	require.Empty(t, r.Supply, "what is not known nobody can supply")
}

// A list that a policy leaves out stands in no document.
func TestRenderWithoutLists(t *testing.T) {
	const rule = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    linked-request: {pattern: \"#[0-9]+\", tracker: github%s}\n"
	plain := rendered(t, parsed(t, fmt.Sprintf(rule, "")))
	require.NotContains(t, plain, "of the type")
	require.NotContains(t, plain, "in the state")
	both := rendered(t, parsed(t, fmt.Sprintf(rule, ", types: [Bug], states: [open]")))
	require.Contains(t, both, "`Bug`")
	require.Contains(t, both, "`open`")
}

// An automation that left its scope once has nobody who answers for it, whatever it
// pushed later.
func TestScopeIsLeftForGood(t *testing.T) {
	_, d := storyFacts(t, narrow+"automations: [{account: \"github:301\", accountable: \"github:101\"}]\n", "bot release-bot",
		"author release-bot", "commit mallory pusher release-bot", "commit release-bot", "review ada approved")
	uncounted := result(t, d, policy.PeerReviewID).Uncounted
	require.Len(t, uncounted, 1)
	require.Contains(t, string(uncounted[0].Why), "it cannot be told whether")
}

// Of two references to one account the first stands for it.
func TestAccountUnderTwoReferences(t *testing.T) {
	p := parsed(t, narrow+"people:\n  - {accounts: [github:101, github:102]}\n")
	f := p.Resolve(change.Facts{People: change.People{
		"p1": {Kind: change.Human, Account: "github:101"}, "p2": {Kind: change.Human, Account: "github:101"}, "p3": {Kind: change.Human, Account: "github:102"},
	}}, "")
	require.Equal(t, change.Person("p1"), f.People["p3"].SameAs)
}

// A key that is part of a longer word is none, whatever the word is written in.
func TestKeysInsideWords(t *testing.T) {
	p := parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    linked-request: {pattern: \"SHOP-[0-9]\"}\n")
	found := func(title string) int {
		f := toMain()
		f.Title = title
		return len(p.Resolve(f, "").Requests.Or(nil))
	}
	for _, word := range []string{"a", "z", "A", "Z", "0", "9", "_", "é", "語", "\x80"} {
		require.Zero(t, found("x "+word+"SHOP-1"), "%q before", word)
		require.Zero(t, found("SHOP-1"+word+" x"), "%q behind", word)
	}
	for _, mark := range []string{"/", ":", "@", "[", "^", "`", "{", "\x7f", " ", "-"} {
		require.Equal(t, 1, found("x"+mark+"SHOP-1"), "%q before", mark)
		require.Equal(t, 1, found("SHOP-1"+mark+"x"), "%q behind", mark)
	}
	require.Equal(t, 1, found("SHOP-1"))
}
