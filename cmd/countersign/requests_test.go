package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// askFor makes the stage's policy ask for a linked request.
func (s *stage) askFor(linked string) {
	s.push("margaret", "main", file(policyFile, strings.Replace(demoPolicy, "    segregation-of-duties: {}\n", "    segregation-of-duties: {}\n    linked-request: "+linked+"\n", 1)))
}

// openIssue has somebody ask for something, a while before what comes next.
func (s *stage) openIssue(login, title string) (number int) {
	s.try(func() (err error) {
		number, err = s.as(login).OpenIssueWith(githubsim.Issue{Title: title, Body: "Because."})
		return err
	})
	s.later(time.Minute)
	return number
}

// recorded returns the statement of a pull request's newest record.
func (s *stage) recorded(t *testing.T, number int) evidence.Predicate {
	t.Helper()
	s.verdict(t, number)
	digest := s.lastRecord(t, number).Receipt.Digest
	data, err := os.ReadFile(filepath.Join(s.data(), evidenceDir, "records", digest[:2], digest+".dsse.json"))
	require.NoError(t, err)
	envelope, err := evidence.ParseEnvelope(data)
	require.NoError(t, err)
	statement, err := evidence.ParseStatement(envelope.Payload)
	require.NoError(t, err)
	return statement.Predicate
}

// requester returns the login behind the requester of a record.
func (s *stage) requester(t *testing.T, number int) string {
	t.Helper()
	p := s.recorded(t, number)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[s.name(number)].facts.People[p.Roles.Requester].Login
}

const anyIssue = `{pattern: "#[0-9]+", tracker: github, independent: true}`

// TestLinkedRequests plays what becomes of linked requests through the whole server.
func TestLinkedRequests(t *testing.T) {
	for _, c := range []situation{
		{"a request of somebody else, and the record names who asked", requestOfAnother},
		{"a request that does not exist, and then does", requestAppears},
		{"a request created after the merge", requestAfterTheMerge},
		{"one person asks, makes and approves", requestByTheMaker},
		{"the tracker is away and comes back", trackerAway},
		{"a request is closed while the change is open", requestClosed},
		{"a request is deleted or moved away", requestGone},
		{"issues that no change is linked to cost nothing", issuesOfOthers},
		{"ten changes with one request", burst},
	} {
		t.Run(c.name, func(t *testing.T) { c.play(t, newStage(t)) })
	}
}

func requestOfAnother(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	i := s.openIssue("barbara", "Baskets")
	require.Equal(t, 1, i)
	n := s.propose("ada", "Add a basket (#1)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	require.Equal(t, "barbara", s.requester(t, n))
	p := s.recorded(t, n)
	q := p.Change.Tickets[0]
	ticket, known := q.Ticket.Get()
	require.True(t, known)
	require.Equal(t, "open", ticket.State)
	require.Equal(t, "acme/shop#1", ticket.Key)
	require.Len(t, ticket.Digest, 64)
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(text), "barbara", "people are references in what is signed")
	require.NotContains(t, string(text), "Because.", "and free text stays out of it")

	// The merge closes its issue; how the issue stood before is what counts.
	s.try(func() error { return s.as("ada").EditBody(n, "Closes #1") })
	s.later(time.Minute)
	s.try(func() error { _, err := s.as("ada").Merge(n, githubsim.Merge{}); return err })
	require.Equal(t, change.Pass, s.verdict(t, n).Status, s.why(n, "linked-request"))
	require.Equal(t, change.LandedState, s.lastRecord(t, n).State)
}

