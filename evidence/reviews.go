package evidence

import (
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// The controls whose results a record explains further.
const (
	peerReview = "peer-review"
	noBypass   = "no-bypass"
)

// result returns what the control said, and whether it was judged.
func result(d change.Decision, control string) (change.Result, bool) {
	for _, r := range d.Results {
		if r.Control == control {
			return r, true
		}
	}
	return change.Result{}, false
}

// approvalsOf lists every review that had a say. An approval is counted exactly
// when the peer-review control rests on it.
func approvalsOf(f change.Facts, d change.Decision) []Approval {
	judged, wasJudged := result(d, peerReview)
	approvals := []Approval{}
	for _, r := range f.Reviews.Or(nil) {
		if r.State == change.Commented {
			continue
		}
		a := Approval{
			ID: r.ID, By: r.By, State: strings.ToUpper(string(r.State)), SubmittedAt: r.At,
			OverCommit: r.Commit, OverTree: object("gitTree", r.Tree),
		}
		if r.Dismissal != nil {
			a.Dismissed = &Dismissed{By: r.Dismissal.By, At: r.Dismissal.At}
		}
		switch {
		case r.State == change.ChangesRequested:
			a.Reason = "it asks for changes"
		case r.State != change.Approved:
			a.Reason = "it was dismissed"
		case !wasJudged:
			a.Reason = "the policy did not judge peer review"
		case !slices.Contains(judged.Facts, "reviews/"+strconv.FormatInt(r.ID, 10)):
			a.Reason = "the peer-review control does not rest on it"
		default:
			a.Counted = true
		}
		approvals = append(approvals, a)
	}
	return approvals
}

// coverageOf claims identity only when there are counted approvals and each was
// given on the tree that landed.
func coverageOf(f change.Facts, d change.Decision) ReviewCoverage {
	unverifiable := ReviewCoverage{Result: "unverifiable"}
	l := f.Landing.Or(change.Landing{})
	if !l.Landed || !l.Tree.Valid() {
		return unverifiable
	}
	counted := 0
	for _, a := range approvalsOf(f, d) {
		if !a.Counted {
			continue
		}
		if counted++; a.OverTree == nil || a.OverTree.Digest["gitTree"] != string(l.Tree) {
			return unverifiable
		}
	}
	if counted == 0 {
		return unverifiable
	}
	return ReviewCoverage{Result: "identity"}
}

// transformOf says how the head became the landed commit, where the forge tells.
func transformOf(f change.Facts) *MergeTransform {
	l := f.Landing.Or(change.Landing{})
	head, known := f.Head.Get()
	if !l.Landed || !known {
		return nil
	}
	kinds := map[string]string{change.MergeCommit: "mergeCommit", change.Squash: "squash", change.Rebase: "rebase"}
	kind := kinds[l.How]
	if kind != "" && l.Commit == head.Commit {
		kind = "identity" // fast-forward: the head itself landed
	}
	if kind == "" {
		return nil
	}
	return &MergeTransform{Kind: kind, ReviewedHead: object("gitCommit", head.Commit), BaseAtMerge: object("gitCommit", l.Before)}
}
