package githubsim

import (
	"strings"
)

// rollupNode is a StatusCheckRollup: check runs and statuses of a commit
// together.
type rollupNode struct {
	r      *Repository
	commit string
}

func (rollupNode) typeName() string { return "StatusCheckRollup" }

func (n rollupNode) field(name string, a arguments) (any, error) {
	switch name {
	case "id":
		return nodeID("StatusCheckRollup", n.r.id) + n.commit, nil
	case "state":
		return n.state(), nil
	case "contexts":
		runs, statuses := n.r.latestRuns(n.commit), n.r.latestStatuses(n.commit)
		return connect("StatusCheckRollupContextConnection", len(runs)+len(statuses), a, func(i int) (graphNode, error) {
			if i < len(runs) {
				return checkRunNode{runs[i]}, nil
			}
			return statusNode{n.r, statuses[i-len(runs)]}, nil
		})
	}
	return nil, undefinedField("StatusCheckRollup", name)
}

// state is the worst of what the commit's contexts say.
func (n rollupNode) state() string {
	state := "SUCCESS"
	for _, c := range n.r.latestRuns(n.commit) {
		switch {
		case c.Status != "completed":
			state = "PENDING"
		case !passes(c.Conclusion):
			return "FAILURE"
		}
	}
	for _, s := range n.r.latestStatuses(n.commit) {
		switch s.State {
		case "error", "failure":
			return "FAILURE"
		case "pending":
			state = "PENDING"
		}
	}
	return state
}

// checkRunNode is a CheckRun.
type checkRunNode struct{ c *checkRun }

func (checkRunNode) typeName() string { return "CheckRun" }

func (n checkRunNode) field(name string, a arguments) (any, error) {
	c := n.c
	switch name {
	case "id":
		return nodeID("CheckRun", c.id), nil
	case "databaseId":
		return c.id, nil
	case "fullDatabaseId":
		return itoa(c.id), nil
	case "name":
		return c.Name, nil
	case "status":
		return strings.ToUpper(c.Status), nil
	case "conclusion":
		return orNull(strings.ToUpper(c.Conclusion)), nil
	case "startedAt":
		return stamp(c.started), nil
	case "completedAt":
		return stamp(c.completed), nil
	case "externalId":
		return orNull(c.ExternalID), nil
	case "detailsUrl":
		return c.json()["details_url"], nil
	case "url":
		return c.repo.html("/runs/" + itoa(c.id)), nil
	case "title":
		return orNull(c.Title), nil
	case "summary":
		return orNull(c.Summary), nil
	case "text":
		return orNull(c.Text), nil
	case "isRequired":
		return c.repo.isRequired(c.Name, c.app.ID, a), nil
	case "checkSuite":
		return checkSuiteNode{c}, nil
	}
	return nil, undefinedField("CheckRun", name)
}

// isRequired reports whether a context must pass for the pull request of the
// arguments.
func (r *Repository) isRequired(context string, app int64, a arguments) bool {
	number, _ := a.int("pullRequestNumber")
	p := r.pulls[number]
	if p == nil {
		return false
	}
	for _, s := range r.active(p.baseBranch) {
		for _, c := range s.RequiredChecks {
			if c.Context == context && (c.AppID == 0 || c.AppID == app) {
				return true
			}
		}
	}
	return false
}

// checkSuiteNode is the CheckSuite of a run.
type checkSuiteNode struct{ c *checkRun }

func (checkSuiteNode) typeName() string { return "CheckSuite" }

func (n checkSuiteNode) field(name string, _ arguments) (any, error) {
	c := n.c
	switch name {
	case "id":
		return nodeID("CheckSuite", c.suite), nil
	case "databaseId":
		return c.suite, nil
	case "app":
		return plain{"App", record{"id": nodeID("Integration", c.app.ID), "databaseId": c.app.ID, "slug": c.app.Slug, "name": c.app.Name}}, nil
	case "commit":
		return c.repo.commitOrNil(c.Commit)
	case "workflowRun":
		if c.run == 0 {
			return nil, nil
		}
		return c.workflowRun(), nil
	}
	return nil, undefinedField("CheckSuite", name)
}

// workflowRun is the WorkflowRun behind a run of GitHub Actions.
func (c *checkRun) workflowRun() graphNode {
	path := c.Workflow
	if path == "" {
		path = defaultWorkflow
	}
	file := path[strings.LastIndex(path, "/")+1:]
	resource := "/" + c.repo.FullName() + "/actions/workflows/" + file
	return plain{"WorkflowRun", record{
		"id": nodeID("WorkflowRun", c.run), "databaseId": c.run, "event": c.Event, "runNumber": int(c.suite % 1000), "createdAt": stamp(c.started),
		"resourcePath": "/" + c.repo.FullName() + "/actions/runs/" + itoa(c.run), "url": c.repo.html("/actions/runs/" + itoa(c.run)),
		"workflow": plain{"Workflow", record{
			"id": nodeID("Workflow", c.suite), "databaseId": c.suite + 2_000_000, "name": strings.TrimSuffix(file, ".yml"),
			"resourcePath": resource, "url": c.repo.sim.URL + resource, "state": "ACTIVE",
		}},
		"file": plain{"WorkflowRunFile", record{
			"id": nodeID("WorkflowRunFile", c.run), "path": path, "repositoryName": c.repo.FullName(), "resourcePath": resource, "url": c.repo.sim.URL + resource,
		}},
	}}
}

// statusNode is a StatusContext.
type statusNode struct {
	r *Repository
	s *commitStatus
}

func (statusNode) typeName() string { return "StatusContext" }

func (n statusNode) field(name string, a arguments) (any, error) {
	s := n.s
	switch name {
	case "id":
		return nodeID("StatusContext", s.id), nil
	case "context":
		return s.Context, nil
	case "state":
		return strings.ToUpper(s.State), nil
	case "createdAt":
		return stamp(s.at), nil
	case "description":
		return orNull(s.Description), nil
	case "targetUrl":
		return orNull(s.TargetURL), nil
	case "creator":
		return n.r.sim.actor(s.creator), nil
	case "isRequired":
		app := int64(0)
		if s.creator.app != nil {
			app = s.creator.app.ID
		}
		return n.r.isRequired(s.Context, app, a), nil
	case "commit":
		return n.r.commitOrNil(s.commit)
	}
	return nil, undefinedField("StatusContext", name)
}
