package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// requestRule asks for a request that was there before the work began.
const requestRule = `version: 1
owner: a
changes:
  - branches: [main]
    linked-request: {pattern: "#[0-9]+", tracker: github, created-before: first-commit}
`

// asked returns the facts of a change that a request asked for, and that landed.
func asked(t *testing.T) change.Facts {
	t.Helper()
	facts, d := storyFacts(t, requestRule, "ticket #7 by margaret", "title \"sort the basket, as #7 asks\"", "author ada", "commit ada",
		"shown success for main", "land ada merge")
	require.Equal(t, change.Pass, result(t, d, policy.LinkedRequestID).Status, string(wireOf(d)))
	return facts
}

// A request passes only when everything is known that its demands rest on.
func TestRequestOfWhichSomethingIsNotTold(t *testing.T) {
	ticketOf := func(f *change.Facts, edit func(*change.Ticket)) {
		requests, _ := f.Requests.Get()
		ticket, _ := requests[0].Ticket.Get()
		edit(&ticket)
		requests[0].Ticket = change.Known(ticket)
		f.Requests = change.Known(requests)
	}
	for name, c := range map[string]struct {
		forget func(*change.Facts)
		status change.Status
		want   string
	}{
		"the moment of the landing": {func(f *change.Facts) {
			l, _ := f.Landing.Get()
			l.At = time.Time{}
			f.Landing = change.Known(l)
		}, change.Undetermined, `when the change landed is not known, and so not how "#7" stood then`},
		"when it was created": {func(f *change.Facts) {
			ticketOf(f, func(t *change.Ticket) { t.Created = time.Time{} })
		}, change.Undetermined, `when "#7" was created is not known`},
		"the commits": {func(f *change.Facts) { f.Commits = change.Fact[[]change.Commit]{} }, change.Undetermined,
			`whether "#7" was created before the first commit cannot be told: the commits are not known`},
		"every time": {func(f *change.Facts) {
			f.Commits, f.Pushes, f.Opened = change.Known([]change.Commit{}), change.Known([]change.BranchPush{}), time.Time{}
		}, change.Undetermined, `no time of any commit, push or opening is known`},
		"nothing, and it has another key now": {func(f *change.Facts) {
			ticketOf(f, func(t *change.Ticket) { t.Key = "#9" })
		}, change.Pass, `called "#9" there`},
	} {
		t.Run(name, func(t *testing.T) {
			f := asked(t)
			c.forget(&f)
			r := result(t, policy.Judge(f, change.PolicyFile{Found: true, Text: requestRule}), policy.LinkedRequestID)
			require.Equal(t, c.status, r.Status)
			require.Contains(t, string(r.Reason), c.want)
		})
	}
}

// A request that is found in a place this program does not know is looked up last.
func TestRequestFoundElsewhere(t *testing.T) {
	p, err := policy.Parse("p.yml", []byte(requestRule))
	require.NoError(t, err)
	f := toMain()
	f.Requests = change.Known([]change.Request{{Key: "#1", Found: "somewhere"}, {Key: "#2", Found: "description"}, {Key: "#3", Found: "title"}})
	ask, left := (&policy.Set{Repository: p}).Lookups(f)
	require.Equal(t, []change.Lookup{{Tracker: "github", Key: "#3"}, {Tracker: "github", Key: "#2"}, {Tracker: "github", Key: "#1"}}, ask)
	require.Empty(t, left)
}

const starterRule = narrow + "automations: [{account: \"github:302\", accountable: starter}]\n"

// Of an automation that acts for whoever started its run, somebody must be known.
func TestRunsThatNameNobody(t *testing.T) {
	for name, c := range map[string]struct {
		forget func(*change.Facts)
		want   string
	}{
		"who started it": {func(f *change.Facts) {
			f.Runs = change.Known([]change.Run{{ID: 1, Attempt: 1, Started: f.Opened}})
		}, "opened this change when run 1 was at work, and it is not known who started that"},
		"in whose repository": {func(f *change.Facts) {
			head, _ := f.Head.Get()
			head.Repository = 7
			f.Head = change.Known(head)
		}, "in another repository, whose runs are not known"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := storyFacts(t, starterRule, "bot ci[bot]", "run ada", "author ci[bot]", "commit ci[bot]", "review grace approved")
			c.forget(&f)
			r := result(t, policy.Judge(f, change.PolicyFile{Found: true, Text: starterRule}), policy.PeerReviewID)
			require.Equal(t, change.Undetermined, r.Status)
			require.Contains(t, string(r.Reason), c.want)
		})
	}
}

// Facts in which nobody stands can be resolved.
func TestResolveWithoutPeople(t *testing.T) {
	p, err := policy.Parse("p.yml", []byte(starterRule))
	require.NoError(t, err)
	f := p.Resolve(change.Facts{Ref: change.Ref{Kind: change.PullRequest}}, "")
	require.Empty(t, f.People)
	require.Empty(t, f.Automations)
}

// What one of two policies could not be answered, the other's answers are taken for.
func TestMembershipsThatOnlyOneWasAnswered(t *testing.T) {
	role := func(who string) string {
		return "version: 1\nowner: a\nroles: {r: [" + who + "]}\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1, from: [r]}\n"
	}
	for _, c := range [][2]string{{"team:acme/engineers", "\"user:github:102\""}, {"\"user:github:102\"", "team:acme/engineers"}} {
		set := mustRead(t, role(c[0]), role(c[1]))
		f := toMain()
		f.People = change.People{"p1": {Kind: change.Human, Account: "github:102"}}
		f.Reviews = change.Known([]change.Review{{ID: 80, By: "p1", State: change.Approved, At: start()}})
		members, known := set.Resolve(f, "").Members.Get()
		require.True(t, known)
		require.Equal(t, []change.Membership{{Selector: "user:github:102", Person: "p1", Member: true}}, members)
	}
}

