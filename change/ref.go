package change

import (
	"fmt"
	"strconv"
)

// A Forge is a kind of code host.
type Forge string

// The forges.
const (
	GitHub Forge = "github"
	GitLab Forge = "gitlab"
)

// A SHA is a git object id in lower-case hexadecimal, 40 or 64 digits.
type SHA string

// Short returns the first seven digits, for people to read.
func (s SHA) Short() string {
	if len(s) > 7 {
		return string(s[:7])
	}
	return string(s)
}

// Valid reports whether s is a whole object id (SHA-1 or SHA-256).
func (s SHA) Valid() bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// A Repository names a repository. ID is what identifies it; Name is "owner/name"
// as it was when it was read.
type Repository struct {
	Forge Forge  `json:"forge"`
	Host  string `json:"host"` // such as "github.com"
	ID    int64  `json:"id"`
	Name  string `json:"name"`
}

// A Kind says what sort of change a Ref names.
type Kind string

// The kinds of change. A push is called direct or force only once its facts are
// gathered: see Landing.How.
const (
	PullRequest  Kind = "pull_request"
	MergeRequest Kind = "merge_request"
	MergeGroup   Kind = "merge_group" // a merge queue's candidate of one or several pull requests
	Push         Kind = "push"        // a movement of a protected branch, however it came about
)

// A Ref names one change. Which fields beside Repository and Kind are set
// depends on Kind:
//
//	PullRequest, MergeRequest  Number; Branch and Commit are what was last known,
//	                           and set only where nothing could be gathered
//	MergeGroup                 Branch (the target), Commit (the group's head), Before (its base)
//	Push                       Branch, Commit (after; empty when the branch was deleted), Before
type Ref struct {
	Repository Repository `json:"repository"`
	Kind       Kind       `json:"kind"`
	Number     int        `json:"number,omitempty"`
	Branch     string     `json:"branch,omitempty"` // short name, such as "main"
	Commit     SHA        `json:"commit,omitempty"`
	Before     SHA        `json:"before,omitempty"`
}

// Key returns a string that identifies the change whatever its repository is
// called today, such as "github:github.com:1296269:pull_request:42".
func (r Ref) Key() string {
	k := fmt.Sprintf("%s:%s:%d:%s:", r.Repository.Forge, r.Repository.Host, r.Repository.ID, r.Kind)
	if r.Number != 0 {
		return k + strconv.Itoa(r.Number)
	}
	if r.Kind == Push {
		return k + r.Branch + ":" + string(r.Before) + ".." + string(r.Commit)
	}
	return k + r.Branch + ":" + string(r.Commit)
}

// String returns what to call the change in a log line, such as "acme/shop#42"
// or "acme/shop main@1a2b3c4".
func (r Ref) String() string {
	if r.Number != 0 {
		return r.Repository.Name + "#" + strconv.Itoa(r.Number)
	}
	return r.Repository.Name + " " + r.Branch + "@" + r.Commit.Short()
}
