package githubsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// runJSON is what tests look at of a run.
type runJSON struct {
	ID         int64
	Path       string
	Status     string
	Conclusion string
	Attempt    int                    `json:"run_attempt"`
	Started    time.Time              `json:"run_started_at"`
	Actor      struct{ Login string } `json:"actor"`
	Starter    struct{ Login string } `json:"triggering_actor"`
}

// Mallory runs a workflow, and with the token of the run github-actions[bot] opens a
// pull request. It can do so while a run is at work and not otherwise.
func TestAWorkflowOpensAPullRequest(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	sim.AddUsers("root", "mallory", "grace", "reader")
	_, err = sim.AddOrganization("acme", "root")
	require.NoError(t, err)
	repo, err := sim.CreateRepository("acme/shop", githubsim.RepositoryOptions{
		Files:       map[string]string{".github/workflows/ci.yml": "on: workflow_dispatch\n"},
		Permissions: map[string]string{"mallory": "write", "grace": "write", "reader": "read"},
	})
	require.NoError(t, err)
	bot := repo.As("github-actions[bot]")
	file := githubsim.Commit{Files: map[string]string{"x": "1"}}
	_, err = bot.Push("release", file)
	require.Error(t, err, "it has no token")
	_, err = repo.As("reader").RunWorkflow(githubsim.WorkflowRun{})
	require.Error(t, err)
	_, err = repo.As("mallory").RunWorkflow(githubsim.WorkflowRun{Workflow: ".github/workflows/none.yml"})
	require.ErrorContains(t, err, "404")
	_, err = repo.As("mallory").RunWorkflow(githubsim.WorkflowRun{Branch: "none"})
	require.ErrorContains(t, err, "422")

	id, err := repo.As("mallory").RunWorkflow(githubsim.WorkflowRun{})
	require.NoError(t, err)
	_, err = bot.Push("release", file)
	require.NoError(t, err)
	_, err = bot.Open(githubsim.PullRequest{Head: "release"})
	require.NoError(t, err)
	require.ErrorContains(t, repo.As("grace").RerunWorkflow(id), "already running")
	now = now.Add(time.Minute)
	require.Error(t, repo.EndWorkflow(id, "splendid"))
	require.NoError(t, repo.EndWorkflow(id, "success"))
	require.Error(t, repo.EndWorkflow(id, "success"), "once")
	_, err = bot.Push("release", file)
	require.Error(t, err)
	now = now.Add(time.Minute)
	require.NoError(t, repo.As("grace").RerunWorkflow(id))
	require.Error(t, repo.As("grace").RerunWorkflow(id+1))

	tok := token(t, sim, "acme")
	get := func(path string, out any) int {
		return call(t, sim, tok, http.MethodGet, "/repos/acme/shop/actions/runs"+path, nil, out).StatusCode
	}
	var latest, first runJSON
	require.Equal(t, 200, get(fmt.Sprintf("/%d", id), &latest))
	require.Equal(t, 200, get(fmt.Sprintf("/%d/attempts/1", id), &first))
	require.Equal(t, runJSON{id, ".github/workflows/ci.yml", "in_progress", "", 2, now, struct{ Login string }{"mallory"}, struct{ Login string }{"grace"}}, latest)
	require.Equal(t, runJSON{id, ".github/workflows/ci.yml", "completed", "success", 1, now.Add(-2 * time.Minute), struct{ Login string }{"mallory"}, struct{ Login string }{"mallory"}}, first)
	require.Equal(t, 404, get(fmt.Sprintf("/%d/attempts/3", id), nil))
	require.Equal(t, 404, get("/1", nil))

	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	for span, want := range map[string]int{
		at(-3*time.Minute) + ".." + at(0): 1, at(-time.Minute) + ".." + at(0): 0, ">=" + at(-2*time.Minute): 1, ">" + at(-2*time.Minute): 0,
		"<=" + at(-2*time.Minute): 1, "<" + at(-2*time.Minute): 0, now.Add(-2 * time.Minute).Format(time.DateOnly): 1, "2001-01-01": 0,
	} {
		var list struct {
			Total int       `json:"total_count"`
			Runs  []runJSON `json:"workflow_runs"`
		}
		require.Equal(t, 200, get("?created="+url.QueryEscape(span), &list))
		require.Equal(t, want, list.Total, span)
		require.Len(t, list.Runs, want)
	}
	require.Equal(t, 422, get("?created=soon", nil))
	now = now.Add(31 * 24 * time.Hour)
	require.NoError(t, repo.EndWorkflow(id, "success"))
	require.ErrorContains(t, repo.As("mallory").RerunWorkflow(id), "over a month ago")
}

// A job that is posted without a run has one all the same, which begins and ends with
// its jobs and was set off by whoever brought the commit.
func TestTheRunBehindAJob(t *testing.T) {
	sim, repo := shop(t)
	head, err := repo.As("ada").Push("x", githubsim.Commit{Files: map[string]string{"x": "1"}})
	require.NoError(t, err)
	test, err := repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: head})
	require.NoError(t, err)
	tok := token(t, sim, "acme")
	run := func() runJSON {
		var list struct {
			Runs []runJSON `json:"workflow_runs"`
		}
		require.Equal(t, 200, call(t, sim, tok, http.MethodGet, "/repos/acme/shop/actions/runs?head_sha="+head, nil, &list).StatusCode)
		require.Len(t, list.Runs, 1)
		return list.Runs[0]
	}
	require.Equal(t, "in_progress", run().Status)
	require.Equal(t, "ada", run().Actor.Login)
	require.NoError(t, repo.UpdateCheck(test, githubsim.CheckRun{Conclusion: "failure"}))
	require.Equal(t, "failure", run().Conclusion)
	_, err = repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: head, Conclusion: "success", Attempt: 2})
	require.NoError(t, err)
	require.Equal(t, 2, run().Attempt)
	require.Equal(t, "success", run().Conclusion)
}
