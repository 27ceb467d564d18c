package github

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-dev/countersign/change"
)

// maxTeam bounds how many pages of 100 members of one team are read.
const maxTeam = 100

// memberships answers who of those that approved or asked for changes, dismissed or
// not, matches the selectors: members of teams by their account ids, and permissions
// as they stand now. What GitHub does not tell is left out, and the reasons say why: a
// team that this application cannot see is no proof that somebody is not in it.
func (f *Forge) memberships(ctx context.Context, a *api, facts change.Facts, selectors []change.Selector) ([]change.Membership, string, error) {
	people := reviewers(facts)
	selectors = slices.Compact(slices.Sorted(slices.Values(selectors)))
	answers := make([][]change.Membership, len(selectors))
	why := make([]string, len(selectors))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, s := range selectors {
		group.Go(func() (err error) {
			answers[i], why[i], err = f.match(inner, a, facts, s, people)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, "", fmt.Errorf("asking for memberships: %w", err)
	}
	why = slices.DeleteFunc(why, func(s string) bool { return s == "" })
	return slices.Concat(answers...), strings.Join(why, "; "), nil
}

// reviewers returns the humans who approved or asked for changes, in the order of
// their references. Whoever's word was dismissed is among them: only a reviewer's
// request for changes has weight, and dismissing it does not take the question
// away whose it was.
func reviewers(facts change.Facts) []change.Person {
	var list []change.Person
	reviews, _ := facts.Reviews.Get()
	for _, r := range reviews {
		id := facts.People[r.By]
		if r.State != change.Commented && id.Kind == change.Human && id.Account != "" {
			list = append(list, r.By)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// match answers one selector for everybody. A reason says what is left out.
func (f *Forge) match(ctx context.Context, a *api, facts change.Facts, s change.Selector, people []change.Person) ([]change.Membership, string, error) {
	kind, rest, _ := strings.Cut(string(s), ":")
	if len(people) == 0 || kind == "user" {
		return nil, "", nil // a user: selector is answered by the facts themselves
	}
	var is func(context.Context, change.Identity) (bool, error)
	switch kind {
	case "team":
		team, err := f.team(ctx, a, rest)
		if err != nil {
			return unanswered("the members of team "+change.Quote(rest), err)
		}
		is = func(_ context.Context, id change.Identity) (bool, error) { return team[id.Account], nil }
	case "permission":
		want := slices.Index(permissions, rest)
		if want < 0 {
			return nil, "GitHub knows no permission " + change.Quote(rest), nil
		}
		is = func(ctx context.Context, id change.Identity) (bool, error) {
			level, err := f.permission(ctx, a, facts.Ref.Repository, id)
			return level >= want, err
		}
	default:
		return nil, "GitHub cannot answer the selector " + change.Quote(string(s)), nil
	}
	var list []change.Membership
	var why string
	for _, p := range people {
		yes, err := is(ctx, facts.People[p])
		if err != nil {
			if _, why, err = unanswered("the permission of "+p.Mark(), err); err != nil {
				return nil, "", err
			}
			continue
		}
		list = append(list, change.Membership{Selector: s, Person: p, Member: yes})
	}
	return list, why, nil
}

func unanswered(what string, err error) ([]change.Membership, string, error) {
	if refused(err) {
		return nil, because(what, err), nil
	}
	return nil, "", fmt.Errorf("%s: %w", what, err)
}

var teamName = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}/[A-Za-z0-9_.-]{1,200}$`)

// team returns the accounts of a team's members, those of its child teams
// included, as GitHub lists them.
func (f *Forge) team(ctx context.Context, a *api, name string) (map[change.AccountID]bool, error) {
	if !teamName.MatchString(name) {
		return nil, final("not an organisation and a team")
	}
	org, slug, _ := strings.Cut(name, "/")
	return remember(ctx, f.answers, "team "+strings.ToLower(name), peopleKey(org), func(ctx context.Context) (map[change.AccountID]bool, error) {
		members := map[change.AccountID]bool{}
		for n := 1; n <= maxTeam; n++ {
			var some []account
			path := fmt.Sprintf("orgs/%s/teams/%s/members?per_page=100&page=%d", org, url.PathEscape(slug), n)
			if _, err := a.get(ctx, path, &some); err != nil {
				return nil, err
			}
			for _, m := range some {
				members[change.NewAccountID(change.GitHub, m.ID)] = true
			}
			if len(some) < 100 {
				return members, nil
			}
		}
		return nil, final("there are more than %d", maxTeam*100)
	})
}

// permissions are GitHub's, from none up; a selector names one.
var permissions = []string{"none", "read", "triage", "write", "maintain", "admin"}

// permission returns a person's permission on a repository, as an index into
// permissions. GitHub asks by login; the id in its answer must be the person's.
func (f *Forge) permission(ctx context.Context, a *api, repo change.Repository, id change.Identity) (int, error) {
	owner, _, _ := strings.Cut(repo.Name, "/")
	key := "permission " + strconv.FormatInt(repo.ID, 10) + " " + string(id.Account)
	return remember(ctx, f.answers, key, peopleKey(owner), func(ctx context.Context) (int, error) {
		var answer struct {
			Permission string `json:"permission"`
			User       struct {
				ID          int64 `json:"id"`
				Permissions *struct {
					Pull, Triage, Push, Maintain, Admin bool
				} `json:"permissions"`
			} `json:"user"`
		}
		path := fmt.Sprintf("repos/%s/collaborators/%s/permission", repo.Name, url.PathEscape(id.Login))
		if _, err := a.get(ctx, path, &answer); err != nil {
			return 0, err
		}
		if change.NewAccountID(change.GitHub, answer.User.ID) != id.Account {
			return 0, final("the login belongs to another account now")
		}
		level := max(0, slices.Index(permissions, answer.Permission))
		if p := answer.User.Permissions; p != nil { // finer than the word, and right for custom roles
			for i, has := range []bool{p.Pull, p.Triage, p.Push, p.Maintain, p.Admin} {
				if has {
					level = max(level, i+1)
				}
			}
		}
		return level, nil
	})
}
