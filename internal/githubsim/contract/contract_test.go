package contract_test

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
	"github.com/countersign-dev/countersign/internal/githubsim/contract"
)

//go:embed testdata/pull_request.graphql
var pullRequestQuery string

// world is a simulator under contract with one repository, whose deliveries go
// to a receiver that answers at once.
func world(t *testing.T) (*githubsim.Sim, *githubsim.Repository) {
	t.Helper()
	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	contract.Checked(t, sim)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(receiver.Close)
	sim.DeliverTo(receiver.URL)

	sim.AddUsers("root", "ada", "grace", "linus")
	_, err = sim.AddOrganization("acme", "root")
	require.NoError(t, err)
	repo, err := sim.CreateRepository("acme/shop", githubsim.RepositoryOptions{
		Files:       map[string]string{"README.md": "# shop\n", ".countersign.yml": "version: 1\n", "docs/a/b.md": "deep\n"},
		Permissions: map[string]string{"ada": "write", "grace": "write", "linus": "write"},
	})
	require.NoError(t, err)
	return sim, repo
}

// TestEveryVerbKeepsTheContract tells one long story that uses every verb; each
// payload it causes is checked.
func TestEveryVerbKeepsTheContract(t *testing.T) {
	sim, repo := world(t)
	org := sim.Organization("acme")
	root, ada, grace, linus := repo.As("root"), repo.As("ada"), repo.As("grace"), repo.As("linus")
	ok := func(err error) { t.Helper(); require.NoError(t, err) }
	sha := func(s string, err error) string { t.Helper(); require.NoError(t, err); return s }
	id := func(n int64, err error) int64 { t.Helper(); require.NoError(t, err); return n }
	number := func(n int, err error) int { t.Helper(); require.NoError(t, err); return n }

	_, err := org.AddTeam("root", "engineers", "")
	ok(err)
	ok(org.AddToTeam("root", "engineers", "grace"))
	ok(org.RemoveFromTeam("root", "engineers", "grace"))
	ok(org.MakeMaintainer("root", "engineers", "grace"))
	ok(org.AddMember("root", "linus"))
	ok(org.RemoveMember("root", "linus"))
	ok(root.SetTeamPermission("engineers", "maintain"))
	ok(root.SetPermission("ada", "maintain"))
	ok(root.SetPermission("linus", "write"))
	id(root.SetRuleset(githubsim.Ruleset{
		Name: "main", PullRequest: &githubsim.PullRequestRule{Approvals: 1, DismissStale: true}, NonFastForward: true, Deletion: true,
		RequiredChecks: []githubsim.RequiredCheck{{Context: "countersign", AppID: sim.App.ID}},
		Bypass:         []githubsim.BypassActor{{Type: githubsim.BypassOrganizationAdmin}},
	}))

	sha(ada.Push("feature", githubsim.Commit{
		Files: map[string]string{"a.txt": "a\n"}, Author: sim.Identity("grace"), CoAuthors: []githubsim.Identity{sim.Identity("linus"), {Name: "Nobody", Email: "nobody@nowhere.example"}},
	}))
	issue := number(ada.OpenIssue("It is broken"))
	n := number(ada.Open(githubsim.PullRequest{Head: "feature", Title: "Add a", Body: fmt.Sprintf("Closes #%d", issue), Draft: true}))
	ok(ada.MarkReady(n))
	ok(ada.ConvertToDraft(n))
	ok(ada.MarkReady(n))
	ok(ada.EditTitle(n, "Add a file"))
	ok(ada.EditBody(n, fmt.Sprintf("Fixes #%d", issue)))
	ok(grace.Label(n, "urgent"))
	ok(grace.Unlabel(n, "urgent"))
	ok(ada.CreateBranch("develop", "main"))
	ok(ada.Retarget(n, "develop"))
	ok(ada.Retarget(n, "main"))
	first := id(grace.Approve(n))
	ok(grace.EditReview(n, first, "well done"))
	id(linus.Comment(n, "hm"))
	second := id(linus.RequestChanges(n, "no"))
	ok(ada.Dismiss(n, second, "we talked"))
	sha(grace.ApplySuggestion(n, "linus", "a.txt", "b\n"))
	sha(grace.WebEdit("feature", "b.txt", "b\n", "Add b"))
	sha(root.Push("main", githubsim.Commit{Files: map[string]string{"root.txt": "root\n"}}))
	sha(ada.UpdateBranch(n, nil))
	head := sha(ada.ForcePush("feature", "main", githubsim.Commit{Files: map[string]string{"a.txt": "a\n", "c/d.txt": "d\n"}, Signed: true}))
	ok(ada.EnableAutoMerge(n, githubsim.MethodSquash))
	ok(ada.DisableAutoMerge(n))
	ok(ada.EnableAutoMerge(n, githubsim.MethodSquash))
	ok(ada.Close(n))
	ok(ada.Reopen(n))
	id(linus.Approve(n))
	ok(linus.PostStatus(head, githubsim.Status{Context: "lint", State: "pending"}))
	id(repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: head, Conclusion: "success", Workflow: ".github/workflows/test.yml"}))
	run := id(repo.PostCheck(githubsim.CheckRun{App: "countersign", Name: "countersign", Commit: head, Status: "in_progress", Actions: []string{"reevaluate"}}))
	ok(linus.Rerequest(run))
	ok(linus.RequestAction(run, "reevaluate"))

	c := newClient(t, sim, "acme/shop")
	var answer map[string]any
	variables := map[string]any{"owner": "acme", "name": "shop", "number": n}
	c.query(pullRequestQuery, variables, &answer)
	c.call("PATCH", fmt.Sprintf("/repos/acme/shop/check-runs/%d", run), map[string]any{
		"status": "completed", "conclusion": "success", "output": map[string]any{"title": "Held no more", "summary": "all well"},
	}, 200, nil) // this lets auto-merge go
	c.query(pullRequestQuery, variables, &answer)
	pull := answer["repository"].(map[string]any)["pullRequest"].(map[string]any)
	require.Equal(t, "MERGED", pull["state"])
	require.Equal(t, "ada", pull["mergedBy"].(map[string]any)["login"])
	ok(ada.DeleteBranch("develop"))
	ok(root.DeleteRuleset("main"))
	ok(sim.Quiesce(t.Context()))
}

