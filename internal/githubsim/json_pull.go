package githubsim

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// escapePath escapes a file's path for use in an address.
func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// trimmed returns the message as the API gives it, without the last newline.
func (c *commitObject) trimmed() string { return strings.TrimRight(c.message, "\n") }

// simpleJSON is the shape pull-request-simple.
func (p *pull) simpleJSON() (record, error) {
	r := p.repo
	n := strconv.Itoa(p.number)
	api, issue, html := r.api("/pulls/"+n), r.api("/issues/"+n), r.html("/pull/"+n)
	labels := []record{}
	for _, name := range p.labels {
		labels = append(labels, r.labelJSON(name))
	}
	merge := p.mergeCommit
	if p.state == pullOpen {
		var err error
		if merge, err = p.trial(); err != nil {
			return nil, err
		}
	}
	j := record{
		"id": p.id, "node_id": nodeID("PullRequest", p.id), "number": p.number, "state": p.state, "locked": false, "title": p.title,
		"user": r.sim.accountJSON(p.author), "body": orNull(p.body), "created_at": stamp(p.created), "updated_at": stamp(p.touched()),
		"closed_at": stamp(p.closed), "merged_at": stamp(p.merged), "merge_commit_sha": orNull(merge), "assignee": nil,
		"assignees": []any{}, "requested_reviewers": []any{}, "requested_teams": []any{}, "labels": labels, "milestone": nil, "draft": p.draft,
		"author_association": r.association(p.author), "auto_merge": nil, "active_lock_reason": nil,
		"url": api, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "issue_url": issue, "commits_url": api + "/commits",
		"review_comments_url": api + "/comments", "review_comment_url": r.api("/pulls/comments{/number}"), "comments_url": issue + "/comments",
		"statuses_url": r.api("/statuses/" + p.head), "head": p.endJSON(p.headBranch, p.head), "base": p.endJSON(p.baseBranch, p.baseCommit()),
		"_links": record{
			"self": record{"href": api}, "html": record{"href": html}, "issue": record{"href": issue}, "comments": record{"href": issue + "/comments"},
			"review_comments": record{"href": api + "/comments"}, "review_comment": record{"href": r.api("/pulls/comments{/number}")},
			"commits": record{"href": api + "/commits"}, "statuses": record{"href": r.api("/statuses/" + p.head)},
		},
	}
	if p.auto != nil {
		j["auto_merge"] = record{"enabled_by": r.sim.accountJSON(p.auto.by), "merge_method": p.auto.method, "commit_title": "", "commit_message": ""}
	}
	if p.stack != "" {
		j["stack"] = p.stackJSON()
	}
	return j, nil
}

// touched is when anything happened to the pull request.
func (p *pull) touched() time.Time {
	if p.edited.After(p.updated) {
		return p.edited
	}
	return p.updated
}

// endJSON is a pull request's head or base.
func (p *pull) endJSON(branch, sha string) record {
	return record{
		"label": p.repo.owner.account.login + ":" + branch, "ref": branch, "sha": sha, "user": p.repo.sim.accountJSON(p.repo.owner.account),
		"repo": p.repo.json(),
	}
}

// json is the shape pull-request.
func (p *pull) json() (record, error) {
	j, err := p.simpleJSON()
	if err != nil {
		return nil, err
	}
	shas, err := p.commits()
	if err != nil {
		return nil, err
	}
	files, err := p.files()
	if err != nil {
		return nil, err
	}
	added, deleted := 0, 0
	for _, f := range files {
		added, deleted = added+f.added, deleted+f.deleted
	}
	mergeable, state, err := p.mergeState()
	if err != nil {
		return nil, err
	}
	return j.with(record{
		"merged": !p.merged.IsZero(), "mergeable": mergeable, "rebaseable": mergeable, "mergeable_state": strings.ToLower(state),
		"merged_by": p.repo.sim.accountJSON(p.mergedBy), "comments": 0, "review_comments": 0, "maintainer_can_modify": false,
		"commits": len(shas), "additions": added, "deletions": deleted, "changed_files": len(files),
	}), nil
}

// mergeState returns whether the pull request merges without conflict, null when
// it is closed, and GitHub's word for what holds it back.
func (p *pull) mergeState() (mergeable any, state string, err error) {
	if p.state != pullOpen {
		return nil, "UNKNOWN", nil
	}
	m, err := p.repo.git.merge(p.repo.branches[p.baseBranch], p.head)
	if err != nil {
		return nil, "", err
	}
	ready, err := p.ready()
	switch {
	case err != nil:
		return nil, "", err
	case m.conflict:
		return false, "DIRTY", nil
	case p.draft:
		return true, "DRAFT", nil
	case !ready:
		return true, "BLOCKED", nil
	}
	return true, "CLEAN", nil
}

// stackJSON says which stack a pull request belongs to.
func (p *pull) stackJSON() record {
	return record{"id": p.id, "number": p.number, "position": 2, "size": 2, "base": record{"ref": p.stack, "sha": p.repo.branches[p.stack]}}
}

// reviewJSON is the shape pull-request-review.
func (rv *review) json() record {
	p := rv.pull
	html := p.repo.html("/pull/"+strconv.Itoa(p.number)) + "#pullrequestreview-" + itoa(rv.id)
	api := p.repo.api("/pulls/" + strconv.Itoa(p.number))
	return record{
		"id": rv.id, "node_id": nodeID("PullRequestReview", rv.id), "user": p.repo.sim.accountJSON(rv.author), "body": rv.body, "state": rv.state,
		"html_url": html, "pull_request_url": api, "author_association": p.repo.association(rv.author), "submitted_at": stamp(rv.submitted),
		"commit_id": rv.commit, "_links": record{"html": record{"href": html}, "pull_request": record{"href": api}},
	}
}

// minimalPullJSON is the shape pull-request-minimal, which check runs carry.
func (p *pull) minimalPullJSON() record {
	repo := record{"id": p.repo.id, "url": p.repo.api(""), "name": p.repo.name}
	return record{
		"id": p.id, "number": p.number, "url": p.repo.api("/pulls/" + strconv.Itoa(p.number)),
		"head": record{"ref": p.headBranch, "sha": p.head, "repo": repo},
		"base": record{"ref": p.baseBranch, "sha": p.baseCommit(), "repo": repo},
	}
}
