package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// TestAnApprovalCoversOnlyWhatItSaw tries histories that no story can tell, because
// git does not make them: facts may, and no answer of a forge may be a way through.
func TestAnApprovalCoversOnlyWhatItSaw(t *testing.T) {
	commit := func(n, tree int, parents ...change.SHA) change.Commit {
		return change.Commit{SHA: commitID(n), Tree: treeID(tree), Parents: parents, Author: "p1", ByForge: true}
	}
	fileless := func(c change.Commit) change.Commit { c.Tree = ""; return c }
	head := change.Head{Commit: commitID(2), Tree: treeID(1)}
	for name, c := range map[string]struct {
		head    change.Head
		commits []change.Commit
		want    change.Status
	}{
		"an empty commit on top":      {head, []change.Commit{commit(1, 1, commitID(90)), commit(2, 1, commitID(1))}, change.Pass},
		"listed in another order":     {head, []change.Commit{commit(2, 1, commitID(1)), commit(1, 1, commitID(90))}, change.Pass},
		"approved the first of all":   {head, []change.Commit{commit(1, 1), commit(2, 1, commitID(1))}, change.Pass},
		"approved what is not listed": {head, []change.Commit{commit(2, 1, commitID(1))}, change.Pending},
		"the head is not listed":      {head, []change.Commit{commit(1, 1, commitID(90))}, change.Pending},
		"the head has no parent":      {head, []change.Commit{commit(1, 1), commit(2, 1)}, change.Pending},
		"beside the head":             {head, []change.Commit{commit(1, 1, commitID(90)), commit(2, 1, commitID(90))}, change.Pending},
		"listed twice":                {head, []change.Commit{commit(1, 1), commit(1, 1), commit(2, 1, commitID(1))}, change.Pending},
		"the head has other files":    {change.Head{Commit: commitID(2), Tree: treeID(2)}, []change.Commit{commit(1, 1), commit(2, 1, commitID(1))}, change.Pending},
		"the head's files not known":  {change.Head{Commit: commitID(2)}, []change.Commit{fileless(commit(1, 1)), fileless(commit(2, 1, commitID(1)))}, change.Pending},
		"a circle":                    {head, []change.Commit{commit(2, 1, commitID(3)), commit(3, 1, commitID(2)), commit(1, 1)}, change.Pending},
		"a commit that is its parent": {head, []change.Commit{commit(2, 1, commitID(2)), commit(1, 1)}, change.Pending},
		"a parent without a name":     {head, []change.Commit{commit(2, 1, ""), commit(1, 1)}, change.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved")
			f.Head, f.Commits = change.Known(c.head), change.Known(c.commits)
			r := result(t, parsed(t, narrow).Evaluate(f), policy.PeerReviewID)
			require.Equal(t, c.want, r.Status, r.Reason)
		})
	}
}
