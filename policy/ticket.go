package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// ticket says whether a tracker's ticket meets a rule. What the ticket can still come
// to meet is pending; that it does not exist, came too late or was asked for by who
// made the change is a violation, which only another request mends.
func (s *subject) ticket(q change.Request, r *ChangeRule) change.Result {
	asked := r.LinkedRequest
	t, known := q.Ticket.Get()
	name := trackerName(asked.Tracker)
	var out change.Result
	switch {
	case !known || t.Tracker != asked.Tracker:
		what := fmt.Sprintf("what %s says of %s is not known", name, change.Quote(q.Key))
		out = say(change.Undetermined, "%s", absent(s.facts, change.RequestFact(q.Key), what))
	case !t.Found:
		out = say(change.Fail, "%s has no request %s", name, change.Quote(q.Key))
		if !s.landed {
			out.Reason += "; correct the key in the title, the branch or the description"
			out.Supply = "whoever can edit the change"
		}
	default:
		out = s.met(s.ticketResults(q, t, r), change.Text(s.ticketLine(q, t, name)))
	}
	if s.landed {
		out.Supply = "" // nobody can supply any more what was missing then
	}
	out.Facts = sorted(append(out.Facts, change.RequestFact(q.Key)))
	return out
}

// met returns one result for the demands on a ticket: what holds it back, or where
// nothing does, what the ticket is.
func (s *subject) met(demands []change.Result, line change.Text) change.Result {
	lacking := slices.DeleteFunc(slices.Clone(demands), func(r change.Result) bool { return r.Status == change.Pass })
	if len(lacking) > 0 {
		return combine(lacking)
	}
	out := combine(demands)
	out.Reason = line
	return out
}

// ticketResults returns what each demand says of a ticket that exists.
func (s *subject) ticketResults(q change.Request, t change.Ticket, r *ChangeRule) []change.Result {
	if s.landed && s.landing.At.IsZero() {
		return []change.Result{say(change.Undetermined, "when the change landed is not known, and so not how %s stood then", change.Quote(q.Key))}
	}
	results := []change.Result{s.stateOf(q, t, r.LinkedRequest), typeOf(q, t, r.LinkedRequest), s.inTime(q, t, r.LinkedRequest)}
	if r.LinkedRequest.Independent {
		results = append(results, s.independent(q, t, r)...)
	}
	return results
}

// ticketLine says what a ticket that passes is.
func (s *subject) ticketLine(q change.Request, t change.Ticket, name string) string {
	line := fmt.Sprintf("linked to %s of %s, asked for by %s at %s", change.Quote(q.Key), name, mark(t.Requester), moment(t.Created))
	about := []string{"state " + change.Quote(s.state(t))}
	if t.Type != "" {
		about = append([]string{change.Quote(t.Type)}, about...)
	}
	if t.Key != "" {
		about = append(about, "called "+change.Quote(t.Key)+" there")
	}
	return line + " (" + strings.Join(about, ", ") + ")"
}

// moment writes a time for people.
func moment(t time.Time) string { return t.UTC().Format(time.DateTime) }

// state returns the ticket's state now, or when the change landed. What a tracker did
// in the very second of the landing, the landing did.
func (s *subject) state(t change.Ticket) string {
	if s.landed {
		return t.StateAt(s.landing.At.Add(-time.Second))
	}
	return t.State
}

// closed reports whether the ticket is closed, or was when the change landed: who
// merges a change often closes its ticket by it.
func (s *subject) closed(t change.Ticket) bool {
	return !t.Closed.IsZero() && (!s.landed || t.Closed.Before(s.landing.At))
}

