package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/turns"
)

// A Tracker knows change requests.
type Tracker interface {
	// Lookup returns the issue with a key that a change links. An error that wraps
	// change.ErrNoIssue says that there is none; a *change.UnansweredError says why it
	// cannot be told, as any other error does. Lookup ends within a bounded time.
	Lookup(ctx context.Context, of change.Ref, key string) (change.Issue, error)
}

// Bounds of what is asked of trackers.
const (
	ticketAge   = 10 * time.Second // how long an answer serves; within it an issue may have changed
	lookupTime  = 15 * time.Second // one question
	longestHush = 5 * time.Minute  // how long a tracker that asks for it is left alone at most
	manyTickets = 10_000           // answers that are kept
)

// noReason is what a record says of a tracker that failed without a reason that can
// be signed.
const noReason = "the tracker did not answer; the server's log says why"

// tickets asks trackers and keeps what they say for a moment, so that a burst of
// assessments is one question.
type tickets struct {
	trackers map[string]Tracker
	log      *slog.Logger
	now      func() time.Time
	kept     *lru.Cache[question, said]
	flight   singleflight.Group

	mu    sync.Mutex
	round uint64          // counts the calls of forget: what was asked before one is not kept after it
	hush  map[string]said // by tracker: what to answer while it wants to be left alone

	silent map[question]*silence
}

// A question is one lookup, told from the same key of another place.
type question struct {
	id    change.RequestID
	scope string // whose credentials ask
}

// said is an answer and until when it serves.
type said struct {
	answer change.Answer
	until  time.Time
}

func newTickets(c Config) *tickets {
	kept, err := lru.New[question, said](manyTickets)
	if err != nil {
		panic(err) // of a size that is not above zero
	}
	return &tickets{trackers: c.Trackers, log: c.Log, now: c.Now, kept: kept, hush: map[string]said{}, silent: map[question]*silence{}}
}

// questionOf returns what a lookup for a change asks. Of a tracker that is the
// change's forge, the installation on the owner's repositories asks, which sees what
// others may not.
func questionOf(of change.Ref, l change.Lookup) question {
	q := question{id: l.In(of.Repository)}
	q.id.Key = strings.ToLower(q.id.Key)
	if l.Tracker == string(of.Repository.Forge) {
		owner, _, _ := strings.Cut(of.Repository.Name, "/")
		q.scope = of.Repository.Host + "/" + strings.ToLower(owner)
	}
	return q
}

// answer returns what a tracker says of one lookup: what it said a moment ago, or
// afresh.
func (t *tickets) answer(ctx context.Context, of change.Ref, l change.Lookup, fresh bool) change.Answer {
	tracker, there := t.trackers[l.Tracker]
	if !there {
		return change.Answer{Why: fmt.Sprintf("this server is not set up to ask %s; its configuration has to say where and as whom", l.Tracker)}
	}
	q := questionOf(of, l)
	if a, known := t.recall(q, fresh); known {
		return a
	}
	round := t.current()
	result := <-t.flight.DoChan(fmt.Sprintf("%v\x00%d", q, round), func() (any, error) {
		// Others may wait for the answer as well, so it does not end with the caller.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
		defer cancel()
		var issue change.Issue
		err := turns.Guard(func() (err error) {
			issue, err = tracker.Lookup(ctx, of, l.Key)
			return err
		})
		a := t.read(ctx, of, l, issue, err)
		t.keep(q, a, round)
		return a, nil
	})
	return result.Val.(change.Answer)
}

// read turns what a tracker returned into an answer.
func (t *tickets) read(ctx context.Context, of change.Ref, l change.Lookup, issue change.Issue, err error) change.Answer {
	if err == nil {
		issue.Tracker = l.Tracker
		return change.Answer{Issue: &issue}
	}
	if errors.Is(err, change.ErrNoIssue) {
		return change.Answer{}
	}
	t.log.WarnContext(ctx, "tracker did not answer", "change", of.String(), "tracker", l.Tracker, "key", l.Key, "err", err)
	a := change.Answer{Why: noReason}
	var silent *change.UnansweredError
	if errors.As(err, &silent) {
		a.Why = silent.Why
		if silent.After > 0 {
			t.leaveAlone(l.Tracker, said{a, t.now().Add(min(silent.After, longestHush))})
		}
	}
	return a
}

// recall returns what was said a moment ago.
func (t *tickets) recall(q question, fresh bool) (change.Answer, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.hush[q.id.Tracker]; ok && t.now().Before(s.until) {
		return s.answer, true
	}
	if s, ok := t.kept.Get(q); ok && !fresh && t.now().Before(s.until) {
		return s.answer, true
	}
	return change.Answer{}, false
}

func (t *tickets) current() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.round
}

func (t *tickets) keep(q question, a change.Answer, round uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.round == round {
		t.kept.Add(q, said{a, t.now().Add(ticketAge)})
	}
}

func (t *tickets) leaveAlone(tracker string, s said) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hush[tracker] = s
}

// forget drops what was said of a request, and of what is being asked keeps nothing.
func (t *tickets) forget(id change.RequestID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.round++
	names := id.Names()
	for _, q := range t.kept.Keys() {
		s, _ := t.kept.Peek(q)
		known := q.id
		if s.answer.Issue != nil {
			known.ID = s.answer.Issue.ID
		}
		if slices.ContainsFunc(known.Names(), func(n string) bool { return slices.Contains(names, n) }) {
			t.kept.Remove(q)
		}
	}
}
