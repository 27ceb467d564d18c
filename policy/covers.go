package policy

import (
	"cmp"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// A cover is why an approval of a commit is one of the head as well.
type cover struct {
	over []change.SHA // the updates from the base between the two, the newest first
	sure bool         // whether it is known that they are pure
}

// covered returns the commits of which an approval is one of the head: the head, and
// those commits of the change on top of which there are only empty commits and, where
// approvals are carried over, pure updates from the base.
//
// The same files alone are not enough. What a reviewer reads is the difference to
// the base, and the same files put on a newer base, or merged with it so that they
// win, take back what has landed there in the meantime.
func (s *subject) covered(head change.Head) map[change.SHA]cover {
	covered := map[change.SHA]cover{}
	if head.Commit == "" {
		return covered
	}
	now := cover{sure: true}
	covered[head.Commit] = now
	commits := s.commitsByID()
	at := commits[head.Commit]
	if head.Tree == "" || at.Tree != head.Tree {
		return covered
	}
	for {
		next, ok := s.below(at, commits, &now)
		if _, seen := covered[next]; !ok || seen { // no history runs in a circle, facts may
			return covered
		}
		covered[next] = now
		at = commits[next]
	}
}

// below returns the commit of which an approval is one of the given commit as well,
// whose files are known, and whether there is one. Where an update lies between them
// it is noted.
func (s *subject) below(at change.Commit, commits map[change.SHA]change.Commit, now *cover) (change.SHA, bool) {
	switch {
	case len(at.Parents) == 1:
		return at.Parents[0], commits[at.Parents[0]].Tree == at.Tree // an empty commit
	case len(at.Parents) != 2 || !s.carries:
		return "", false
	}
	from, base := at.Parents[0], at.Parents[1]
	if _, ours := commits[from]; !ours {
		from, base = base, from
	}
	// What is on the base is no commit of the change. A merge of anything else brings
	// commits of its own, or hides which side was approved.
	if _, ours := commits[base]; ours || commits[from].Tree == "" {
		return "", false
	}
	pure := s.pure(at.SHA, from, base)
	now.over, now.sure = append(slices.Clone(now.over), at.SHA), now.sure && pure == yes
	return from, pure != no
}

// pure says whether a commit is a pure update: see change.Update.
func (s *subject) pure(commit, from, base change.SHA) answer {
	updates, known := s.facts.Updates.Get()
	if !known {
		return unsure
	}
	found := no
	for _, u := range updates {
		switch {
		case u.Commit != commit:
		case !u.Pure || u.From != from || u.Base != base:
			return no
		default:
			found = yes
		}
	}
	return found
}

// commitsByID returns the commits of the change under their ids. One that is listed
// twice has neither files nor parents here, because it cannot be told which holds.
func (s *subject) commitsByID() map[change.SHA]change.Commit {
	list, _ := s.facts.Commits.Get()
	commits := make(map[change.SHA]change.Commit, len(list))
	for _, c := range list {
		if _, twice := commits[c.SHA]; twice {
			c = change.Commit{SHA: c.SHA}
		}
		commits[c.SHA] = c
	}
	return commits
}

// carried returns the approvals of a tally that were given on an older head, and what
// they were carried over. Empty commits alone are not listed: the tree tells.
func (s *subject) carried(t tally) []change.Carry {
	var list []change.Carry
	head, _ := s.facts.Head.Get()
	for _, a := range t.counted {
		if len(a.over) > 0 {
			list = append(list, change.Carry{Review: a.review.ID, From: a.review.Commit, To: head.Commit, Over: a.over})
		}
	}
	return inReviewOrder(list)
}

// inReviewOrder returns each of some carried approvals once, in order.
func inReviewOrder(list []change.Carry) []change.Carry {
	compare := func(a, b change.Carry) int {
		return cmp.Or(cmp.Compare(a.Review, b.Review), cmp.Compare(a.From, b.From))
	}
	slices.SortFunc(list, compare)
	return slices.CompactFunc(list, func(a, b change.Carry) bool { return compare(a, b) == 0 })
}
