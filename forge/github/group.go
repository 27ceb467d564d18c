package github

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// gatherGroup gathers a merge queue's candidate: what the branch would become.
// Its members are worked out of the commits between the branch as it stands and
// the candidate, never out of the candidate's name, which tells the last one
// only.
func (f *Forge) gatherGroup(ctx context.Context, a *api, ref change.Ref) (change.Gathered, error) {
	none := change.Gathered{}
	if !ref.Commit.Valid() || ref.Branch == "" {
		return none, errors.New("a merge group without a branch or a commit")
	}
	r := &ranged{ref: ref, at: f.config.Now()}
	answer, err := a.branch(ctx, branchQuestion{
		repo: ref.Repository, branch: ref.Branch, policyAt: "refs/heads/" + ref.Branch, commit: ref.Commit, queue: true,
	})
	if err != nil {
		return none, fmt.Errorf("asking for the branch: %w", err)
	}
	r.answer, r.absent, r.ref.Repository.Name = answer, answer.absent, answer.NameWithOwner
	if answer.PolicyAt == nil || !answer.PolicyAt.Oid.Valid() {
		return none, fmt.Errorf("the branch %s does not exist", change.Quote(ref.Branch))
	}
	tip := answer.PolicyAt.Oid
	if r.span, err = a.span(ctx, r.ref.Repository.Name, tip, ref.Commit); err != nil {
		return none, fmt.Errorf("asking for the commits of the group: %w", err)
	}
	if len(r.span.commits) == 0 && ref.Before != "" { // the group has landed meanwhile
		if r.span, err = a.span(ctx, r.ref.Repository.Name, ref.Before, ref.Commit); err != nil {
			return none, fmt.Errorf("asking for the commits of the group: %w", err)
		}
		tip = ref.Before
	}
	if r.enforced, err = f.enforced(ctx, a, r.ref.Repository, ref.Branch); err != nil {
		if !refused(err) {
			return none, fmt.Errorf("asking for the rules of the branch: %w", err)
		}
		r.absent.set("enforced", because("the rules of the branch", err))
	}
	policy := f.policyFile(r.ref.Repository.Name, answer.PolicyAt, r.absent)
	b := f.builder(r.absent)
	facts, ours := b.ranged(r)
	facts.URL = fmt.Sprintf("%s/%s/commits/%s", f.web, r.ref.Repository.Name, ref.Commit)
	facts.State = change.Known(change.Open)
	facts.Base = change.Known(change.Base{Branch: ref.Branch, Target: ref.Branch, Commit: tip})
	facts.Landing = change.Known(change.Landing{})
	group, err := r.group()
	facts.Group = settle(b, "group", group, err)
	facts.People, facts.Absent = b.roster.People(), b.absent.table()
	return change.Gathered{Facts: facts, Policy: policy, Shown: ours}, nil
}

// group returns the members of a merge group and the commits that none of them
// explains. A member is what the queue lists for a commit of the range, or a
// pull request whose own head is in the range; another pull request that merely
// shares commits with a member is none. A commit is explained when it belongs to
// a member, or when the queue made it out of one.
func (r *ranged) group() (change.Group, error) {
	if len(r.span.commits) == 0 {
		return change.Group{}, errors.New("the group has no commits of its own")
	}
	in := map[change.SHA]commit{}
	for _, c := range r.span.commits {
		in[c.Oid] = c
	}
	heads, made := r.queued(in)
	for _, c := range r.span.commits {
		for _, pr := range r.pullsOf(c) {
			_, whole := in[pr.HeadRefOid]
			if whole && pr.State == "OPEN" || pr.Merged && pr.MergeCommit != nil && in[pr.MergeCommit.Oid].Oid != "" {
				heads[pr.Number] = pr.HeadRefOid
			}
		}
	}
	g := change.Group{Members: r.members(heads)}
	for _, c := range r.span.commits {
		if !made[c.Oid] && !r.belongs(c, heads) && !mergesMember(c, heads) {
			g.Unexplained = append(g.Unexplained, c.Oid)
		}
	}
	return g, nil
}

// queued returns the pull requests whose queue entry ends in the range, and the
// commits on the line from each entry's head back to its base: the merge, the
// squash or the rebased commits that the queue made.
func (r *ranged) queued(in map[change.SHA]commit) (map[int]change.SHA, map[change.SHA]bool) {
	heads, made := map[int]change.SHA{}, map[change.SHA]bool{}
	for _, e := range r.entries() {
		if e.HeadCommit == nil || e.BaseCommit == nil || e.PullRequest == nil {
			continue
		}
		c, here := in[e.HeadCommit.Oid]
		if !here {
			continue // another group of the same queue
		}
		heads[e.PullRequest.Number] = e.PullRequest.HeadRefOid
		for here && !made[c.Oid] && c.Oid != e.BaseCommit.Oid {
			made[c.Oid] = true
			if len(c.Parents.Nodes) == 0 || c.Parents.Nodes[0] == nil {
				break
			}
			c, here = in[c.Parents.Nodes[0].Oid]
		}
	}
	return heads, made
}

// belongs reports whether a commit is one of a member's own.
func (r *ranged) belongs(c commit, heads map[int]change.SHA) bool {
	for _, pr := range r.pullsOf(c) {
		if _, member := heads[pr.Number]; member {
			return true
		}
	}
	return false
}

func (r *ranged) entries() []groupEntry {
	if r.answer.MergeQueue == nil || r.answer.MergeQueue.Entries == nil {
		return nil
	}
	var list []groupEntry
	for _, e := range r.answer.MergeQueue.Entries.Nodes {
		if e != nil {
			list = append(list, *e)
		}
	}
	return list
}

func (r *ranged) members(heads map[int]change.SHA) []change.Member {
	list := []change.Member{}
	for n, head := range heads {
		ref := change.Ref{Repository: r.ref.Repository, Kind: change.PullRequest, Number: n}
		list = append(list, change.Member{Ref: ref, Head: head, Results: []change.Result{}})
	}
	slices.SortFunc(list, func(a, b change.Member) int { return a.Ref.Number - b.Ref.Number })
	return list
}

// mergesMember reports whether a commit is the queue's merge of a member's head.
func mergesMember(c commit, heads map[int]change.SHA) bool {
	if len(c.Parents.Nodes) != 2 || c.Parents.Nodes[1] == nil {
		return false
	}
	for _, head := range heads {
		if c.Parents.Nodes[1].Oid == head {
			return true
		}
	}
	return false
}
