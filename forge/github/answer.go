package github

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// The shapes of GraphQL answers, with the fields of the .graphql files beside
// this one. A pointer is a field that GitHub may leave null.

// A page is what was read of a connection so far.
type page[T any] struct {
	TotalCount int      `json:"totalCount"`
	PageInfo   pageInfo `json:"pageInfo"`
	Nodes      []*T     `json:"nodes"`
}

type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

// more returns the cursor of the next page, if there is one.
func (p *page[T]) more() (string, bool) {
	if p == nil || !p.PageInfo.HasNextPage {
		return "", false
	}
	return p.PageInfo.EndCursor, true
}

// add appends the next page.
func (p *page[T]) add(next *page[T]) {
	if p == nil || next == nil {
		return
	}
	p.TotalCount, p.PageInfo = next.TotalCount, next.PageInfo
	p.Nodes = append(p.Nodes, next.Nodes...)
}

// all returns the entries when every one of them was read, and otherwise why
// not.
func (p *page[T]) all() ([]T, error) {
	if p == nil {
		return nil, fmt.Errorf("GitHub gave no answer")
	}
	list, err := p.read()
	if err == nil && p.TotalCount != len(list) {
		return nil, fmt.Errorf("GitHub counts %d and lists %d", p.TotalCount, len(list))
	}
	return list, err
}

// read is all for a connection whose total counts entries that were not asked
// for, as that of timelineItems does.
func (p *page[T]) read() ([]T, error) {
	if p == nil {
		return nil, fmt.Errorf("GitHub gave no answer")
	}
	if p.PageInfo.HasNextPage {
		return nil, fmt.Errorf("there are more than the %d that were read", len(p.Nodes))
	}
	list := make([]T, 0, len(p.Nodes))
	for _, n := range p.Nodes {
		if n == nil {
			return nil, fmt.Errorf("GitHub left an entry out")
		}
		list = append(list, *n)
	}
	return list, nil
}

// number is a BigInt, which GitHub writes as a string.
type number int64

// UnmarshalJSON reads 42, "42" and null.
func (n *number) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	if s == "null" || s == "" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return fmt.Errorf("reading a number: %w", err)
	}
	*n = number(v)
	return nil
}

type repositoryAnswer struct {
	DatabaseID    int64        `json:"databaseId"`
	NameWithOwner string       `json:"nameWithOwner"`
	PullRequest   *pullRequest `json:"pullRequest"`
}

type pullRequest struct {
	Number         int                  `json:"number"`
	HeadRefOid     change.SHA           `json:"headRefOid"`
	Title          string               `json:"title"`
	Body           string               `json:"body"`
	URL            string               `json:"url"`
	State          string               `json:"state"`
	IsDraft        bool                 `json:"isDraft"`
	Merged         bool                 `json:"merged"`
	MergedAt       time.Time            `json:"mergedAt"`
	CreatedAt      time.Time            `json:"createdAt"`
	UpdatedAt      time.Time            `json:"updatedAt"`
	ChangedFiles   int                  `json:"changedFiles"`
	Author         *actor               `json:"author"`
	MergedBy       *actor               `json:"mergedBy"`
	BaseRefName    string               `json:"baseRefName"`
	BaseRefOid     change.SHA           `json:"baseRefOid"`
	HeadRefName    string               `json:"headRefName"`
	HeadRepository *repositoryAnswer    `json:"headRepository"`
	BaseRef        *branchTip           `json:"baseRef"`
	MergeCommit    *mergeCommit         `json:"mergeCommit"`
	AutoMerge      *autoMerge           `json:"autoMergeRequest"`
	QueueEntry     *queueEntry          `json:"mergeQueueEntry"`
	Labels         *page[label]         `json:"labels"`
	Issues         *page[issue]         `json:"closingIssuesReferences"`
	Commits        *page[pullCommit]    `json:"commits"`
	Reviews        *page[review]        `json:"reviews"`
	Files          *page[file]          `json:"files"`
	HeadCommit     *page[checkedCommit] `json:"headCommit"`
	Timeline       *page[event]         `json:"timelineItems"`
}

type branchTip struct {
	Name   string    `json:"name"`
	Target *commitAt `json:"target"`
	Heads  *struct { // the pull requests, open or closed, that this branch is the head of
		TotalCount int `json:"totalCount"`
	} `json:"associatedPullRequests"`
}

// commitAt is a commit with the policy file in its tree, and which code owners files
// are there.
type commitAt struct {
	Oid  change.SHA  `json:"oid"`
	File *policyFile `json:"file"`
	ownersFiles
}

type policyFile struct {
	Type   string     `json:"type"`
	Oid    change.SHA `json:"oid"` // of the blob
	Object *struct {
		ByteSize    int64   `json:"byteSize"`
		IsBinary    bool    `json:"isBinary"`
		IsTruncated bool    `json:"isTruncated"`
		Text        *string `json:"text"`
	} `json:"object"`
}

type oid struct {
	Oid change.SHA `json:"oid"`
}

type mergeCommit struct {
	Oid          change.SHA `json:"oid"`
	AuthoredDate time.Time  `json:"authoredDate"`
	Tree         oid        `json:"tree"`
	Parents      page[oid]  `json:"parents"`
}

type autoMerge struct {
	EnabledBy   *actor `json:"enabledBy"`
	MergeMethod string `json:"mergeMethod"`
}

type queueEntry struct {
	State      string `json:"state"`
	Position   int    `json:"position"`
	Enqueuer   *actor `json:"enqueuer"`
	MergeQueue *struct {
		Entries *struct {
			Nodes []*queuedGroup `json:"nodes"`
		} `json:"entries"`
	} `json:"mergeQueue"`
}

