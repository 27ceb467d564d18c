package change

import "time"

// A ReviewState is a reviewer's word at one moment.
type ReviewState string

// The states of a review.
const (
	Approved         ReviewState = "approved"
	ChangesRequested ReviewState = "changes_requested"
	Commented        ReviewState = "commented"
	Dismissed        ReviewState = "dismissed"
)

// A Review is one submitted review. All are kept, superseded ones too.
type Review struct {
	ID        int64       `json:"id"`
	By        Person      `json:"by"`
	State     ReviewState `json:"state"`
	Commit    SHA         `json:"commit,omitempty"` // the commit it was given on; empty when the forge no longer knows
	Tree      SHA         `json:"tree,omitempty"`   // that commit's tree
	At        time.Time   `json:"at"`
	Edited    time.Time   `json:"edited,omitzero"`
	CanPush   Fact[bool]  `json:"canPush,omitzero"`    // whether the reviewer may write to the repository
	Dismissal *Dismissal  `json:"dismissal,omitempty"` // set exactly when State is Dismissed
}

// A Dismissal says who took a review out of force, and what it had said. Was is
// empty when the forge does not tell.
type Dismissal struct {
	By  Person      `json:"by,omitempty"`
	At  time.Time   `json:"at,omitzero"`
	Was ReviewState `json:"was,omitempty"`
}
