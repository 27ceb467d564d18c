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
	answer, err := f.branch(ctx, a, branchQuestion{
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

// A grouping is a merge group while its members are worked out.
type grouping struct {
	*ranged
	in    map[change.SHA]commit
	heads map[int]change.SHA  // the members, by number
	made  map[change.SHA]bool // by the queue, out of a member
	own   map[change.SHA]bool // of a member: its head, and what its head stands on
}

// group returns the members of a merge group and the commits that none of them
// explains. Members are first of all what the queue lists. Only a commit that they
// do not explain brings others, so that nobody joins a group, and holds it back, by
// opening pull requests at the commits of its members; how many of those are listed
// for a commit does not matter either.
func (r *ranged) group() (change.Group, error) {
	if len(r.span.commits) == 0 {
		return change.Group{}, errors.New("the group has no commits of its own")
	}
	g := &grouping{ranged: r, in: map[change.SHA]commit{}, heads: map[int]change.SHA{}, made: map[change.SHA]bool{}, own: map[change.SHA]bool{}}
	for _, c := range r.span.commits {
		g.in[c.Oid] = c
	}
	for _, e := range r.entries() {
		g.enter(e)
	}
	// From the newest commit back: the queue's merge of a head comes before the head,
	// and the head before the commits in the middle of the change.
	for _, c := range slices.Backward(r.span.commits) {
		if !g.explains(c) {
			g.search(c)
		}
	}
	out := change.Group{Members: g.members()}
	for _, c := range r.span.commits {
		if !g.explains(c) {
			out.Unexplained = append(out.Unexplained, c.Oid)
		}
	}
	return out, nil
}

// enter adds the pull request of an entry that ends in the range, and the commits on
// the line from the entry's head back to its base: the merge, the squash or the
// rebased commits that the queue made.
func (g *grouping) enter(e groupEntry) {
	if e.HeadCommit == nil || e.BaseCommit == nil || e.PullRequest == nil {
		return
	}
	c, here := g.in[e.HeadCommit.Oid]
	if !here {
		return // another group of the same queue
	}
	g.join(e.PullRequest.Number, e.PullRequest.HeadRefOid)
	for here && !g.made[c.Oid] && c.Oid != e.BaseCommit.Oid {
		g.made[c.Oid] = true
		first, ok := c.parent(0)
		if !ok {
			return
		}
		c, here = g.in[first]
	}
}

// join adds a member. Its head is in the range where the queue merges, and so is all
// that the head brings: a pull request holds whatever its head reaches and the
// branch lacks.
func (g *grouping) join(number int, head change.SHA) {
	g.heads[number] = head
	for next := []change.SHA{head}; len(next) > 0; {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		c, here := g.in[at]
		if !here || g.own[at] {
			continue
		}
		g.own[at] = true
		for _, p := range c.Parents.Nodes {
			if p != nil {
				next = append(next, p.Oid)
			}
		}
	}
}

// search adds the pull requests that a commit without explanation points to: those
// that it belongs to and, when it is a merge, those whose head it merges.
func (g *grouping) search(c commit) {
	for _, pr := range g.pullsOf(c) {
		if g.holds(pr) {
			g.join(pr.Number, pr.HeadRefOid)
		}
	}
	second, ok := c.parent(1)
	if !ok {
		return
	}
	for _, pr := range g.pullsOf(g.in[second]) {
		if g.holds(pr) && pr.HeadRefOid == second {
			g.join(pr.Number, pr.HeadRefOid)
		}
	}
}

// holds reports whether the range holds all of a pull request; one that merely
// shares commits with a member is none.
func (g *grouping) holds(pr pullOf) bool {
	if pr.Merged && pr.MergeCommit != nil {
		_, landed := g.in[pr.MergeCommit.Oid]
		return landed
	}
	_, whole := g.in[pr.HeadRefOid]
	return whole && pr.State == "OPEN"
}

// explains reports whether a commit is a member's own or the queue's work on one.
func (g *grouping) explains(c commit) bool {
	if g.made[c.Oid] || g.own[c.Oid] {
		return true
	}
	second, merges := c.parent(1)
	for _, head := range g.heads {
		if merges && len(c.Parents.Nodes) == 2 && second == head {
			return true
		}
	}
	return slices.ContainsFunc(g.pullsOf(c), func(pr pullOf) bool { _, member := g.heads[pr.Number]; return member })
}

func (g *grouping) members() []change.Member {
	list := []change.Member{}
	for n, head := range g.heads {
		ref := change.Ref{Repository: g.ref.Repository, Kind: change.PullRequest, Number: n}
		list = append(list, change.Member{Ref: ref, Head: head, Results: []change.Result{}})
	}
	slices.SortFunc(list, func(a, b change.Member) int { return a.Ref.Number - b.Ref.Number })
	return list
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

// parent returns the commit's parent of that position, from 0.
func (c commit) parent(n int) (change.SHA, bool) {
	if len(c.Parents.Nodes) <= n || c.Parents.Nodes[n] == nil {
		return "", false
	}
	return c.Parents.Nodes[n].Oid, true
}
