package githubsim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

func actionRoutes() []route {
	return []route{
		{"GET /repos/{owner}/{repo}/actions/runs", "actions", "read", listRuns},
		{"GET /repos/{owner}/{repo}/actions/runs/{run}", "actions", "read", getRun},
		{"GET /repos/{owner}/{repo}/actions/runs/{run}/attempts/{attempt}", "actions", "read", getAttempt},
	}
}

// mostRuns is how many runs GitHub lists for one search.
const mostRuns = 1000

// listRuns lists runs, the newest first.
func listRuns(c *call) (int, any, error) {
	q := c.r.URL.Query()
	var found []*workflowRun
	for _, w := range slices.Backward(c.repo.workflowRuns) {
		if span := q.Get("created"); span != "" {
			in, err := within(w.created, span)
			if err != nil {
				return 0, nil, err
			}
			if !in {
				continue
			}
		}
		if w.matches(q.Get) {
			found = append(found, w)
		}
	}
	slices.SortStableFunc(found, func(a, b *workflowRun) int { return b.created.Compare(a.created) })
	total := len(found)
	list := []record{}
	for _, w := range page(c, found[:min(total, mostRuns)]) {
		list = append(list, w.json(len(w.attempts), q.Get("exclude_pull_requests") == "true"))
	}
	return http.StatusOK, record{"total_count": total, "workflow_runs": list}, nil
}

func (w *workflowRun) matches(want func(string) string) bool {
	now := w.last()
	is := func(name string, values ...string) bool {
		return want(name) == "" || slices.Contains(values, want(name))
	}
	return is("head_sha", w.commit) && is("event", w.Event) && is("branch", w.Branch) && is("status", now.status(), now.conclusion) &&
		is("check_suite_id", itoa(w.suite)) && (want("actor") == "" || strings.EqualFold(want("actor"), w.actor.login))
}

func getRun(c *call) (int, any, error) {
	w := c.repo.workflowRun(c.number("run"))
	if w == nil {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, w.json(len(w.attempts), false), nil
}

func getAttempt(c *call) (int, any, error) {
	w, n := c.repo.workflowRun(c.number("run")), c.number("attempt")
	if w == nil || n < 1 || int(n) > len(w.attempts) {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, w.json(int(n), false), nil
}

func (a *runAttempt) status() string {
	if a.ended.IsZero() {
		return "in_progress"
	}
	return "completed"
}

// workflowID is the id of the workflow, which all its runs have in common.
func (w *workflowRun) workflowID() int64 {
	for _, other := range w.repo.workflowRuns {
		if other.Workflow == w.Workflow {
			return other.suite + 2*runsApart
		}
	}
	return 0
}

// json is the shape workflow-run, as the run was at an attempt.
func (w *workflowRun) json(attempt int, bare bool) record {
	r, a := w.repo, w.attempts[attempt-1]
	updated := a.ended
	if updated.IsZero() {
		updated = r.sim.clock()
	}
	api, workflow := r.api("/actions/runs/"+itoa(w.id)), w.workflowID()
	var previous, commit any
	if attempt > 1 {
		previous = api + "/attempts/" + itoa(int64(attempt-1))
	}
	if o, err := r.git.commit(w.commit); err == nil {
		commit = record{
			"id": o.sha, "tree_id": o.tree, "message": o.trimmed(), "timestamp": stamp(o.committed),
			"author": record{"name": o.author.Name, "email": o.author.Email}, "committer": record{"name": o.committer.Name, "email": o.committer.Email},
		}
	}
	pulls := []record{}
	if !bare {
		pulls = r.pullsAt(w.commit)
	}
	file := w.Workflow[strings.LastIndex(w.Workflow, "/")+1:]
	return record{
		"id": w.id, "node_id": nodeID("WorkflowRun", w.id), "name": strings.TrimSuffix(file, ".yml"), "display_title": cmp.Or(w.Branch, file),
		"head_branch": orNull(w.Branch), "head_sha": w.commit, "path": w.Workflow, "run_number": w.number, "run_attempt": attempt, "event": w.Event,
		"status": a.status(), "conclusion": orNull(a.conclusion), "workflow_id": workflow, "check_suite_id": w.suite,
		"check_suite_node_id": nodeID("CheckSuite", w.suite), "url": api, "html_url": r.html("/actions/runs/" + itoa(w.id)),
		"created_at": stamp(w.created), "updated_at": stamp(updated), "run_started_at": stamp(a.started),
		"actor": r.sim.accountJSON(w.actor), "triggering_actor": r.sim.accountJSON(a.by), "pull_requests": pulls,
		"jobs_url": api + "/jobs", "logs_url": api + "/logs", "check_suite_url": r.api("/check-suites/" + itoa(w.suite)),
		"artifacts_url": api + "/artifacts", "cancel_url": api + "/cancel", "rerun_url": api + "/rerun", "previous_attempt_url": previous,
		"workflow_url": r.api("/actions/workflows/" + itoa(workflow)), "head_commit": commit,
		"repository": r.minimalJSON(), "head_repository": r.minimalJSON(),
	}
}
