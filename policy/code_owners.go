package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// codeOwners asks, for each touched path that the code owners file at the base gives to
// somebody, for one approval that counts by one of its owners, and that no owner still
// asks for changes. Paths with the same owners are judged together.
//
// The file is that of the base, so that a change cannot choose who judges it. An owner
// who may not write to the repository owns nothing, as the forge has it too: a line
// keeps its names after their people have left.
func codeOwners(s *subject, r *ChangeRule) change.Result {
	files, known := s.facts.Files.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "files", "the touched files are not known"))
	}
	o, known := s.facts.Owners.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "owners", "who owns the touched paths is not known"))
	}
	said := s.ownership(o, sortPaths(o, files), r)
	if o.File != "" {
		for i := range said {
			said[i].Facts = sorted(append(said[i].Facts, "owners/"+o.File))
		}
	}
	out := combine(said)
	if s.landed && out.Status != change.Pending {
		out.Supply = "" // nobody can supply any more what was missing then
	}
	return out
}

// ownership returns what there is to say of the owners of touched paths.
func (s *subject) ownership(o change.Ownership, paths touchedByOwner, r *ChangeRule) []change.Result {
	if len(o.Problems) > 0 {
		return []change.Result{unreadable(o)}
	}
	var said []change.Result
	if len(paths.untold) > 0 {
		said = append(said, say(change.Undetermined, "who owns %s is not known", somePaths(paths.untold)))
	}
	if len(paths.unowned) > 0 && r.CodeOwners.Unowned == Deny {
		said = append(said, ownedByNobody(o, paths.unowned))
	}
	if len(paths.owned) > 0 {
		said = append(said, s.standing(s.ownerOf(paths.owned))...)
		said = append(said, s.approvedByOwners(paths.owned, o))
	}
	switch {
	case len(said) > 0:
		return said
	case o.File == "":
		return []change.Result{say(change.NotApplicable, "there is no code owners file at %s", abbrev(o.Commit))}
	}
	return []change.Result{say(change.NotApplicable, "no touched path has a code owner")}
}

// unreadable says that a file cannot be gone by. The forge passes over a line that it
// cannot read, and so gives the line's paths to other owners than it says.
func unreadable(o change.Ownership) change.Result {
	lines := quotedEach(o.Problems)
	slices.Sort(lines)
	out := say(change.Undetermined, "%s at %s cannot be read in full, so who owns the touched paths is not known: %s", change.Quote(o.File), abbrev(o.Commit), sample(lines))
	out.Supply = change.Text("whoever mends " + change.Quote(o.File) + " on the target branch")
	return out
}

// ownedByNobody says that a policy wants an owner for paths that have none.
func ownedByNobody(o change.Ownership, paths []string) change.Result {
	out := say(change.Fail, "nobody owns %s, and the policy asks that every touched path has an owner", somePaths(paths))
	if o.File == "" {
		out.Reason += change.Text("; there is no code owners file at " + abbrev(o.Commit))
	}
	out.Supply = "whoever names an owner in the code owners file of the target branch, by a change of its own"
	out.Facts = fileFacts(paths)
	return out
}

// An owned is the touched paths that have the same owners.
type owned struct {
	teams  []change.Selector
	people []change.Person
	paths  []string
}

// A touchedByOwner is the touched paths by who owns them.
type touchedByOwner struct {
	owned   []owned
	unowned []string // no line gives them to anybody
	untold  []string // the facts do not say
}

// sortPaths sorts the touched paths by who owns them. A path that several sections of
// a file give away has to be approved for each.
func sortPaths(o change.Ownership, files []change.File) touchedByOwner {
	var out touchedByOwner
	groups, told, has := map[string]*owned{}, map[string]bool{}, map[string]bool{}
	touched := touchedPaths(files)
	sources := map[string]bool{}
	for _, f := range files {
		sources[f.Previous] = !slices.Contains(touched, f.Previous)
	}
	for _, p := range o.Paths {
		if sources[p.Path] {
			continue // a copy leaves it as it was
		}
		told[p.Path] = true
		if len(p.Teams)+len(p.People) == 0 {
			continue
		}
		has[p.Path] = true
		g := owned{teams: sorted(slices.Clone(p.Teams)), people: sorted(slices.Clone(p.People))}
		key := fmt.Sprintf("%q %q", g.teams, g.people)
		if groups[key] == nil {
			groups[key] = &g
		}
		groups[key].paths = append(groups[key].paths, p.Path)
	}
	for _, g := range groups {
		g.paths = sorted(g.paths)
		out.owned = append(out.owned, *g)
	}
	slices.SortFunc(out.owned, func(a, b owned) int {
		return cmp.Or(slices.Compare(a.paths, b.paths), slices.Compare(a.teams, b.teams), slices.Compare(a.people, b.people))
	})
	for _, path := range touched {
		switch {
		case !told[path]:
			out.untold = append(out.untold, path)
		case !has[path]:
			out.unowned = append(out.unowned, path)
		}
	}
	return out
}

// somePaths names paths, the first few of them in full.
func somePaths(paths []string) string {
	named := quoted(paths[:min(len(paths), 3)])
	if more := len(paths) - 3; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return named
}

// fileFacts names touched paths among facts.
func fileFacts(paths []string) []string {
	facts := make([]string, len(paths))
	for i, p := range paths {
		facts[i] = "files/" + p
	}
	return facts
}
