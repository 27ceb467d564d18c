package githubsim

import (
	"strings"
	"time"
)

// An Organization owns repositories and has teams. The App is installed on each
// until somebody takes it off.
type Organization struct {
	sim          *Sim
	account      *account
	installation int64 // 0 while the App is not installed
	installed    time.Time
	suspended    time.Time        // zero while the App may act
	selected     map[int64]bool   // the repositories that the App may see; nil for all
	members      map[int64]string // account id to role: admin or member
	teams        map[string]*team // by slug
}

// team is a team of an organisation.
type team struct {
	id      int64
	slug    string
	parent  *team
	org     *Organization
	members map[int64]string // account id to role: maintainer or member
	created time.Time
}

// AddOrganization adds an organisation with its owners and installs the App on
// it. Adding it again returns the one that is there.
func (s *Sim) AddOrganization(login string, owners ...string) (*Organization, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.organizations[strings.ToLower(login)]; o != nil {
		return o, nil
	}
	if s.accounts[strings.ToLower(login)] != nil {
		return nil, refuse(422, "Username %s is not available", login)
	}
	o := &Organization{sim: s, members: map[int64]string{}, teams: map[string]*team{}, installed: s.clock()}
	for _, owner := range owners {
		a, err := s.account(owner)
		if err != nil {
			return nil, err
		}
		o.members[a.id] = "admin"
	}
	o.account = &account{id: s.nextID(), login: login, name: login, kind: typeOrganization, created: s.clock(), org: o}
	o.installation = s.nextID()
	s.keep(o.account)
	s.organizations[strings.ToLower(login)] = o
	return o, nil
}

// Organization returns the organisation with that login, or nil.
func (s *Sim) Organization(login string) *Organization {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.organizations[strings.ToLower(login)]
}

// ID returns the organisation's numeric account id.
func (o *Organization) ID() int64 { return o.account.id }

// InstallationID returns the id of the App's installation on the organisation.
func (o *Organization) InstallationID() int64 { return o.installation }

// AddMember makes a login a member of the organisation, as the owner by.
func (o *Organization) AddMember(by, login string) error {
	return o.act(by, func(owner *account) error {
		a, err := o.sim.account(login)
		if err != nil {
			return err
		}
		if o.members[a.id] == "" {
			o.members[a.id] = "member"
			o.sim.emitOrganization(o, "member_added", owner, a)
		}
		return nil
	})
}

// RemoveMember takes a login out of the organisation and all its teams.
func (o *Organization) RemoveMember(by, login string) error {
	return o.act(by, func(owner *account) error {
		a, err := o.sim.account(login)
		if err != nil {
			return err
		}
		delete(o.members, a.id)
		for _, t := range o.teams {
			delete(t.members, a.id)
		}
		o.sim.emitOrganization(o, "member_removed", owner, a)
		return nil
	})
}

// AddTeam adds a team, below parent unless that is empty, and returns its id.
func (o *Organization) AddTeam(by, slug, parent string) (int64, error) {
	var id int64
	err := o.act(by, func(owner *account) error {
		if t := o.teams[slug]; t != nil {
			return refuse(422, "Validation Failed: Name must be unique for this org")
		}
		t := &team{id: o.sim.nextID(), slug: slug, org: o, members: map[int64]string{}, created: o.sim.clock()}
		if parent != "" {
			if t.parent = o.teams[parent]; t.parent == nil {
				return refuse(404, "Not Found: no team is called %q", parent)
			}
		}
		o.teams[slug], id = t, t.id
		o.sim.emitTeam(t, "created", owner)
		return nil
	})
	return id, err
}

// AddToTeam puts a login into a team. A team maintainer may do it as well as an
// owner, which is how somebody adds himself.
func (o *Organization) AddToTeam(by, slug, login string) error {
	return o.changeTeam(by, slug, login, func(t *team, a *account) string {
		t.members[a.id] = "member"
		if o.members[a.id] == "" {
			o.members[a.id] = "member"
		}
		return "added"
	})
}

// MakeMaintainer puts a login into a team as its maintainer.
func (o *Organization) MakeMaintainer(by, slug, login string) error {
	return o.changeTeam(by, slug, login, func(t *team, a *account) string {
		t.members[a.id] = "maintainer"
		return "added"
	})
}

// RemoveFromTeam takes a login out of a team.
func (o *Organization) RemoveFromTeam(by, slug, login string) error {
	return o.changeTeam(by, slug, login, func(t *team, a *account) string {
		delete(t.members, a.id)
		return "removed"
	})
}

func (o *Organization) changeTeam(by, slug, login string, change func(*team, *account) string) error {
	o.sim.mu.Lock()
	defer o.sim.mu.Unlock()
	t := o.teams[slug]
	if t == nil {
		return refuse(404, "Not Found: no team is called %q", slug)
	}
	actor, err := o.sim.account(by)
	if err != nil {
		return err
	}
	if o.members[actor.id] != "admin" && t.members[actor.id] != "maintainer" {
		return refuse(403, "You must be an organization owner or team maintainer to change a team membership.")
	}
	a, err := o.sim.account(login)
	if err != nil {
		return err
	}
	action := change(t, a)
	o.sim.emitMembership(t, action, actor, a)
	return nil
}

// act runs what only an owner may do.
func (o *Organization) act(by string, do func(owner *account) error) error {
	o.sim.mu.Lock()
	defer o.sim.mu.Unlock()
	actor, err := o.sim.account(by)
	if err != nil {
		return err
	}
	if o.members[actor.id] != "admin" {
		return refuse(403, "You must be an organization owner or have the right permission to do this.")
	}
	return do(actor)
}

// role returns a login's role in the team, children's members included as GitHub
// includes them, or "".
func (t *team) role(id int64) string {
	if r := t.members[id]; r != "" {
		return r
	}
	for _, child := range t.org.teams {
		if child.parent == t {
			if child.role(id) != "" {
				return "member"
			}
		}
	}
	return ""
}
