package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// requiredChecks asks that every required check passed on the head.
//
// Of the commits that a forge runs checks on only the head counts. GitHub goes by
// the test merge commit instead where anything was posted on that one, and makes it
// anew whenever the head or the base moves: nobody has approved it, a success on it
// speaks for a base that may be another by now, and on the next one it is gone. So a
// success there never stands in for one on the head; and what is red there, GitHub
// holds back by itself. Whoever wants the merge tested uses a merge queue, whose
// commit is the one that lands: see groupChecks.
func requiredChecks(s *subject, r *ChangeRule) change.Result {
	head, known := s.facts.Head.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "head", "the head is not known"))
	}
	on := checkpoint{facts: s.facts, commit: head.Commit, proposed: true}
	if s.landed {
		on.landedAt = s.landing.At
	}
	return on.judge(r.RequiredChecks)
}

// A checkpoint is a commit that required checks are judged on.
type checkpoint struct {
	facts    change.Facts
	checks   []change.Check // those of the facts
	commit   change.SHA
	proposed bool      // by the change whose files the facts tell; what a group's members touch is judged on each of them
	landedAt time.Time // what began or ended later is too late; zero when nothing has landed
}

// judge judges required checks, all of which must pass.
func (o checkpoint) judge(required []RequiredCheck) change.Result {
	var known bool
	if o.checks, known = o.facts.Checks.Get(); !known {
		return say(change.Undetermined, "%s", absent(o.facts, "checks", "the checks are not known"))
	}
	results := make([]change.Result, len(required))
	for i, want := range required {
		results[i] = o.entry(want)
	}
	return combine(results)
}

// entry judges one required check.
func (o checkpoint) entry(c RequiredCheck) change.Result {
	if c.Name == "" {
		return o.ofClass(c)
	}
	runs := o.runsOf(c)
	switch {
	case c.Workflow != "":
		return o.byWorkflow(c, runs)
	case len(runs) == 0:
		return o.newest(c, nil)
	}
	return o.everyWorkflow(c, runs)
}

// newest says what the newest of some runs of a check comes to.
func (o checkpoint) newest(c RequiredCheck, runs []change.Check) change.Result {
	if len(runs) == 0 {
		out := say(change.Pending, "%s has not run on %s%s", c.label(), abbrev(o.commit), o.lookalikes(c))
		out.Supply = change.Text("the app " + change.Quote(c.App))
		return out
	}
	run := slices.MaxFunc(runs, c.newer)
	out := o.outcome(c, run)
	if !out.Status.Blocks() {
		out = firstSaid(o.tooOften(c, runs), o.judgesItself(c, run), out)
	}
	out.Facts = sorted(append(out.Facts, "checks/"+strconv.FormatInt(run.ID, 10)))
	return out
}

// firstSaid returns the first of some results that says anything.
func firstSaid(results ...change.Result) change.Result {
	return results[slices.IndexFunc(results, func(r change.Result) bool { return r.Status != "" })]
}

// outcome says what one run of the check comes to. Beside success only what the
// policy accepts passes: a run that was skipped, or that ended neutral, has checked
// nothing.
func (o checkpoint) outcome(c RequiredCheck, run change.Check) change.Result {
	landed := !o.landedAt.IsZero()
	switch {
	case run.Status != "completed":
		out := say(change.Pending, "%s is %s", c.label(), change.Quote(run.Status))
		out.Supply = change.Text("the app " + change.Quote(c.App))
		return out
	case !c.accepts(run.Conclusion):
		passing := append([]string{change.Success}, c.Accept...)
		return say(change.Fail, "%s ended %s, and only %s pass%s; mend the cause or run it again",
			c.label(), change.Quote(run.Conclusion), enumerate(passing, "or"), es(len(passing)))
	case landed && run.Completed.IsZero():
		return say(change.Undetermined, "when %s %s is not known, so perhaps after the change landed", c.label(), ended(run))
	case landed && run.Completed.After(o.landedAt):
		return say(change.Fail, "%s %s only after the change landed", c.label(), ended(run))
	}
	return say(change.Pass, "%s %s on %s", c.label(), ended(run), abbrev(run.Commit))
}

// ended says how a run that passed ended.
func ended(run change.Check) string {
	if run.Conclusion == change.Success {
		return "succeeded"
	}
	return "ended " + change.Quote(run.Conclusion) + ", which the policy accepts,"
}

// es returns the ending of "pass" whose subject is one of n words.
func es(n int) string {
	if n == 1 {
		return "es"
	}
	return ""
}

// passed reports whether a run ended in a way that passes.
func (c RequiredCheck) passed(run change.Check) bool {
	return run.Status == "completed" && c.accepts(run.Conclusion)
}

// accepts reports whether a conclusion passes.
func (c RequiredCheck) accepts(conclusion string) bool {
	return conclusion == change.Success || slices.Contains(c.Accept, conclusion)
}

// label names the check for people.
func (c RequiredCheck) label() string {
	if c.Name == "" {
		return "check of the class " + change.Quote(c.Class)
	}
	label := fmt.Sprintf("check %s of %s", change.Quote(c.Name), change.Quote(c.App))
	if c.Workflow != "" {
		label += " in " + change.Quote(c.Workflow)
	}
	return label
}

// lookalikes says which checks of the same name there are that do not count, and
// from whom.
func (o checkpoint) lookalikes(c RequiredCheck) string {
	var seen []string
	for _, k := range o.checks {
		if k.Name != c.Name {
			continue
		}
		switch here, ours := k.Commit == o.commit, c.isFrom(k); {
		case here && k.Source != change.CheckRun:
			seen = append(seen, "a commit status of that name by "+mark(k.Creator)+" does not count")
		case here && !ours:
			seen = append(seen, "a check of that name by the app "+change.Quote(appOf(k))+" does not count")
		case here && k.Workflow != c.Workflow && c.Workflow != "" && k.Workflow != "":
			seen = append(seen, "a check of that name in the workflow "+change.Quote(k.Workflow)+" does not count")
		case !here && ours:
			seen = append(seen, "it ran on "+abbrev(k.Commit))
		}
	}
	if len(seen) == 0 {
		return ""
	}
	return "; " + sample(sorted(seen))
}

// appOf returns what to call the application that made a run.
func appOf(k change.Check) string {
	if k.App != "" {
		return k.App
	}
	return strconv.FormatInt(k.AppID, 10)
}

// isWorkflow reports whether a path is where GitHub looks for workflows.
func isWorkflow(path string) bool {
	name, ok := strings.CutPrefix(path, ".github/workflows/")
	return ok && !strings.Contains(name, "/") && (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml"))
}
