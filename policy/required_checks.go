package policy

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// requiredChecks asks that every required check succeeded on the head.
func requiredChecks(s *subject, r *ChangeRule) change.Result {
	head, known := s.facts.Head.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "head", "the head is not known"))
	}
	var landedAt time.Time
	if s.landed {
		landedAt = s.landing.At
	}
	return checksOn(s.facts, head.Commit, landedAt, r.RequiredChecks)
}

// checksOn judges required checks on one commit. What happened after landedAt is
// too late, unless that is zero.
func checksOn(f change.Facts, commit change.SHA, landedAt time.Time, required []RequiredCheck) change.Result {
	checks, known := f.Checks.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(f, "checks", "the checks are not known"))
	}
	results := make([]change.Result, len(required))
	for i, want := range required {
		results[i] = want.judge(checks, commit, landedAt)
	}
	return combine(results)
}

// judge says what the latest run of a required check comes to.
func (c RequiredCheck) judge(checks []change.Check, commit change.SHA, landedAt time.Time) change.Result {
	latest, ran := c.latest(checks, commit, landedAt)
	if !ran {
		out := say(change.Pending, "%s has not run on %s%s", c.label(), abbrev(commit), c.lookalikes(checks, commit))
		out.Supply = change.Text("the app " + change.Quote(c.App))
		return out
	}
	out := c.outcome(latest, landedAt)
	out.Facts = []string{"checks/" + strconv.FormatInt(latest.ID, 10)}
	return out
}

// outcome says what one run of the check comes to. Only success passes: a run that
// was skipped, or that ended neutral, has checked nothing.
func (c RequiredCheck) outcome(run change.Check, landedAt time.Time) change.Result {
	switch {
	case run.Status != "completed":
		out := say(change.Pending, "%s is %s", c.label(), change.Quote(run.Status))
		out.Supply = change.Text("the app " + change.Quote(c.App))
		return out
	case run.Conclusion != change.Success:
		return say(change.Fail, "%s ended %s, and only success passes; mend the cause or run it again", c.label(), change.Quote(run.Conclusion))
	case !landedAt.IsZero() && run.Completed.IsZero():
		return say(change.Undetermined, "when %s succeeded is not known, so perhaps after the change landed", c.label())
	case !landedAt.IsZero() && run.Completed.After(landedAt):
		return say(change.Fail, "%s succeeded only after the change landed", c.label())
	}
	return say(change.Pass, "%s succeeded on %s", c.label(), abbrev(run.Commit))
}

// latest returns the newest run of the check on a commit. The forge numbers runs
// upwards, so the id tells which that is; a run again under the same id raises the
// attempt. Of two that agree in both, one that did not succeed is taken.
func (c RequiredCheck) latest(checks []change.Check, commit change.SHA, landedAt time.Time) (change.Check, bool) {
	var runs []change.Check
	for _, k := range checks {
		late := !landedAt.IsZero() && k.Started.After(landedAt)
		if k.Name == c.Name && k.Commit == commit && !late && c.isFrom(k) {
			runs = append(runs, k)
		}
	}
	if len(runs) == 0 {
		return change.Check{}, false
	}
	return slices.MaxFunc(runs, newer), true
}

// newer orders runs of one check by age.
func newer(a, b change.Check) int {
	rank := func(k change.Check) int {
		if k.Status == "completed" && k.Conclusion == change.Success {
			return 0
		}
		return 1
	}
	if c := cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Attempt, b.Attempt), rank(a)-rank(b)); c != 0 {
		return c
	}
	return bytes.Compare(wire(a), wire(b))
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

// label names the check for people.
func (c RequiredCheck) label() string {
	return fmt.Sprintf("check %s of %s", change.Quote(c.Name), change.Quote(c.App))
}

// lookalikes says which checks of the same name there are that do not count, and
// from whom.
func (c RequiredCheck) lookalikes(checks []change.Check, commit change.SHA) string {
	var seen []string
	for _, k := range checks {
		if k.Name != c.Name {
			continue
		}
		switch {
		case k.Commit == commit && k.Source != change.CheckRun:
			seen = append(seen, "a commit status of that name by "+mark(k.Creator)+" does not count")
		case k.Commit == commit && !c.isFrom(k):
			seen = append(seen, "a check of that name by the app "+change.Quote(appOf(k))+" does not count")
		case k.Commit != commit && c.isFrom(k):
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
