package change

import "time"

// An EventKind says what happened in the life of a change.
type EventKind string

// The events that a judgement may rest on.
const (
	HeadForcePushed   EventKind = "head_force_pushed"
	HeadDeleted       EventKind = "head_deleted"
	HeadRestored      EventKind = "head_restored"
	BaseChanged       EventKind = "base_changed" // Before and After are branch names
	BaseForcePushed   EventKind = "base_force_pushed"
	ReviewDismissed   EventKind = "review_dismissed"
	AutoMergeEnabled  EventKind = "auto_merge_enabled"
	AutoMergeDisabled EventKind = "auto_merge_disabled"
	Queued            EventKind = "queued"
	Dequeued          EventKind = "dequeued"
	Labeled           EventKind = "labeled"
	Unlabeled         EventKind = "unlabeled"
	Renamed           EventKind = "renamed"
	Closed            EventKind = "closed"
	Reopened          EventKind = "reopened"
	Merged            EventKind = "merged"
	Ready             EventKind = "ready"
	Drafted           EventKind = "drafted"
)

// An Event is one entry of a change's timeline.
type Event struct {
	Kind   EventKind `json:"kind"`
	By     Person    `json:"by,omitempty"`
	At     time.Time `json:"at"`
	Before string    `json:"before,omitempty"`
	After  string    `json:"after,omitempty"`
	Detail string    `json:"detail,omitempty"` // label, reason or merge method
}

// AutoMerge says whether the forge will merge by itself, and who told it to.
type AutoMerge struct {
	Armed  bool   `json:"armed"`
	By     Person `json:"by,omitempty"`
	Method string `json:"method,omitempty"`
}

// A QueueEntry says whether the change waits in the merge queue.
type QueueEntry struct {
	Queued bool   `json:"queued"`
	By     Person `json:"by,omitempty"`
	State  string `json:"state,omitempty"`
}
