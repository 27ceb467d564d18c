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
		}, change.Pass, `now called "#9"`},
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
	f.Requests = change.Known([]change.Request{{Key: "#1", Found: "somewhere"}, {Key: "#2", Found: "description"}})
	ask, left := (&policy.Set{Repository: p}).Lookups(f)
	require.Equal(t, []change.Lookup{{Tracker: "github", Key: "#2"}, {Tracker: "github", Key: "#1"}}, ask)
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
