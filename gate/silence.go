package gate

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A silence is a lookup that was not answered, and the changes that wait for it.
type silence struct {
	of     change.Ref
	lookup change.Lookup
	waits  map[string]change.Ref // by Ref.Key
	next   time.Time             // when to ask again
	wait   time.Duration
	asked  int // times that it was asked again
}

// Bounds of what is asked again.
const (
	firstWait   = time.Minute
	longestWait = time.Hour
	manySilent  = 1000 // lookups; beyond it a change waits for its own next event
	askedAtOnce = 20
	askedMost   = 30 // times, which takes about a day
)

// noteSilence remembers that a change waits for an answer, or that it got one.
func (t *tickets) noteSilence(of change.Ref, l change.Lookup, a change.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.trackers[l.Tracker]; !there {
		return // nobody will ever answer
	}
	q := questionOf(of, l)
	s, known := t.silent[q]
	switch {
	case a.Why == "" && !known:
		return
	case a.Why == "":
		delete(s.waits, of.Key())
		if len(s.waits) == 0 {
			delete(t.silent, q)
		}
		s.next = t.now() // for the others there is an answer now
		return
	case !known && len(t.silent) == manySilent:
		return
	case !known:
		s = &silence{of: of, lookup: l, waits: map[string]change.Ref{}, next: t.now().Add(firstWait), wait: firstWait}
		t.silent[q] = s
	}
	if len(s.waits) < manySilent {
		s.waits[of.Key()] = of
	}
}

// due returns the silences that it is time to ask about again, those that wait longest
// first, and puts off the next time.
func (t *tickets) due() []silence {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.SortedFunc(maps.Values(t.silent), func(a, b *silence) int {
		return cmp.Or(a.next.Compare(b.next), cmp.Compare(a.lookup.Key, b.lookup.Key))
	})
	var due []silence
	for _, s := range all[:min(len(all), askedAtOnce)] {
		if t.now().Before(s.next) {
			break
		}
		if s.asked++; s.asked > askedMost {
			delete(t.silent, questionOf(s.of, s.lookup))
			continue
		}
		s.wait = min(2*s.wait, longestWait)
		s.next = t.now().Add(s.wait)
		due = append(due, silence{of: s.of, lookup: s.lookup, waits: maps.Clone(s.waits)})
	}
	return due
}

// AskAgain asks trackers once more what they did not answer, each question after a wait
// that grows from a minute to an hour and for about a day, and returns the changes for which there is an
// answer now. They are to be judged again.
func (g *Gate) AskAgain(ctx context.Context) []change.Ref {
	answered := map[string]change.Ref{}
	for _, s := range g.tickets.due() {
		if ctx.Err() != nil {
			break
		}
		if a := g.tickets.answer(ctx, s.of, s.lookup, true); a.Why == "" {
			for _, of := range s.waits {
				g.tickets.noteSilence(of, s.lookup, a)
			}
			maps.Copy(answered, s.waits)
		}
	}
	return slices.SortedFunc(maps.Values(answered), func(a, b change.Ref) int { return cmp.Compare(a.Key(), b.Key()) })
}