// stateOf asks for one of the states or, where the rule lists none, that the ticket is
// not closed: what is done or rejected asks for nothing.
func (s *subject) stateOf(q change.Request, t change.Ticket, asked *LinkedRequest) change.Result {
	var out change.Result
	switch state := s.state(t); {
	case len(asked.States) == 0 && !s.closed(t), oneOf(asked.States, state):
		return say(change.Pass, "open")
	case len(asked.States) == 0:
		out = say(change.Pending, "%s was closed at %s, as %s", change.Quote(q.Key), moment(t.Closed), change.Quote(state))
		out.Supply = change.Text("whoever can reopen " + change.Quote(q.Key) + ", or another request")
	default:
		out = say(change.Pending, "%s is in the state %s, and has to be in %s", change.Quote(q.Key), change.Quote(state), enumerate(quotedEach(asked.States), "or"))
		out.Supply = change.Text("whoever can move " + change.Quote(q.Key))
	}
	return out
}

// typeOf asks for one of the types, where the rule lists some.
func typeOf(q change.Request, t change.Ticket, asked *LinkedRequest) change.Result {
	if len(asked.Types) == 0 || oneOf(asked.Types, t.Type) {
		return say(change.Pass, "of a listed type")
	}
	is := "has no type"
	if t.Type != "" {
		is = "is of the type " + change.Quote(t.Type)
	}
	out := say(change.Pending, "%s %s, and has to be of %s", change.Quote(q.Key), is, enumerate(quotedEach(asked.Types), "or"))
	out.Supply = change.Text("another request, or whoever can change the type of " + change.Quote(q.Key))
	return out
}

// inTime asks that the ticket was there first. Its tracker keeps the time of creation,
// which nobody can edit.
func (s *subject) inTime(q change.Request, t change.Ticket, asked *LinkedRequest) change.Result {
	if t.Created.IsZero() {
		return say(change.Undetermined, "when %s was created is not known", change.Quote(q.Key))
	}
	if s.landed && !t.Created.Before(s.landing.At) {
		return say(change.Fail, "%s was created at %s, not before the change landed at %s", change.Quote(q.Key), moment(t.Created), moment(s.landing.At))
	}
	if asked.CreatedBefore != BeforeFirstCommit {
		return say(change.Pass, "created before")
	}
	first, why := s.firstCommit()
	switch {
	case why != "":
		return say(change.Undetermined, "whether %s was created before the first commit cannot be told: %s", change.Quote(q.Key), why)
	case !t.Created.Before(first):
		out := say(change.Fail, "%s was created at %s, not before the work on the change began at %s", change.Quote(q.Key), moment(t.Created), moment(first))
		out.Supply = "another request that was there first"
		return out
	}
	return say(change.Pass, "created before")
}

// firstCommit returns when the work on a change began as far as anybody can tell, or
// why nobody can: when the change was opened and its branch first moved, by the
// forge's own clock, and the dates of its commits, those that force pushes replaced
// too. Dates are what a commit claims, so that they can only make the work begin
// earlier. That of the author stays when a commit is made again.
func (s *subject) firstCommit() (first time.Time, why string) {
	pushes, known := s.facts.Pushes.Get()
	if !known {
		return first, absent(s.facts, "pushes", "who pushed, and when, is not known")
	}
	commits, known := s.facts.Commits.Get()
	if !known {
		return first, absent(s.facts, "commits", "the commits are not known")
	}
	var times []time.Time
	for _, p := range pushes {
		times = append(times, p.At)
	}
	for _, e := range s.facts.Timeline.Or(nil) {
		if e.Kind == change.HeadForcePushed {
			times = append(times, e.At)
		}
	}
	for _, c := range slices.Concat(commits, s.facts.Replaced.Or(nil)) {
		times = append(times, c.Authored, c.Committed)
	}
	times = slices.DeleteFunc(append(times, s.facts.Opened), time.Time.IsZero)
	if len(times) == 0 {
		return first, "no time of any commit, push or opening is known"
	}
	return slices.MinFunc(times, time.Time.Compare), ""
}

// quotedEach quotes words one by one.
func quotedEach(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = change.Quote(w)
	}
	return out
}
