package githubsim

import (
	"encoding/base64"
	"strconv"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// api returns the API address of a repository, with more path behind it.
func (r *Repository) api(path string) string { return r.sim.URL + "/repos/" + r.FullName() + path }

func (r *Repository) html(path string) string { return r.sim.URL + "/" + r.FullName() + path }

// minimalJSON has the fields that GitHub gives of a repository everywhere.
func (r *Repository) minimalJSON() record {
	j := record{
		"id": r.id, "node_id": nodeID("Repository", r.id), "name": r.name, "full_name": r.FullName(), "owner": r.sim.accountJSON(r.owner.account),
		"private": !r.public, "html_url": r.html(""), "description": nil, "fork": false, "url": r.api(""),
		"git_url": "git://" + r.sim.URL[len("http://"):] + "/" + r.FullName() + ".git",
	}
	for field, path := range repositoryLinks {
		j[field] = r.api(path)
	}
	return j
}

// repositoryLinks are the link fields of a repository below its API address.
var repositoryLinks = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
	"pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
	"trees_url": "/git/trees{/sha}",
}

// json is the shape repository.
func (r *Repository) json() record {
	visibility := "private"
	if r.public {
		visibility = "public"
	}
	open := len(r.openNumbers())
	j := r.minimalJSON().with(record{
		"clone_url": r.html(".git"), "ssh_url": "git@localhost:" + r.FullName() + ".git", "svn_url": r.html(""), "mirror_url": nil,
		"homepage": nil, "language": nil, "license": nil, "forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0,
		"watchers_count": 0, "size": 1, "default_branch": r.trunk, "open_issues": open, "open_issues_count": open, "is_template": false,
		"topics": []string{}, "has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": false,
		"has_discussions": false, "archived": false, "disabled": false, "visibility": visibility, "allow_forking": false,
		"web_commit_signoff_required": false, "pushed_at": stamp(r.pushed), "created_at": stamp(r.created), "updated_at": stamp(r.pushed),
	})
	if r.properties != nil {
		j["custom_properties"] = r.properties
	}
	return j
}

// fullJSON is the shape full-repository.
func (r *Repository) fullJSON() record {
	return r.json().with(record{
		"network_count": 0, "subscribers_count": 0, "organization": r.sim.accountJSON(r.owner.account), "allow_merge_commit": true,
		"allow_squash_merge": true, "allow_rebase_merge": true, "allow_auto_merge": true, "delete_branch_on_merge": false,
	})
}

// labelJSON is the shape label.
func (r *Repository) labelJSON(name string) record {
	return record{
		"id": r.labels[name], "node_id": nodeID("Label", r.labels[name]), "url": r.api("/labels/" + name), "name": name,
		"description": "", "color": "ededed", "default": false,
	}
}

// verificationJSON is what GitHub says of a commit's signature.
func (r *Repository) verificationJSON(c *commitObject) record {
	if _, signed := r.signatures[c.sha]; !signed {
		return record{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
	}
	return record{
		"verified": true, "reason": "valid", "signature": pgpSignature(c.sha), "payload": "tree " + c.tree + "\n", "verified_at": stamp(c.committed),
	}
}

// pgpSignature stands where GitHub shows the signature of a commit. It verifies
// with no key: the simulator says who signed, and has no keys of people.
func pgpSignature(sha string) string {
	return "-----BEGIN PGP SIGNATURE-----\n\n" + base64.StdEncoding.EncodeToString([]byte(sha)) + "\n-----END PGP SIGNATURE-----\n"
}

// commitJSON is the shape commit of the REST API.
func (r *Repository) commitJSON(c *commitObject) record {
	parents := []record{}
	for _, p := range c.parents {
		parents = append(parents, record{"sha": p, "url": r.api("/commits/" + p), "html_url": r.html("/commit/" + p)})
	}
	return record{
		"sha": c.sha, "node_id": r.commitNodeID(c.sha), "url": r.api("/commits/" + c.sha), "html_url": r.html("/commit/" + c.sha),
		"comments_url": r.api("/commits/" + c.sha + "/comments"), "parents": parents,
		"author": r.sim.accountJSON(r.sim.claimed(c.author.Email)), "committer": r.sim.accountJSON(r.sim.claimed(c.committer.Email)),
		"commit": record{
			"url": r.api("/git/commits/" + c.sha), "message": c.trimmed(), "comment_count": 0,
			"author":       record{"name": c.author.Name, "email": c.author.Email, "date": stamp(c.authored)},
			"committer":    record{"name": c.committer.Name, "email": c.committer.Email, "date": stamp(c.committed)},
			"tree":         record{"sha": c.tree, "url": r.api("/git/trees/" + c.tree)},
			"verification": r.verificationJSON(c),
		},
	}
}

// gitCommitJSON is the shape git-commit.
func (r *Repository) gitCommitJSON(c *commitObject) record {
	full := r.commitJSON(c)
	j := full["commit"].(record)
	return record{
		"sha": c.sha, "node_id": full["node_id"], "url": j["url"], "html_url": full["html_url"], "message": j["message"],
		"author": j["author"], "committer": j["committer"], "tree": j["tree"], "parents": full["parents"], "verification": j["verification"],
	}
}

// hookCommitJSON is the shape of a commit in payloads.
func (r *Repository) hookCommitJSON(c *commitObject) record {
	person := func(id Identity) record {
		j := record{"name": id.Name, "email": id.Email}
		if a := r.sim.claimed(id.Email); a != nil {
			j["username"] = a.login
		}
		return j
	}
	return record{
		"id": c.sha, "tree_id": c.tree, "distinct": true, "message": c.trimmed(), "timestamp": stamp(c.committed),
		"url": r.html("/commit/" + c.sha), "author": person(c.author), "committer": person(c.committer),
	}
}

// fileJSON is the shape diff-entry. Patches are not served: no fact rests on one.
func (r *Repository) fileJSON(d fileDiff, at string) record {
	j := record{
		"sha": d.sha, "filename": d.path, "status": d.status, "additions": d.added, "deletions": d.deleted, "changes": d.added + d.deleted,
		"blob_url": r.html("/blob/" + at + "/" + escapePath(d.path)), "raw_url": r.html("/raw/" + at + "/" + escapePath(d.path)),
		"contents_url": r.api("/contents/" + escapePath(d.path) + "?ref=" + at),
	}
	if d.previous != "" {
		j["previous_filename"] = d.previous
	}
	return j
}
