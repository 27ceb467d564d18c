package policy

import (
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// noBypassPush judges a movement of a protected branch. It must be explained by
// merged changes, each of which is judged by itself; no change explains a branch
// whose history was rewritten or which is gone.
func noBypassPush(f change.Facts) change.Result {
	l, known := f.Landing.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(f, "landing", "how the branch moved is not known"))
	}
	out := movedBy(l)
	out.Facts = []string{"landing/" + string(l.Commit)}
	return out
}

// movedBy judges how a protected branch moved.
func movedBy(l change.Landing) change.Result {
	if broughtNothing(l) {
		return say(change.Pass, "every commit was on %s already", change.Quote(l.Reachable))
	}
	switch l.How {
	case change.ForcePush, change.Deletion:
		return say(change.Fail, "%s moved a protected branch by %s, which no change can explain", mark(l.By), movement(l.How))
	case change.DirectPush, change.Creation, change.MergeCommit, change.Squash, change.Rebase, change.MergeQueue:
		if len(l.Explained) == 0 {
			return say(change.Fail, "%s moved a protected branch to %s by %s, and not every commit came by a merged change",
				mark(l.By), abbrev(l.Commit), movement(l.How))
		}
		return say(change.Pass, "every commit came by a merged change: %s", numbers(l.Explained))
	}
	return say(change.Undetermined, "how the branch moved is not known; the forge says %s", change.Quote(l.How))
}

// governed returns the facts of a push without the branch that its commits were on
// already where no rule names that branch: of what reached it nothing was asked.
func (p *Policy) governed(f change.Facts) change.Facts {
	if l, known := f.Landing.Get(); known && len(p.rulesFor(l.Reachable)) == 0 {
		l.Reachable = ""
		f.Landing = change.Known(l)
	}
	return f
}

// broughtNothing reports whether a protected branch was created from commits that
// another one held already, such as a release branch cut from main.
func broughtNothing(l change.Landing) bool { return l.How == change.Creation && l.Reachable != "" }

// unreviewedPush judges the controls over approvals of a movement of a protected
// branch: what no merged change explains, nobody reviewed.
func unreviewedPush(f change.Facts) change.Result { return byItself(f, "reviewed") }

// unsignedPush judges signatures of such a movement in the same way: they are looked at
// with the change that brings the commits.
func unsignedPush(f change.Facts) change.Result { return byItself(f, "looked at the signatures of") }

// byItself judges a movement by whether merged changes explain it. Of what came by
// itself, nobody did what a control asks for.
func byItself(f change.Facts, did string) change.Result {
	l, known := f.Landing.Get()
	switch {
	case !known:
		return say(change.Undetermined, "%s", absent(f, "landing", "how the branch moved is not known"))
	case broughtNothing(l):
		return say(change.NotApplicable, "judged when the commits reached %s", change.Quote(l.Reachable))
	case len(l.Explained) == 0:
		return say(change.Fail, "nobody %s this push of %s by %s", did, abbrev(l.Commit), mark(l.By))
	}
	return say(change.NotApplicable, "judged on the merged changes that brought the commits: %s", numbers(l.Explained))
}

// notOfPushes is the result of a control that speaks of proposals only.
func notOfPushes(change.Facts) change.Result {
	return say(change.NotApplicable, "a push has no such thing; it is asked of pull requests")
}

// numbers lists the numbers of changes.
func numbers(list []int) string {
	var marks []string
	for _, n := range sortedNumbers(list) {
		marks = append(marks, fmt.Sprintf("#%d", n))
	}
	if len(marks) > 10 {
		marks = append(marks[:10:10], fmt.Sprintf("%d more", len(marks)-10))
	}
	return enumerate(marks, "and")
}