func requestAppears(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	n := s.propose("ada", "Add a basket (#2)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.held(t, n, change.Fail, "linked-request", `GitHub has no request "#2"`)
	require.Equal(t, "ada", s.requester(t, n), "whoever opened it, where nobody else is known")
	require.Equal(t, 2, s.openIssue("barbara", "Baskets"))
	s.passes(t, n)
}

// C29: the request was written when the change was in already.
func requestAfterTheMerge(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	n := s.propose("ada", "Add a basket (#2)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.held(t, n, change.Fail, "linked-request", "no request")
	s.sim.DeliverTo("") // the server does not hear of the merge until the request is there
	s.try(func() error { _, err := s.as("margaret").Merge(n, githubsim.Merge{Bypass: true}); return err })
	s.later(time.Minute)
	require.Equal(t, 2, s.openIssue("barbara", "Baskets, as agreed"))
	s.sim.DeliverTo(s.server.url + webhookPath)
	s.try(func() error { return s.as("ada").EditBody(n, "Done.") })
	require.Equal(t, change.Fail, s.verdict(t, n).Status)
	require.Contains(t, s.why(n, "linked-request"), "not before the change landed")
	require.Equal(t, change.LandedState, s.lastRecord(t, n).State)
}

// C30: requester, maker and approver are in one hand, or two of them.
func requestByTheMaker(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	s.openIssue("ada", "Baskets")
	n := s.propose("ada", "Add a basket (#1)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.held(t, n, change.Fail, "linked-request", "is no independent requester")
	m := s.propose("linus", "Speed up search (#1)", file("search.go", "package shop\n"))
	s.approve("ada", m)
	s.held(t, m, change.Pending, "linked-request", "nobody else than who asked for the change has approved it")
	s.approve("grace", m)
	s.passes(t, m)
	require.Equal(t, "ada", s.requester(t, m))
}

func trackerAway(t *testing.T, s *stage) {
	const route = "GET /repos/{owner}/{repo}/issues/{number}"
	s.askFor(anyIssue)
	s.openIssue("barbara", "Baskets")
	s.sim.Fail(githubsim.Fault{Route: route, Status: 502, Times: 1000})
	n := s.propose("ada", "Add a basket (#1)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.held(t, n, change.Undetermined, "linked-request", "GitHub answered 502")
	s.sim.Heal()
	s.later(time.Minute)
	s.try(func() error { return s.as("ada").EditBody(n, "Again.") })
	s.passes(t, n)
}

func requestClosed(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	i := s.openIssue("barbara", "Baskets")
	n := s.propose("ada", "Add a basket (#1)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	s.try(func() error { return s.as("barbara").CloseIssue(i, "not_planned") })
	s.held(t, n, change.Pending, "linked-request", `as "not_planned"`)
	s.try(func() error { return s.as("barbara").ReopenIssue(i) })
	s.passes(t, n)
}

func requestGone(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	i := s.openIssue("barbara", "Baskets")
	n := s.propose("ada", "Add a basket (#1)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	pay := s.sim.Repository("acme/pay")
	s.try(func() error { _, err := s.as("margaret").TransferIssue(i, pay); return err })
	s.passes(t, n)
	require.Contains(t, s.why(n, "linked-request"), `called "acme/pay#1" there`)
	s.try(func() error { return pay.As("margaret").DeleteIssue(1) })
	s.held(t, n, change.Fail, "linked-request", "no request")
}

func issuesOfOthers(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	s.openIssue("barbara", "Baskets")
	n := s.propose("ada", "Add a basket (#1)", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	s.sim.ResetRequests()
	other := s.openIssue("barbara", "Something else")
	s.try(func() error { return s.as("barbara").CloseIssue(other, "") })
	s.try(func() error { return s.as("barbara").AssignIssue(1) })
	s.try(s.quiet)
	require.NoError(t, s.err)
	require.Empty(t, s.sim.Requests(), "nor does it matter who works on a linked one")
}

func burst(t *testing.T, s *stage) {
	s.askFor(anyIssue)
	s.openIssue("barbara", "Baskets")
	s.sim.ResetRequests()
	for i := range 10 {
		s.branch("ada", "part"+string(rune('a'+i)), "main")
		s.push("ada", "part"+string(rune('a'+i)), file("part"+string(rune('a'+i))+".go", "package shop\n"))
		s.try(func() error {
			_, err := s.as("ada").Open(githubsim.PullRequest{Title: "Part of #1", Head: "part" + string(rune('a'+i))})
			return err
		})
	}
	s.try(s.quiet)
	require.NoError(t, s.err)
	require.LessOrEqual(t, s.sim.Requests()["GET /repos/{owner}/{repo}/issues/{number}"], 2)
}
