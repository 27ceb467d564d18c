package github

import (
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// reviews returns every submitted review, superseded ones too. A dismissal
// stands in the timeline only, so reviews need the timeline when one was
// dismissed and merely lose a detail when it is absent.
func (b *builder) reviews(pr *pullRequest) ([]change.Review, error) {
	all, err := pr.Reviews.all()
	if err != nil {
		return nil, err
	}
	dismissals := b.dismissals(pr)
	list := []change.Review{}
	for _, r := range all {
		if r.State == "PENDING" {
			continue // not submitted: a draft of the asking account
		}
		out := change.Review{ID: int64(r.ID), By: b.roster.Add(r.Author.identity()), At: r.SubmittedAt, Edited: r.EditedAt}
		if out.State, err = reviewState(r.State); err != nil {
			return nil, err
		}
		if r.Commit != nil {
			out.Commit, out.Tree = r.Commit.Oid, r.Commit.Tree.Oid
		}
		if r.CanPush != nil {
			out.CanPush = change.Known(*r.CanPush)
		}
		if out.State == change.Dismissed {
			d := dismissals[r.ID]
			out.Dismissal = &d
		}
		list = append(list, out)
	}
	return list, nil
}

func reviewState(s string) (change.ReviewState, error) {
	switch s {
	case "APPROVED":
		return change.Approved, nil
	case "CHANGES_REQUESTED":
		return change.ChangesRequested, nil
	case "COMMENTED":
		return change.Commented, nil
	case "DISMISSED":
		return change.Dismissed, nil
	}
	return "", fmt.Errorf("a review has the state %s, which this version does not know", change.Quote(s))
}

// dismissals returns the latest dismissal of each review.
func (b *builder) dismissals(pr *pullRequest) map[number]change.Dismissal {
	out := map[number]change.Dismissal{}
	events, _ := pr.Timeline.read()
	for _, e := range events {
		if e.Typename != "ReviewDismissedEvent" || e.Review == nil {
			continue
		}
		if earlier, ok := out[e.Review.ID]; ok && earlier.At.After(e.CreatedAt) {
			continue
		}
		was, _ := reviewState(e.PreviousState) // empty: the forge does not tell
		out[e.Review.ID] = change.Dismissal{By: b.roster.Add(e.Actor.identity()), At: e.CreatedAt, Was: was}
	}
	return out
}
