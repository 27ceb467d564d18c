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

// A ticket of another tracker than the policy names says nothing.
func TestTicketOfAnotherTracker(t *testing.T) {
	f := asked(t)
	requests := f.Requests.Or(nil)
	ticket, _ := requests[0].Ticket.Get()
	ticket.Tracker = change.GitLabIssues
	requests[0].Ticket = change.Known(ticket)
	require.Equal(t, change.Undetermined, result(t, parsed(t, requestRule).Evaluate(f), policy.LinkedRequestID).Status)
}

// A key of 200 bytes is one, and a longer one is none.
func TestLongKeys(t *testing.T) {
	p := parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    linked-request: {pattern: \"[A-Z]+-1\"}\n")
	for n, want := range map[int]int{198: 1, 199: 0} {
		f := toMain()
		f.Title = strings.Repeat("A", n) + "-1"
		require.Len(t, p.Resolve(f, "").Requests.Or(nil), want, "%d", n)
	}
}

// What both policies ask of the same people is said once.
func TestSupplyOfBothPoliciesIsSaidOnce(t *testing.T) {
	set := mustRead(t, narrow, narrow)
	f := approvedChange(change.Human)
	f.Reviews = change.Known([]change.Review{})
	require.Equal(t, change.Text("anyone who may write to the repository and made no part of the change"),
		result(t, set.Evaluate(set.Resolve(f, "")), policy.PeerReviewID).Supply)
	other := mustRead(t, narrow, "version: 1\nowner: b\nroles: {lead: [\"user:github:103\"]}\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1, from: [lead]}\n")
	require.Contains(t, string(result(t, other.Evaluate(other.Resolve(f, "")), policy.PeerReviewID).Supply), "; organisation floor: lead")
}

// Entries of people in both policies that share an account are of one human.
func TestPeopleOfBothPoliciesAreJoined(t *testing.T) {
	people := func(accounts string) string { return narrow + "people:\n  - {accounts: [" + accounts + "]}\n" }
	f := change.Facts{Ref: change.Ref{Kind: change.PullRequest}, People: change.People{
		"p1": {Kind: change.Human, Account: "github:101"}, "p2": {Kind: change.Human, Account: "github:102"},
		"p3": {Kind: change.Human, Account: "github:103"}, "p4": {Kind: change.Human, Account: "github:104"},
	}}
	got := mustRead(t, people("github:101, github:102"), people("github:102, github:103")).Resolve(f, "").People
	require.Equal(t, []change.Person{"", "p1", "p1", ""}, []change.Person{got["p1"].SameAs, got["p2"].SameAs, got["p3"].SameAs, got["p4"].SameAs})
	got = mustRead(t, people("github:101, github:102"), people("github:103, github:104")).Resolve(f, "").People
	require.Equal(t, []change.Person{"", "p1", "", "p3"}, []change.Person{got["p1"].SameAs, got["p2"].SameAs, got["p3"].SameAs, got["p4"].SameAs})
}

// A word with a space at one end only needs no more than its own marks.
func TestCodeSpans(t *testing.T) {
	for note, want := range map[string]string{"x ": "`x `", " x": "` x`", " x ": "`  x  `"} {
		require.Contains(t, rendered(t, parsed(t, narrow+"people:\n  - {accounts: [github:1, github:2], note: \""+note+"\"}\n")), ": "+want+"\n")
	}
}

// Five owners are named one by one, of six the last is only counted; and what is no
// team's name stands between quotation marks.
func TestOwnersAreNamed(t *testing.T) {
	const rule = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    code-owners: {}\n"
	said := func(owners string) change.Result {
		_, d := storyFacts(t, rule, "owners * "+owners, "author ada", "commit ada", "touch basket.go")
		return result(t, d, policy.CodeOwnersID)
	}
	five, six := said("@a @b @c @d @e"), said("@a @b @c @d @e @f")
	for _, text := range []change.Text{five.Reason, five.Supply} {
		require.NotContains(t, string(text), "more")
	}
	for _, text := range []change.Text{six.Reason, six.Supply} {
		require.Contains(t, string(text), "1 more")
	}

	_, d := storyFacts(t, rule, "author ada", "commit ada", "touch basket.go")
	require.Contains(t, string(result(t, d, policy.CodeOwnersID).Reason), "there is no code owners file at")
	_, d = storyFacts(t, rule, "owners /api/ @grace", "author ada", "commit ada", "touch basket.go")
	require.Equal(t, change.Text("no touched path has a code owner"), result(t, d, policy.CodeOwnersID).Reason)

	p := parsed(t, rule)
	for team, want := range map[change.Selector]string{"team:acme/api": "owner: team:acme/api", "team:": `owner: "team:"`, "acme/api": `owner: "acme/api"`, "team:ac me": `owner: "team:ac me"`, "user:acme/api": `owner: "user:acme/api"`} {
		f := approvedChange(change.Human)
		f.Reviews = change.Known([]change.Review{})
		f.Owners = change.Known(change.Ownership{File: "CODEOWNERS", Paths: []change.OwnedPath{{Path: "go.mod", Line: 1, Teams: []change.Selector{team}}}})
		require.Contains(t, string(result(t, p.Evaluate(f), policy.CodeOwnersID).Reason), want)
	}
}

