package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// pushesBy returns the movements of the branch by an account, those that only the
// timeline still knows too.
func (c *collector) pushesBy(p change.Person) []change.BranchPush {
	var list []change.BranchPush
	for _, push := range c.facts.Pushes.Or(nil) {
		if push.By == p {
			list = append(list, push)
		}
	}
	for _, e := range c.facts.Timeline.Or(nil) {
		if e.Kind == change.HeadForcePushed && e.By == p {
			list = append(list, change.BranchPush{By: p, Before: change.SHA(e.Before), After: change.SHA(e.After), Forced: true, At: e.At})
		}
	}
	return list
}

// pushedItsOwn reports whether a push by an automation brought commits of its own
// only, and otherwise says which not.
func (c *collector) pushedItsOwn(p change.Person, push change.BranchPush) bool {
	commits, known := c.facts.Commits.Get()
	if !known {
		return false // noted where the commits are read
	}
	brought, vanished := c.brought(commits, push)
	i := slices.IndexFunc(commits, func(k change.Commit) bool { return brought[k.SHA] && !c.own(p, k) })
	switch {
	case i < 0:
		return true
	case vanished:
		c.unknown("%s pushed %s, which is no part of the change any more, so it cannot be told whether %s came of it; let a human put the change on a new branch",
			mark(p), abbrev(push.After), abbrev(commits[i].SHA))
	default:
		c.unknown("%s pushed commit %s, which is not its own, so it is not known whose it is; let the human behind it push it", mark(p), abbrev(commits[i].SHA))
	}
	return false
}

// own reports whether a commit is an automation's own: it is the author, and it or
// the forge committed it.
func (c *collector) own(p change.Person, k change.Commit) bool {
	same := c.facts.People.Same
	return same(k.Author) == same(p) && (k.ByForge || same(k.Committer) == same(p))
}

// brought returns the commits of the change that a push brought to the branch. What
// is no part of the change any more has vanished: any commit may have come of it,
// because whoever made it again did not need to say whose it was.
func (c *collector) brought(commits []change.Commit, push change.BranchPush) (brought map[change.SHA]bool, vanished bool) {
	at := map[change.SHA]change.Commit{}
	below := map[change.SHA]bool{} // what the change is built on
	for _, k := range commits {
		at[k.SHA] = k
		for _, parent := range k.Parents {
			below[parent] = true
		}
	}
	reach := func(from change.SHA) map[change.SHA]bool {
		reached := map[change.SHA]bool{}
		for next := []change.SHA{from}; len(next) > 0; next = next[1:] {
			if k, part := at[next[0]]; part && !reached[k.SHA] {
				reached[k.SHA] = true
				next = append(next, k.Parents...)
			}
		}
		return reached
	}
	base, _ := c.facts.Base.Get()
	if _, part := at[push.After]; !part {
		if below[push.After] || push.After != "" && (push.After == base.MergeBase || push.After == base.Commit) {
			return nil, false // the branch stood where the change begins
		}
		all := map[change.SHA]bool{}
		for _, k := range commits {
			all[k.SHA] = true
		}
		return all, true
	}
	brought = reach(push.After)
	for sha := range reach(push.Before) {
		delete(brought, sha)
	}
	return brought, false
}
