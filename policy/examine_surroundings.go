package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// surroundings notes what a policy names and the forge does not know.
func (e *examiner) surroundings() {
	for _, role := range slices.Sorted(maps.Keys(e.policy.Roles)) {
		for i, s := range e.policy.Roles[role] {
			e.selector(s, []any{"roles", role, i})
		}
	}
	for i, c := range e.policy.Classes {
		for j, author := range c.Authors {
			e.account(change.AccountID(author), []any{"classes", i, "authors", j})
		}
	}
	for i, a := range e.policy.People {
		for j, account := range a.Accounts {
			e.account(account, []any{"people", i, "accounts", j})
		}
	}
	for i, a := range e.policy.Automations {
		e.account(a.Account, []any{"automations", i, "account"})
		e.account(change.AccountID(a.Accountable), []any{"automations", i, "accountable"})
	}
	for i := range e.policy.Changes {
		e.inBranches(i)
	}
}

// selector notes a selector that nobody matches.
func (e *examiner) selector(s change.Selector, at []any) {
	if account, named := strings.CutPrefix(string(s), userPrefix); named {
		e.account(change.AccountID(account), at)
		return
	}
	team, asked := e.around.Teams[s]
	name := strings.TrimPrefix(string(s), "team:")
	switch {
	case !asked:
	case !team.Found:
		e.never(at, "there is no team %s that this token may see; correct its name, or let the token see it%s", change.Quote(name), suggest(name, team.Others))
	case len(team.Members) == 0:
		e.warn(at, "the team %s has no members, so nobody holds the role by it", change.Quote(name))
	}
}

// account notes an id that belongs to no account of the forge.
func (e *examiner) account(id change.AccountID, at []any) {
	if a, asked := e.around.Accounts[id]; asked && !a.Found {
		e.never(at, "there is no account %s; a numeric id is in what GitHub answers at /users/LOGIN", string(id))
	}
}

// inBranches compares one entry of changes with the branches that there are.
func (e *examiner) inBranches(i int) {
	r, at := &e.policy.Changes[i], []any{"changes", i}
	branches, known := e.around.Branches.Get()
	if !known {
		return
	}
	for j, pattern := range r.Branches {
		if !slices.ContainsFunc(branches, func(b string) bool { return matchesBranch([]string{pattern}, b) }) && noBranch(pattern) == "" {
			e.warn(under(at, "branches", j), "no branch of %s matches %s; it holds for branches that are yet to come%s", e.around.Repository, change.Quote(pattern), suggest(pattern, branches))
		}
	}
	named := slices.DeleteFunc(slices.Clone(branches), func(b string) bool { return !matchesBranch(r.Branches, b) })
	for _, branch := range named {
		for j := range r.RequiredChecks {
			e.ran(r.RequiredChecks[j], branch, under(at, RequiredChecksID, j))
		}
		e.pinned(branch, under(at, "branches"))
		if r.CodeOwners != nil {
			e.owners(branch, under(at, CodeOwnersID))
		}
	}
}

// ran notes a required check that has not run lately on what wants to reach a branch,
// and a workflow that the branch does not have.
func (e *examiner) ran(c RequiredCheck, branch string, at []any) {
	if there, asked := e.around.Workflows[branch][c.Workflow]; asked && !there {
		e.never(under(at, "workflow"), "the branch %s has no file %s, so that no run of it can count", change.Quote(branch), change.Quote(c.Workflow))
	}
	runs := e.around.Runs[branch]
	if c.Name == "" || len(runs) == 0 {
		return
	}
	var apps, names []string
	status := false
	for _, r := range runs {
		names = append(names, r.Name)
		switch {
		case r.Name != c.Name:
		case r.Status:
			status = true
		case r.App == c.App || fmt.Sprint(r.AppID) == c.App:
			return
		default:
			apps = append(apps, r.App)
		}
	}
	name := change.Quote(c.Name)
	switch {
	case len(apps) > 0:
		e.warn(under(at, "app"), "%s has lately been run on changes to %s by %s and not by %s, so that the run would not count; name the app that runs it", name, change.Quote(branch), quoted(sorted(apps)), change.Quote(c.App))
	case status:
		e.warn(under(at, "name"), "%s is lately a commit status on changes to %s, which anybody with write access can set and which never counts; have an app run it as a check", name, change.Quote(branch))
	default:
		e.warn(under(at, "name"), "no check %s has lately run on changes to %s%s", name, change.Quote(branch), suggest(c.Name, names))
	}
}

// owners notes what is wrong with the code owners file of a branch.
func (e *examiner) owners(branch string, at []any) {
	file, asked := e.around.Owners[branch]
	if asked && file.Path == "" {
		e.warn(at, "the branch %s has no code owners file, so that nobody owns anything; add one, or leave this out", change.Quote(branch))
	}
	for _, problem := range file.Problems {
		e.warn(at, "%s of the branch %s: %s", file.Path, change.Quote(branch), change.Quote(problem))
	}
}

// pinned hints that the forge does not wait for our verdict.
func (e *examiner) pinned(branch string, at []any) {
	required, known := e.around.Pins[branch].Get()
	if !known {
		return
	}
	i := slices.IndexFunc(required, func(r Required) bool { return r.Name == e.around.CheckName })
	switch {
	case i < 0:
		e.hint(at, "no ruleset of %s requires the check %s, so that a merge does not wait for the verdict; require it, from your App and no other", change.Quote(branch), change.Quote(e.around.CheckName))
	case required[i].AppID == 0:
		e.hint(at, "a ruleset of %s requires the check %s from anybody, so that whoever may write can set it; name your App as its source", change.Quote(branch), change.Quote(e.around.CheckName))
	}
}
