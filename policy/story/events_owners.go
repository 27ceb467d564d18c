package story

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/codeowners"
)

// ownersFile is where a story's code owners file lies.
const ownersFile = ".github/CODEOWNERS"

func ownersLine(h *history, a args) { h.owners = append(h.owners, strings.Join(a.rest, " ")) }

// ownership says who owns the touched paths by the story's file. An owner whom the
// story does not know is nobody's account.
func (h *history) ownership() change.Ownership {
	base, _ := h.facts.Base.Get()
	o := change.Ownership{Commit: base.Commit, Paths: []change.OwnedPath{}}
	if len(h.owners) > 0 {
		o.File = ownersFile
	}
	file := codeowners.Parse(strings.Join(h.owners, "\n"))
	for _, p := range file.Problems {
		o.Problems = append(o.Problems, p.String())
	}
	for _, path := range h.touched() {
		owned := change.OwnedPath{Path: path}
		for _, section := range file.Sections {
			if rule, found := section.Of(path); found {
				owned.Line = rule.Line
				owned.Teams, owned.People = h.ownersOf(rule)
			}
		}
		o.Paths = append(o.Paths, owned)
	}
	return o
}

// touched returns the paths that the change touches, the old one of a rename too.
func (h *history) touched() []string {
	var paths []string
	for _, f := range h.files {
		for _, path := range []string{f.Path, f.Previous} {
			if path != "" && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// ownersOf returns whom a line of the file names. A forge looks nobody up for that, so
// that whoever has no part in the change is only a name.
func (h *history) ownersOf(rule codeowners.Rule) (teams []change.Selector, people []change.Person) {
	for _, o := range rule.Owners {
		switch {
		case o.Team != "":
			teams = append(teams, change.Selector("team:"+o.Team))
		case h.partOf(o.Login) != "":
			people = append(people, h.partOf(o.Login))
		default:
			people = append(people, h.roster.Add(change.Identity{Kind: change.Unknown, Login: o.Login, Email: o.Email}))
		}
	}
	return teams, people
}

// partOf returns who goes by a login of those who have a part in the change.
func (h *history) partOf(login string) change.Person {
	for p, id := range h.roster.People() {
		if id.Account != "" && strings.EqualFold(id.Login, login) {
			return p
		}
	}
	return ""
}

// owningTeams returns every team that the story's file names.
func (h *history) owningTeams() []change.Selector {
	var all []change.Selector
	for _, section := range codeowners.Parse(strings.Join(h.owners, "\n")).Sections {
		for _, rule := range section.Rules {
			for _, o := range rule.Owners {
				if o.Team != "" {
					all = append(all, change.Selector("team:"+o.Team))
				}
			}
		}
	}
	return all
}

// asked returns the selectors that memberships are asked of.
func (h *history) asked(needs change.Needs) []change.Selector {
	all := slices.Clone(needs.Selectors)
	if needs.Owners {
		all = append(all, h.owningTeams()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// updateBranch merges the base into the change, as the forge's button does.
func updateBranch(h *history, a args) {
	if len(h.commits) == 0 {
		h.fail("there is nothing to update yet; move this line below a commit")
		return
	}
	to := a.words["to"]
	if to == "" {
		to = "92"
	}
	from, _ := h.ofHead("")
	commit(h, args{words: map[string]string{"LOGIN": a.words["LOGIN"], "committer": "forge", "merges": to}})
	after, _ := h.ofHead("")
	update := change.Update{Commit: after, From: from, Base: CommitID(h.number(to)), MergeBase: CommitID(90), Pure: true}
	if a.words["by-hand"] != "" {
		update.Pure, update.Why = false, "its files are not what the merge alone gives"
	}
	h.updates = append(h.updates, update)
}
