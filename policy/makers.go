package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	answers // for an automation that did something
	started // a run that was at work when an automation did something
	authoredBefore
	committedBefore
	coAuthoredBefore
)

// A deed is one thing by which somebody had a hand in a change.
type deed struct {
	act act
	sha change.SHA    // of the commit made or pushed; empty for the opening
	by  change.Person // the account that did it
	at  time.Time     // when, where the forge saw it; zero for what a commit claims

	bot change.Person // of answers and started: the automation
	did act           // and what it did
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
	case answers:
		return "answers for " + mark(d.bot) + ", which " + deed{act: d.did, sha: d.sha}.String()
	case started:
		return "started a run that was at work when " + mark(d.bot) + " " + deed{act: d.did, sha: d.sha}.String()
	case authoredBefore:
		return "is the author of commit " + sha + ", which a force push replaced"
	case committedBefore:
		return "committed " + sha + ", which a force push replaced"
	case coAuthoredBefore:
		return "is a co-author of commit " + sha + ", which a force push replaced"
	}
	return "force-pushed " + sha
}

// runName names a run, such as "7" or "7/2" for its second attempt.
func runName(r change.Run) string {
	if r.Attempt > 1 {
		return fmt.Sprintf("%d/%d", r.ID, r.Attempt)
	}
	return fmt.Sprint(r.ID)
}

// replaced reports whether it is the making of a commit that a force push replaced.
func (d deed) replaced() bool { return d.act >= authoredBefore }

// claimed reports whether only a commit says so, which names whomever its maker
// wished.
func (d deed) claimed() bool {
	switch d.act {
	case authored, committed, coAuthored, authoredBefore, committedBefore, coAuthoredBefore:
		return true
	}
	return false
}

