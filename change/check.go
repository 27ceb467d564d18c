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
	Run        int64     `json:"run,omitempty"`      // id of the workflow run behind it, where the forge tells
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

// A Run is one run of a workflow: behind a check, or at work when an automation
// opened the change or moved its branch. An automation's own token does not tell
// which run used it, so whoever started any run of that moment may be the human
// behind it.
type Run struct {
	ID       int64     `json:"id"`
	Attempt  int       `json:"attempt,omitempty"`  // from 1
	Workflow string    `json:"workflow,omitempty"` // path of the workflow file
	Event    string    `json:"event,omitempty"`    // what set it off, in the forge's own word
	Commit   SHA       `json:"commit,omitempty"`
	Actor    Person    `json:"actor,omitempty"`   // who set off the first attempt
	Starter  Person    `json:"starter,omitempty"` // who started this attempt
	Started  time.Time `json:"started,omitzero"`
	Updated  time.Time `json:"updated,omitzero"` // its end; zero while it is at work
}
