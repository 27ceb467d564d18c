package github

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/countersign-dev/countersign/change"
)

// checks returns the check runs and commit statuses of a commit, and apart from
// them the verdict that we show on it ourselves (zero when there is none).
func (b *builder) checks(c *checked, want change.SHA) ([]change.Check, change.Shown, error) {
	if c == nil || c.Oid != want {
		return nil, change.Shown{}, fmt.Errorf("GitHub does not show the checks of %s", want.Short())
	}
	list, ours := []change.Check{}, change.Shown{}
	if c.Rollup == nil {
		return list, ours, nil // nothing was ever posted on this commit
	}
	all, err := c.Rollup.Contexts.all()
	if err != nil {
		return nil, ours, err
	}
	for _, s := range all {
		switch {
		case s.Typename == "StatusContext":
			list = append(list, b.status(s, c.Oid))
		case s.Typename == "CheckRun" && s.CheckSuite != nil:
			run := checkRun(s, c.Oid)
			if run.AppID != b.appID || run.Name != b.checkName {
				list = append(list, run)
			} else if run.ID > ours.ID { // of several, GitHub counts the newest
				ours = shown(s, run)
			}
		default:
			return nil, ours, fmt.Errorf("GitHub lists a check of kind %s, which this version does not know", change.Quote(s.Typename))
		}
	}
	return list, ours, nil
}

func checkRun(s statusContext, commit change.SHA) change.Check {
	c := change.Check{
		ID: s.DatabaseID, Name: s.Name, Source: change.CheckRun, Commit: commit, Status: lower(s.Status),
		Conclusion: lower(s.Conclusion), Started: s.StartedAt, Completed: s.CompletedAt, Workflow: workflowPath(s),
		Run: workflowRunID(s),
	}
	if s.CheckSuite.App != nil {
		c.AppID, c.App = s.CheckSuite.App.DatabaseID, s.CheckSuite.App.Slug
	}
	switch c.Status {
	case "completed", "in_progress":
	default: // queued, pending, requested, waiting: nothing has run
		c.Status = "queued"
	}
	return c
}

func shown(s statusContext, run change.Check) change.Shown {
	return change.Shown{
		ID: run.ID, Commit: run.Commit, Status: run.Status, Conclusion: run.Conclusion,
		Completed: run.Completed, Title: s.Title, ExternalID: s.ExternalID,
	}
}

// status returns a commit status in the words of a check run.
func (b *builder) status(s statusContext, commit change.SHA) change.Check {
	c := change.Check{
		Name: s.Context, Source: change.CommitStatus, Commit: commit, Creator: b.roster.Add(s.Creator.identity()),
		Started: s.CreatedAt, Status: "queued",
	}
	switch s.State {
	case "SUCCESS", "FAILURE", "ERROR":
		c.Status, c.Conclusion, c.Completed = "completed", lower(s.State), s.CreatedAt
	}
	return c
}

// runResource finds the id in a workflow run's address, such as
// /acme/shop/actions/runs/42.
var runResource = regexp.MustCompile(`/actions/runs/([1-9][0-9]{0,17})$`)

// workflowRunID returns the id of the workflow run behind a check run, or 0. The
// schema gives ids of runs 32 bits, which they have outgrown: the address has all.
func workflowRunID(s statusContext) int64 {
	run := s.CheckSuite.WorkflowRun
	if run == nil {
		return 0
	}
	if m := runResource.FindStringSubmatch(run.ResourcePath); m != nil {
		id, _ := strconv.ParseInt(m[1], 10, 64)
		return id
	}
	return max(run.DatabaseID, 0)
}

// workflowResource finds the file's name in a workflow's address, such as
// /acme/shop/actions/workflows/test.yml.
var workflowResource = regexp.MustCompile(`/actions/workflows/([^/?#]+\.ya?ml)$`)

// workflowPath returns the path of the workflow file behind a check run, or
// nothing when the check is no workflow's or the forge does not tell.
func workflowPath(s statusContext) string {
	run := s.CheckSuite.WorkflowRun
	switch {
	case run == nil:
		return ""
	case run.File != nil && run.File.Path != "":
		return run.File.Path
	case run.Workflow != nil:
		if m := workflowResource.FindStringSubmatch(run.Workflow.ResourcePath); m != nil {
			return ".github/workflows/" + m[1]
		}
	}
	return ""
}
