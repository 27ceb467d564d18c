package change

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Person is a reference to an identity in People, such as "p1". It means
// nothing outside the facts it stands in. The empty Person is nobody.
type Person string

// An AccountID names an account for ever: the forge and its numeric id, such as
// "github:583231", or of a user of Jira the opaque id of the Atlassian account. Logins, names and e-mail addresses can be renamed, reused and
// forged; they are labels.
type AccountID string

// NewAccountID returns the id of the account with the given numeric id.
func NewAccountID(forge Forge, id int64) AccountID {
	return AccountID(string(forge) + ":" + strconv.FormatInt(id, 10))
}

// jiraAccount is what Atlassian's account ids look like: opaque, the same on every
// site, and never given to somebody else.
var jiraAccount = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_-]{0,127}$`)

// NewJiraAccountID returns the id of the Atlassian account with the given id.
func NewJiraAccountID(id string) AccountID { return AccountID(Jira + ":" + id) }

// Forge returns what kind of forge the account is of, or that it is of none, as an
// account of a tracker is.
func (id AccountID) Forge() (Forge, bool) {
	name, _, _ := strings.Cut(string(id), ":")
	return Forge(name), Forge(name) == GitHub || Forge(name) == GitLab
}

// ParseAccountID reads "github:101", "gitlab:7" or, of Jira's users, "jira:" and
// their Atlassian account id.
func ParseAccountID(s string) (AccountID, error) {
	forge, id, ok := strings.Cut(s, ":")
	if forge == Jira && jiraAccount.MatchString(id) {
		return AccountID(s), nil
	}
	if n, err := strconv.ParseInt(id, 10, 64); !ok || err != nil || n <= 0 || strconv.FormatInt(n, 10) != id ||
		(Forge(forge) != GitHub && Forge(forge) != GitLab) {
		return "", fmt.Errorf("%q is not an account id: write the forge and the numeric id, such as github:583231, or jira: and an Atlassian account id", s)
	}
	return AccountID(s), nil
}

// An ActorKind says what stands behind an account.
type ActorKind string

// The kinds of actor. Only a human can approve.
const (
	Human   ActorKind = "human"
	Bot     ActorKind = "bot"     // an automation with an account of its own
	App     ActorKind = "app"     // the forge itself or an installed application
	Unknown ActorKind = "unknown" // a deleted account, or a commit e-mail that no account has claimed
)

// An Identity is who a Person is. Account, Login, Name and Email are personal
// data: in a signed record they are withheld and Digest stands for them. Kind,
// SameAs and Joined stay, because the decision rests on them.
type Identity struct {
	Kind    ActorKind `json:"kind"`
	SameAs  Person    `json:"sameAs,omitempty"`  // the first of several accounts of one human, as the policy's people say
	Joined  bool      `json:"joined,omitempty"`  // of who asked for a change: whether the account is of the change's forge, or the policy's people list it beside one that is
	Digest  string    `json:"digest,omitempty"`  // base64url SHA-256 of the disclosure (RFC 9901 §4.2.3); in records only
	Account AccountID `json:"account,omitempty"` // empty for Unknown
	Login   string    `json:"login,omitempty"`
	Name    string    `json:"name,omitempty"`
	Email   string    `json:"email,omitempty"` // only for a commit that maps to no account
}

// Withhold returns the identity without personal data, with digest in its place.
func (i Identity) Withhold(digest string) Identity {
	return Identity{Kind: i.Kind, SameAs: i.SameAs, Joined: i.Joined, Digest: digest}
}

// People maps each Person of some facts to an identity.
type People map[Person]Identity

// Same returns the one Person that stands for p and every alias account of p.
func (pp People) Same(p Person) Person {
	if first := pp[p].SameAs; first != "" {
		return first
	}
	return p
}

// A Roster gives out Person references while facts are gathered: the same
// account, or the same unclaimed name and e-mail, is the same Person. Persons are
// numbered in the order they are first added, so equal answers of a forge give
// equal facts. The zero Roster is empty and ready.
type Roster struct {
	people People
	byKey  map[string]Person
}

// NewRoster returns a roster that goes on from people who have references already.
func NewRoster(people People) *Roster {
	r := &Roster{people: People{}, byKey: map[string]Person{}}
	for p, id := range people {
		r.people[p] = id
		if key := id.key(); key != "" {
			r.byKey[key] = p
		}
	}
	return r
}

// key returns what the identity has in common with every other one of the same
// person, or "" for somebody of whom nothing is known.
func (i Identity) key() string {
	switch {
	case i.Account != "":
		return string(i.Account)
	case i.Login != "" || i.Name != "" || i.Email != "":
		return "\x00" + strings.Join([]string{i.Login, i.Name, i.Email}, "\x00")
	}
	return ""
}

// Add returns the reference for id, a new one when it has not been seen. An
// identity with no account, name, login or e-mail (a deleted account) is never
// the same as another: two ghosts may be two people.
func (r *Roster) Add(id Identity) Person {
	if r.people == nil {
		r.people, r.byKey = People{}, map[string]Person{}
	}
	key := id.key()
	if p, seen := r.byKey[key]; seen && key != "" {
		return p
	}
	p := Person("p" + strconv.Itoa(len(r.people)+1))
	r.people[p] = id
	if key != "" {
		r.byKey[key] = p
	}
	return p
}

// People returns the identities added so far, under their references.
func (r *Roster) People() People {
	if r.people == nil {
		return People{}
	}
	return r.people
}
