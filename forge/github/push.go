package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// gatherPush gathers one movement of a branch, which is its own landing. The
// policy is read where the branch stood before, so that a push cannot change the
// rules it is judged by; of a created branch, which stood nowhere, it is that of the
// default branch.
func (f *Forge) gatherPush(ctx context.Context, a *api, ref change.Ref) (change.Gathered, error) {
	none := change.Gathered{}
	if ref.Commit == "" && ref.Before.Valid() && ref.Branch != "" {
		return f.gatherDeletion(ctx, a, ref)
	}
	if !ref.Commit.Valid() || ref.Branch == "" {
		return none, errors.New("a push without a branch or a commit")
	}
	at := f.config.Now()
	policyAt := string(ref.Before)
	if policyAt == "" {
		policyAt = "HEAD"
	}
	answer, err := f.branch(ctx, a, branchQuestion{repo: ref.Repository, branch: ref.Branch, policyAt: policyAt, commit: ref.Commit})
	if err != nil {
		return none, fmt.Errorf("asking for the branch: %w", err)
	}
	ref.Repository.Name = answer.NameWithOwner
	r := &ranged{ref: ref, at: at, answer: answer, absent: answer.absent}
	if numbers := r.merged(); len(numbers) > 0 {
		policy := f.policyFile(ref.Repository.Name, answer.PolicyAt, r.absent)
		return change.Gathered{Facts: r.byMerge(numbers), Policy: policy}, nil
	}
	move, err := f.movementOf(ctx, a, r)
	if err != nil {
		return none, err
	}
	if ref.Before == "" {
		if err := f.created(ctx, a, r, move); err != nil {
			return none, err
		}
	} else if r.span, err = a.span(ctx, ref.Repository.Name, ref.Before, ref.Commit); err != nil {
		if !refused(err) {
			return none, fmt.Errorf("asking for the pushed commits: %w", err)
		}
		r.absent.set("commits", because("the pushed commits", err))
		r.absent.set("files", because("the pushed files", err))
	}
	if r.enforced, err = f.enforced(ctx, a, ref.Repository, ref.Branch); err != nil {
		if !refused(err) {
			return none, fmt.Errorf("asking for the rules of the branch: %w", err)
		}
		r.absent.set("enforced", because("the rules of the branch", err))
	}
	explained := r.explained()
	if move != nil && len(explained) == 0 && (move.Type == typePullMerge || move.Type == typeQueueMerge) && at.Sub(move.Timestamp) < fresh {
		return none, notYet("GitHub does not say which pull request was merged")
	}
	policy := f.policyFile(ref.Repository.Name, answer.PolicyAt, r.absent)
	facts, ours := f.builder(r.absent).push(r, move, explained, f.web)
	return change.Gathered{Facts: facts, Policy: policy, Shown: ours}, nil
}

// movementOf returns the activity entry of a push. While the branch still stands
// at the pushed commit the entry must appear; later it may be gone for good.
func (f *Forge) movementOf(ctx context.Context, a *api, r *ranged) (*movement, error) {
	l := a.activity(r.ref.Repository.Name, r.ref.Branch)
	move, err := l.find(ctx, r.ref.Before, r.ref.Commit, time.Time{})
	if err != nil {
		if !refused(err) {
			return nil, fmt.Errorf("asking for the activity of the branch: %w", err)
		}
		r.absent.set("landing", because("the activity of the branch", err))
		return nil, nil
	}
	if move == nil {
		if tip := r.answer.Ref; tip != nil && tip.Target != nil && tip.Target.Oid == r.ref.Commit {
			return nil, notYet("the activity does not show the push")
		}
		r.absent.set("landing", "GitHub's activity does not say who moved the branch")
	}
	return move, nil
}

// A ranged change is a range of commits: a push or a merge group.
type ranged struct {
	ref       change.Ref
	at        time.Time
	answer    *branchAnswer
	span      *span
	enforced  change.Enforcement
	reachable string // of a created branch: the branch that held its commits already
	absent    reasons
}