// makers is everybody who had a hand in a change. Alias accounts are one person.
type makers struct {
	deeds   map[change.Person]deed            // what each maker did, the weightiest of it
	proven  map[change.Person]bool            // those of whom the forge itself saw a deed
	humans  map[change.Person][]change.Person // who answers for an automation, in order
	unknown []string                          // why the set may be incomplete, in order; empty when it is whole
	facts   []string                          // what the set rests on

	hands   []change.Person // whoever did something, account by account, in order
	missing []string        // why hands may be incomplete
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
		if act := m.deeds[p].act; act == answers || act == started {
			continue // named beside the automation
		}
		name := mark(p)
		var humans []string
		for _, human := range m.humans[p] {
			if human != p {
				humans = append(humans, mark(human))
			}
		}
		if len(humans) > 0 {
			name += " (" + enumerate(humans, "or") + ")"
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
func makersOf(f change.Facts, automations []Automation) makers {
	c := newCollector(f, automations)
	if opener, known := f.Opener.Get(); known {
		c.add(deed{act: opened, by: opener, at: f.Opened})
	} else {
		c.missing("opener", "who opened this change is not known")
	}
	if commits, known := f.Commits.Get(); known {
		for i := range commits {
			c.commit(&commits[i])
		}
		if why := headMissing(f, commits); why != "" {
			c.makers.unknown = append(c.makers.unknown, why)
		}
	} else {
		c.missing("commits", "the commits are not known")
	}
	if pushes, known := f.Pushes.Get(); known {
		for _, p := range pushes {
			c.rests("pushes/" + string(p.After))
			c.add(deed{act: pushed, by: p.By, sha: p.After, at: p.At})
		}
	} else {
		c.missing("pushes", "who pushed is not known")
	}
	if timeline, known := f.Timeline.Get(); known {
		for _, e := range timeline {
			if e.Kind == change.HeadForcePushed {
				c.rests(eventFact(e))
				c.add(deed{act: forcePushed, by: e.By, sha: change.SHA(e.After), at: e.At})
			}
		}
	} else {
		c.missing("timeline", timelineUnknown)
	}
	c.replaced()
	c.makers.missing = slices.Clone(c.makers.unknown)
	return c.finish()
}

// headMissing says that the head of a change is not among its commits, where it is
// known not to be. Then who made it is not known either, nor what else is missing.
func headMissing(f change.Facts, commits []change.Commit) string {
	head, known := f.Head.Get()
	if !known || head.Commit == "" || slices.ContainsFunc(commits, func(c change.Commit) bool { return c.SHA == head.Commit }) {
		return ""
	}
	return fmt.Sprintf("the head, %s, is not among the commits that are known", abbrev(head.Commit))
}

// timelineUnknown says what an absent timeline means.
const timelineUnknown = "the timeline is not known, so earlier versions of the branch and changes of its base are not either"

// A collector gathers makers and what stands against knowing them all.
type collector struct {
	facts   change.Facts
	makers  makers
	unnamed map[change.Person][]deed // what makers did who are no humans

	rules      []Automation // of the policy
	registered map[change.Person]change.Automation
	aliased    map[change.Person]change.Person // see humansByAlias
}

func newCollector(f change.Facts, automations []Automation) *collector {
	c := &collector{
		facts: f, rules: automations, unnamed: map[change.Person][]deed{}, registered: map[change.Person]change.Automation{},
		aliased: humansByAlias(f.People),
		makers:  makers{deeds: map[change.Person]deed{}, proven: map[change.Person]bool{}},
	}
	for _, a := range f.Automations {
		if a.Entry >= 0 && a.Entry < len(automations) {
			c.registered[a.Person] = a
		}
	}
	return c
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
	c.add(deed{act: authored, by: k.Author, sha: k.SHA})
	if !k.ByForge {
		c.add(deed{act: committed, by: k.Committer, sha: k.SHA})
	}
	for _, p := range k.CoAuthors {
		c.add(deed{act: coAuthored, by: p, sha: k.SHA})
	}
}

// replaced adds whom the commits name that force pushes took out of the change.
// Whoever is nobody's account there is passed over: to make such a commit again is
// the way to be rid of it, and who pushed it is known all the same. Where the forge
// was not asked for them nothing is missing; where it did not answer, it is.
func (c *collector) replaced() {
	commits, known := c.facts.Replaced.Get()
	if !known && c.facts.Absent["replaced"] != "" {
		c.missing("replaced", "the commits that force pushes replaced are not known")
	}
	for _, k := range commits {
		c.rests("replaced/" + string(k.SHA))
		c.addKnown(deed{act: authoredBefore, by: k.Author, sha: k.SHA})
		if !k.ByForge {
			c.addKnown(deed{act: committedBefore, by: k.Committer, sha: k.SHA})
		}
		for _, p := range k.CoAuthors {
			c.addKnown(deed{act: coAuthoredBefore, by: p, sha: k.SHA})
		}
	}
}

// addKnown is add for somebody behind whom a human is known, by an alias or because
// the policy says who answers for the account. Whoever else it is had a hand in the
// change all the same.
func (c *collector) addKnown(d deed) {
	human := c.facts.People[d.by].Kind == change.Human || c.aliased[c.facts.People.Same(d.by)] != ""
	if human || c.facts.People[c.registered[d.by].Accountable].Kind == change.Human {
		c.add(d)
		return
	}
	c.hand(d.by)
}

// hand notes that an account did something to the change.
func (c *collector) hand(p change.Person) {
	if !slices.Contains(c.makers.hands, p) {
		c.makers.hands = append(c.makers.hands, p)
	}
}

// add notes that somebody did something to the change.
func (c *collector) add(d deed) {
	p := c.facts.People.Same(d.by)
	c.hand(d.by)
	keep(c.makers.deeds, p, d)
	if !d.claimed() {
		c.makers.proven[p] = true
	}
	if c.facts.People[d.by].Kind != change.Human {
		c.unnamed[d.by] = append(c.unnamed[d.by], d)
	}
}

// keep notes a deed of p unless a weightier one is noted.
func keep(deeds map[change.Person]deed, p change.Person, d deed) {
	old, noted := deeds[p]
	if !noted || d.compare(old) < 0 {
		deeds[p] = d
	}
}

// compare orders deeds, the weightiest first.
func (d deed) compare(o deed) int {
	return cmp.Or(cmp.Compare(d.act, o.act), cmp.Compare(d.sha, o.sha), byNumber(d.by, o.by), byNumber(d.bot, o.bot), cmp.Compare(d.did, o.did), d.at.Compare(o.at))
}

// finish says of every maker who is not a human why that leaves the makers
// unknown, unless an alias names the human or somebody answers for the automation.
func (c *collector) finish() makers {
	c.makers.humans = map[change.Person][]change.Person{}
	for p, human := range c.aliased {
		c.makers.humans[p] = []change.Person{human}
	}
	for _, p := range slices.SortedFunc(maps.Keys(c.unnamed), byNumber) {
		kind, deeds := c.facts.People[p].Kind, c.unnamed[p]
		slices.SortFunc(deeds, deed.compare)
		switch {
		case kind != change.Bot && kind != change.App:
			c.unknown("%s %s, and %s", mark(p), deeds[0], nobody(deeds[0]))
		case c.aliased[c.facts.People.Same(p)] == "":
			c.automation(p, deeds)
		}
	}
	c.makers.facts = sorted(c.makers.facts)
	slices.SortFunc(c.makers.hands, byNumber)
	return c.makers
}

// unknown notes why the set of makers may be incomplete.
func (c *collector) unknown(format string, args ...any) {
	if why := fmt.Sprintf(format, args...); !slices.Contains(c.makers.unknown, why) {
		c.makers.unknown = append(c.makers.unknown, why)
	}
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
