package githubsim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// queued sets up a queue on main in which the named branches wait, each with a
// pull request of ada's, and returns their numbers.
func queued(t *testing.T, sim *githubsim.Sim, repo *githubsim.Repository, rule githubsim.MergeQueueRule, branches ...string) []int {
	t.Helper()
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{
		Name: "main", MergeQueue: &rule, RequiredChecks: []githubsim.RequiredCheck{{Context: "countersign", AppID: sim.App.ID}},
	})
	require.NoError(t, err)
	var numbers []int
	for _, b := range branches {
		n, head := open(t, repo, "ada", b)
		verdict(t, repo, head, "success")
		require.NoError(t, repo.As("ada").Enqueue(n))
		numbers = append(numbers, n)
	}
	return numbers
}

func verdict(t *testing.T, repo *githubsim.Repository, commit, conclusion string) {
	t.Helper()
	_, err := repo.PostCheck(githubsim.CheckRun{App: "countersign", Name: "countersign", Commit: commit, Conclusion: conclusion})
	require.NoError(t, err)
}

// groupHeads are the tips of the queue's branches, by pull request number.
func groupHeads(t *testing.T, repo *githubsim.Repository) map[string]string {
	t.Helper()
	heads := map[string]string{}
	for _, line := range strings.Split(git(t, repo, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/gh-readonly-queue"), "\n") {
		ref, sha, ok := strings.Cut(line, " ")
		if ok {
			number, _, _ := strings.Cut(strings.TrimPrefix(ref, "gh-readonly-queue/main/pr-"), "-")
			heads[number] = sha
		}
	}
	return heads
}

func TestQueueMergesWhatPassesOnItsGroupHead(t *testing.T) {
	sim, repo := shop(t)
	n := queued(t, sim, repo, githubsim.MergeQueueRule{}, "one", "two")
	_, err := repo.As("root").Merge(n[0], githubsim.Merge{})
	refused(t, err, 405, "Changes must be made through the merge queue")
	heads := groupHeads(t, repo)
	require.Len(t, heads, 2)
	require.Equal(t, heads["1"], git(t, repo, "rev-parse", heads["2"]+"^1"), "the second group stands on the first")

	verdict(t, repo, heads["2"], "success")
	require.NotEqual(t, heads["2"], repo.Head("main"), "the first has not passed yet")
	verdict(t, repo, heads["1"], "success")
	require.Equal(t, heads["2"], repo.Head("main"), "both landed in one step")
	kinds, actors := moves(t, sim, "main")
	require.Equal(t, []string{"merge_queue_merge", "branch_creation"}, kinds)
	require.Equal(t, "github-merge-queue[bot]", actors[0])
	require.Empty(t, groupHeads(t, repo))
}

func TestQueueDropsWhatFailsAndBuildsTheRestAnew(t *testing.T) {
	sim, repo := shop(t)
	queued(t, sim, repo, githubsim.MergeQueueRule{Method: "SQUASH"}, "one", "two")
	before := groupHeads(t, repo)
	verdict(t, repo, before["1"], "failure")
	after := groupHeads(t, repo)
	require.NotContains(t, after, "1")
	require.NotEqual(t, before["2"], after["2"])
	verdict(t, repo, before["2"], "success")
	require.NotEqual(t, before["2"], repo.Head("main"), "a verdict on the old group says nothing of the new one")
	verdict(t, repo, after["2"], "success")
	require.Equal(t, after["2"], repo.Head("main"))
	require.Equal(t, "README.md\ntwo.txt", git(t, repo, "ls-tree", "--name-only", "main"))
}

func TestHeadOnlyQueueMergesRedMembersUnderAGreenHead(t *testing.T) {
	sim, repo := shop(t)
	queued(t, sim, repo, githubsim.MergeQueueRule{HeadOnly: true, MinGroup: 2}, "one", "two")
	heads := groupHeads(t, repo)
	verdict(t, repo, heads["1"], "failure")
	verdict(t, repo, heads["2"], "success")
	require.Equal(t, heads["2"], repo.Head("main"))
}

func TestPushTakesAPullRequestOutOfTheQueue(t *testing.T) {
	sim, repo := shop(t)
	n := queued(t, sim, repo, githubsim.MergeQueueRule{}, "one")
	_, err := repo.As("ada").Push("one", file("more.txt", "m\n"))
	require.NoError(t, err)
	require.Empty(t, groupHeads(t, repo))
	refused(t, repo.As("ada").Enqueue(n[0]), 422, "requirements are not met")
}

func TestQueueStartsAgainWhenMainMovesUnderIt(t *testing.T) {
	sim, repo := shop(t)
	queued(t, sim, repo, githubsim.MergeQueueRule{}, "one")
	before := groupHeads(t, repo)
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{
		Name: "main", MergeQueue: &githubsim.MergeQueueRule{}, Bypass: []githubsim.BypassActor{{Type: githubsim.BypassRepositoryRole, ID: 5}},
		RequiredChecks: []githubsim.RequiredCheck{{Context: "countersign", AppID: sim.App.ID}},
	})
	require.NoError(t, err)
	_, err = repo.As("root").Push("main", file("hot.txt", "h\n"))
	require.NoError(t, err)
	after := groupHeads(t, repo)
	require.NotEqual(t, before["1"], after["1"])
	require.Equal(t, repo.Head("main"), git(t, repo, "rev-parse", after["1"]+"^1"))
}
