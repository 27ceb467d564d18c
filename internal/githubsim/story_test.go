package githubsim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// shop starts a simulator with the repository acme/shop, which root owns and in
// which ada, grace and linus may write.
func shop(t testing.TB) (*githubsim.Sim, *githubsim.Repository) {
	t.Helper()
	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir(), RateLimit: 10_000_000})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	sim.AddUsers("root", "ada", "grace", "linus", "mallory")
	_, err = sim.AddOrganization("acme", "root")
	require.NoError(t, err)
	repo, err := sim.CreateRepository("acme/shop", githubsim.RepositoryOptions{
		Permissions: map[string]string{"ada": "write", "grace": "write", "linus": "write", "mallory": "read"},
	})
	require.NoError(t, err)
	return sim, repo
}

func refused(t *testing.T, err error, status int, message string) {
	t.Helper()
	var no *githubsim.Refusal
	require.ErrorAs(t, err, &no)
	require.Equal(t, status, no.Status, no.Message)
	require.Contains(t, no.Message, message)
}

func file(path, content string) githubsim.Commit {
	return githubsim.Commit{Files: map[string]string{path: content}}
}

// open has login push one file to a branch of its own and open a pull request.
func open(t testing.TB, repo *githubsim.Repository, login, branch string) (number int, head string) {
	t.Helper()
	head, err := repo.As(login).Push(branch, file(branch+".txt", branch+"\n"))
	require.NoError(t, err)
	number, err = repo.As(login).Open(githubsim.PullRequest{Head: branch, Title: "Add " + branch})
	require.NoError(t, err)
	return number, head
}

func TestAuthorCannotApprove(t *testing.T) {
	_, repo := shop(t)
	n, _ := open(t, repo, "ada", "feature")
	_, err := repo.As("ada").Approve(n)
	refused(t, err, 422, "Can not approve your own pull request")
	_, err = repo.As("grace").Approve(n)
	require.NoError(t, err)
}

func TestMergeNeedsThePinnedCheck(t *testing.T) {
	sim, repo := shop(t)
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{
		Name: "main", PullRequest: &githubsim.PullRequestRule{Approvals: 1},
		RequiredChecks: []githubsim.RequiredCheck{{Context: "countersign", AppID: sim.App.ID}},
		Bypass:         []githubsim.BypassActor{{Type: githubsim.BypassOrganizationAdmin}},
	})
	require.NoError(t, err)
	n, head := open(t, repo, "ada", "feature")
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	refused(t, err, 405, "At least 1 approving review")
	_, err = repo.As("grace").Approve(n)
	require.NoError(t, err)

	_, err = repo.PostCheck(githubsim.CheckRun{App: "github-actions", Name: "countersign", Commit: head, Conclusion: "success"})
	require.NoError(t, err)
	require.NoError(t, repo.As("linus").PostStatus(head, githubsim.Status{Context: "countersign", State: "success"}))
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	refused(t, err, 405, `Required status check "countersign" is expected`)

	run, err := repo.PostCheck(githubsim.CheckRun{App: "countersign", Name: "countersign", Commit: head, Conclusion: "failure"})
	require.NoError(t, err)
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	refused(t, err, 405, "is failing")
	_, err = repo.As("ada").Merge(n, githubsim.Merge{Bypass: true})
	refused(t, err, 405, "is failing")

	require.NoError(t, repo.UpdateCheck(run, githubsim.CheckRun{Conclusion: "success"}))
	_, err = repo.As("ada").Merge(n, githubsim.Merge{SHA: repo.Head("main")})
	refused(t, err, 409, "Head branch was modified")
	sha, err := repo.As("ada").Merge(n, githubsim.Merge{SHA: head})
	require.NoError(t, err)
	require.Equal(t, repo.Head("main"), sha)
}
