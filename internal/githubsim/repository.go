package githubsim

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// RepositoryOptions describe a repository about to be created.
type RepositoryOptions struct {
	By               string            // the organisation's owner who creates it; default: any owner
	DefaultBranch    string            // default "main"
	Files            map[string]string // path to content of the first commit; default a README.md
	Public           bool
	Permissions      map[string]string // login to read, triage, write, maintain or admin
	Teams            map[string]string // team slug to the same
	CustomProperties map[string]any    // values may be lists, which not every client survives
}

// A Repository is one repository of an organisation.
type Repository struct {
	sim        *Sim
	id         int64
	owner      *Organization
	name       string
	trunk      string // the default branch
	public     bool
	properties map[string]any
	created    time.Time
	pushed     time.Time

	git        *git
	branches   map[string]string // short name to commit
	moves      []*movement       // newest last; the activity log
	signatures map[string]signature

	collaborators map[int64]string
	teams         map[string]string

	lastNumber int
	pulls      map[int]*pull
	landings   map[string][]*pull // commit to the merged pull requests that brought it
	issues     map[int]*issue
	labels     map[string]int64 // name to id
	runs       map[int64]*checkRun
	runsAt     map[string][]*checkRun     // by commit, oldest first
	statuses   map[string][]*commitStatus // by commit, oldest first
	suites     map[suiteKey]int64         // check suite ids
	rulesets   []*ruleset
	queues     map[string]*mergeQueue // by branch

	workflowRuns []*workflowRun // in the order in which they were set off
}

// CreateRepository makes "organisation/name" with one first commit.
func (s *Sim) CreateRepository(fullName string, o RepositoryOptions) (*Repository, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, name, _ := strings.Cut(fullName, "/")
	org := s.organizations[strings.ToLower(owner)]
	switch {
	case org == nil:
		return nil, refuse(404, "Not Found: no organization is called %q", owner)
	case s.repositories[strings.ToLower(fullName)] != nil:
		return nil, refuse(422, "Repository creation failed.: name already exists on this account")
	case name == "" || strings.ContainsAny(name, "/\\ ") || strings.HasPrefix(name, "."):
		return nil, refuse(422, "Repository creation failed.: name is not valid")
	}
	creator, err := s.creator(org, o.By)
	if err != nil {
		return nil, err
	}
	r := &Repository{
		sim: s, id: s.nextID(), owner: org, name: name, trunk: o.DefaultBranch, public: o.Public, properties: o.CustomProperties,
		created: s.clock(), branches: map[string]string{}, signatures: map[string]signature{},
		collaborators: map[int64]string{}, teams: o.Teams, pulls: map[int]*pull{}, landings: map[string][]*pull{}, issues: map[int]*issue{}, labels: map[string]int64{},
		runs: map[int64]*checkRun{}, runsAt: map[string][]*checkRun{}, statuses: map[string][]*commitStatus{},
		suites: map[suiteKey]int64{}, queues: map[string]*mergeQueue{},
	}
	if r.trunk == "" {
		r.trunk = "main"
	}
	for login, permission := range o.Permissions {
		a, err := s.account(login)
		if err != nil {
			return nil, err
		}
		r.collaborators[a.id] = permission
	}
	if r.git, err = newGit(filepath.Join(s.dir, fmt.Sprintf("%d.git", r.id))); err != nil {
		return nil, fmt.Errorf("creating repository %s: %w", fullName, err)
	}
	if err := r.seed(creator, o.Files); err != nil {
		return nil, fmt.Errorf("creating repository %s: %w", fullName, err)
	}
	s.repositories[strings.ToLower(fullName)] = r
	return r, nil
}

// creator returns the account that creates a repository of org.
func (s *Sim) creator(org *Organization, login string) (*account, error) {
	if login != "" {
		return s.account(login)
	}
	owners := []int64{}
	for id, role := range org.members {
		if role == "admin" {
			owners = append(owners, id)
		}
	}
	if len(owners) == 0 {
		return nil, refuse(422, "organization %s has no owner who could create a repository", org.account.login)
	}
	return s.byID[slices.Min(owners)], nil
}

// seed writes the first commit.
func (r *Repository) seed(by *account, files map[string]string) error {
	if len(files) == 0 {
		files = map[string]string{"README.md": "# " + r.name + "\n"}
	}
	_, err := r.git.run(nil, "symbolic-ref", "HEAD", "refs/heads/"+r.trunk)
	if err != nil {
		return err
	}
	shas, err := r.git.write([]newCommit{{files: files, author: by.identity(), committer: by.identity(), at: r.sim.clock(), message: "Initial commit\n"}})
	if err != nil {
		return err
	}
	return r.move(movement{branch: r.trunk, after: shas[0], actor: by})
}