func TestPolicyThatCannotBeRead(t *testing.T) {
	f := toMain()
	f.Absent = map[string]string{"policy": "the API answered 502 five times"}
	d := policy.Judge(f, change.PolicyFile{Found: true, Text: narrow})
	require.Equal(t, change.Undetermined, d.Status)
	require.Equal(t, change.Text(`the policy cannot be read: "the API answered 502 five times"`), d.Reason)
	var page strings.Builder
	require.NoError(t, policy.Explain(&page, d, nil))
	require.Equal(t, "DENY (unknown)\n  the policy cannot be read: \"the API answered 502 five times\"\n", page.String())
}

// labelled is a policy in which a label decides how many have to approve.
const labelled = `version: 1
owner: a
classes: [{name: standard, labels: [standard]}]
changes:
  - branches: [main]
    classes: [standard]
    peer-review: {approvals: 1}
  - branches: [main]
    classes: [normal]
    peer-review: {approvals: 2}
`

// A label that is shown and of which nobody tells who set it does not count, and of two
// who set one in the same moment it does not matter which comes first.
func TestLabelsOfWhichLittleIsTold(t *testing.T) {
	f := approvedChange(change.Human)
	f.Labels = change.Known([]string{"standard"})
	d := parsed(t, labelled).Evaluate(f)
	require.Equal(t, "normal", d.Class)
	require.Contains(t, string(d.ClassReason), "nobody knows who set it")
	var page strings.Builder
	require.NoError(t, policy.Explain(&page, d, f.People))
	require.Contains(t, page.String(), "\n  class: normal: no other class takes it: standard: the label \"standard\" does not count")

	f.People["p3"] = change.Identity{Kind: change.Human, Account: "github:103"}
	f.People["p4"] = change.Identity{Kind: change.Human, Account: "github:104"}
	set := func(by change.Person) change.Event {
		return change.Event{Kind: change.Labeled, Detail: "standard", By: by, At: start().Add(time.Minute)}
	}
	f.Timeline = change.Known([]change.Event{set("p3"), set("p4")})
	d = parsed(t, labelled).Evaluate(f)
	require.Equal(t, "standard", d.Class)
	f.Timeline = change.Known([]change.Event{set("p4"), set("p3")})
	require.Equal(t, wireOf(d), wireOf(parsed(t, labelled).Evaluate(f)))

	f.Labels = change.Known([]string{})
	d = parsed(t, labelled).Evaluate(f)
	require.Empty(t, d.Class)
	require.Contains(t, string(d.ClassReason), "not settled", "it is not shown any more, and nobody tells who took it away")
}

// Whether somebody is one of the authors of a class is known only once it was asked.
func TestAuthorsOfAClassThatWereNotAsked(t *testing.T) {
	p := parsed(t, "version: 1\nowner: a\nclasses: [{name: theirs, authors: [\"github:101\"]}]\nchanges:\n  - branches: [main]\n    classes: [normal]\n    peer-review: {approvals: 2}\n  - branches: [main]\n    classes: [theirs]\n    peer-review: {approvals: 1}\n")
	d := p.Evaluate(approvedChange(change.Human))
	require.Equal(t, change.Undetermined, d.Status)
	require.Contains(t, string(d.ClassReason), "it is not known whether @{p1}, who had a hand in it, is one of its authors")
}

// Of a check that ended at an unknown time nobody can say what it was when the change
// landed.
func TestChecksSeenOfALandedChange(t *testing.T) {
	p := parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    assertions: [{name: green, that: 'change.checks.all(c, c.conclusion == \"success\")'}]\n")
	for _, c := range []struct {
		ended time.Time
		want  change.Status
	}{{start(), change.Pass}, {start().Add(time.Hour), change.Pass}, {time.Time{}, change.Undetermined}, {start().Add(time.Hour + 1), change.Fail}} {
		f := approvedChange(change.Human)
		f.Checks = change.Known([]change.Check{{ID: 1, Name: "test", App: "ci", Source: change.CheckRun, Commit: commitID(1), Status: "completed", Conclusion: "success", Started: start(), Completed: c.ended}})
		f.Landing = change.Known(change.Landing{Landed: true, By: "p1", How: change.Squash, Branch: "main", Commit: commitID(9), At: start().Add(time.Hour)})
		require.Equal(t, c.want, result(t, p.Evaluate(f), policy.AssertionsID).Status, "%v", c.ended)
	}
}

// The head must be among the commits whose signatures are looked at.
func TestSignaturesOfOtherCommits(t *testing.T) {
	p := parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    signed-commits: {}\n")
	f := approvedChange(change.Human)
	f.Head = change.Known(change.Head{Commit: commitID(7)})
	r := result(t, p.Evaluate(f), policy.SignedCommitsID)
	require.Equal(t, change.Undetermined, r.Status)
	require.Contains(t, string(r.Reason), "is not among the commits that are known")
}

// Of two runs that agree in id and attempt and both failed, the same one is named in
// whatever order they come.
func TestTiedRuns(t *testing.T) {
	f := approvedChange(change.Human)
	p := parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    required-checks: [{name: test, app: ci}]\n")
	run := func(conclusion string) change.Check {
		return change.Check{ID: 5, Name: "test", App: "ci", Source: change.CheckRun, Commit: commitID(1), Status: "completed", Conclusion: conclusion}
	}
	f.Checks = change.Known([]change.Check{run("failure"), run("cancelled")})
	one := wireOf(p.Evaluate(f))
	f.Checks = change.Known([]change.Check{run("cancelled"), run("failure")})
	require.Equal(t, one, wireOf(p.Evaluate(f)))
}
