package github

import (
	"regexp"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// actor is who did something, as GraphQL says it. Null is a deleted account.
type actor struct {
	Typename   string `json:"__typename"`
	Login      string `json:"login"`
	DatabaseID int64  `json:"databaseId"`
}

// account is an account as REST writes it, and as GraphQL's users are.
type account struct {
	ID         int64  `json:"id"`
	DatabaseID int64  `json:"databaseId"`
	Login      string `json:"login"`
	Type       string `json:"type"` // REST only: User, Bot, Organization, Mannequin
}

// gitActor is who a commit says wrote it. User is null when no account has
// claimed the e-mail address.
type gitActor struct {
	Name  string   `json:"name"`
	Email string   `json:"email"`
	User  *account `json:"user"`
}

// ghost is the account that stands for every deleted one on github.com.
const ghost = 10137

// identity returns who an actor is.
func (a *actor) identity() change.Identity {
	if a == nil {
		return change.Identity{Kind: change.Unknown}
	}
	return identify(a.Typename, a.DatabaseID, a.Login)
}

// identity returns who an account is.
func (a *account) identity() change.Identity {
	if a == nil {
		return change.Identity{Kind: change.Unknown}
	}
	kind := a.Type
	if kind == "" {
		kind = "User"
	}
	return identify(kind, max(a.ID, a.DatabaseID), a.Login)
}

// identify returns the identity of an account of the given GitHub type. Whoever
// has no account that can be told from others for ever is unknown.
func identify(kind string, id int64, login string) change.Identity {
	switch {
	case id == ghost:
		return change.Identity{Kind: change.Unknown}
	case id > 0 && (kind == "Bot" || strings.HasSuffix(login, "[bot]")):
		// GraphQL writes a bot's login without the suffix, REST with it.
		login = strings.TrimSuffix(login, "[bot]") + "[bot]"
		return change.Identity{Kind: change.Bot, Account: change.NewAccountID(change.GitHub, id), Login: login}
	case id > 0 && kind == "User":
		return change.Identity{Kind: change.Human, Account: change.NewAccountID(change.GitHub, id), Login: login}
	}
	return change.Identity{Kind: change.Unknown, Login: login}
}

// botEmail is the address that GitHub gives the account of an application.
var botEmail = regexp.MustCompile(`^([1-9][0-9]{0,17})\+[A-Za-z0-9-]+\[bot\]@users\.noreply\.github\.com$`)

// bots are those bots by account whose hand in a change GitHub authenticated.
type bots map[change.AccountID]change.Identity

// saw adds those of the identities that are bots.
func (bb bots) saw(authenticated ...change.Identity) {
	for _, id := range authenticated {
		if id.Kind == change.Bot {
			bb[id.Account] = id
		}
	}
}

// named returns whom a commit names. GitHub matches the e-mail address with accounts
// of people; for an application's own address it answers null. Anybody can write
// such an address, with anybody's account id in it, so it names the bot only when
// that very bot opened the change or pushed to it, and nobody otherwise.
func (bb bots) named(g *gitActor) change.Identity {
	if g == nil {
		return change.Identity{Kind: change.Unknown}
	}
	if g.User != nil {
		return g.User.identity()
	}
	if m := botEmail.FindStringSubmatch(g.Email); m != nil {
		if bot, seen := bb[change.AccountID(string(change.GitHub)+":"+m[1])]; seen {
			return bot
		}
	}
	return change.Identity{Kind: change.Unknown, Name: g.Name, Email: g.Email}
}
