package github

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

var askAttempts = change.Needs{Attempts: true}

// How often a run was started is one question for all checks of a commit, and none
// while they are the same.
func TestAttempts(t *testing.T) {
	w := newWorld(t)
	n, head := w.open("ada", "topic")
	for _, c := range []githubsim.CheckRun{
		{Name: "test", Conclusion: "failure"}, {Name: "test", Conclusion: "success", Attempt: 2},
		{Name: "scan", Conclusion: "success", Workflow: ".github/workflows/scan.yml"},
	} {
		c.Commit = head
		w.ok(w.shop.PostCheck(c))
	}
	w.sim.AddApp("other-ci", 0)
	w.ok(w.shop.PostCheck(githubsim.CheckRun{App: "other-ci", Name: "build", Commit: head, Conclusion: "success"}))
	w.ok(nil, w.shop.As("ada").PostStatus(head, githubsim.Status{Context: "ci", State: "success"}))
	times := func(f change.Facts) map[string]int {
		out := map[string]int{}
		for _, c := range known(t, f.Checks) {
			require.Equal(t, c.App == "github-actions", c.Run > 0)
			out[c.Name] = c.Attempt
		}
		return out
	}
	g := w.gather(w.pull(n))
	require.Equal(t, map[string]int{"test": 0, "scan": 0, "build": 0, "ci": 0}, times(w.answer(g, change.Needs{})))
	w.sim.ResetRequests()
	require.Equal(t, map[string]int{"test": 2, "scan": 1, "build": 0, "ci": 0}, times(w.answer(g, askAttempts)))
	require.Equal(t, map[string]int{"test": 0, "scan": 0, "build": 0, "ci": 0}, times(g.Facts), "the argument is left as it was")
	w.answer(g, askAttempts)
	require.Equal(t, map[string]int{"GET /repos/{owner}/{repo}/actions/runs": 1}, map[string]int(w.sim.Requests()))

	w.ok(w.shop.PostCheck(githubsim.CheckRun{Name: "test", Commit: head, Attempt: 3}))
	require.Equal(t, 3, times(w.answer(w.gather(w.pull(n)), askAttempts))["test"])
}

// checksOf is facts with checks that runs stand behind.
func checksOf(runs ...int64) change.Facts {
	var checks []change.Check
	for i, run := range runs {
		checks = append(checks, change.Check{ID: run*100 + int64(i), Name: "test", Source: change.CheckRun, Run: run, Commit: change.SHA(sha(0xa1))})
	}
	return change.Facts{Ref: pull7, Checks: change.Known(checks)}
}

// A run that the list leaves out is asked for by itself; one that nobody shows stays
// unknown.
func TestAttemptsThatAreNotListed(t *testing.T) {
	listed := ran(1, time.Hour, time.Hour, 0, "ada")
	listed["head_sha"] = sha(0xa1)
	s := newRunsStub(t, listed)
	single := ran(2, time.Hour, time.Hour, 0, "ada")
	single["run_attempt"] = 4
	s.attempts["2"] = single
	f := newForge(t, s.URL)
	facts, err := f.Answer(t.Context(), checksOf(1, 2, 0), askAttempts)
	require.NoError(t, err)
	for i, want := range []int{1, 4, 0} {
		require.Equal(t, want, known(t, facts.Checks)[i].Attempt)
	}
	facts, err = f.Answer(t.Context(), checksOf(1, 3), askAttempts)
	require.NoError(t, err)
	require.Equal(t, 0, known(t, facts.Checks)[0].Attempt, "none is believed when one is missing")
	require.Equal(t, "how often checks were run: GitHub does not show it to this application (404)", facts.Absent["checks/attempt"])

	many := checksOf()
	for i := range int64(maxRunCalls + 1) {
		s.attempts[fmt.Sprint(i+10)] = ran(int(i)+10, time.Hour, time.Hour, 0, "ada")
		many.Checks = change.Known(append(known(t, many.Checks), change.Check{ID: i, Run: i + 10, Commit: change.SHA(sha(0xa1))}))
	}
	facts, err = f.Answer(t.Context(), many, askAttempts)
	require.NoError(t, err)
	require.Contains(t, facts.Absent["checks/attempt"], "leaves out more than 20 of the runs")

	s.before = nil
	s.override["GET /repos/acme/shop/actions/runs"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, obj{}) }
	_, err = f.Answer(t.Context(), checksOf(7), askAttempts)
	require.ErrorContains(t, err, "asking how often checks were run")
}

// The address of a run holds the whole of its id, also of one beyond 32 bits.
func TestWorkflowRunID(t *testing.T) {
	for path, want := range map[string]int64{
		"/acme/shop/actions/runs/17000000001": 17000000001, "": 5, "/acme/shop/actions/runs/0": 5, "/acme/shop/actions/runs/1/job/2": 5,
	} {
		s := newStub(t)
		s.lists["contexts"] = []any{obj{"__typename": "CheckRun", "databaseId": 1, "name": "test", "status": "QUEUED",
			"checkSuite": obj{"app": obj{"databaseId": 15368, "slug": "github-actions"}, "workflowRun": obj{"databaseId": 5, "resourcePath": path}}}}
		require.Equal(t, want, known(t, s.gather(t).Facts.Checks)[0].Run, path)
	}
}
