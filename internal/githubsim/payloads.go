package githubsim

import (
	"fmt"
)

// What GitHub tells of: each function builds one payload from
// the state as it is now and puts it in the outbox. The caller holds mu.

// emit puts a payload about a repository in the outbox.
func (s *Sim) emit(r *Repository, event, action string, sender *account, body record) {
	if !r.owner.shows(r) || !r.owner.suspended.IsZero() {
		return // nobody is told of what the App may not see
	}
	j := body.with(record{
		"repository": r.json(), "organization": s.organizationJSON(r.owner), "installation": installationRef(r.owner),
	})
	if sender != nil {
		j["sender"] = s.accountJSON(sender)
	}
	s.outbox.add(outgoing{event: event, action: action, installation: r.owner.installation, repository: r.id, body: j})
}

// emitForOrg puts a payload about an organisation in the outbox.
func (s *Sim) emitForOrg(o *Organization, event, action string, sender *account, body record) {
	if !o.hasApp() || !o.suspended.IsZero() {
		return
	}
	j := record{
		"action": action, "organization": s.organizationJSON(o), "installation": installationRef(o), "sender": s.accountJSON(sender),
	}.with(body)
	s.outbox.add(outgoing{event: event, action: action, installation: o.installation, body: j})
}

func installationRef(o *Organization) record {
	return record{"id": o.installation, "node_id": nodeID("IntegrationInstallation", o.installation)}
}

// emitPush tells of a moved branch: a creation or deletion first, as GitHub does.
func (s *Sim) emitPush(r *Repository, m *movement) error {
	if kind := map[string]string{moveCreate: "create", moveDelete: "delete"}[m.kind]; kind != "" {
		body := record{"ref": m.branch, "ref_type": "branch", "pusher_type": "user"}
		if kind == "create" {
			body = body.with(record{"master_branch": r.trunk, "description": nil})
		}
		s.emit(r, kind, "", m.actor, body)
	}
	body, err := r.pushJSON(m)
	if err != nil {
		return fmt.Errorf("telling of a push: %w", err)
	}
	s.emit(r, "push", "", m.actor, body)
	return nil
}

// pushJSON is the payload of a push.
func (r *Repository) pushJSON(m *movement) (record, error) {
	before, after := m.before, m.after
	if before == "" {
		before = zeroSHA
	}
	commits := []record{}
	var head any
	if after == "" {
		after = zeroSHA
	} else {
		base := m.before
		if base == "" {
			base = r.branches[r.trunk]
		}
		shas, err := r.git.between(base, m.after)
		if err != nil {
			return nil, err
		}
		for _, sha := range shas[max(0, len(shas)-maxPushNotes):] {
			j, err := r.pushedCommit(sha)
			if err != nil {
				return nil, err
			}
			commits = append(commits, j)
		}
		if head, err = r.pushedCommit(m.after); err != nil {
			return nil, err
		}
	}
	return record{
		"ref": "refs/heads/" + m.branch, "before": before, "after": after, "created": m.before == "", "deleted": m.after == "",
		"forced": m.kind == moveForce, "base_ref": nil, "compare": r.html("/compare/" + before[:12] + "..." + after[:12]),
		"commits": commits, "head_commit": head, "pusher": record{"name": m.actor.login, "email": m.actor.identity().Email},
	}, nil
}

// pushedCommit is a commit of a push. The paths it touches are left out of long
// pushes by GitHub, and here of all.
func (r *Repository) pushedCommit(sha string) (record, error) {
	c, err := r.git.commit(sha)
	if err != nil {
		return nil, err
	}
	return r.hookCommitJSON(c).with(record{"added": []string{}, "removed": []string{}, "modified": []string{}}), nil
}

// emitPull tells of a pull request.
func (s *Sim) emitPull(p *pull, action string, sender *account, more record) error {
	j, err := p.json()
	if err != nil {
		return fmt.Errorf("telling of pull request %d: %w", p.number, err)
	}
	s.emit(p.repo, "pull_request", action, sender, record{"action": action, "number": p.number, "pull_request": j}.with(more))
	return nil
}

// emitReview tells of a review; its state is in lower case here.
func (s *Sim) emitReview(rv *review, action string, sender *account) error {
	pull, err := rv.pull.simpleJSON()
	if err != nil {
		return fmt.Errorf("telling of a review: %w", err)
	}
	delete(pull, "stack")
	j := rv.json().with(record{"state": lower(rv.state)})
	body := record{"action": action, "review": j, "pull_request": pull}
	if action == "edited" {
		body["changes"] = record{"body": record{"from": ""}}
	}
	s.emit(rv.pull.repo, "pull_request_review", action, sender, body)
	return nil
}