// Repository returns the repository "organisation/name", or nil.
func (s *Sim) Repository(fullName string) *Repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repositories[strings.ToLower(fullName)]
}

// ID returns the repository's numeric id.
func (r *Repository) ID() int64 { return r.id }

// FullName returns "organisation/name".
func (r *Repository) FullName() string { return r.owner.account.login + "/" + r.name }

// Dir returns the bare repository on disk, which any git can clone.
func (r *Repository) Dir() string { return r.git.dir }

// Head returns the commit at the tip of a branch, "" when there is no such branch.
func (r *Repository) Head(branch string) string {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	return r.branches[branch]
}

// SetCustomProperty sets a custom property; a list is a multi-select value.
func (r *Repository) SetCustomProperty(name string, value any) {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	if r.properties == nil {
		r.properties = map[string]any{}
	}
	r.properties[name] = value
}

// ranks orders permissions.
func rank(permission string) int {
	return slices.Index([]string{"none", "read", "triage", "write", "maintain", "admin"}, permission)
}

// permission returns the role of an account in the repository: the greatest of
// what it has as owner, collaborator, team member or anybody.
func (r *Repository) permission(a *account) string {
	best := "none"
	raise := func(p string) {
		if rank(p) > rank(best) {
			best = p
		}
	}
	if r.public {
		raise("read")
	}
	switch r.owner.members[a.id] {
	case "admin":
		raise("admin")
	case "member":
		raise("read")
	}
	if a.app != nil && a.app == &r.sim.App {
		raise(a.app.permissions["contents"])
	}
	if a.login == actionsLogin && r.runsNow() {
		raise("write")
	}
	raise(r.collaborators[a.id])
	for slug, p := range r.teams {
		if t := r.owner.teams[slug]; t != nil && t.role(a.id) != "" {
			raise(p)
		}
	}
	return best
}

func (r *Repository) canWrite(a *account) bool { return rank(r.permission(a)) >= rank("write") }

// association is GitHub's author association, which says nothing of permission.
func (r *Repository) association(a *account) string {
	switch {
	case a.kind == TypeMannequin:
		return "MANNEQUIN"
	case r.owner.members[a.id] != "":
		return "MEMBER"
	case r.collaborators[a.id] != "":
		return "COLLABORATOR"
	}
	return "NONE"
}

// An Actor acts in a repository as one account: through the web page, the API or
// git, whatever the verb says. Every verb is refused as GitHub refuses it.
type Actor struct {
	repo  *Repository
	login string
}

// As returns the account with that login at work in the repository. An unknown
// login shows with the first verb.
func (r *Repository) As(login string) Actor { return Actor{repo: r, login: login} }

// act runs a verb under the mutex, for an account with at least a permission.
func (a Actor) act(least string, do func(r *Repository, by *account) error) error {
	s := a.repo.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	by, err := s.account(a.login)
	if err != nil {
		return err
	}
	if by.kind == TypeMannequin || by.kind == typeOrganization {
		return refuse(401, "Requires authentication: %s is no account that can log in", by.login)
	}
	if rank(a.repo.permission(by)) < rank(least) {
		if a.repo.permission(by) == "none" {
			return refuse(404, "Not Found")
		}
		return refuse(403, "Must have %s rights to Repository.", least)
	}
	return do(a.repo, by)
}

// SetPermission gives a login a permission as a collaborator; "" takes it away.
func (a Actor) SetPermission(login, permission string) error {
	return a.act("admin", func(r *Repository, by *account) error {
		who, err := r.sim.account(login)
		if err != nil {
			return err
		}
		if permission != "" && rank(permission) < 1 {
			return refuse(422, "Invalid permission: %s", permission)
		}
		before := r.collaborators[who.id]
		action := "added"
		switch {
		case permission == "":
			action = "removed"
			delete(r.collaborators, who.id)
		case before != "":
			action = "edited"
		}
		if permission != "" {
			r.collaborators[who.id] = permission
		}
		r.sim.emitMember(r, action, by, who, before)
		return nil
	})
}

// SetTeamPermission gives a team a permission on the repository.
func (a Actor) SetTeamPermission(slug, permission string) error {
	return a.act("admin", func(r *Repository, by *account) error {
		t := r.owner.teams[slug]
		if t == nil || rank(permission) < 1 {
			return refuse(404, "Not Found")
		}
		if r.teams == nil {
			r.teams = map[string]string{}
		}
		r.teams[slug] = permission
		r.sim.emitTeamRepository(t, r, by)
		return nil
	})
}
