package github

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// A comparison is one page of what lies between two commits.
type comparison struct {
	Status       string   `json:"status"` // ahead, behind, identical or diverged
	TotalCommits int      `json:"total_commits"`
	Base         compared `json:"base_commit"`
	MergeBase    compared `json:"merge_base_commit"`
	Commits      []struct {
		SHA    change.SHA `json:"sha"`
		NodeID string     `json:"node_id"`
	} `json:"commits"`
	Files []restFile `json:"files"` // on the first page only, at most 300
}

// compared is one of the commits that a comparison is about.
type compared struct {
	SHA    change.SHA `json:"sha"`
	Commit struct {
		Tree struct {
			SHA change.SHA `json:"sha"`
		} `json:"tree"`
	} `json:"commit"`
}

func (c compared) tree() change.SHA { return c.Commit.Tree.SHA }

func (a *api) comparePage(ctx context.Context, repository string, base, head change.SHA, page, size int) (*comparison, error) {
	var c comparison
	path := fmt.Sprintf("repos/%s/compare/%s...%s?per_page=%d&page=%d", repository, base, head, size, page)
	if _, err := a.get(ctx, path, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// A span is a range of commits with everything GraphQL says of them.
type span struct {
	commits []commit // in the order of history
	files   []restFile
	status  string
}

// maxComparedFiles is how many files a comparison lists.
const maxComparedFiles = 300

// span reads every commit that head has and base has not.
func (a *api) span(ctx context.Context, repository string, base, head change.SHA) (*span, error) {
	out := &span{}
	for n := 1; n <= maxPages; n++ {
		c, err := a.comparePage(ctx, repository, base, head, n, 100)
		if err != nil {
			return nil, err
		}
		if n == 1 {
			out.files, out.status = c.Files, c.Status
		}
		ids := make([]string, 0, len(c.Commits))
		for _, one := range c.Commits {
			ids = append(ids, one.NodeID)
		}
		some, err := a.commits(ctx, repository, ids)
		if err != nil {
			return nil, err
		}
		out.commits = append(out.commits, some...)
		if len(out.commits) >= c.TotalCommits {
			return out, nil
		}
		if len(ids) == 0 {
			return nil, final("GitHub counts %d commits and lists %d", c.TotalCommits, len(out.commits))
		}
	}
	return nil, final("there are more than %d commits", maxPages*100)
}

// commits reads up to 100 commits with the pull requests they belong to.
func (a *api) commits(ctx context.Context, repository string, ids []string) ([]commit, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var answer struct {
		Nodes []*commit `json:"nodes"`
	}
	errs, err := a.query(ctx, commitsDocument, map[string]any{"ids": ids}, &answer)
	if err != nil {
		return nil, fmt.Errorf("asking for commits: %w", err)
	}
	if len(errs) > 0 || len(answer.Nodes) != len(ids) {
		return nil, fmt.Errorf("asking for %d commits gave %d: %s", len(ids), len(answer.Nodes), words(errs))
	}
	out := make([]commit, 0, len(ids))
	for _, c := range answer.Nodes {
		if c == nil {
			return nil, final("GitHub left a commit out")
		}
		if err := a.moreAuthors(ctx, repository, c); err != nil {
			return nil, err
		}
		out = append(out, *c)
	}
	return out, nil
}
