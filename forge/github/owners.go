package github

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/codeowners"
)

// Bounds of one ownership: how often a rule may have to be held against a path, and
// how many teams it may take to ask.
const (
	maxOwnersWork  = 2_000_000
	maxOwningTeams = 100
)

// ownership answers who owns the touched paths, by the code owners file at a commit
// of the protected branch. Owners are put into the roster.
func (f *Forge) ownership(ctx context.Context, a *api, facts change.Facts, at change.SHA, roster *change.Roster) (change.Ownership, error) {
	none := change.Ownership{}
	files, known := facts.Files.Get()
	if !known {
		return none, final("the touched files are not known")
	}
	if !at.Valid() {
		return none, final("it is not known at which commit of the protected branch to read it")
	}
	has, err := f.ownersFilesAt(ctx, a, facts.Ref.Repository, at)
	if err != nil {
		return none, err
	}
	out := change.Ownership{Commit: at, Paths: []change.OwnedPath{}}
	paths := touched(files)
	path, file := has.first()
	if file == nil {
		for _, p := range paths {
			out.Paths = append(out.Paths, change.OwnedPath{Path: p})
		}
		return out, nil
	}
	parsed, err := f.ownersFile(ctx, a, facts.Ref.Repository, path, file)
	if err != nil {
		return none, err
	}
	out.File = path
	for _, p := range parsed.Problems {
		out.Problems = append(out.Problems, p.String())
	}
	if len(parsed.Sections) == 0 {
		return none, final("%s: %s", path, strings.Join(out.Problems, "; "))
	}
	rules := parsed.Sections[0]
	if len(rules.Rules)*len(paths) > maxOwnersWork {
		return none, final("%s has %d lines and the change touches %d paths, more than are held against each other", path, len(rules.Rules), len(paths))
	}
	o := f.ownerNames(facts.People, roster)
	for _, p := range paths {
		out.Paths = append(out.Paths, o.owned(p, rules))
	}
	return out, nil
}

// baseOf returns the commit of the protected branch that the facts tell of, for
// whoever asks without naming one.
func baseOf(facts change.Facts) change.SHA {
	if l, known := facts.Landing.Get(); known && l.Landed {
		return l.Before
	}
	if b, known := facts.Base.Get(); known && b.Target == b.Branch {
		return b.Commit
	}
	return "" // in the middle of a stack it is the tip of the trunk, which no fact holds
}

// touched returns every path that files touch, the old paths of renames too, in order.
func touched(files []change.File) []string {
	list := make([]string, 0, len(files))
	for _, f := range files {
		list = append(list, f.Path)
		if f.Previous != "" {
			list = append(list, f.Previous)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ownerNames puts people to the names by which a code owners file calls them.
type ownerNames struct {
	roster  *change.Roster
	byLogin map[string]change.Person // lower case; nobody where two accounts go by it
	byID    map[change.AccountID]change.Person
	noreply []string // hosts of addresses that hold an account's id
}

func (f *Forge) ownerNames(people change.People, roster *change.Roster) *ownerNames {
	o := &ownerNames{
		roster: roster, byLogin: map[string]change.Person{}, byID: map[change.AccountID]change.Person{},
		noreply: []string{"users.noreply.github.com", "users.noreply." + f.host},
	}
	for p, id := range people {
		if id.Account == "" {
			continue
		}
		o.byID[id.Account] = p
		login := strings.ToLower(id.Login)
		if _, twice := o.byLogin[login]; twice {
			// One of the two answers is older than a change of names.
			o.byLogin[login] = ""
			continue
		}
		o.byLogin[login] = p
	}
	return o
}

// owned returns who owns one path.
func (o *ownerNames) owned(path string, rules codeowners.Section) change.OwnedPath {
	out := change.OwnedPath{Path: path}
	rule, holds := rules.Of(path)
	if !holds {
		return out
	}
	out.Line = rule.Line
	for _, owner := range rule.Owners {
		switch {
		case owner.Team != "":
			if team := change.Selector("team:" + owner.Team); !slices.Contains(out.Teams, team) {
				out.Teams = append(out.Teams, team)
			}
		default:
			if p := o.person(owner); !slices.Contains(out.People, p) {
				out.People = append(out.People, p)
			}
		}
	}
	return out
}

// person returns whom a file names as an owner: somebody of the change who goes by
// that login now, or whose account's own address at GitHub it is. Anybody else is
// not looked up. Only somebody who has a part in the change can satisfy the file.
func (o *ownerNames) person(owner codeowners.Owner) change.Person {
	if owner.Login != "" {
		if p := o.byLogin[strings.ToLower(owner.Login)]; p != "" {
			return p
		}
		return o.roster.Add(change.Identity{Kind: change.Unknown, Login: owner.Login})
	}
	local, host, _ := strings.Cut(owner.Email, "@")
	if id, _, ok := strings.Cut(local, "+"); ok && slices.Contains(o.noreply, strings.ToLower(host)) {
		if p := o.byID[change.AccountID(string(change.GitHub)+":"+id)]; p != "" {
			return p
		}
	}
	return o.roster.Add(change.Identity{Kind: change.Unknown, Email: owner.Email})
}

// owningTeams returns the teams that own any touched path, in order.
func owningTeams(o change.Ownership) ([]change.Selector, error) {
	var teams []change.Selector
	for _, p := range o.Paths {
		teams = append(teams, p.Teams...)
	}
	slices.Sort(teams)
	teams = slices.Compact(teams)
	if len(teams) > maxOwningTeams {
		return nil, fmt.Errorf("%d teams own the touched paths, more than the %d that are asked for", len(teams), maxOwningTeams)
	}
	return teams, nil
}
