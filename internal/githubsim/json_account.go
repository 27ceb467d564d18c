package githubsim

import (
	"maps"
	"time"
)

// record is one JSON object of an answer or a payload.
type record map[string]any

// with returns the record with more fields set.
func (r record) with(more record) record {
	out := maps.Clone(r)
	maps.Copy(out, more)
	return out
}

// stamp writes a time as GitHub does, and an absent one as null.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// orNull returns s, or null when it is empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// accountJSON is the shape simple-user; nil is an account that is gone.
func (s *Sim) accountJSON(a *account) any {
	if a == nil {
		return nil
	}
	if a.gone {
		a = s.accounts[ghostLogin]
	}
	api, html := s.URL+"/users/"+a.login, s.URL+"/"+a.login
	return record{
		"login": a.login, "id": a.id, "node_id": a.nodeID(), "avatar_url": s.URL + "/avatars/u/" + a.login, "gravatar_id": "",
		"url": api, "html_url": html, "followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}", "subscriptions_url": api + "/subscriptions",
		"organizations_url": api + "/orgs", "repos_url": api + "/repos", "events_url": api + "/events{/privacy}",
		"received_events_url": api + "/received_events", "type": a.kind, "site_admin": false,
	}
}

// organizationJSON is the shape organization-simple.
func (s *Sim) organizationJSON(o *Organization) record {
	api := s.URL + "/orgs/" + o.account.login
	return record{
		"login": o.account.login, "id": o.account.id, "node_id": o.account.nodeID(), "url": api, "repos_url": api + "/repos",
		"events_url": api + "/events", "hooks_url": api + "/hooks", "issues_url": api + "/issues", "members_url": api + "/members{/member}",
		"public_members_url": api + "/public_members{/member}", "avatar_url": s.URL + "/avatars/u/" + o.account.login, "description": nil,
	}
}

// teamJSON is the shape team, without its parent.
func (s *Sim) teamJSON(t *team) record {
	api := s.URL + "/organizations/" + itoa(t.org.account.id) + "/team/" + itoa(t.id)
	return record{
		"id": t.id, "node_id": nodeID("Team", t.id), "name": t.slug, "slug": t.slug, "description": nil, "privacy": "closed",
		"notification_setting": "notifications_enabled", "permission": "pull", "url": api, "members_url": api + "/members{/member}",
		"repositories_url": api + "/repos", "html_url": s.URL + "/orgs/" + t.org.account.login + "/teams/" + t.slug, "type": "organization",
		"organization_id": t.org.account.id,
	}
}

// teamFullJSON is the shape team-full, as GET /orgs/{org}/teams/{slug} answers.
func (s *Sim) teamFullJSON(t *team) record {
	repositories := 0
	for _, r := range s.repositories {
		if r.owner == t.org && r.teams[t.slug] != "" {
			repositories++
		}
	}
	var parent any
	if t.parent != nil {
		parent = s.teamJSON(t.parent)
	}
	o := t.org
	organization := s.organizationJSON(o).with(record{
		"html_url": s.URL + "/" + o.account.login, "has_organization_projects": false, "has_repository_projects": false, "public_repos": 0,
		"public_gists": 0, "followers": 0, "following": 0, "type": typeOrganization, "created_at": stamp(o.account.created),
		"updated_at": stamp(o.account.created), "archived_at": nil,
	})
	return s.teamJSON(t).with(record{
		"parent": parent, "organization": organization, "members_count": len(t.members), "repos_count": repositories,
		"created_at": stamp(t.created), "updated_at": stamp(t.created),
	})
}

// appJSON is the shape integration.
func (s *Sim) appJSON(a *App) record {
	permissions := record{"metadata": "read"}
	for name, level := range a.permissions {
		permissions[name] = level
	}
	return record{
		"id": a.ID, "client_id": "Iv23li" + itoa(a.ID), "slug": a.Slug, "node_id": nodeID("Integration", a.ID), "owner": s.accountJSON(s.accounts["web-flow"]),
		"name": a.Name, "description": nil, "external_url": s.URL + "/apps/" + a.Slug, "html_url": s.URL + "/apps/" + a.Slug,
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "permissions": permissions, "events": a.events(),
	}
}

// installationJSON is the shape installation.
func (s *Sim) installationJSON(o *Organization) record {
	selection, suspendedBy, suspendedAt := "all", any(nil), any(nil)
	if o.selected != nil {
		selection = "selected"
	}
	if !o.suspended.IsZero() {
		suspendedBy, suspendedAt = s.accountJSON(o.account), stamp(o.suspended)
	}
	return record{
		"id": o.installation, "client_id": "Iv23li" + itoa(s.App.ID), "account": s.accountJSON(o.account), "repository_selection": selection,
		"access_tokens_url": s.URL + "/app/installations/" + itoa(o.installation) + "/access_tokens",
		"repositories_url":  s.URL + "/installation/repositories", "html_url": s.URL + "/organizations/" + o.account.login + "/settings/installations/" + itoa(o.installation),
		"app_id": s.App.ID, "app_slug": s.App.Slug, "target_id": o.account.id, "target_type": typeOrganization, "permissions": s.App.permissions,
		"events": s.App.events(), "created_at": stamp(o.installed), "updated_at": stamp(o.installed), "single_file_name": nil,
		"suspended_by": suspendedBy, "suspended_at": suspendedAt,
	}
}
