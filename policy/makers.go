package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// An act is a way of having a hand in a change. Of several deeds of one person the
// first in this order is named.
type act int

const (
	opened act = iota
	authored
	committed
	coAuthored
	pushed
	forcePushed
)

// A deed is one thing by which somebody had a hand in a change.
type deed struct {
	act act
	sha change.SHA    // of the commit made or pushed; empty for the opening
	by  change.Person // the account that did it
}

// String returns what was done, in words that follow who did it.
func (d deed) String() string {
	sha := abbrev(d.sha)
	switch d.act {
	case opened:
		return "opened this change"
	case authored:
		return "is the author of commit " + sha
	case committed:
		return "committed " + sha
	case coAuthored:
		return "is a co-author of commit " + sha
	case pushed:
		return "pushed " + sha
	}
	return "force-pushed " + sha
}

// claimed reports whether only a commit says so, which names whomever its maker
// wished.
func (d deed) claimed() bool { return d.act == authored || d.act == committed || d.act == coAuthored }

// makers is everybody who had a hand in a change. Alias accounts are one person.
type makers struct {
	deeds   map[change.Person]deed // what each maker did, the weightiest of it
	proven  map[change.Person]bool // those of whom the forge itself saw a deed
	humans  map[change.Person]change.Person
	unknown []string // why the set may be incomplete, in order; empty when it is whole
	facts   []string // what the set rests on
}

// has reports whether p, or an alias of p, is known to be a maker.
func (m makers) has(people change.People, p change.Person) bool {
	_, maker := m.deeds[people.Same(p)]
	return maker
}

// provenly reports whether p, or an alias of p, is a maker by more than what a
// commit claims. Anybody can name anybody in a commit.
func (m makers) provenly(people change.People, p change.Person) bool { return m.proven[people.Same(p)] }

// listed returns the marks of the makers, in order, each automation with the human
// who answers for it.
func (m makers) listed() string {
	marks := make([]string, 0, len(m.deeds))
	for _, p := range slices.SortedFunc(maps.Keys(m.deeds), byNumber) {
		name := mark(p)
		if human := m.humans[p]; human != "" && human != p {
			name += " (" + mark(human) + ")"
		}
		marks = append(marks, name)
	}
	if len(marks) > 10 {
		marks = append(marks[:10], fmt.Sprintf("%d more", len(marks)-10))
	}
	return enumerate(marks, "and")
}

// byNumber orders persons as they are numbered: p2 before p10.
func byNumber(a, b change.Person) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(string(a), string(b))
}

// makersOf returns the makers of a change. Who opened it and who moved its branch
// are authenticated by the forge; authors, committers and co-authors are only what
// a commit claims, so they are added and never taken away.
func makersOf(f change.Facts) makers {
	c := &collector{facts: f, makers: makers{deeds: map[change.Person]deed{}, proven: map[change.Person]bool{}}, unnamed: map[change.Person]deed{}}
	if opener, known := f.Opener.Get(); known {
		c.add(opened, opener, "")
	} else {
		c.missing("opener", "who opened this change is not known")
	}
	if commits, known := f.Commits.Get(); known {
		for i := range commits {
			c.commit(&commits[i])
		}
	} else {
		c.missing("commits", "the commits are not known")
	}
	if pushes, known := f.Pushes.Get(); known {
		for _, p := range pushes {
			c.rests("pushes/" + string(p.After))
			c.add(pushed, p.By, p.After)
		}
	} else {
		c.missing("pushes", "who pushed is not known")
	}
	if timeline, known := f.Timeline.Get(); known {
		for _, e := range timeline {
			if e.Kind == change.HeadForcePushed {
				c.rests(eventFact(e))
				c.add(forcePushed, e.By, change.SHA(e.After))
			}
		}
	} else {
		c.missing("timeline", timelineUnknown)
	}
	return c.finish()
}

// timelineUnknown says what an absent timeline means.
const timelineUnknown = "the timeline is not known, so earlier versions of the branch and changes of its base are not either"

