package github

import (
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// eventKinds says which kind of event a GraphQL type is.
var eventKinds = map[string]change.EventKind{
	"HeadRefForcePushedEvent":           change.HeadForcePushed,
	"HeadRefDeletedEvent":               change.HeadDeleted,
	"HeadRefRestoredEvent":              change.HeadRestored,
	"BaseRefChangedEvent":               change.BaseChanged,
	"AutomaticBaseChangeSucceededEvent": change.BaseChanged,
	"BaseRefForcePushedEvent":           change.BaseForcePushed,
	"ReviewDismissedEvent":              change.ReviewDismissed,
	"ReadyForReviewEvent":               change.Ready,
	"ConvertToDraftEvent":               change.Drafted,
	"ReopenedEvent":                     change.Reopened,
	"ClosedEvent":                       change.Closed,
	"MergedEvent":                       change.Merged,
	"AutoMergeEnabledEvent":             change.AutoMergeEnabled,
	"AutoSquashEnabledEvent":            change.AutoMergeEnabled,
	"AutoRebaseEnabledEvent":            change.AutoMergeEnabled,
	"AutoMergeDisabledEvent":            change.AutoMergeDisabled,
	"AddedToMergeQueueEvent":            change.Queued,
	"RemovedFromMergeQueueEvent":        change.Dequeued,
	"LabeledEvent":                      change.Labeled,
	"UnlabeledEvent":                    change.Unlabeled,
	"RenamedTitleEvent":                 change.Renamed,
}

// timeline returns the events of a pull request.
func (b *builder) timeline(pr *pullRequest) ([]change.Event, error) {
	all, err := pr.Timeline.read()
	if err != nil {
		return nil, err
	}
	list := make([]change.Event, 0, len(all))
	for _, e := range all {
		kind, ok := eventKinds[e.Typename]
		if !ok {
			return nil, fmt.Errorf("the timeline holds a %s, which this version does not know", change.Quote(e.Typename))
		}
		out := change.Event{Kind: kind, By: b.roster.Add(e.Actor.identity()), At: e.CreatedAt}
		detail(&out, e)
		list = append(list, out)
	}
	return list, nil
}

// detail fills what an event of its kind says beside who and when.
func detail(out *change.Event, e event) {
	switch e.Typename {
	case "HeadRefForcePushedEvent", "BaseRefForcePushedEvent":
		out.Before, out.After = commitID(e.BeforeCommit), commitID(e.AfterCommit)
	case "BaseRefChangedEvent":
		out.Before, out.After = e.PreviousRef, e.CurrentRef
	case "AutomaticBaseChangeSucceededEvent":
		out.Before, out.After, out.Detail = e.OldBase, e.NewBase, "automatic"
	case "ReviewDismissedEvent":
		out.Before = lower(e.PreviousState)
		if e.Review != nil {
			out.Detail = fmt.Sprint(e.Review.ID)
		}
	case "MergedEvent":
		out.After, out.Detail = commitID(e.Commit), e.MergeRef
	case "AutoMergeEnabledEvent":
		out.Detail = "merge"
	case "AutoSquashEnabledEvent":
		out.Detail = "squash"
	case "AutoRebaseEnabledEvent":
		out.Detail = "rebase"
	case "AutoMergeDisabledEvent":
		out.Detail = e.ReasonCode
	case "RemovedFromMergeQueueEvent":
		out.Detail = e.Reason
	case "LabeledEvent", "UnlabeledEvent":
		if e.Label != nil {
			out.Detail = e.Label.Name
		}
	case "RenamedTitleEvent":
		out.Before, out.After = e.PreviousTitle, e.CurrentTitle
	}
}

func commitID(o *oid) string {
	if o == nil {
		return ""
	}
	return string(o.Oid)
}
