package change

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"
)

// The trackers of change requests. Two of them are forges as well.
const (
	GitHubIssues = string(GitHub)
	GitLabIssues = string(GitLab)
	Jira         = "jira"
)

// A Move is one change of a ticket's state, as its tracker tells.
type Move struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
	To   string    `json:"to"`
}

// StateAt returns the state that the ticket had at a moment, as far as its moves
// tell: before the first of them that came later, and its state now otherwise.
func (t Ticket) StateAt(at time.Time) string {
	moves := slices.Clone(t.Moves)
	slices.SortStableFunc(moves, func(a, b Move) int { return a.At.Compare(b.At) })
	for _, m := range moves {
		if m.At.After(at) {
			return m.From
		}
	}
	return t.State
}

// ErrNoIssue is wrapped by what a tracker returns for a key under which it has no
// issue. The credentials were good and would have shown it: a tracker that cannot
// tell a missing issue from a hidden one returns another error.
var ErrNoIssue = errors.New("there is no such issue")

// An UnansweredError says why a tracker did not tell whether it has an issue. Why goes
// into the record: it names no person, and is the same on every attempt that fails for
// the same reason. Everything else is for the log.
type UnansweredError struct {
	Why   string
	Err   error         // what happened; optional
	After time.Duration // how long the tracker asks to be left alone; 0 when it does not
}

// Error returns both in one line.
func (e *UnansweredError) Error() string {
	if e.Err == nil {
		return e.Why
	}
	return e.Why + ": " + e.Err.Error()
}

// Unwrap returns what happened.
func (e *UnansweredError) Unwrap() error { return e.Err }

// A Lookup is one question to a tracker: the issue with a key, such as "SHOP-42",
// "acme/shop#7" or, for the change's own repository, "#7".
type Lookup struct {
	Tracker string // github, gitlab or jira
	Key     string
}

// An Issue is a change request as its tracker shows it, before it is put among the
// facts of a change.
type Issue struct {
	Snapshot
	URL       string
	Moves     []Move
	Requester Identity // who asked
	Creator   Identity // who entered it; anybody can enter an issue in somebody else's name
}

// A Snapshot is what is looked at of an issue, apart from people. Its digest goes
// into the record, so that a later edit of the issue shows. Title and body do not go
// there themselves: they are free text and may name people.
type Snapshot struct {
	Body    string    `json:"body"`
	Closed  time.Time `json:"closed,omitzero"`
	Created time.Time `json:"created"`
	ID      string    `json:"id"`
	Key     string    `json:"key"` // as the tracker writes it
	State   string    `json:"state"`
	Title   string    `json:"title"`
	Tracker string    `json:"tracker"`
	Type    string    `json:"type"`
}

// Digest returns the hexadecimal SHA-256 of the snapshot's JSON form: its fields in
// the order of their names without white space, nothing escaped but what JSON asks for,
// times in UTC to the second, a zero Closed left out.
func (s Snapshot) Digest() string {
	s.Created, s.Closed = utc(s.Created), utc(s.Closed)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "" // a time beyond the year 9999, which no facts can hold either
	}
	sum := sha256.Sum256(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return hex.EncodeToString(sum[:])
}

// An Answer is what came of a lookup: an issue, none, or silence.
type Answer struct {
	Issue *Issue // nil when the tracker has none, or did not answer
	Why   string // why nothing is known; empty when the tracker answered
}

// WithTickets returns the facts with the answers of trackers put beside the linked
// requests that they are about. f is not changed.
func (f Facts) WithTickets(answers map[Lookup]Answer) Facts {
	requests, known := f.Requests.Get()
	if !known || len(answers) == 0 {
		return f
	}
	requests, roster := slices.Clone(requests), NewRoster(f.People)
	absent := maps.Clone(f.Absent)
	if absent == nil {
		absent = map[string]string{}
	}
	inOrder := slices.SortedFunc(maps.Keys(answers), func(a, b Lookup) int {
		return cmp.Or(cmp.Compare(a.Tracker, b.Tracker), cmp.Compare(a.Key, b.Key))
	})
	for _, l := range inOrder {
		a := answers[l]
		if a.Why != "" {
			absent[RequestFact(l.Key)] = a.Why
			continue
		}
		t := a.ticket(l, roster)
		for i := range requests {
			if q := &requests[i]; q.Key == l.Key {
				q.Ticket = Known(t)
				if a.Issue != nil && q.URL == "" {
					q.URL = a.Issue.URL
				}
			}
		}
	}
	f.Requests, f.People = Known(requests), roster.People()
	if len(absent) > 0 {
		f.Absent = absent
	}
	return f
}

// RequestFact names the request with a key among facts, such as "requests/SHOP-42".
func RequestFact(key string) string { return "requests/" + key }

// ticket returns the answer as a ticket, with its people in the roster.
func (a Answer) ticket(l Lookup, roster *Roster) Ticket {
	if a.Issue == nil {
		return Ticket{Tracker: l.Tracker}
	}
	i := a.Issue
	t := Ticket{
		Tracker: l.Tracker, Found: true, ID: i.ID, Type: i.Type, State: i.State, Created: i.Created, Closed: i.Closed,
		Moves: slices.Clone(i.Moves), Digest: i.Digest(), Requester: roster.Add(i.Requester),
	}
	if i.Key != l.Key {
		t.Key = i.Key
	}
	if i.Creator != i.Requester {
		t.Creator = roster.Add(i.Creator)
	}
	return t
}
