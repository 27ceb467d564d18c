package policy

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/countersign-dev/countersign/change"
)

// runsOf returns the runs of a check on the commit by the required application, but
// those that began after the landing.
func (o checkpoint) runsOf(c RequiredCheck) []change.Check {
	var runs []change.Check
	for _, k := range o.checks {
		late := !o.landedAt.IsZero() && k.Started.After(o.landedAt)
		if k.Name == c.Name && k.Commit == o.commit && !late && c.isFrom(k) {
			runs = append(runs, k)
		}
	}
	return runs
}

// isFrom reports whether the required application made the run. Only an
// application can make a check run, while any writer can post a commit status.
func (c RequiredCheck) isFrom(k change.Check) bool {
	if k.Source != change.CheckRun {
		return false
	}
	if id, err := strconv.ParseInt(c.App, 10, 64); err == nil {
		return k.AppID == id
	}
	return k.App == c.App
}

// byWorkflow judges the runs of the workflow that the policy names. A run of which
// the forge does not tell the workflow may be one of them: what it comes to is known
// only where that makes no difference.
func (o checkpoint) byWorkflow(c RequiredCheck, runs []change.Check) change.Result {
	var certain, perhaps []change.Check
	for _, k := range runs {
		if k.Workflow == c.Workflow {
			certain = append(certain, k)
		}
		if k.Workflow == c.Workflow || k.Workflow == "" {
			perhaps = append(perhaps, k)
		}
	}
	out := o.newest(c, certain)
	if len(perhaps) == len(certain) || o.newest(c, perhaps).Status.Blocks() == out.Status.Blocks() {
		return out
	}
	unknown := say(change.Undetermined, "it is not known which workflow ran check %s of %s on %s, and only %s counts",
		change.Quote(c.Name), change.Quote(c.App), abbrev(o.commit), change.Quote(c.Workflow))
	unknown.Facts = out.Facts
	return unknown
}

// everyWorkflow judges runs of one name where the policy names no workflow. All the
// workflows of a repository run as one application, so each of them that has a run
// of that name must pass: otherwise one that does nothing hides one that is red.
func (o checkpoint) everyWorkflow(c RequiredCheck, runs []change.Check) change.Result {
	byFile := map[string][]change.Check{}
	for _, k := range runs {
		byFile[k.Workflow] = append(byFile[k.Workflow], k)
	}
	var results []change.Result
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		one := c
		if len(byFile) > 1 {
			one.Workflow = file
		}
		results = append(results, o.newest(one, byFile[file]))
	}
	return combine(results)
}

// newer orders runs of a check by age. The forge numbers runs upwards, so the id
// tells which is newer; a run again under the same id raises the attempt. Of two
// that agree in both, one that did not pass counts as newer.
func (c RequiredCheck) newer(a, b change.Check) int {
	rank := func(k change.Check) int {
		if c.passed(k) {
			return 0
		}
		return 1
	}
	if c := cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Attempt, b.Attempt), rank(a)-rank(b)); c != 0 {
		return c
	}
	return bytes.Compare(wire(a), wire(b))
}

// tooOften says why there are more attempts behind a success than the policy lets
// stand, or that their number is not known; the zero Result when there are not. A
// try is every attempt of every run of the check on the commit that came before the
// one that passed: those of which the forge only shows the number, and those runs
// that ended otherwise.
func (o checkpoint) tooOften(c RequiredCheck, runs []change.Check) change.Result {
	if c.Attempts == 0 {
		return change.Result{}
	}
	tries := 1
	for _, k := range runs {
		if k.Attempt < 1 {
			return say(change.Undetermined, "how often %s was run on %s is not known, and at most %s may stand behind a success",
				c.label(), abbrev(o.commit), attempts(c.Attempts))
		}
		tries += k.Attempt - 1
		if k.Status == "completed" && !c.passed(k) {
			tries++
		}
	}
	if tries <= c.Attempts {
		return change.Result{}
	}
	return say(change.Fail, "%s passed on %s after %s, and at most %s may stand behind a success; mend what made it fail and push that",
		c.label(), abbrev(o.commit), attempts(tries), attempts(c.Attempts))
}

// attempts says a number of attempts.
func attempts(n int) string {
	if n == 1 {
		return "one attempt"
	}
	return strconv.Itoa(n) + " attempts"
}
