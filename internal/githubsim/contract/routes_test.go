package contract_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// TestEveryRouteKeepsTheContract calls every route that the simulator serves.
func TestEveryRouteKeepsTheContract(t *testing.T) {
	sim, repo := world(t)
	_, err := sim.Organization("acme").AddTeam("root", "platform", "")
	require.NoError(t, err)
	_, err = sim.Organization("acme").AddTeam("root", "engineers", "platform")
	require.NoError(t, err)
	require.NoError(t, sim.Organization("acme").AddToTeam("root", "engineers", "grace"))
	rules, err := repo.As("root").SetRuleset(githubsim.Ruleset{
		Name: "main", PullRequest: &githubsim.PullRequestRule{Approvals: 1}, NonFastForward: true, Deletion: true,
		RequiredChecks: []githubsim.RequiredCheck{{Context: "test"}, {Context: "countersign", AppID: sim.App.ID}}, MergeQueue: &githubsim.MergeQueueRule{},
		Other: []map[string]any{{"type": "max_file_size", "parameters": map[string]any{"max_file_size": 100}}},
	})
	require.NoError(t, err)
	head, err := repo.As("ada").Push("feature/x",
		githubsim.Commit{Rename: map[string]string{"README.md": "READ.md"}, Files: map[string]string{"a b.txt": "a\n", ".github/workflows/ci.yml": "on: workflow_dispatch\n"}},
		githubsim.Commit{Delete: []string{"docs/a/b.md"}, Author: githubsim.Identity{Name: "X", Email: "x@nowhere.example"}})
	require.NoError(t, err)
	n, err := repo.As("ada").Open(githubsim.PullRequest{Head: "feature/x", Stack: "main"})
	require.NoError(t, err)
	_, err = repo.As("grace").Approve(n)
	require.NoError(t, err)
	require.NoError(t, repo.As("ada").EnableAutoMerge(n, ""))
	require.NoError(t, repo.As("ada").Label(n, "bug"))
	require.NoError(t, sim.Quiesce(t.Context()))

	dispatched, err := repo.As("ada").RunWorkflow(githubsim.WorkflowRun{Branch: "feature/x"})
	require.NoError(t, err)
	require.NoError(t, repo.EndWorkflow(dispatched, "failure"))
	require.NoError(t, repo.As("grace").RerunWorkflow(dispatched))
	_, err = repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: head, Conclusion: "success"})
	require.NoError(t, err)

	c := newClient(t, sim, "acme/shop")
	const r = "/repos/acme/shop"
	var run struct{ ID int64 }
	c.call("POST", r+"/check-runs", map[string]any{
		"name": "countersign", "head_sha": head, "status": "in_progress", "external_id": "x", "output": map[string]any{"title": "Held", "summary": "why", "text": "all of it", "annotations": []any{
			map[string]any{"path": "READ.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "Needs platform", "title": "protected-paths"}}},
		"actions": []any{map[string]any{"label": "Re-evaluate", "description": "Look again", "identifier": "reevaluate"}},
	}, 201, &run)
	c.call("POST", r+"/statuses/"+head, map[string]any{"state": "success", "context": "countersign/x"}, 201, nil)
	var deliveries []struct{ ID int64 }
	c.call("GET", "/app/hook/deliveries?per_page=5", nil, 200, &deliveries)
	require.Len(t, deliveries, 5)

	var file struct{ SHA string }
	c.call("GET", r+"/contents/.countersign.yml?ref=main", nil, 200, &file)

	paths := []string{
		"/app", "/app/installations", "/orgs/acme/installation", "/installation/repositories", "/rate_limit", "/users/ada",
		r, r + "/installation", r + "/pulls", r + "/pulls?state=all", r + "/activity", r + "/activity?ref=refs/heads/feature/x&per_page=1",
		r + "/rules/branches/main", r + "/rulesets", fmt.Sprintf("%s/rulesets/%d", r, rules), r + "/collaborators/ada/permission",
		r + "/commits/" + head, r + "/commits/" + head + "/pulls", r + "/commits/" + head + "/check-runs?filter=all", r + "/commits/" + head + "/status",
		r + "/commits/" + head + "/statuses", r + "/git/commits/" + head, r + "/git/trees/" + head + "?recursive=1", r + "/git/ref/heads/main", r + "/actions/runs", r + "/actions/runs?created=2020-01-01T00:00:00Z..2100-01-01T00:00:00Z&head_sha=" + head,
		fmt.Sprintf("%s/actions/runs/%d", r, dispatched), fmt.Sprintf("%s/actions/runs/%d/attempts/1", r, dispatched), r + "/git/blobs/" + file.SHA,
		r + "/branches/main", r + "/branches/feature%2Fx", r + "/compare/main..." + head, r + "/compare/main...feature%2Fx?per_page=1&page=2",
		r + "/contents/.countersign.yml?ref=main", r + "/contents/docs/a/b.md", fmt.Sprintf("%s/check-runs/%d", r, run.ID), fmt.Sprintf("%s/check-runs/%d/annotations", r, run.ID),
		"/orgs/acme/teams/engineers", "/orgs/acme/teams/platform/members", "/orgs/acme/teams/platform/memberships/grace",
		fmt.Sprintf("/app/hook/deliveries/%d", deliveries[0].ID),
	}
	for _, tail := range []string{"", "/reviews", "/commits", "/files"} {
		paths = append(paths, fmt.Sprintf("%s/pulls/%d%s", r, n, tail))
	}
	for _, path := range paths {
		h := c.call("GET", path, nil, http.StatusOK, nil)
		require.NotEmpty(t, h.Get("ETag"), path)
	}
	c.call("POST", fmt.Sprintf("/app/hook/deliveries/%d/attempts", deliveries[0].ID), nil, 202, nil)
	c.call("GET", r+"/pulls/999", nil, 404, nil)
	c.call("GET", "/repos/acme/nothing", nil, 404, nil)
	c.call("GET", "/orgs/acme/teams/platform/memberships/linus", nil, 404, nil)
	c.call("POST", r+"/check-runs", map[string]any{"name": "x"}, 422, nil)
	require.NoError(t, sim.Quiesce(t.Context()))
}
