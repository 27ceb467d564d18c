package githubsim

import (
	"net/http"
	"strconv"
)

func issueRoutes() []route {
	return []route{
		{"GET /repos/{owner}/{repo}/issues/{number}", "issues", "read", getIssue},
		{"GET /repos/{owner}/{repo}/issues/{number}/events", "issues", "read", listIssueEvents},
		{"GET /repositories/{id}/issues/{number}", "issues", "read", getMovedIssue},
	}
}

// getIssue answers an issue, and a pull request as the issue that it is as well. What
// was transferred is answered with where it is, what was deleted as gone.
func getIssue(c *call) (int, any, error) {
	n := int(c.number("number"))
	if p := c.repo.pulls[n]; p != nil {
		return http.StatusOK, p.issueJSON(), nil
	}
	i := c.repo.issues[n]
	switch {
	case i == nil:
		return 0, nil, refuse(404, "Not Found")
	case i.gone:
		return 0, nil, refuse(410, "This issue was deleted")
	case i.moved != nil && !c.token.reaches(i.moved.repo):
		return 0, nil, refuse(404, "Not Found")
	case i.moved != nil:
		at := c.sim.URL + "/repositories/" + itoa(i.moved.repo.id) + "/issues/" + strconv.Itoa(i.moved.number)
		c.w.Header().Set("Location", at)
		return http.StatusMovedPermanently, record{"message": "Moved Permanently", "url": at, "documentation_url": docs}, nil
	}
	return http.StatusOK, i.json(), nil
}

// getMovedIssue answers at the address that a redirect names.
func getMovedIssue(c *call) (int, any, error) {
	for _, r := range c.sim.repositories {
		if r.id == c.number("id") && c.token.reaches(r) {
			c.repo = r
			return getIssue(c)
		}
	}
	return 0, nil, refuse(404, "Not Found")
}

func listIssueEvents(c *call) (int, any, error) {
	i := c.repo.issues[int(c.number("number"))]
	switch {
	case i == nil:
		return 0, nil, refuse(404, "Not Found")
	case i.gone:
		return 0, nil, refuse(410, "This issue was deleted")
	}
	list := []record{}
	for _, e := range page(c, i.events) {
		list = append(list, i.eventJSON(e))
	}
	return http.StatusOK, list, nil
}

// json is the shape issue.
func (i *issue) json() record {
	state := pullOpen
	if !i.closed.IsZero() {
		state = pullClosed
	}
	j := i.repo.issueJSON(i.number, "/issues/")
	j = j.with(record{
		"id": i.id, "node_id": nodeID("Issue", i.id), "title": i.title, "body": orNull(i.body), "state": state, "state_reason": orNull(i.reason),
		"user": i.repo.sim.accountJSON(i.author), "author_association": i.repo.association(i.author),
		"created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": stamp(i.closed),
	})
	if i.kind != "" {
		j["type"] = record{"id": 1, "node_id": nodeID("IssueType", 1), "name": i.kind, "description": nil}
	}
	return j
}

// issueJSON is a pull request in the shape issue.
func (p *pull) issueJSON() record {
	r := p.repo
	api, html := r.api("/pulls/"+strconv.Itoa(p.number)), r.html("/pull/"+strconv.Itoa(p.number))
	return r.issueJSON(p.number, "/pull/").with(record{
		"id": p.id, "node_id": nodeID("PullRequest", p.id), "title": p.title, "body": orNull(p.body), "state": p.state, "draft": p.draft,
		"user": r.sim.accountJSON(p.author), "author_association": r.association(p.author),
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stamp(p.closed),
		"pull_request": record{"url": api, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "merged_at": stamp(p.merged)},
	})
}

// issueJSON has the fields that depend on the number alone.
func (r *Repository) issueJSON(number int, page string) record {
	n := strconv.Itoa(number)
	api := r.api("/issues/" + n)
	return record{
		"number": number, "url": api, "html_url": r.html(page + n), "repository_url": r.api(""), "labels_url": api + "/labels{/name}",
		"comments_url": api + "/comments", "events_url": api + "/events", "timeline_url": api + "/timeline", "labels": []any{}, "assignee": nil,
		"assignees": []any{}, "milestone": nil, "comments": 0, "locked": false, "active_lock_reason": nil, "performed_via_github_app": nil,
		"reactions": record{
			"url": api + "/reactions", "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0, "heart": 0, "rocket": 0, "eyes": 0,
		},
	}
}

// eventJSON is the shape issue-event-for-issue.
func (i *issue) eventJSON(e issueEvent) record {
	j := record{
		"id": e.id, "node_id": nodeID("Event", e.id), "url": i.repo.api("/issues/events/" + itoa(e.id)), "actor": i.repo.sim.accountJSON(e.actor),
		"event": e.kind, "commit_id": nil, "commit_url": nil, "created_at": stamp(e.at), "performed_via_github_app": nil,
	}
	switch e.kind {
	case "renamed":
		j["rename"] = record{"from": e.from, "to": e.to}
	default:
		j["state_reason"] = orNull(e.reason)
	}
	return j
}

// emitIssue tells of an issue.
func (s *Sim) emitIssue(i *issue, action string, sender *account, more record) {
	s.emit(i.repo, "issues", action, sender, record{"action": action, "issue": i.json()}.with(more))
}
