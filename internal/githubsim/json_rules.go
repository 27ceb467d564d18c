package githubsim

import "slices"

// json is the shape repository-ruleset. Who may bypass is shown only to callers
// who may write the ruleset.
func (s *ruleset) json(r *Repository, writer bool) record {
	source, sourceType := s.source(r)
	j := record{
		"id": s.id, "name": s.Name, "target": "branch", "source_type": sourceType, "source": source, "enforcement": s.Enforcement,
		"node_id": nodeID("RepositoryRuleset", s.id), "created_at": stamp(s.created), "updated_at": stamp(s.changed), "rules": s.rules(),
		"conditions": record{"ref_name": record{"include": s.Include, "exclude": append([]string{}, s.Exclude...)}},
		"_links":     record{"self": record{"href": r.api("/rulesets/" + itoa(s.id))}, "html": record{"href": r.html("/rules/" + itoa(s.id))}},
	}
	if writer {
		actors := []record{}
		for _, b := range s.Bypass {
			actor := record{"actor_id": b.ID, "actor_type": b.Type, "bypass_mode": b.Mode}
			if b.Type == BypassOrganizationAdmin {
				actor["actor_id"] = 1
			}
			actors = append(actors, actor)
		}
		j["bypass_actors"] = actors
	}
	return j
}

// listJSON is what lists of rulesets show: no rules and no conditions.
func (s *ruleset) listJSON(r *Repository) record {
	j := s.json(r, false)
	delete(j, "rules")
	delete(j, "conditions")
	return j
}

func (s *ruleset) source(r *Repository) (name, kind string) {
	if s.FromOrg {
		return r.owner.account.login, "Organization"
	}
	return r.FullName(), "Repository"
}

// rules are the rules of the set, as GitHub writes them.
func (s *ruleset) rules() []record {
	rules := []record{}
	add := func(kind string, parameters record) {
		rule := record{"type": kind}
		if parameters != nil {
			rule["parameters"] = parameters
		}
		rules = append(rules, rule)
	}
	if s.Deletion {
		add("deletion", nil)
	}
	if s.NonFastForward {
		add("non_fast_forward", nil)
	}
	if p := s.PullRequest; p != nil {
		add("pull_request", record{
			"required_approving_review_count": p.Approvals, "dismiss_stale_reviews_on_push": p.DismissStale, "require_code_owner_review": false,
			"require_last_push_approval": p.LastPushByOther, "required_review_thread_resolution": false,
			"allowed_merge_methods": []string{MethodMerge, MethodSquash, MethodRebase},
		})
	}
	if len(s.RequiredChecks) > 0 {
		checks := []record{}
		for _, c := range s.RequiredChecks {
			check := record{"context": c.Context}
			if c.AppID != 0 {
				check["integration_id"] = c.AppID
			}
			checks = append(checks, check)
		}
		add("required_status_checks", record{"strict_required_status_checks_policy": s.StrictChecks, "do_not_enforce_on_create": false, "required_status_checks": checks})
	}
	if q := s.MergeQueue; q != nil {
		grouping := "ALLGREEN"
		if q.HeadOnly {
			grouping = "HEADGREEN"
		}
		add("merge_queue", record{
			"check_response_timeout_minutes": 60, "grouping_strategy": grouping, "max_entries_to_build": 5, "max_entries_to_merge": q.MaxGroup,
			"merge_method": q.Method, "min_entries_to_merge": q.MinGroup, "min_entries_to_merge_wait_minutes": 5,
		})
	}
	for _, o := range s.Other {
		rules = append(rules, record(o))
	}
	return rules
}

// rulesOn lists the active rules of a branch with where each comes from.
func (r *Repository) rulesOn(branch string) []record {
	list := []record{}
	for _, s := range r.active(branch) {
		source, kind := s.source(r)
		for _, rule := range s.rules() {
			list = append(list, rule.with(record{"ruleset_source_type": kind, "ruleset_source": source, "ruleset_id": s.id}))
		}
	}
	return list
}

// changesFrom says what of a ruleset was edited, for its delivery.
func (s *ruleset) changesFrom(before *ruleset) record {
	changes := record{}
	if s.Enforcement != before.Enforcement {
		changes["enforcement"] = record{"from": before.Enforcement}
	}
	if !slices.Equal(s.Include, before.Include) || !slices.Equal(s.Exclude, before.Exclude) {
		changes["conditions"] = record{"updated": []record{{
			"condition": record{"ref_name": record{"include": s.Include, "exclude": append([]string{}, s.Exclude...)}},
			"changes":   record{"include": record{"from": before.Include}, "exclude": record{"from": append([]string{}, before.Exclude...)}},
		}}}
	}
	return changes
}
