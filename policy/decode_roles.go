package policy

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

// wordForm is what a role and a check's class look like.
var wordForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// teamForm is an organisation and a team's slug; GitLab's groups nest.
var teamForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)

// permissions are the forge's repository permissions, ascending.
func permissions() []string { return []string{"read", "triage", "write", "maintain", "admin"} }

// roles reads the roles into a map.
func (d *decoder) roles(n *yaml.Node, into map[string][]change.Selector) {
	d.entries(n, "roles", func(role string, at, value *yaml.Node) {
		if !wordForm.MatchString(role) {
			d.problem(at, "%s is not a role; a role has lower-case letters, digits and hyphens, 64 at most", change.Quote(role))
		}
		into[role] = nil
		d.list(value, "a role", func(n *yaml.Node) {
			if s := d.selector(n); s != "" {
				into[role] = append(into[role], s)
			}
		})
	})
}

// selector reads one way to hold a role.
func (d *decoder) selector(n *yaml.Node) change.Selector {
	s := d.text(n, "a selector")
	if s == "" {
		return ""
	}
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "team":
		if !teamForm.MatchString(rest) {
			d.problem(n, "%s names no team; write team:organisation/slug", change.Quote(s))
		}
	case "user":
		if id := d.account(n, rest, "user:github:583231"); id != "" {
			if _, forge := id.Forge(); !forge {
				d.problem(n, "%s is an account of a tracker, and nobody approves changes with it; name the account of the forge", change.Quote(rest))
			}
		}
	case "permission":
		if !slices.Contains(permissions(), rest) {
			d.problem(n, "%s is no permission; the permissions are %s%s", change.Quote(rest), enumerate(permissions(), "and"), suggest(rest, permissions()))
		}
	default:
		d.problem(n, "%s is no selector; write team:organisation/slug, user:github:583231 or permission:write%s", change.Quote(s),
			suggest(kind, []string{"team", "user", "permission"}))
	}
	return change.Selector(s)
}

// account reads an account id.
func (d *decoder) account(n *yaml.Node, s, example string) change.AccountID {
	id, err := change.ParseAccountID(s)
	if err != nil {
		d.problem(n, "%s is not an account id; write the forge and the numeric id, such as %s, because a login can be renamed and then taken by somebody else",
			change.Quote(s), example)
	}
	return id
}

// from reads a list of roles that are declared elsewhere in the file.
func (d *decoder) from(n *yaml.Node, key string) []string {
	var roles []string
	d.list(n, key, func(n *yaml.Node) {
		role := d.text(n, "a role")
		if role == "" {
			return
		}
		roles = append(roles, role)
		d.used = append(d.used, roleUse{role, n})
	})
	return roles
}

// checkRoles notes every use of a role that is not declared.
func (d *decoder) checkRoles(declared map[string][]change.Selector) {
	known := slices.Sorted(maps.Keys(declared))
	for _, u := range d.used {
		if _, ok := declared[u.role]; !ok {
			d.problem(u.at, "the role %s is not declared; add it under roles%s", change.Quote(u.role), suggest(u.role, known))
		}
	}
}

// emergency reads who may break the glass.
func (d *decoder) emergency(n *yaml.Node) *Emergency {
	e := &Emergency{}
	d.mapping(n, "emergency",
		field{"authorised-by", true, func(n *yaml.Node) { e.AuthorisedBy = d.from(n, "authorised-by") }},
		field{"review-within", true, func(n *yaml.Node) { e.ReviewWithin = d.duration(n, "review-within") }},
	)
	return e
}

// duration reads a span of time of at most 90 days.
func (d *decoder) duration(n *yaml.Node, what string) time.Duration {
	const most = 90 * 24 * time.Hour
	s := d.text(n, what)
	if s == "" {
		return 0
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 || v > most {
		d.problem(n, "%s must be a span of time such as 24h or 90m, at most 2160h, not %s", what, change.Quote(s))
	}
	return v
}

// people reads which accounts are one human's.
func (d *decoder) people(n *yaml.Node) []Alias {
	var people []Alias
	line := map[change.AccountID]int{}
	d.list(n, "people", func(n *yaml.Node) {
		var a Alias
		d.mapping(n, "an entry of people",
			field{"accounts", true, func(n *yaml.Node) { a.Accounts = d.accounts(n, line) }},
			field{"note", false, func(n *yaml.Node) { a.Note = d.text(n, "note") }},
		)
		people = append(people, a)
	})
	return people
}

// accounts reads the accounts of one human. line says where each account of the
// file stands, because one in two entries would make two humans one.
func (d *decoder) accounts(n *yaml.Node, line map[change.AccountID]int) []change.AccountID {
	var accounts []change.AccountID
	d.list(n, "accounts", func(n *yaml.Node) {
		id := d.account(n, d.text(n, "an account"), "github:101, or jira:712020:3c1e8f0a for a user of Jira")
		if first, twice := line[id]; twice && id != "" {
			d.problem(n, "the account %s stands here and in line %d; keep one of them", id, first)
		}
		line[id] = n.Line
		accounts = append(accounts, id)
	})
	if len(accounts) == 1 {
		d.problem(n, "one account is nobody's alias; name two or more accounts of one human")
	}
	return accounts
}
