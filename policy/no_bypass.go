package policy

import (
	"slices"
	"strconv"

	"github.com/countersign-dev/countersign/change"
)

// noBypass asks, of a change that has landed, that it landed in an ordinary way
// and only after a verdict that lets its head through.
func noBypass(s *subject, _ *ChangeRule) change.Result {
	l, known := s.facts.Landing.Get()
	switch {
	case !known:
		return say(change.Undetermined, "%s", absent(s.facts, "landing", "whether the change landed is not known"))
	case !l.Landed:
		return say(change.NotApplicable, "judged when the change lands")
	}
	out := s.landedBy(l)
	out.Facts = []string{"landing/" + string(l.Commit)}
	if shown, known := s.facts.Shown.Get(); known && shown.ID != 0 {
		out.Facts = sorted(append(out.Facts, "shown/"+strconv.FormatInt(shown.ID, 10)))
	}
	return out
}

// landedBy judges how a pull request landed.
func (s *subject) landedBy(l change.Landing) change.Result {
	switch l.How {
	case change.MergeQueue, change.MergeCommit, change.Squash, change.Rebase:
		if s.policy.hindsight {
			return say(change.NotApplicable, "it landed by a merge; a verdict is asked for while the policy holds")
		}
	}
	switch l.How {
	case change.MergeQueue:
		return s.verdictShown(l)
	case change.MergeCommit, change.Squash, change.Rebase:
		return combine([]change.Result{s.queueKept(l), s.verdictShown(l)})
	case change.DirectPush, change.ForcePush, change.Creation, change.Deletion:
		return say(change.Fail, "%s landed it by %s instead of a merge", mark(l.By), movement(l.How))
	}
	return say(change.Undetermined, "how %s landed it is not known", mark(l.By))
}

// queueKept asks that a merge queue which the branch demands was not gone around.
func (s *subject) queueKept(l change.Landing) change.Result {
	e, known := s.facts.Enforced.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "enforced", "whether the branch demands a merge queue is not known"))
	}
	if slices.ContainsFunc(e.Rules, func(r change.Rule) bool { return r.Type == "merge_queue" }) {
		return say(change.Fail, "%s merged it around the merge queue that the branch demands", mark(l.By))
	}
	return say(change.Pass, "")
}

// verdictShown asks that the last verdict of our own from before the landing let
// the head through, to the branch that it landed on.
func (s *subject) verdictShown(l change.Landing) change.Result {
	shown, known := s.facts.Shown.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "shown", "the last verdict before it landed is not known"))
	}
	head, known := s.facts.Head.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "head", "the head is not known"))
	}
	aim, _ := targetBranch(s.facts) // of a change in a stack the trunk, and not the branch it was merged into
	by := mark(l.By)
	switch {
	case shown.ID == 0:
		return say(change.Fail, "%s merged it although no verdict was ever given on %s", by, abbrev(head.Commit))
	case shown.Commit != head.Commit:
		return say(change.Fail, "%s merged %s although the last verdict was on %s", by, abbrev(head.Commit), abbrev(shown.Commit))
	case shown.Status != "completed":
		return say(change.Fail, "%s merged it while the verdict was still %s", by, change.Quote(shown.Status))
	case shown.Conclusion != change.Success:
		return say(change.Fail, "%s merged it although the last verdict on it was %s", by, change.Quote(shown.Conclusion))
	case shown.Branch != "" && shown.Branch != aim:
		return say(change.Fail, "%s merged it into %s, and the verdict was for %s", by, change.Quote(l.Branch), change.Quote(shown.Branch))
	}
	return say(change.Pass, "%s merged it after the last verdict let %s through", by, abbrev(head.Commit))
}

// movement names how a branch moved, for people.
func movement(how string) string {
	switch how {
	case change.DirectPush:
		return "a direct push"
	case change.ForcePush:
		return "a force push"
	case change.Creation:
		return "the creation of the branch"
	case change.Deletion:
		return "the deletion of the branch"
	}
	return "a merge"
}
