package policy

import (
	"slices"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// starters makes everybody a maker who set off or started a run that was at work
// when an automation did something. Which of the runs used its token is not known,
// so one too many is held for a maker rather than one too few.
func (c *collector) starters(bot change.Person, deeds []deed) {
	seen := slices.DeleteFunc(slices.Clone(deeds), deed.claimed)
	if len(seen) == 0 {
		c.unknown("%s %s, and it is not known by which run", mark(bot), deeds[0])
		return
	}
	runs, known := c.facts.Runs.Get()
	if !known {
		c.missing("runs", mark(bot)+" "+deeds[0].String()+", and the runs that were at work then are not known")
		return
	}
	for _, d := range seen { // of what only a commit claims, whoever pushed it is a maker
		if d.act != opened && c.fromElsewhere() {
			c.unknown("%s %s in another repository, whose runs are not known", mark(bot), d)
			continue
		}
		c.startersOf(bot, d, runs)
	}
}

// fromElsewhere reports whether the change comes from another repository, or may.
func (c *collector) fromElsewhere() bool {
	head, known := c.facts.Head.Get()
	return !known || head.Repository != c.facts.Ref.Repository.ID
}

// startersOf adds the makers behind one deed.
func (c *collector) startersOf(bot change.Person, d deed, runs []change.Run) {
	found := false
	for _, r := range runs {
		if !r.AtWork(d.at) {
			continue
		}
		found = true
		c.rests("runs/" + runName(r))
		people := slices.DeleteFunc([]change.Person{r.Actor, r.Starter}, func(p change.Person) bool { return p == "" })
		if len(people) == 0 {
			c.unknown("%s %s when run %s was at work, and it is not known who started that", mark(bot), d, runName(r))
		}
		for _, p := range people {
			c.starter(bot, d, r, p)
		}
	}
	if !found {
		c.unknown("%s %s, and no run is known that was at work then", mark(bot), d)
	}
}

// starter adds whoever started a run. Where that is an automation itself, it is who
// answers for that one.
func (c *collector) starter(bot change.Person, d deed, r change.Run, p change.Person) {
	switch kind := c.facts.People[p].Kind; {
	case kind == change.Human:
		c.behind(bot, deed{act: started, sha: d.sha, by: p, bot: bot, did: d.act})
		return
	case kind == change.Bot || kind == change.App:
		if human := c.aliased[c.facts.People.Same(p)]; human != "" {
			c.behind(bot, deed{act: started, sha: d.sha, by: human, bot: bot, did: d.act})
			return
		}
		if a, registered := c.registered[p]; registered && a.Accountable != "" {
			c.answers(bot, a.Accountable, d)
			return
		}
	}
	c.unknown("%s %s when run %s was at work, which %s started, and no human is known behind that", mark(bot), d, runName(r), mark(p))
}

// startMoments returns when automations that act for whoever started their runs did
// something to the change, in order.
func (p *Policy) startMoments(f change.Facts) []time.Time {
	var moments []time.Time
	add := func(by change.Person, at time.Time) {
		account := f.People[by].Account
		if slices.ContainsFunc(p.Automations, func(a Automation) bool { return a.Account == account && a.Accountable == Starter }) {
			moments = append(moments, at.UTC().Truncate(time.Second))
		}
	}
	if opener, known := f.Opener.Get(); known {
		add(opener, f.Opened)
	}
	for _, push := range f.Pushes.Or(nil) {
		add(push.By, push.At)
	}
	for _, e := range f.Timeline.Or(nil) {
		if e.Kind == change.HeadForcePushed {
			add(e.By, e.At)
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	return slices.CompactFunc(moments, time.Time.Equal)
}