// emitCheck tells of a check run.
func (s *Sim) emitCheck(c *checkRun, action string, sender *account) error {
	s.emit(c.repo, "check_run", action, sender, record{"action": action, "check_run": c.json().with(record{"check_suite": c.suiteJSON()})})
	if action == "created" && c.Status == "completed" {
		return s.emitCheck(c, "completed", sender)
	}
	return nil
}

// emitCheckAction tells that somebody pressed a button of a check run.
func (s *Sim) emitCheckAction(c *checkRun, identifier string, sender *account) error {
	s.emit(c.repo, "check_run", "requested_action", sender, record{
		"action": "requested_action", "check_run": c.json().with(record{"check_suite": c.suiteJSON()}), "requested_action": record{"identifier": identifier},
	})
	return nil
}

// emitStatus tells of a commit status.
func (s *Sim) emitStatus(r *Repository, st *commitStatus) error {
	c, err := r.git.commit(st.commit)
	if err != nil {
		return fmt.Errorf("telling of a status: %w", err)
	}
	branches := []record{}
	for name, sha := range r.branches {
		if sha == st.commit {
			branches = append(branches, record{"name": name, "commit": record{"sha": sha, "url": r.api("/commits/" + sha)}, "protected": len(r.active(name)) > 0})
		}
	}
	j := st.simpleJSON(r)
	s.emit(r, "status", "", st.creator, record{
		"id": st.id, "sha": st.commit, "name": r.FullName(), "avatar_url": j["avatar_url"], "target_url": j["target_url"], "context": st.Context,
		"description": j["description"], "state": st.State, "commit": r.commitJSON(c), "branches": branches, "created_at": stamp(st.at), "updated_at": stamp(st.at),
	})
	return nil
}

// emitMergeGroup tells of an entry's group head.
func (s *Sim) emitMergeGroup(q *mergeQueue, e *queueEntry, action, reason string) error {
	c, err := q.repo.git.commit(e.head)
	if err != nil {
		return fmt.Errorf("telling of a merge group: %w", err)
	}
	head := q.repo.hookCommitJSON(c)
	delete(head, "distinct")
	delete(head, "url")
	body := record{"action": action, "merge_group": record{
		"head_sha": e.head, "head_ref": "refs/heads/" + e.ref, "base_sha": e.base, "base_ref": "refs/heads/" + q.branch, "head_commit": head,
	}}
	if reason != "" {
		body["reason"] = reason
	}
	s.emit(q.repo, "merge_group", action, s.accounts[queueLogin], body)
	return nil
}

// emitMember tells of a collaborator.
func (s *Sim) emitMember(r *Repository, action string, sender, who *account, before string) {
	body := record{"action": action, "member": s.accountJSON(who)}
	after := r.collaborators[who.id]
	switch action {
	case "added":
		body["changes"] = record{"permission": record{"to": legacyPermission(after)}, "role_name": record{"to": after}}
	case "edited":
		body["changes"] = record{"permission": record{"from": legacyPermission(before), "to": legacyPermission(after)}}
	}
	s.emit(r, "member", action, sender, body)
}

// legacyPermission folds the newer roles into the older ones.
func legacyPermission(role string) string {
	switch role {
	case "maintain":
		return "write"
	case "triage":
		return "read"
	}
	return role
}

// emitMembership tells of a team's member.
func (s *Sim) emitMembership(t *team, action string, sender, who *account) {
	s.emitForOrg(t.org, "membership", action, sender, record{"scope": "team", "member": s.accountJSON(who), "team": s.teamJSON(t)})
}

// emitOrganization tells of an organisation's member.
func (s *Sim) emitOrganization(o *Organization, action string, sender, who *account) {
	api := s.URL + "/orgs/" + o.account.login
	s.emitForOrg(o, "organization", action, sender, record{"membership": record{
		"url": api + "/memberships/" + who.login, "state": "active", "role": "member", "organization_url": api, "user": s.accountJSON(who),
		"direct_membership": true, "enterprise_teams_providing_indirect_membership": []string{},
	}})
}

// emitTeam tells of a team.
func (s *Sim) emitTeam(t *team, action string, sender *account) {
	s.emitForOrg(t.org, "team", action, sender, record{"team": s.teamJSON(t)})
}

// emitTeamRepository tells that a team got at a repository.
func (s *Sim) emitTeamRepository(t *team, r *Repository, sender *account) {
	s.emit(r, "team", "added_to_repository", sender, record{"action": "added_to_repository", "team": s.teamJSON(t)})
}

// emitRuleset tells of a ruleset; before is what it was, if it was edited.
func (s *Sim) emitRuleset(r *Repository, action string, rs, before *ruleset, sender *account) {
	body := record{"action": action, "repository_ruleset": rs.json(r, true)}
	if before != nil {
		body["changes"] = rs.changesFrom(before)
	}
	s.emit(r, "repository_ruleset", action, sender, body)
}
