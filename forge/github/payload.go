package github

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// payload holds the few fields of a delivery that say what it is about. Every
// other field, and every shape of it, is ignored.
type payload struct {
	Action      string            `json:"action"`
	Repository  payloadRepository `json:"repository"`
	PullRequest payloadPull       `json:"pull_request"`
	Sender      payloadAccount    `json:"sender"`

	Review struct {
		State string `json:"state"`
	} `json:"review"`
	Changes payloadChanges `json:"changes"` // of what was edited

	CheckRun struct {
		Name         string        `json:"name"`
		Status       string        `json:"status"`
		Conclusion   string        `json:"conclusion"`
		HeadSHA      string        `json:"head_sha"`
		App          payloadApp    `json:"app"`
		CheckSuite   payloadSuite  `json:"check_suite"`
		PullRequests []payloadPull `json:"pull_requests"`
	} `json:"check_run"`
	CheckSuite      payloadSuite `json:"check_suite"`
	WorkflowRun     payloadSuite `json:"workflow_run"`
	RequestedAction struct {
		Identifier string `json:"identifier"`
	} `json:"requested_action"`

	MergeGroup struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseSHA string `json:"base_sha"`
		BaseRef string `json:"base_ref"`
	} `json:"merge_group"`

	Ref     string `json:"ref"` // push
	Before  string `json:"before"`
	After   string `json:"after"`
	Deleted bool   `json:"deleted"`

	SHA     string `json:"sha"` // status
	Context string `json:"context"`
	State   string `json:"state"`

	Issue             payloadIssue        `json:"issue"`
	RepositoriesAdded []payloadRepository `json:"repositories_added"` // installation_repositories

	Organization payloadAccount `json:"organization"`
	Installation struct {
		Account payloadAccount `json:"account"`
	} `json:"installation"`
}

// payloadChanges are the fields that were edited.
type payloadChanges struct {
	DefaultBranch json.RawMessage   `json:"default_branch"` // repository edited
	Name          json.RawMessage   `json:"name"`           // label edited
	NewIssue      payloadIssue      `json:"new_issue"`      // issue transferred
	NewRepository payloadRepository `json:"new_repository"`

	fields map[string]json.RawMessage // all of them, by name
}

// UnmarshalJSON reads the fields that are known and the names of all.
func (c *payloadChanges) UnmarshalJSON(data []byte) error {
	type plain payloadChanges
	return errors.Join(json.Unmarshal(data, &c.fields), json.Unmarshal(data, (*plain)(c)))
}

type payloadRepository struct {
	ID       int64  `json:"id"`
	FullName string `json:"full_name"`

	DefaultBranch string         `json:"default_branch"`
	Owner         payloadAccount `json:"owner"`
}

type payloadIssue struct {
	ID     int64 `json:"id"`
	Number int   `json:"number"`
}

type payloadAccount struct {
	Login string `json:"login"`
}

type payloadApp struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

type payloadSuite struct {
	HeadSHA      string        `json:"head_sha"`
	HeadBranch   string        `json:"head_branch"`
	App          payloadApp    `json:"app"`
	PullRequests []payloadPull `json:"pull_requests"`
}

type payloadPull struct {
	Number    int    `json:"number"`
	Merged    bool   `json:"merged"`
	CreatedAt string `json:"created_at"`
	Head      struct {
		Ref  string            `json:"ref"`
		SHA  string            `json:"sha"`
		Repo payloadRepository `json:"repo"`
	} `json:"head"`
	Base struct {
		Ref  string            `json:"ref"`
		Repo payloadRepository `json:"repo"`
	} `json:"base"`
}

// readPayload decodes what can be decoded. encoding/json goes on after a field
// of the wrong type, so one such field costs that field alone; its error is
// returned beside the rest.
func readPayload(body []byte) (payload, error) {
	var p payload
	err := json.Unmarshal(body, &p)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return p, fmt.Errorf("field %s is a %s", change.Quote(mismatch.Field), mismatch.Value)
	}
	return p, err
}

// repository returns the repository a payload is about.
func (f *Forge) repository(r payloadRepository) (change.Repository, bool) {
	ok := r.ID > 0 && validName(r.FullName)
	return change.Repository{Forge: change.GitHub, Host: f.host, ID: r.ID, Name: r.FullName}, ok
}
