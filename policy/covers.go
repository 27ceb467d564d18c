package policy

import "github.com/countersign-dev/countersign/change"

// covered returns the commits of which an approval is one of the head: the head,
// and those commits of the change on top of which there are only empty commits.
//
// The same files alone are not enough. What a reviewer reads is the difference to
// the base, and the same files put on a newer base, or merged with it so that they
// win, take back what has landed there in the meantime.
func (s *subject) covered(head change.Head) map[change.SHA]bool {
	covered := map[change.SHA]bool{}
	if head.Commit == "" {
		return covered
	}
	covered[head.Commit] = true
	commits := s.commitsByID()
	for at := head.Commit; head.Tree != "" && commits[at].Tree == head.Tree; {
		covered[at] = true
		parents := commits[at].Parents
		if len(parents) != 1 || covered[parents[0]] { // no history runs in a circle, facts may
			break
		}
		at = parents[0]
	}
	return covered
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