// A mistake in the very last character of a file is found where it stands.
func TestMistakeAtTheEndOfTheFile(t *testing.T) {
	_, err := policy.Parse("p.yml", []byte(strings.TrimSuffix(minimal("    when: change.draft || x"), "\n")))
	require.ErrorContains(t, err, "p.yml:5:27: when cannot be used")
}

// Of a hundred expressions every one is read.
func TestEveryExpressionIsRead(t *testing.T) {
	p := parsed(t, minimal("    assertions:\n"+assertions(100)))
	require.Len(t, p.Changes[0].Assertions, 100)
	for _, a := range p.Changes[0].Assertions {
		require.Equal(t, "change.draft", a.That.Text)
	}
}

// labelRules asks for more where a label is set, by an expression.
const labelRules = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n  - branches: [main]\n    when: '\"risky\" in change.labels'\n    peer-review: {approvals: 2}\n"

// A label that somebody set, and of which nobody tells who took it away, is tried both
// ways; and so are as many as the bound lets, but no more. Of labels that an expression
// asks for by name the others do not count.
func TestContestedLabels(t *testing.T) {
	f := approvedChange(change.Human)
	f.People["p3"] = change.Identity{Kind: change.Human, Account: "github:103"}
	set := func(names ...string) {
		var events []change.Event
		for _, name := range names {
			events = append(events, change.Event{Kind: change.Labeled, Detail: name, By: "p3", At: start().Add(time.Minute)})
		}
		f.Labels, f.Timeline = change.Known([]string{}), change.Known(events)
	}
	set("risky")
	require.Equal(t, change.Pending, parsed(t, labelRules).Evaluate(f).Status)
	anyRisky := strings.Replace(labelRules, "\"risky\" in change.labels", "change.labels.exists(l, l == \"risky\")", 1)
	set("Risky", "b", "c", "d", "e", "f")
	require.Equal(t, change.Pending, parsed(t, labelRules).Evaluate(f).Status)
	require.Equal(t, change.Pending, parsed(t, anyRisky).Evaluate(f).Status)
	set("risky", "b", "c", "d", "e", "f", "g")
	require.Equal(t, change.Pending, parsed(t, labelRules).Evaluate(f).Status)
	require.Equal(t, change.Undetermined, parsed(t, anyRisky).Evaluate(f).Status)
	set("b")
	require.Equal(t, change.Pass, parsed(t, labelRules).Evaluate(f).Status)
}

// The floor is judged by its own automations, alone or beside a repository that
// registers another in the same place.
func TestFloorGoesByItsOwnAutomations(t *testing.T) {
	const registered, another = "automations: [{account: \"github:301\", accountable: \"github:101\"}]\n", "automations: [{account: \"github:302\", accountable: \"github:101\"}]\n"
	alone := mustRead(t, narrow, narrow+registered)
	alone.Repository = nil
	require.Equal(t, change.Pass, alone.Evaluate(alone.Resolve(approvedChange(change.Bot), "")).Status)
	both := mustRead(t, narrow+registered, narrow+another)
	require.Equal(t, change.Undetermined, both.Evaluate(both.Resolve(approvedChange(change.Bot), "")).Status)
}

// A run's automation that nobody answers for names nobody, registered or not, and a
// movement in another repository is one of which the runs are not known.
func TestStartersThatNameNobody(t *testing.T) {
	f, _ := storyFacts(t, starterRule, "bot ci[bot]", "bot release-bot", "run release-bot", "author ci[bot]", "commit ci[bot]", "review grace approved")
	p := parsed(t, starterRule)
	bot := f.Runs.Or(nil)[0].Starter
	f.Automations = append(f.Automations, change.Automation{Person: bot, Entry: 0})
	require.Contains(t, string(result(t, p.Evaluate(f), policy.PeerReviewID).Reason), "and no human is known behind that")

	f, d := storyFacts(t, starterRule, "bot ci[bot]", "run linus", "author ci[bot]", "end-run 1", "commit ada", "review grace approved")
	require.Equal(t, change.Pass, d.Status)
	head, _ := f.Head.Get()
	head.Repository = 7
	f.Head = change.Known(head)
	require.Equal(t, change.Pass, p.Evaluate(f).Status, "what it opened, it opened here")
}
