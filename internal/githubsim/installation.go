package githubsim

import (
	"net/http"
	"time"
)

// What an organisation's owner does with the App. It is installed, for all
// repositories, when the organisation is made.

// Uninstall takes the App off the organisation, as the owner by.
func (o *Organization) Uninstall(by string) error {
	return o.act(by, func(owner *account) error {
		if !o.hasApp() {
			return refuse(404, "Not Found")
		}
		o.emitInstallation("deleted", owner)
		o.sim.revoke(o)
		o.installation, o.suspended, o.selected = 0, time.Time{}, nil
		return nil
	})
}

// Install puts the App on the organisation again: on the repositories that are
// named, or on all. The installation is a new one.
func (o *Organization) Install(by string, names ...string) error {
	return o.act(by, func(owner *account) error {
		if o.hasApp() {
			return refuse(422, "The App is installed already")
		}
		selected, err := o.choose(names)
		if err != nil {
			return err
		}
		o.installation, o.installed, o.selected = o.sim.nextID(), o.sim.clock(), selected
		o.emitInstallation("created", owner)
		return nil
	})
}

// Suspend takes away what the App may do until Unsuspend.
func (o *Organization) Suspend(by string) error {
	return o.act(by, func(owner *account) error {
		o.emitInstallation("suspend", owner)
		o.suspended = o.sim.clock()
		o.sim.revoke(o)
		return nil
	})
}

// Unsuspend gives it back.
func (o *Organization) Unsuspend(by string) error {
	return o.act(by, func(owner *account) error {
		o.suspended = time.Time{}
		o.emitInstallation("unsuspend", owner)
		return nil
	})
}

// AcceptPermissions agrees to what the App has asked for since.
func (o *Organization) AcceptPermissions(by string) error {
	return o.act(by, func(owner *account) error {
		o.emitInstallation("new_permissions_accepted", owner)
		return nil
	})
}

// Select adds repositories to those that the App may see.
func (o *Organization) Select(by string, names ...string) error {
	return o.act(by, func(owner *account) error {
		more, err := o.choose(names)
		if err != nil {
			return err
		}
		if o.selected == nil || len(more) == 0 {
			return refuse(422, "The App may see all repositories")
		}
		added := []record{}
		for _, r := range o.repositories() {
			if more[r.id] && !o.selected[r.id] {
				o.selected[r.id] = true
				added = append(added, r.installedJSON())
			}
		}
		body := record{"repository_selection": "selected", "repositories_added": added, "repositories_removed": []record{}, "requester": nil}
		o.sim.emitForOrg(o, "installation_repositories", "added", owner, body.with(record{"installation": o.sim.installationJSON(o)}))
		return nil
	})
}

// choose returns the ids of repositories by their full names; nil for none.
func (o *Organization) choose(names []string) (map[int64]bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	chosen := map[int64]bool{}
	for _, name := range names {
		r := o.sim.repositories[lower(name)]
		if r == nil || r.owner != o {
			return nil, refuse(404, "Not Found")
		}
		chosen[r.id] = true
	}
	return chosen, nil
}

// hasApp reports whether the App is installed, suspended or not.
func (o *Organization) hasApp() bool { return o.installation != 0 }

// shows reports whether the App may see a repository of the organisation.
func (o *Organization) shows(r *Repository) bool {
	return o.hasApp() && r.owner == o && (o.selected == nil || o.selected[r.id])
}

// repositories returns those that the App may see, in the order of their names.
func (o *Organization) repositories() []*Repository {
	var list []*Repository
	for _, name := range sortedKeys(o.sim.repositories) {
		if r := o.sim.repositories[name]; r.owner == o {
			list = append(list, r)
		}
	}
	return list
}

// visible returns those that the App may see.
func (o *Organization) visible() []*Repository {
	list := []*Repository{}
	for _, r := range o.repositories() {
		if o.shows(r) {
			list = append(list, r)
		}
	}
	return list
}

// revoke makes the tokens of an installation worthless. The caller holds mu.
func (s *Sim) revoke(o *Organization) {
	for text, t := range s.tokens.tokens {
		if t.installation == o {
			delete(s.tokens.tokens, text)
		}
	}
}

// emitInstallation tells of the installation itself.
func (o *Organization) emitInstallation(action string, sender *account) {
	list := []record{}
	for _, r := range o.visible() {
		list = append(list, r.installedJSON())
	}
	body := record{"installation": o.sim.installationJSON(o), "repositories": list}
	if action == "created" {
		body["requester"] = nil
	}
	o.sim.emitForOrg(o, "installation", action, sender, body)
}

// installedJSON is a repository as the installation's deliveries list it.
func (r *Repository) installedJSON() record {
	return record{"id": r.id, "node_id": nodeID("Repository", r.id), "name": r.name, "full_name": r.FullName(), "private": !r.public}
}

// listInstalled lists the repositories that a token is good for.
func listInstalled(c *call) (int, any, error) {
	list := []record{}
	for _, r := range c.token.installation.visible() {
		if c.token.reaches(r) {
			list = append(list, r.json().with(record{"permissions": record{"admin": false, "maintain": false, "push": false, "triage": false, "pull": false}}))
		}
	}
	selection := "all"
	if c.token.installation.selected != nil {
		selection = "selected"
	}
	return http.StatusOK, record{"total_count": len(list), "repository_selection": selection, "repositories": page(c, list)}, nil
}

// userInstallation finds the installation on an account that is a person; the
// simulator has none.
func userInstallation(*call) (int, any, error) { return 0, nil, refuse(404, "Not Found") }