// explained returns the merged pull requests that brought every commit of the
// range, or nothing when even one commit has none. A pull request counts when it
// was merged into this branch by a commit of this very range; one that merged
// earlier cannot explain commits that the branch lacked.
func (r *ranged) explained() []int {
	if r.span == nil || len(r.span.commits) == 0 {
		return nil
	}
	in := map[change.SHA]bool{}
	for _, c := range r.span.commits {
		in[c.Oid] = true
	}
	var numbers []int
	for _, c := range r.span.commits {
		found := false
		for _, pr := range r.pullsOf(c) {
			if pr.Merged && pr.MergeCommit != nil && in[pr.MergeCommit.Oid] {
				numbers, found = append(numbers, pr.Number), true
			}
		}
		if !found {
			return nil
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// pullsOf returns the pull requests of a commit that go to this branch of this
// repository, as many as were read: each explains the commit by itself, and anybody
// can open more of them than are listed.
func (r *ranged) pullsOf(c commit) []pullOf {
	if c.PullRequests == nil {
		return nil
	}
	var list []pullOf
	for _, pr := range c.PullRequests.Nodes {
		if pr != nil && pr.BaseRefName == r.ref.Branch && pr.BaseRepository != nil && pr.BaseRepository.DatabaseID == r.ref.Repository.ID {
			list = append(list, *pr)
		}
	}
	return list
}

// push builds the facts of a movement of a branch, and the verdict of ours that
// stands on its commit.
func (b *builder) push(r *ranged, move *movement, explained []int, web string) (change.Facts, change.Fact[change.Shown]) {
	if move != nil {
		b.bots.saw(move.Actor.identity())
	}
	facts, ours := b.ranged(r)
	facts.URL = fmt.Sprintf("%s/%s/commits/%s", web, r.ref.Repository.Name, r.ref.Commit)
	facts.State = change.Known(change.LandedState)
	if move != nil {
		p := b.branchPush(*move)
		facts.Opener, facts.Opened = change.Known(p.By), move.Timestamp
		facts.Pushes = change.Known([]change.BranchPush{p})
		l := change.Landing{
			Landed: true, By: p.By, How: pushedHow(move.Type, r), Branch: r.ref.Branch, Before: move.Before,
			Commit: r.ref.Commit, At: move.Timestamp, Explained: explained, Reachable: r.reachable,
		}
		if r.answer.Commit != nil {
			l.Tree = r.answer.Commit.Tree.Oid
		}
		facts.Landing = settle(b, "landing", l, nil)
	}
	facts.People, facts.Absent = b.roster.People(), b.absent.table()
	return facts, ours
}

// pushedHow returns how a branch moved. A merged pull request's method is read
// from the shape of what it left.
func pushedHow(kind string, r *ranged) string {
	switch kind {
	case typeForcePush:
		return change.ForcePush
	case typeCreation:
		return change.Creation
	case typeDeletion:
		return change.Deletion
	case typeQueueMerge:
		return change.MergeQueue
	case typePullMerge:
		switch {
		case r.answer.Commit != nil && len(r.answer.Commit.Parents.Nodes) > 1:
			return change.MergeCommit
		case r.span != nil && len(r.span.commits) > 1:
			return change.Rebase
		}
		return change.Squash
	}
	return change.DirectPush // "push", and any word that this version does not know
}

// ranged builds the facts that pushes and merge groups have in common, and the
// verdict of ours that stands on the commit.
func (b *builder) ranged(r *ranged) (change.Facts, change.Fact[change.Shown]) {
	facts := change.Facts{Ref: r.ref, GatheredAt: r.at.UTC()}
	head := change.Head{Branch: r.ref.Branch, Commit: r.ref.Commit, Repository: r.ref.Repository.ID}
	var err error
	if c := r.answer.Commit; c != nil && c.Oid == r.ref.Commit && c.Tree.Oid.Valid() {
		head.Tree = c.Tree.Oid
	} else {
		err = fmt.Errorf("GitHub does not show the tree of %s", r.ref.Commit.Short())
	}
	facts.Head = settle(b, "head", head, err)
	facts.Base = change.Known(change.Base{Branch: r.ref.Branch, Target: r.ref.Branch, Commit: r.ref.Before})
	facts.Enforced = settle(b, "enforced", r.enforced, nil)
	if r.span != nil {
		commits, err := b.spanCommits(r.span)
		facts.Commits = settle(b, "commits", commits, err)
		files, err := comparedFiles(r.span)
		facts.Files = settle(b, "files", files, err)
	}
	checks, shown, err := b.checks(r.answer.Commit, r.ref.Commit)
	facts.Checks = settle(b, "checks", checks, err)
	return facts, b.ours(shown)
}

func (b *builder) spanCommits(s *span) ([]change.Commit, error) {
	list := make([]change.Commit, 0, len(s.commits))
	for _, c := range s.commits {
		one, err := b.commit(c)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func comparedFiles(s *span) ([]change.File, error) {
	if len(s.files) >= maxComparedFiles {
		return nil, fmt.Errorf("GitHub lists only the first %d files of a comparison", maxComparedFiles)
	}
	list := make([]change.File, 0, len(s.files))
	for _, f := range s.files {
		list = append(list, f.file())
	}
	return list, nil
}
