package change

import "time"

// A Check is one check run or commit status on one commit.
type Check struct {
	ID         int64     `json:"id,omitempty"`
	Name       string    `json:"name"`
	Source     string    `json:"source"`             // CheckRun or CommitStatus
	AppID      int64     `json:"appId,omitempty"`    // the application that posted it; 0 for a commit status
	App        string    `json:"app,omitempty"`      // the application's slug, a label
	Creator    Person    `json:"creator,omitempty"`  // who posted a commit status
	Workflow   string    `json:"workflow,omitempty"` // path of the workflow file behind it, where the forge tells
	Commit     SHA       `json:"commit"`
	Attempt    int       `json:"attempt,omitempty"` // run attempt, from 1; 0 when the forge does not tell
	Status     string    `json:"status"`            // queued, in_progress, completed
	Conclusion string    `json:"conclusion,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Completed  time.Time `json:"completed,omitzero"`
}

// The sources of a check. Only an application can make a check run; any writer
// can post a commit status.
const (
	CheckRun     = "check_run"
	CommitStatus = "commit_status"
)

// Success is the only conclusion that passes.
const Success = "success"

// Shown is a verdict of our own on a commit, as the forge shows it or as our ledger
// holds it. The zero Shown says that there is none.
type Shown struct {
	ID         int64     `json:"id"`               // 0 when there is no verdict
	Branch     string    `json:"branch,omitempty"` // the protected branch that the verdict was for; empty when that is not told
	Commit     SHA       `json:"commit"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion,omitempty"`
	Completed  time.Time `json:"completed,omitzero"`
	Title      string    `json:"title,omitempty"`
	ExternalID string    `json:"externalId,omitempty"`
}
