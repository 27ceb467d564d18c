package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A branchQuestion asks for a branch, the policy at a commit-ish, and a commit
// with its checks.
type branchQuestion struct {
	repo     change.Repository
	branch   string
	policyAt string // a commit id, "refs/heads/main", or HEAD, the default branch
	commit   change.SHA
	queue    bool // also the merge queue
}

type branchAnswer struct {
	DatabaseID    int64      `json:"databaseId"`
	NameWithOwner string     `json:"nameWithOwner"`
	Ref           *branchTip `json:"ref"`
	Default       *branchTip `json:"defaultBranchRef"`
	PolicyAt      *commitAt  `json:"policyAt"`
	Commit        *checked   `json:"commit"`
	MergeQueue    *struct {
		Entries *page[groupEntry] `json:"entries"`
	} `json:"mergeQueue"`

	absent reasons
}

// groupEntry is one pull request in the merge queue: headCommit is what the
// queue built of it on top of baseCommit.
type groupEntry struct {
	BaseCommit  *oid    `json:"baseCommit"`
	HeadCommit  *oid    `json:"headCommit"`
	PullRequest *pullOf `json:"pullRequest"`
}

// branch answers a question about a branch; the checks are read to their end.
func (a *api) branch(ctx context.Context, q branchQuestion) (*branchAnswer, error) {
	out, err := a.branchPage(ctx, q, "")
	if err != nil {
		return nil, err
	}
	for range maxPages - 1 {
		after, more := out.contexts().more()
		if !more || after == "" {
			return out, nil
		}
		next, err := a.branchPage(ctx, q, after)
		if err != nil {
			return nil, err
		}
		if next.contexts() == nil {
			return out, nil // the page stays open, which makes the checks absent
		}
		out.contexts().add(next.contexts())
	}
	return out, nil
}

func (b *branchAnswer) contexts() *page[statusContext] {
	if b.Commit == nil || b.Commit.Rollup == nil {
		return nil
	}
	return b.Commit.Rollup.Contexts
}

func (a *api) branchPage(ctx context.Context, q branchQuestion, after string) (*branchAnswer, error) {
	owner, name, _ := strings.Cut(q.repo.Name, "/")
	v := map[string]any{
		"owner": owner, "name": name, "ref": "refs/heads/" + q.branch, "branch": q.branch, "policyAt": q.policyAt,
		"policy": PolicyPath, "commit": q.commit, "queue": q.queue,
	}
	if after != "" {
		v["contextsAfter"] = after
	}
	var answer struct {
		Repository *branchAnswer `json:"repository"`
	}
	errs, err := a.query(ctx, branchDocument, v, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Repository == nil {
		return nil, errors.New("GitHub does not show the repository to this application: " + words(errs))
	}
	if answer.Repository.DatabaseID != q.repo.ID {
		return nil, fmt.Errorf("%s is now another repository (%d, not %d)", q.repo.Name, answer.Repository.DatabaseID, q.repo.ID)
	}
	absent := reasons{}
	for _, e := range errs {
		switch field, rest := fieldBelow(e.Path, []string{"repository"}); {
		case field == "commit" && contains(rest, "workflowRun"):
		case field == "policyAt" && aboutOwners(rest):
			absent.set("owners", "GitHub answered with an error: "+words([]queryError{e}))
		case field == "commit":
			absent.set("checks", "GitHub answered with an error: "+words([]queryError{e}))
		case field == "mergeQueue":
			absent.set("queue", "GitHub answered with an error: "+words([]queryError{e}))
		default:
			return nil, fmt.Errorf("GitHub answered with an error: %s", words([]queryError{e}))
		}
	}
	answer.Repository.absent = absent
	return answer.Repository, nil
}
