package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// ownerOf is the demand for an owner of any of some paths.
func (s *subject) ownerOf(all []owned) demand {
	return demand{is: "an owner of a touched path with write access", may: func(r change.Review) answer {
		best := no
		for _, g := range all {
			best = max(best, s.owns(r, g))
		}
		return best
	}}
}

// owns says whether a reviewer is an owner of paths. Of a person's accounts any will
// do; in a team is the account that is in it.
func (s *subject) owns(r change.Review, g owned) answer {
	best := no
	for _, p := range g.people {
		if p != "" && s.facts.People.Same(p) == s.facts.People.Same(r.By) {
			best = yes
		}
	}
	for _, team := range g.teams {
		a, asked := s.answers[question{team, r.By}]
		if !asked {
			a = unsure
		}
		best = max(best, a)
	}
	return min(best, s.mayApprove(r, nil))
}

// approvedByOwners says whether each of the owned paths has an approval that counts by
// one of its owners. Which approvals count for none of them is said once.
func (s *subject) approvedByOwners(all []owned, o change.Ownership) change.Result {
	t := s.tally(s.ownerOf(all))
	var out change.Result
	if len(t.unknown) > 0 {
		out = say(change.Undetermined, "it cannot be told which approvals count: %s", sample(t.unknown))
	} else {
		out = s.eachApproved(all, o)
		if reasons := t.reasons(); out.Status == change.Pending && len(reasons) > 0 {
			out.Reason += change.Text(". " + sample(reasons))
		}
	}
	out.Facts, out.Uncounted, out.Carried = t.facts(), t.uncounted, s.carried(t)
	for _, g := range all {
		out.Facts = append(out.Facts, fileFacts(g.paths)...)
	}
	out.Facts = sorted(out.Facts)
	return out
}

// eachApproved goes through the owned paths. What is said is of those that hold the
// change back, where any do.
func (s *subject) eachApproved(all []owned, o change.Ownership) change.Result {
	out := change.Result{Status: change.NotApplicable}
	said := map[change.Status][]string{}
	var supplies []string
	for _, g := range all {
		status, clause := s.ownerApproved(g)
		out.Status = out.Status.Worse(status)
		said[status] = append(said[status], clause)
		if status == change.Pending {
			supplies = appendNew(supplies, s.ownersLeft(g, o))
		}
	}
	if s.landed && len(said[change.Pending]) > 0 {
		out.Status = change.Pending // a violation for good, whatever is not known of other paths
	}
	clauses := said[change.Pass]
	if out.Status != change.Pass {
		clauses = slices.Concat(said[change.Undetermined], said[change.Pending])
	}
	out.Reason, out.Supply = change.Text(sample(clauses)), change.Text(sample(supplies))
	return out
}

// ownerApproved says whether an owner of paths has approved them.
func (s *subject) ownerApproved(g owned) (change.Status, string) {
	t := s.tally(s.ownerOf([]owned{g}))
	paths := somePaths(g.paths)
	switch {
	case len(t.counted) > 0:
		return change.Pass, fmt.Sprintf("%s approved by owner %s", paths, t.counters())
	case len(t.unsure) > 0:
		return change.Undetermined, fmt.Sprintf("%s: %s", paths, s.whyUnsure(t))
	case len(s.left(g)) == 0:
		return change.Pending, fmt.Sprintf("no owner of %s is left to approve, so another has to be named on the target branch first: %s", paths, sample(s.whyNoneLeft(g)))
	}
	return change.Pending, fmt.Sprintf("%s need%s an owner: %s", paths, thirdPerson(len(g.paths)), g.named())
}

// named names the owners of paths, teams as selectors, the first few in full.
func (g owned) named() string { return nameOwners(g.teams, g.people) }

func nameOwners(teams []change.Selector, people []change.Person) string {
	const most = 5
	var names []string
	for _, p := range people {
		names = append(names, mark(p))
	}
	for _, team := range teams {
		names = append(names, selectorName(team))
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	return enumerate(names, "or")
}

// selectorName returns what a text calls a selector that no policy has written.
func selectorName(s change.Selector) string {
	if team, named := strings.CutPrefix(string(s), "team:"); named && teamForm.MatchString(team) {
		return string(s)
	}
	return change.Quote(string(s))
}

// left returns the owners of paths who may still approve them: teams, whose members
// are not all known, and whoever is not known to be a maker or no human. Of an owner
// who has no part in the change the facts hold no more than a name.
func (s *subject) left(g owned) []string {
	var names []string
	for _, p := range g.people {
		if s.whyNoOwner(p) == "" {
			names = append(names, mark(p))
		}
	}
	for _, team := range g.teams {
		names = append(names, "a member of "+selectorName(team))
	}
	return names
}

// whyNoOwner says why an owner cannot approve, or nothing when they may.
func (s *subject) whyNoOwner(p change.Person) string {
	kind := s.facts.People[p].Kind
	switch {
	case s.makers.has(s.facts.People, p):
		return s.makers.because(s.facts.People, p)
	case kind == change.Bot || kind == change.App:
		return mark(p) + " is no human"
	}
	return ""
}

// whyNoneLeft says of each owner, all of whom are people, why they cannot approve.
func (s *subject) whyNoneLeft(g owned) []string {
	why := make([]string, len(g.people))
	for i, p := range g.people {
		why[i] = s.whyNoOwner(p)
	}
	return why
}

// ownersLeft says who can still approve paths, and where nobody can, who can change
// that. The file of the base holds: naming an owner in the change itself is no help.
func (s *subject) ownersLeft(g owned, o change.Ownership) string {
	names := s.left(g)
	if len(names) == 0 {
		return fmt.Sprintf("another owner of %s, to be named in %s on the target branch by a change of its own", somePaths(g.paths), change.Quote(o.File))
	}
	const most = 5
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("for %s: %s, other than who made the change", somePaths(g.paths), enumerate(names, "or"))
}
