package githubsim

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// The kinds of account.
const (
	TypeUser      = "User"
	TypeBot       = "Bot"
	TypeMannequin = "Mannequin" // stands for somebody of an imported history; cannot log in
)

// A User is an account as a story states it.
type User struct {
	Login  string
	ID     int64    // 0: the next free one
	Type   string   // default TypeUser
	Name   string   // default: the login with a capital
	Emails []string // verified addresses, the first is the commit address; default login@example.com
	NoMail bool     // no verified address at all: every commit of theirs is unclaimed
}

// An Identity is a name and an e-mail address as a commit carries them. Anybody
// can write anybody's: git checks nothing.
type Identity struct {
	Name  string
	Email string
}

// account is a user, a bot, a mannequin or an organisation.
type account struct {
	id      int64
	login   string
	name    string
	kind    string
	emails  []string
	created time.Time
	org     *Organization // set when kind is Organization
	app     *App          // set when the account is an application's bot
	gone    bool          // deleted; REST shows the ghost in its place, GraphQL nothing
}

const typeOrganization = "Organization"

// The accounts that exist from the start, with the ids they have on GitHub.
const (
	webFlowID    = 19864447
	webFlowEmail = "noreply@github.com"
	ghostLogin   = "ghost"
	queueLogin   = "github-merge-queue[bot]"
	actionsLogin = "github-actions[bot]"
)

// foundBuiltIns registers the accounts and applications that every GitHub has.
func (s *Sim) foundBuiltIns() {
	s.AddUser(User{Login: "web-flow", ID: webFlowID, Name: "GitHub Web Flow", Emails: []string{webFlowEmail}})
	s.AddUser(User{Login: ghostLogin, ID: 10137, Name: "Deleted user", NoMail: true})
	s.AddUser(User{Login: queueLogin, ID: 118344674, Type: TypeBot, Emails: []string{"118344674+github-merge-queue[bot]@users.noreply.github.com"}})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.register(&App{ID: 15368, Slug: "github-actions", Name: "GitHub Actions"}, 41898282)
	s.register(&App{ID: 57789, Slug: "github-advanced-security", Name: "GitHub Advanced Security"}, 62310815)
	s.register(&s.App, 0)
}

// AddUser adds an account and returns it with every field filled in. Adding a
// login again returns the account that is there.
func (s *Sim) AddUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(u).user()
}

// AddUsers adds accounts of which nothing but the login matters.
func (s *Sim) AddUsers(logins ...string) {
	for _, login := range logins {
		s.AddUser(User{Login: login})
	}
}

func (s *Sim) addUser(u User) *account {
	if a := s.accounts[strings.ToLower(u.Login)]; a != nil {
		return a
	}
	a := &account{id: u.ID, login: u.Login, name: u.Name, kind: u.Type, emails: u.Emails, created: s.clock()}
	if a.id == 0 {
		a.id = s.nextID()
	}
	if a.kind == "" {
		a.kind = TypeUser
	}
	if a.name == "" && a.login != "" {
		a.name = strings.ToUpper(a.login[:1]) + a.login[1:]
	}
	if len(a.emails) == 0 && !u.NoMail {
		a.emails = []string{strings.ToLower(strings.Trim(u.Login, "[]")) + "@example.com"}
	}
	s.keep(a)
	return a
}

func (s *Sim) keep(a *account) {
	s.accounts[strings.ToLower(a.login)] = a
	s.byID[a.id] = a
	for _, e := range a.emails {
		s.byEmail[strings.ToLower(e)] = a
	}
}

// Rename gives an account another login. Its id stays, and the old login is
// free for anybody.
func (s *Sim) Rename(login, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.account(login)
	if err != nil {
		return err
	}
	if s.accounts[strings.ToLower(to)] != nil {
		return refuse(422, "Username %s is not available", to)
	}
	delete(s.accounts, strings.ToLower(a.login))
	a.login = to
	s.keep(a)
	return nil
}

// DeleteUser deletes an account. What it did stays, and belongs to nobody: its
// addresses are unclaimed and its reviews and pull requests are a ghost's.
func (s *Sim) DeleteUser(login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.account(login)
	if err != nil {
		return err
	}
	a.gone = true
	delete(s.accounts, strings.ToLower(a.login))
	delete(s.byID, a.id)
	for _, e := range a.emails {
		delete(s.byEmail, strings.ToLower(e))
	}
	return nil
}

// User returns the account with that login, and whether there is one.
func (s *Sim) User(login string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[strings.ToLower(login)]
	if a == nil {
		return User{}, false
	}
	return a.user(), true
}

// Identity returns the name and address that the account's own commits carry.
func (s *Sim) Identity(login string) Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.accounts[strings.ToLower(login)]; a != nil {
		return a.identity()
	}
	return Identity{Name: login, Email: login + "@unclaimed.example"}
}

func (a *account) user() User {
	return User{Login: a.login, ID: a.id, Type: a.kind, Name: a.name, Emails: append([]string(nil), a.emails...), NoMail: len(a.emails) == 0}
}

func (a *account) identity() Identity {
	if len(a.emails) == 0 {
		return Identity{Name: a.name, Email: a.login + "@unclaimed.example"}
	}
	return Identity{Name: a.name, Email: a.emails[0]}
}

// account returns the account of a login. The caller holds mu.
func (s *Sim) account(login string) (*account, error) {
	if a := s.accounts[strings.ToLower(login)]; a != nil {
		return a, nil
	}
	return nil, refuse(404, "Not Found: no account is called %q", login)
}

// claimed returns the account that has verified an e-mail address, or nil.
func (s *Sim) claimed(email string) *account { return s.byEmail[strings.ToLower(email)] }

// nodeID returns a global node id in the form GitHub has long used.
func nodeID(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%03d:%s%d", len(kind), kind, id))
}

func (a *account) nodeID() string { return nodeID(a.kind, a.id) }
