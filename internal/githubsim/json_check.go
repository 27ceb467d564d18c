package githubsim

// pullsAt lists the open pull requests whose head is a commit.
func (r *Repository) pullsAt(commit string) []record {
	list := []record{}
	for _, n := range r.openNumbers() {
		if p := r.pulls[n]; p.head == commit {
			list = append(list, p.minimalPullJSON())
		}
	}
	return list
}

// branchAt returns the branch that has a commit at its tip, as check suites say.
func (r *Repository) branchAt(commit string) any {
	best := ""
	for name, sha := range r.branches {
		if sha == commit && (best == "" || name < best) {
			best = name
		}
	}
	return orNull(best)
}

// json is the shape check-run.
func (c *checkRun) json() record {
	r := c.repo
	details := c.DetailsURL
	if details == "" {
		details = r.html("/runs/" + itoa(c.id))
		if c.run != 0 {
			details = r.html("/actions/runs/" + itoa(c.run) + "/job/" + itoa(c.id))
		}
	}
	return record{
		"id": c.id, "node_id": nodeID("CheckRun", c.id), "head_sha": c.Commit, "external_id": c.ExternalID, "name": c.Name,
		"url": r.api("/check-runs/" + itoa(c.id)), "html_url": r.html("/runs/" + itoa(c.id)), "details_url": details, "status": c.Status,
		"conclusion": orNull(c.Conclusion), "started_at": stamp(c.started), "completed_at": stamp(c.completed),
		"check_suite": record{"id": c.suite}, "app": r.sim.appJSON(c.app), "pull_requests": r.pullsAt(c.Commit),
		"output": record{
			"title": orNull(c.Title), "summary": orNull(c.Summary), "text": orNull(c.Text), "annotations_count": len(c.Annotations),
			"annotations_url": r.api("/check-runs/" + itoa(c.id) + "/annotations"),
		},
	}
}

// suiteJSON is the shape simple-check-suite, which check run payloads carry.
func (c *checkRun) suiteJSON() record {
	r := c.repo
	return record{
		"id": c.suite, "node_id": nodeID("CheckSuite", c.suite), "head_branch": r.branchAt(c.Commit), "head_sha": c.Commit, "status": c.Status,
		"conclusion": orNull(c.Conclusion), "url": r.api("/check-suites/" + itoa(c.suite)), "before": zeroSHA, "after": c.Commit,
		"pull_requests": r.pullsAt(c.Commit), "app": r.sim.appJSON(c.app), "created_at": stamp(c.started), "updated_at": stamp(c.started),
	}
}

// json is the shape simple-commit-status.
func (s *commitStatus) simpleJSON(r *Repository) record {
	return record{
		"id": s.id, "node_id": nodeID("StatusContext", s.id), "url": r.api("/statuses/" + s.commit), "avatar_url": r.sim.URL + "/avatars/u/" + s.creator.login,
		"state": s.State, "context": s.Context, "description": orNull(s.Description), "target_url": orNull(s.TargetURL),
		"created_at": stamp(s.at), "updated_at": stamp(s.at),
	}
}

// combinedState rolls the statuses of a commit up as REST does.
func combinedState(list []*commitStatus) string {
	state := "success"
	for _, s := range list {
		switch s.State {
		case "failure", "error":
			return "failure"
		case "pending":
			state = "pending"
		}
	}
	if len(list) == 0 {
		return "pending"
	}
	return state
}
