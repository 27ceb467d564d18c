package githubsim_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// git asks the repository itself, with any git.
func git(t *testing.T, repo *githubsim.Repository, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"--git-dir", repo.Dir()}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// diverged opens a pull request of two commits by ada, the second written by
// linus, whose base has moved since.
func diverged(t *testing.T, repo *githubsim.Repository) (number int, head string) {
	t.Helper()
	head, err := repo.As("ada").Push("feature", file("one.txt", "1\n"), githubsim.Commit{
		Files: map[string]string{"two.txt": "2\n"}, Author: githubsim.Identity{Name: "Linus", Email: "linus@example.com"},
	})
	require.NoError(t, err)
	number, err = repo.As("ada").Open(githubsim.PullRequest{Head: "feature", Title: "Add two files"})
	require.NoError(t, err)
	_, err = repo.As("root").Push("main", file("base.txt", "b\n"))
	require.NoError(t, err)
	return number, head
}

func TestMergeMethodsMakeTrueCommits(t *testing.T) {
	for _, method := range []string{githubsim.MethodMerge, githubsim.MethodSquash, githubsim.MethodRebase} {
		t.Run(method, func(t *testing.T) {
			_, repo := shop(t)
			n, head := diverged(t, repo)
			before := repo.Head("main")
			sha, err := repo.As("grace").Merge(n, githubsim.Merge{Method: method})
			require.NoError(t, err)
			require.Equal(t, sha, git(t, repo, "rev-parse", "refs/heads/main"))
			require.Equal(t, "README.md\nbase.txt\none.txt\ntwo.txt", git(t, repo, "ls-tree", "--name-only", "main"))
			git(t, repo, "fsck", "--strict")

			parents := strings.Fields(git(t, repo, "log", "-1", "--format=%P", "main"))
			who := git(t, repo, "log", "-1", "--format=%ae %ce", "main")
			switch method {
			case githubsim.MethodMerge:
				require.Equal(t, []string{before, head}, parents)
				require.Equal(t, "grace@example.com noreply@github.com", who)
			case githubsim.MethodSquash:
				require.Equal(t, []string{before}, parents)
				require.Equal(t, "ada@example.com noreply@github.com", who)
				require.Contains(t, git(t, repo, "log", "-1", "--format=%B", "main"), "Co-authored-by: Linus <linus@example.com>")
			case githubsim.MethodRebase:
				require.Equal(t, before, git(t, repo, "rev-parse", "main~2"))
				require.Equal(t, "linus@example.com grace@example.com", who)
			}
		})
	}
}

func TestConflictIsRefusedUntilItIsResolved(t *testing.T) {
	_, repo := shop(t)
	_, err := repo.As("ada").Push("feature", file("README.md", "ours\n"))
	require.NoError(t, err)
	n, err := repo.As("ada").Open(githubsim.PullRequest{Head: "feature"})
	require.NoError(t, err)
	_, err = repo.As("root").Push("main", file("README.md", "theirs\n"))
	require.NoError(t, err)
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	refused(t, err, 405, "not mergeable")
	_, err = repo.As("ada").UpdateBranch(n, nil)
	refused(t, err, 422, "merge conflict")

	tip, err := repo.As("grace").UpdateBranch(n, map[string]string{"README.md": "both\n"})
	require.NoError(t, err)
	require.Len(t, strings.Fields(git(t, repo, "log", "-1", "--format=%P", tip)), 2)
	require.Equal(t, "both", git(t, repo, "show", tip+":README.md"))
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	require.NoError(t, err)
}

func TestPushedMergeMarksThePullRequestMerged(t *testing.T) {
	sim, repo := shop(t)
	n, head := open(t, repo, "ada", "feature")
	tip, err := repo.As("grace").Push("main", githubsim.Commit{Merge: "feature", Message: "Merge by hand"})
	require.NoError(t, err)
	a := query(t, sim, token(t, sim, "acme"), `query($n: Int!) {repository(owner: "acme", name: "shop") {pullRequest(number: $n) {
		state headRefOid mergedBy {login} mergeCommit {oid}}}}`, map[string]any{"n": n})
	require.Empty(t, a.Errors)
	require.Equal(t, map[string]any{"repository": map[string]any{"pullRequest": map[string]any{
		"state": "MERGED", "headRefOid": head, "mergedBy": map[string]any{"login": "grace"}, "mergeCommit": map[string]any{"oid": tip},
	}}}, a.Data)
}

func TestStaleApprovalsAreDismissedWhereARuleSaysSo(t *testing.T) {
	_, repo := shop(t)
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{Name: "main", PullRequest: &githubsim.PullRequestRule{Approvals: 1, DismissStale: true}})
	require.NoError(t, err)
	n, _ := open(t, repo, "ada", "feature")
	_, err = repo.As("grace").Approve(n)
	require.NoError(t, err)
	_, err = repo.As("ada").Push("feature", file("more.txt", "m\n"))
	require.NoError(t, err)
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	refused(t, err, 405, "At least 1 approving review")
}

func TestReaderApprovalDoesNotCount(t *testing.T) {
	_, repo := shop(t)
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{Name: "main", PullRequest: &githubsim.PullRequestRule{Approvals: 1}})
	require.NoError(t, err)
	n, _ := open(t, repo, "ada", "feature")
	_, err = repo.As("mallory").Approve(n)
	require.NoError(t, err)
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	refused(t, err, 405, "At least 1 approving review")
	_, err = repo.As("mallory").Merge(n, githubsim.Merge{})
	refused(t, err, 403, "write rights")
}

func TestAutoMergeMergesInTheNameOfWhoArmedIt(t *testing.T) {
	sim, repo := shop(t)
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{Name: "main", PullRequest: &githubsim.PullRequestRule{Approvals: 1}})
	require.NoError(t, err)
	n, _ := open(t, repo, "ada", "feature")
	require.NoError(t, repo.As("ada").EnableAutoMerge(n, githubsim.MethodSquash))
	_, err = repo.As("grace").Approve(n)
	require.NoError(t, err)
	a := query(t, sim, token(t, sim, "acme"), `query($n: Int!) {repository(owner: "acme", name: "shop") {pullRequest(number: $n) {
		mergedBy {login} timelineItems(first: 9, itemTypes: [AUTO_SQUASH_ENABLED_EVENT, MERGED_EVENT]) {nodes {__typename}}}}}`, map[string]any{"n": n})
	require.Equal(t, map[string]any{
		"mergedBy":      map[string]any{"login": "ada"},
		"timelineItems": map[string]any{"nodes": []any{map[string]any{"__typename": "AutoSquashEnabledEvent"}, map[string]any{"__typename": "MergedEvent"}}},
	}, a.Data["repository"].(map[string]any)["pullRequest"])
}

func TestMergeThatBringsAnotherHeadMergesBoth(t *testing.T) {
	_, repo := shop(t)
	first, head := open(t, repo, "ada", "first")
	require.NoError(t, repo.As("linus").CreateBranch("second", "first"))
	_, err := repo.As("linus").Push("second", file("second.txt", "2\n"))
	require.NoError(t, err)
	second, err := repo.As("linus").Open(githubsim.PullRequest{Head: "second"})
	require.NoError(t, err)
	_, err = repo.As("linus").Merge(second, githubsim.Merge{})
	require.NoError(t, err)
	git(t, repo, "merge-base", "--is-ancestor", head, "main")
	_, err = repo.As("ada").Merge(first, githubsim.Merge{})
	refused(t, err, 405, "not mergeable") // it is merged already
}
