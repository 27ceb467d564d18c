package policy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// linkedRequest asks for a link to a change request whose key has a certain form
// and, where the rule names a tracker, that the tracker's ticket meets it. Of several
// requests one is enough.
func linkedRequest(s *subject, r *ChangeRule) change.Result {
	requests, known := s.facts.Requests.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "requests", "the linked change requests are not known"))
	}
	linked := r.LinkedRequest.among(inKeyOrder(requests))
	if len(linked) == 0 {
		out := say(change.Pending, "no change request is linked whose key matches %s", change.Quote(r.LinkedRequest.Pattern))
		if !s.landed {
			out.Reason += "; put the key into the title or the description"
			out.Supply = "whoever can edit the change"
		}
		return out
	}
	if r.LinkedRequest.Tracker == "" {
		return linkedTo(linked)
	}
	results := make([]change.Result, len(linked))
	for i, q := range linked {
		results[i] = s.ticket(q, r)
	}
	return best(results)
}

// among returns the requests whose whole key matches, each key once, in the order of
// the facts. Of one key all have the same ticket.
func (l *LinkedRequest) among(requests []change.Request) []change.Request {
	var linked []change.Request
	seen := map[string]bool{}
	for _, q := range requests {
		if l.whole.MatchString(q.Key) && !seen[q.Key] {
			seen[q.Key] = true
			linked = append(linked, q)
		}
	}
	return linked
}

// inKeyOrder returns requests in the order of their keys, so that the order of the
// facts decides nothing: neither what is said first, nor which ticket would count were
// two told of one key.
func inKeyOrder(requests []change.Request) []change.Request {
	return slices.SortedFunc(slices.Values(requests), func(a, b change.Request) int {
		if a.Key != b.Key {
			return strings.Compare(a.Key, b.Key)
		}
		return bytes.Compare(wire(a.Ticket), wire(b.Ticket))
	})
}

// linkedTo is the result where a link is all that is asked for.
func linkedTo(linked []change.Request) change.Result {
	var keys, facts []string
	for _, q := range linked {
		keys = append(keys, q.Key)
		facts = append(facts, change.RequestFact(q.Key))
	}
	keys = sorted(keys)
	out := say(change.Pass, "linked to %s", quoted(keys[:min(len(keys), 5)]))
	out.Facts = sorted(facts)
	return out
}

// best returns one result for several requests of which one is enough: those that
// pass, and otherwise all, as unknown where one of them may be the one, as pending
// where one can still become it, and as failed where none can.
func best(results []change.Result) change.Result {
	of := func(status change.Status) func(change.Result) bool {
		return func(r change.Result) bool { return r.Status == status }
	}
	status := change.Fail
	for _, better := range []change.Status{change.Pending, change.Undetermined, change.Pass} {
		if slices.ContainsFunc(results, of(better)) {
			status = better
		}
	}
	var said []change.Result
	for _, r := range results {
		if r.Status == status {
			said = append(said, r)
		}
	}
	if status != change.Pass {
		said = append(said, slices.DeleteFunc(slices.Clone(results), of(status))...) // what decides is said first
	}
	return ofSeveral(status, said)
}

// ofSeveral returns results of several requests as one with the given status.
func ofSeveral(status change.Status, results []change.Result) change.Result {
	out := change.Result{Status: status}
	var reasons, supplies []string
	for _, r := range results {
		reasons = appendNew(reasons, string(r.Reason))
		out.Facts = append(out.Facts, r.Facts...)
		if r.Status == status {
			supplies = appendNew(supplies, string(r.Supply))
		}
	}
	out.Reason, out.Facts = change.Text(sample(reasons)), sorted(out.Facts)
	if status == change.Pending || status == change.Fail {
		out.Supply = change.Text(strings.Join(supplies, "; "))
	}
	return out
}

// trackerName returns what a tracker is called.
func trackerName(tracker string) string {
	name := ""
	for _, t := range trackers() {
		if t.id == tracker {
			name = t.name
		}
	}
	return name
}
