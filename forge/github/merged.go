package github

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// merged returns the pull requests whose merge is the pushed commit, when that
// commit stands directly on where the branch was: then it is a squash of theirs or
// the merge of their head, and all that it brought is theirs. Nothing else needs to
// be asked of such a push. How the commit came to the branch, and whether it is what
// GitHub would have made of the pull request, is judged with the pull request.
func (r *ranged) merged() []int {
	c := r.answer.Commit
	if c == nil || c.Oid != r.ref.Commit || c.PullRequests == nil || c.PullRequests.TotalCount > len(c.PullRequests.Nodes) ||
		len(c.Parents.Nodes) == 0 || c.Parents.Nodes[0] == nil || c.Parents.Nodes[0].Oid != r.ref.Before || r.ref.Before == "" {
		return nil
	}
	var numbers []int
	for _, pr := range r.pullsOf(commit{PullRequests: c.PullRequests}) {
		if pr.Merged && pr.MergeCommit != nil && pr.MergeCommit.Oid == c.Oid && c.brings(pr.HeadRefOid) {
			numbers = append(numbers, pr.Number)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// brings reports whether the commit brings the branch of its first parent nothing but
// itself or, as a merge, the head.
func (c *checked) brings(head change.SHA) bool {
	switch parents := c.Parents.Nodes; len(parents) {
	case 1:
		return true
	case 2:
		return parents[1] != nil && parents[1].Oid == head
	}
	return false
}

// byMerge returns what there is to say of a push that merges explain.
func (r *ranged) byMerge(numbers []int) change.Facts {
	how := change.Squash
	if len(r.answer.Commit.Parents.Nodes) > 1 {
		how = change.MergeCommit
	}
	return change.Facts{
		Ref: r.ref, GatheredAt: r.at.UTC(), People: change.People{}, State: change.Known(change.LandedState),
		Base: change.Known(change.Base{Branch: r.ref.Branch, Target: r.ref.Branch, Commit: r.ref.Before}),
		Landing: change.Known(change.Landing{
			Landed: true, How: how, Branch: r.ref.Branch, Before: r.ref.Before, Commit: r.ref.Commit, Tree: r.answer.Commit.Tree.Oid,
			Explained: numbers,
		}),
		Absent: r.absent.table(),
	}
}
