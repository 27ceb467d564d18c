package github

import "github.com/countersign-dev/countersign/change"

// maxAdded bounds how many repositories of one delivery are asked about one by one.
// Of more, the installation is asked which there are.
const maxAdded = 200

// movesRepository are the actions of a repository after which another installation
// may be asked about it, or other people may read it.
var movesRepository = map[string]bool{
	"created": true, "deleted": true, "renamed": true, "transferred": true, "publicized": true, "privatized": true,
}

// opensInstallation are the actions of an installation before which nothing could be
// seen of its repositories, or not all of it.
var opensInstallation = map[string]bool{"created": true, "unsuspend": true, "new_permissions_accepted": true}

// aboutRules reports whether an event says that a branch is protected otherwise.
func aboutRules(event string) bool {
	switch event {
	case "repository_ruleset", "branch_protection_rule", "branch_protection_configuration":
		return true
	}
	return false
}

// scopes returns the changes that an event is about without naming them.
func (f *Forge) scopes(event string, p payload) []change.Scope {
	repo, known := f.repository(p.Repository)
	switch {
	case event == "installation" && opensInstallation[p.Action] && ownerOf(p) != "":
		return []change.Scope{{Owner: ownerOf(p), Unseen: true}}
	case event == "installation_repositories" && p.Action == "added":
		return f.added(p)
	case event == "repository" && known && (p.Action == "transferred" || p.Action == "unarchived" || p.Action == "edited" && len(p.Changes.DefaultBranch) > 0):
		// Other people, another floor, or other branches: GitHub moves what wanted to
		// reach a branch that is renamed.
		return []change.Scope{{Repository: repo, Unseen: true}}
	case aboutRules(event) && known:
		return []change.Scope{{Repository: repo, Allowed: true}}
	case aboutRules(event) && ownerOf(p) != "": // of the whole organisation
		return []change.Scope{{Owner: ownerOf(p), Allowed: true}}
	case event == "label" && known && (p.Action == "deleted" || p.Action == "edited" && len(p.Changes.Name) > 0):
		// The changes that carry it tell nothing of it themselves.
		return []change.Scope{{Repository: repo}}
	}
	return nil
}

// added returns the repositories that an installation has come to see.
func (f *Forge) added(p payload) []change.Scope {
	whole := []change.Scope{{Owner: ownerOf(p), Unseen: true}}
	if len(p.RepositoriesAdded) == 0 || len(p.RepositoriesAdded) > maxAdded {
		if ownerOf(p) == "" {
			return nil
		}
		return whole
	}
	var scopes []change.Scope
	for _, r := range p.RepositoriesAdded {
		if repo, ok := f.repository(r); ok {
			scopes = append(scopes, change.Scope{Repository: repo, Unseen: true})
		}
	}
	return scopes
}
