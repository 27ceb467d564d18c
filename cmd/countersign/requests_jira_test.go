package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/internal/githubsim"
	"github.com/countersign-dev/countersign/internal/jirasim"
	"github.com/countersign-dev/countersign/policy"
)

// newJiraStage is a stage with a Jira beside it, which the server's configuration
// names.
func newJiraStage(t *testing.T) (*stage, *jirasim.Sim) {
	t.Helper()
	s := &stage{dir: t.TempDir(), seen: map[string]sighting{}, ctx: t.Context(), scene: t.Name(), teller: teller{out: io.Discard}}
	sim := jirasim.Start(s.clock)
	t.Cleanup(sim.Close)
	token := filepath.Join(s.dir, "jira-token")
	require.NoError(t, os.WriteFile(token, []byte(jirasim.APIToken+"\n"), 0o600))
	var err error
	s.trackers, err = Config{Jira: JiraConfig{BaseURL: sim.URL, Email: jirasim.Email, Token: token}}.trackers()
	require.NoError(t, err)
	s.sim, err = githubsim.Start(githubsim.Options{Dir: filepath.Join(s.dir, "github"), Now: s.clock})
	require.NoError(t, err)
	s.keys, err = newKeys()
	require.NoError(t, err)
	require.NoError(t, s.serve(t.Context(), slog.New(slog.DiscardHandler)))
	t.Cleanup(func() {
		require.NoError(t, s.close(context.WithoutCancel(t.Context())))
		v, err := evidence.Verify(context.WithoutCancel(t.Context()), filepath.Join(s.data(), evidenceDir), evidence.Options{Judge: policy.Judge})
		require.NoError(t, err)
		require.True(t, v.OK(), "%v", v.Findings)
		require.Equal(t, v.Records, v.Replayed)
	})
	s.try(s.begin)
	s.repo = s.sim.Repository("acme/shop")
	require.NoError(t, s.err)
	return s, sim
}

// A request of Jira, from one that is missing over one that is not ready to the
// landing. Barbara's accounts of GitHub and Jira stand together in the policy.
func TestLinkedRequestsInJira(t *testing.T) {
	s, jira := newJiraStage(t)
	const key = `{pattern: "[A-Z]+-[0-9]+", tracker: jira, types: [Story], states: [In Progress], created-before: first-commit}`
	s.askFor(key)
	n := s.propose("ada", "SHOP-7: add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.held(t, n, change.Fail, "linked-request", `Jira has no request "SHOP-7"`)

	// C29: somebody writes it up afterwards.
	jira.Add(jirasim.Issue{Key: "SHOP-7", Type: "Story", Status: "In Progress", Category: "indeterminate",
		Reporter: &jirasim.User{AccountID: "712020:barbara", Type: "atlassian", Name: "Barbara"}})
	s.later(time.Minute)
	s.try(func() error { return s.as("ada").EditBody(n, "Again.") })
	s.held(t, n, change.Fail, "linked-request", "not before the work on the change began")

	jira.Add(jirasim.Issue{Key: "SHOP-8", Type: "Story", Reporter: &jirasim.User{AccountID: "712020:barbara", Type: "atlassian", Name: "Barbara"}})
	s.later(time.Minute)
	m := s.propose("ada", "SHOP-8: add a bigger basket", file("bigger.go", "package shop\n"))
	s.approve("grace", m)
	s.held(t, m, change.Pending, "linked-request", `in the state "To Do"`)
	jira.Move("SHOP-8", "In Progress", "indeterminate")
	s.later(time.Minute)
	s.try(func() error { return s.as("ada").EditBody(m, "Again.") })
	s.passes(t, m)
	p := s.recorded(t, m)
	ticket, known := p.Change.Tickets[0].Ticket.Get()
	require.True(t, known)
	require.Equal(t, "Story", ticket.Type)
	require.Len(t, ticket.Moves, 1)
	require.Equal(t, jira.URL+"/browse/SHOP-8", p.Change.Tickets[0].URL)
	s.mu.Lock()
	require.Equal(t, change.AccountID("jira:712020:barbara"), s.seen[s.name(m)].facts.People[p.Roles.Requester].Account)
	s.mu.Unlock()

	// Jira tells us nothing by itself: the landing asks it again, and finds out.
	jira.Move("SHOP-8", "Rejected", "done")
	s.later(time.Minute)
	s.try(func() error { _, err := s.as("ada").Merge(m, githubsim.Merge{}); return err })
	require.True(t, s.verdict(t, m).Status.Blocks())
	require.Equal(t, change.LandedState, s.lastRecord(t, m).State)
	require.Contains(t, s.why(m, "linked-request"), `in the state "Rejected"`)
}

func TestAJiraThatIsAwayHoldsChanges(t *testing.T) {
	s, jira := newJiraStage(t)
	s.askFor(`{pattern: "[A-Z]+-[0-9]+", tracker: jira}`)
	jira.Add(jirasim.Issue{Key: "SHOP-7", Reporter: &jirasim.User{AccountID: "712020:barbara", Type: "atlassian", Name: "Barbara"}})
	s.later(time.Minute)
	jira.Fail(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	n := s.propose("ada", "SHOP-7: add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.held(t, n, change.Undetermined, "linked-request", "Jira answered 502")
	jira.Heal()
	s.later(2 * time.Minute)
	s.server.hear(t.Context()) // as it does by itself
	s.passes(t, n)
}

func TestConfigOfJira(t *testing.T) {
	const rest = "data: d\ngithub: {app-id: 1, private-key-file: k, webhook-secret-file: s}\nkeys: {directory: k, passphrase-file: p}\n"
	for text, want := range map[string]string{
		"":                                   "",
		"jira: {}":                           "",
		"jira: {base-url: x, token-file: t}": "",
		"jira: {base-url: x, email: e, token-file: t}":                       "",
		"jira: {base-url: x, client-id: c, client-secret-file: s}":           "",
		"jira: {token-file: t}":                                              "jira.base-url is missing",
		"jira: {base-url: x}":                                                "jira.token-file is missing",
		"jira: {base-url: x, email: e}":                                      "jira.token-file is missing",
		"jira: {base-url: x, client-id: c}":                                  "one of them is missing",
		"jira: {base-url: x, token-file: t, client-id: c}":                   "two ways to be somebody",
		"jira: {base_uri: x}":                                                `unknown key "base_uri"`,
		"jira: {base-url: x, email: e, client-id: c, client-secret-file: s}": "jira.token-file is missing",
	} {
		_, err := parseConfig("c.yaml", []byte(rest+text+"\n"))
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, want, text)
	}
	_, err := Config{Jira: JiraConfig{BaseURL: "http://jira.example", Email: "e", Token: "requests_jira_test.go"}}.trackers()
	require.Error(t, err)
	_, err = Config{GitLab: GitLabConfig{BaseURL: "https://gitlab.example", Token: "no-such-file"}}.trackers()
	require.ErrorContains(t, err, "no-such-file")
	all, err := Config{GitLab: GitLabConfig{BaseURL: "https://gitlab.example", Token: "requests_jira_test.go"}, Jira: JiraConfig{BaseURL: "https://jira.example", Token: "requests_jira_test.go"}}.trackers()
	require.NoError(t, err)
	require.Len(t, all, 2)
	_, err = Config{Jira: JiraConfig{BaseURL: "https://jira.example", Token: "no-such-file"}}.trackers()
	require.ErrorContains(t, err, "no-such-file")
}