// A collector gathers makers and what stands against knowing them all.
type collector struct {
	facts   change.Facts
	makers  makers
	unnamed map[change.Person]deed // makers behind whom no human is known
}

// missing notes that a fact which names makers is absent.
func (c *collector) missing(name, what string) {
	c.makers.unknown = append(c.makers.unknown, absent(c.facts, name, what))
}

// rests notes a fact that names makers.
func (c *collector) rests(fact string) { c.makers.facts = append(c.makers.facts, fact) }

// commit adds everybody whom a commit names.
func (c *collector) commit(k *change.Commit) {
	c.rests("commits/" + string(k.SHA))
	c.add(authored, k.Author, k.SHA)
	if !k.ByForge {
		c.add(committed, k.Committer, k.SHA)
	}
	for _, p := range k.CoAuthors {
		c.add(coAuthored, p, k.SHA)
	}
}

// add notes that p did something to the change.
func (c *collector) add(a act, p change.Person, sha change.SHA) {
	d := deed{a, sha, p}
	keep(c.makers.deeds, c.facts.People.Same(p), d)
	if !d.claimed() {
		c.makers.proven[c.facts.People.Same(p)] = true
	}
	if c.facts.People[p].Kind != change.Human {
		keep(c.unnamed, p, d)
	}
}

// keep notes a deed of p unless a weightier one is noted.
func keep(deeds map[change.Person]deed, p change.Person, d deed) {
	old, noted := deeds[p]
	if !noted || cmp.Or(cmp.Compare(d.act, old.act), cmp.Compare(d.sha, old.sha), byNumber(d.by, old.by)) < 0 {
		deeds[p] = d
	}
}

// finish says of every maker who is not a human why that leaves the makers
// unknown, unless an alias names the human.
func (c *collector) finish() makers {
	c.makers.humans = humansByAlias(c.facts.People)
	for _, p := range slices.SortedFunc(maps.Keys(c.unnamed), byNumber) {
		kind, d := c.facts.People[p].Kind, c.unnamed[p]
		switch {
		case kind != change.Bot && kind != change.App:
			c.makers.unknown = append(c.makers.unknown, fmt.Sprintf("%s %s, and %s", mark(p), d, nobody(d)))
		case c.makers.humans[c.facts.People.Same(p)] == "":
			c.makers.unknown = append(c.makers.unknown, fmt.Sprintf(
				"%s %s and is no human; list its account beside that of the human who answers for it under people in the policy", mark(p), d))
		}
	}
	c.makers.facts = sorted(c.makers.facts)
	return c.makers
}

// nobody says what it means that no account stands behind a deed, and what to do.
func nobody(d deed) string {
	if d.claimed() {
		return "no account stands behind that name; claim the commit's e-mail address in an account's settings, or make the commit again with an address that is claimed"
	}
	return "that account does not exist any more; open the change again under an account that does"
}

// humansByAlias maps the person that stands for a set of accounts to the human
// among them, the lowest-numbered of several.
func humansByAlias(people change.People) map[change.Person]change.Person {
	humans := map[change.Person]change.Person{}
	for p, id := range people {
		if id.Kind != change.Human {
			continue
		}
		first := people.Same(p)
		if old, found := humans[first]; !found || byNumber(p, old) < 0 {
			humans[first] = p
		}
	}
	return humans
}

// because says what made somebody a maker, in a clause about account p.
func (m makers) because(people change.People, p change.Person) string {
	d := m.deeds[people.Same(p)]
	if d.by == p {
		return mark(p) + " " + d.String()
	}
	return mark(d.by) + ", an account of the same human, " + d.String()
}

// eventFact names an entry of the timeline, such as
// "timeline/base_changed/2026-03-02T09:15:00Z".
func eventFact(e change.Event) string {
	return "timeline/" + string(e.Kind) + "/" + e.At.UTC().Format("2006-01-02T15:04:05Z")
}