// queuedGroup is an entry of the queue that a pull request waits in.
type queuedGroup struct {
	Position   int  `json:"position"`
	BaseCommit *oid `json:"baseCommit"`
	HeadCommit *oid `json:"headCommit"`
}

type label struct {
	Name string `json:"name"`
}

type issue struct {
	Number     int              `json:"number"`
	URL        string           `json:"url"`
	Repository repositoryAnswer `json:"repository"`
}

type pullCommit struct {
	Commit commit `json:"commit"`
}

type commit struct {
	Oid           change.SHA      `json:"oid"`
	AuthoredDate  time.Time       `json:"authoredDate"`
	CommittedDate time.Time       `json:"committedDate"`
	Tree          oid             `json:"tree"`
	Parents       page[oid]       `json:"parents"`
	Author        *gitActor       `json:"author"`
	Authors       page[gitActor]  `json:"authors"`
	Committer     *gitActor       `json:"committer"`
	Signature     *signatureState `json:"signature"`
	PullRequests  *page[pullOf]   `json:"associatedPullRequests"`
}

type signatureState struct {
	IsValid           bool     `json:"isValid"`
	State             string   `json:"state"`
	WasSignedByGitHub bool     `json:"wasSignedByGitHub"`
	Signer            *account `json:"signer"`
}

// pullOf is a pull request that a commit belongs to.
type pullOf struct {
	Number         int               `json:"number"`
	State          string            `json:"state"`
	Merged         bool              `json:"merged"`
	BaseRefName    string            `json:"baseRefName"`
	HeadRefOid     change.SHA        `json:"headRefOid"`
	BaseRepository *repositoryAnswer `json:"baseRepository"`
	MergeCommit    *oid              `json:"mergeCommit"`
}

type review struct {
	ID          number    `json:"fullDatabaseId"`
	State       string    `json:"state"`
	SubmittedAt time.Time `json:"submittedAt"`
	EditedAt    time.Time `json:"lastEditedAt"`
	CanPush     *bool     `json:"authorCanPushToRepository"`
	Author      *actor    `json:"author"`
	Commit      *commitOf `json:"commit"`
}

type commitOf struct {
	Oid  change.SHA `json:"oid"`
	Tree oid        `json:"tree"`
}

type file struct {
	Path       string `json:"path"`
	ChangeType string `json:"changeType"`
}

type checkedCommit struct {
	Commit checked `json:"commit"`
}

// checked is a commit with its check runs and commit statuses.
type checked struct {
	Oid     change.SHA `json:"oid"`
	Tree    oid        `json:"tree"`
	Parents page[oid]  `json:"parents"`
	Rollup  *struct {
		Contexts *page[statusContext] `json:"contexts"`
	} `json:"statusCheckRollup"`
	PullRequests *page[pullOf] `json:"associatedPullRequests"`
	File         *policyFile   `json:"file"` // the policy in its tree; of a pull request's head without the text
}

type statusContext struct {
	Typename string `json:"__typename"`

	// CheckRun
	DatabaseID  int64     `json:"databaseId"`
	Name        string    `json:"name"`
	Status      string    `json:"status"`
	Conclusion  string    `json:"conclusion"`
	StartedAt   time.Time `json:"startedAt"`
	CompletedAt time.Time `json:"completedAt"`
	ExternalID  string    `json:"externalId"`
	Title       string    `json:"title"`
	CheckSuite  *struct {
		App *struct {
			DatabaseID int64  `json:"databaseId"`
			Slug       string `json:"slug"`
		} `json:"app"`
		WorkflowRun *struct {
			DatabaseID   int64  `json:"databaseId"`
			ResourcePath string `json:"resourcePath"`
			File         *struct {
				Path string `json:"path"`
			} `json:"file"`
			Workflow *struct {
				ResourcePath string `json:"resourcePath"`
			} `json:"workflow"`
		} `json:"workflowRun"`
	} `json:"checkSuite"`

	// StatusContext
	Context   string    `json:"context"`
	State     string    `json:"state"`
	CreatedAt time.Time `json:"createdAt"`
	Creator   *actor    `json:"creator"`
}

type event struct {
	Typename      string    `json:"__typename"`
	CreatedAt     time.Time `json:"createdAt"`
	Actor         *actor    `json:"actor"`
	BeforeCommit  *oid      `json:"beforeCommit"`
	AfterCommit   *oid      `json:"afterCommit"`
	PreviousRef   string    `json:"previousRefName"`
	CurrentRef    string    `json:"currentRefName"`
	OldBase       string    `json:"oldBase"`
	NewBase       string    `json:"newBase"`
	PreviousState string    `json:"previousReviewState"`
	Review        *review   `json:"review"`
	MergeRef      string    `json:"mergeRefName"`
	Commit        *oid      `json:"commit"`
	ReasonCode    string    `json:"reasonCode"`
	Reason        string    `json:"reason"`
	Label         *label    `json:"label"`
	PreviousTitle string    `json:"previousTitle"`
	CurrentTitle  string    `json:"currentTitle"`
}

// A pullRequestAnswer is the data of an answer to pull_request.graphql.
type pullRequestAnswer struct {
	Repository *repositoryAnswer `json:"repository"`
}

// shown returns the repository with the pull request, or what GitHub does not show.
func (a pullRequestAnswer) shown() (*repositoryAnswer, error) {
	if a.Repository == nil {
		return nil, fmt.Errorf("GitHub does not show the repository to this application")
	}
	if a.Repository.PullRequest == nil {
		return nil, fmt.Errorf("GitHub does not show the pull request to this application")
	}
	return a.Repository, nil
}