// TestQueueKeepsTheContract puts two pull requests through a merge queue, one of
// which fails.
func TestQueueKeepsTheContract(t *testing.T) {
	sim, repo := world(t)
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{
		Name: "main", RequiredChecks: []githubsim.RequiredCheck{{Context: "countersign", AppID: sim.App.ID}}, MergeQueue: &githubsim.MergeQueueRule{},
	})
	require.NoError(t, err)
	heads := map[string]int{}
	for _, name := range []string{"one", "two"} {
		head, err := repo.As("ada").Push(name, githubsim.Commit{Files: map[string]string{name: name}})
		require.NoError(t, err)
		n, err := repo.As("ada").Open(githubsim.PullRequest{Head: name})
		require.NoError(t, err)
		_, err = repo.PostCheck(githubsim.CheckRun{App: "countersign", Name: "countersign", Commit: head, Conclusion: "success"})
		require.NoError(t, err)
		require.NoError(t, repo.As("grace").Enqueue(n))
		heads[name] = n
	}
	c := newClient(t, sim, "acme/shop")
	var answer struct {
		Repository struct {
			MergeQueue struct {
				Entries struct {
					TotalCount int
					Nodes      []struct {
						BaseCommit, HeadCommit struct{ Oid string }
						PullRequest            struct{ Number int }
					}
				}
			}
		}
	}
	const entries = `{repository(owner:"acme",name:"shop"){mergeQueue(branch:"main"){entries(first:100){totalCount nodes{baseCommit{oid} headCommit{oid} pullRequest{number headRefOid}}}}}}`
	c.query(entries, nil, &answer)
	queue := answer.Repository.MergeQueue.Entries
	require.Equal(t, 2, queue.TotalCount)
	require.Equal(t, queue.Nodes[0].HeadCommit.Oid, queue.Nodes[1].BaseCommit.Oid, "the second entry stands on the first")

	_, err = repo.PostCheck(githubsim.CheckRun{App: "countersign", Name: "countersign", Commit: queue.Nodes[0].HeadCommit.Oid, Conclusion: "failure"})
	require.NoError(t, err)
	c.query(entries, nil, &answer)
	queue = answer.Repository.MergeQueue.Entries
	require.Equal(t, 1, queue.TotalCount, "the failed entry left")
	require.Equal(t, heads["two"], queue.Nodes[0].PullRequest.Number)
	require.Equal(t, repo.Head("main"), queue.Nodes[0].BaseCommit.Oid, "the other was built anew")
	_, err = repo.PostCheck(githubsim.CheckRun{App: "countersign", Name: "countersign", Commit: queue.Nodes[0].HeadCommit.Oid, Conclusion: "success"})
	require.NoError(t, err)
	require.Equal(t, queue.Nodes[0].HeadCommit.Oid, repo.Head("main"))
	require.NoError(t, sim.Quiesce(t.Context()))
}
