package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// automation adds whoever answers for what an automation did, or says why nobody
// does.
func (c *collector) automation(p change.Person, deeds []deed) {
	a, registered := c.registered[p]
	if !registered {
		c.unknown("%s %s and is no human; list its account under automations in the policy and say who is accountable: a human, or starter where it acts for whoever started a workflow run, as github-actions[bot] does", mark(p), deeds[0])
		return
	}
	if !deeds[0].replaced() && !c.trusted(p, deeds) { // what is gone touches nothing any more
		return
	}
	if c.rules[a.Entry].Accountable == Starter {
		c.starters(p, deeds)
		return
	}
	c.answers(p, a.Accountable, deeds[0])
}

// answers makes the human who answers for an automation a maker. That nothing but
// the policy says so leaves them the right to object.
func (c *collector) answers(bot, human change.Person, d deed) {
	if c.facts.People[human].Kind != change.Human {
		c.unknown("%s %s, and by the policy %s answers for that, who is no human", mark(bot), d, mark(human))
		return
	}
	c.behind(bot, deed{act: answers, sha: d.sha, by: human, bot: bot, did: d.act})
}

// behind notes who stands behind what an automation did.
func (c *collector) behind(bot change.Person, d deed) {
	keep(c.makers.deeds, c.facts.People.Same(d.by), d)
	same := c.facts.People.Same(bot)
	if humans := c.makers.humans[same]; !slices.Contains(humans, d.by) {
		c.makers.humans[same] = append(humans, d.by)
		slices.SortFunc(c.makers.humans[same], byNumber)
	}
}

// trusted reports whether an automation kept to its scope: see Automation. Where it
// did not, it says so.
func (c *collector) trusted(p change.Person, deeds []deed) bool {
	kept := c.keptToPaths(p, deeds[0])
	for _, push := range c.pushesBy(p) {
		kept = c.pushedItsOwn(p, push) && kept
	}
	return kept
}

// keptToPaths reports whether the change touches only what an automation is trusted
// with.
func (c *collector) keptToPaths(p change.Person, d deed) bool {
	rule := c.rules[c.registered[p].Entry]
	files, known := c.facts.Files.Get()
	if !known && len(rule.Paths) > 0 {
		what := mark(p) + " " + d.String() + ", and it cannot be told whether it kept to its paths, because the touched files are not known"
		c.missing("files", what)
		return false
	}
	var beyond []string
	for _, path := range touchedPaths(files) {
		if !rule.covers(path) {
			beyond = append(beyond, path)
			c.rests("files/" + path)
		}
	}
	if len(beyond) == 0 {
		return true
	}
	c.unknown("%s %s, which touches %s, and the policy does not trust it with that; let the human behind it make the change",
		mark(p), d, quoted(beyond[:min(len(beyond), 3)]))
	return false
}
