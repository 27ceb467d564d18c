package change

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Canonical returns the facts with every list in one order, whatever order the
// forge answered in, and every time in UTC to the second. Commits keep the
// forge's order, which is the order of history. The lists of f are not changed.
func (f Facts) Canonical() Facts {
	f.GatheredAt = utc(f.GatheredAt)
	f.Opened = utc(f.Opened)
	f.Commits = each(f.Commits, nil, func(c *Commit) {
		c.Authored, c.Committed = utc(c.Authored), utc(c.Committed)
		c.CoAuthors = slices.Clone(c.CoAuthors)
		slices.Sort(c.CoAuthors)
	})
	f.Replaced = each(f.Replaced, func(a, b Commit) int { return cmp.Compare(a.SHA, b.SHA) }, func(c *Commit) {
		c.Authored, c.Committed = utc(c.Authored), utc(c.Committed)
		c.CoAuthors = slices.Clone(c.CoAuthors)
		slices.Sort(c.CoAuthors)
	})
	f.Pushes = each(f.Pushes, func(a, b BranchPush) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After), cmp.Compare(a.By, b.By))
	}, func(p *BranchPush) { p.At = utc(p.At) })
	f.Files = each(f.Files, func(a, b File) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Previous, b.Previous)) }, nil)
	f.Reviews = each(f.Reviews, func(a, b Review) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }, func(r *Review) {
		r.At, r.Edited = utc(r.At), utc(r.Edited)
		if r.Dismissal != nil {
			d := *r.Dismissal
			d.At = utc(d.At)
			r.Dismissal = &d
		}
	})
	f.Checks = each(f.Checks, func(a, b Check) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Source, b.Source), cmp.Compare(a.AppID, b.AppID),
			cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Attempt, b.Attempt))
	}, func(c *Check) { c.Started, c.Completed = utc(c.Started), utc(c.Completed) })
	f.Labels = each(f.Labels, strings.Compare, nil)
	f.Requests = each(f.Requests, func(a, b Request) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Found, b.Found)) }, func(q *Request) {
		if t, known := q.Ticket.Get(); known {
			t.Created, t.Closed = utc(t.Created), utc(t.Closed)
			t.Moves = slices.Clone(t.Moves)
			for i := range t.Moves {
				t.Moves[i].At = utc(t.Moves[i].At)
			}
			q.Ticket = Known(t)
		}
	})
	f.Timeline = each(f.Timeline, func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.By, b.By), cmp.Compare(a.Before, b.Before),
			cmp.Compare(a.After, b.After), cmp.Compare(a.Detail, b.Detail))
	}, func(e *Event) { e.At = utc(e.At) })
	f.Members = each(f.Members, func(a, b Membership) int {
		return cmp.Or(cmp.Compare(a.Selector, b.Selector), cmp.Compare(a.Person, b.Person))
	}, nil)
	f.Updates = each(f.Updates, func(a, b Update) int { return cmp.Compare(a.Commit, b.Commit) }, nil)
	f.Runs = each(f.Runs, func(a, b Run) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Attempt, b.Attempt)) }, func(r *Run) {
		r.Started, r.Updated = utc(r.Started), utc(r.Updated)
	})
	if f.Automations != nil {
		f.Automations = slices.Clone(f.Automations)
		slices.SortFunc(f.Automations, func(a, b Automation) int {
			return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Entry, b.Entry))
		})
	}
	if o, known := f.Owners.Get(); known {
		f.Owners = Known(o.canonical())
	}
	if l, known := f.Landing.Get(); known {
		l.At = utc(l.At)
		l.Explained = slices.Clone(l.Explained)
		slices.Sort(l.Explained)
		f.Landing = Known(l)
	}
	if s, known := f.Shown.Get(); known {
		s.Completed = utc(s.Completed)
		f.Shown = Known(s)
	}
	if g, known := f.Group.Get(); known {
		g.Members = slices.Clone(g.Members)
		slices.SortFunc(g.Members, func(a, b Member) int { return cmp.Compare(a.Ref.Number, b.Ref.Number) })
		g.Unexplained = slices.Clone(g.Unexplained)
		slices.Sort(g.Unexplained)
		f.Group = Known(g)
	}
	return f
}

// each returns the list of a known fact cloned, changed by touch and sorted by
// order; nil leaves either out.
func each[T any](f Fact[[]T], order func(a, b T) int, touch func(*T)) Fact[[]T] {
	list, known := f.Get()
	if !known {
		return f
	}
	list = slices.Clone(list)
	if touch != nil {
		for i := range list {
			touch(&list[i])
		}
	}
	if order != nil {
		slices.SortStableFunc(list, order)
	}
	return Known(list)
}

// utc drops what two forges, or two answers of one, would write differently.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// MaxFacts bounds the JSON form of one change's facts, in bytes.
const MaxFacts = 32 << 20

// ParseFacts reads the JSON form of facts. Unknown fields, trailing bytes and
// more than MaxFacts bytes are errors, because half-read facts judge wrongly.
func ParseFacts(r io.Reader) (Facts, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFacts+1))
	if err != nil {
		return Facts{}, fmt.Errorf("reading facts: %w", err)
	}
	if len(data) > MaxFacts {
		return Facts{}, fmt.Errorf("reading facts: more than %d bytes", MaxFacts)
	}
	var f Facts
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Facts{}, fmt.Errorf("reading facts: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Facts{}, fmt.Errorf("reading facts: something follows the facts")
	}
	return f, nil
}

// canonical returns the ownership with its lists in one order.
func (o Ownership) canonical() Ownership {
	paths, _ := each(Known(o.Paths), func(a, b OwnedPath) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line)) },
		func(p *OwnedPath) {
			p.Teams, p.People = slices.Clone(p.Teams), slices.Clone(p.People)
			slices.Sort(p.Teams)
			slices.Sort(p.People)
		}).Get()
	o.Paths, o.Problems = paths, slices.Clone(o.Problems)
	slices.Sort(o.Problems)
	return o
}
