package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A tag is one setting or taking away of a label.
type tag struct {
	at      time.Time
	set     bool
	by      change.Person
	outside answer // whether a human did it who made no part of the change
}

// label says whether a label counts. What labels a change can loosen what is asked
// of it, so that whoever made the change has no say:
//
//   - A label that a human outside the makers set last counts. One that a maker, an
//     automation or nobody known set does not.
//   - Where a maker took such a label away or set it again, or pushed after it was
//     set, it is contested: it was put on something else, and taking it away could
//     loosen as much as setting it.
//   - Of a change that has landed, the labels are those it had then.
//
// Names of labels are one whatever their case, as they are to the forge.
func (s *subject) label(name string) finding {
	quoted := "the label " + change.Quote(name)
	for _, fact := range []struct {
		known bool
		name  string
		what  string
	}{
		{s.facts.Labels.IsKnown(), "labels", "the labels are not known"},
		{s.facts.Timeline.IsKnown(), "timeline", "the timeline is not known, so it is not either who set " + quoted},
		{s.facts.Landing.IsKnown(), "landing", "whether the change has landed is not known, so it is not either whether it had " + quoted + " then"},
	} {
		if !fact.known {
			return finding{unknowable, absent(s.facts, fact.name, fact.what)}
		}
	}
	tags := s.tags(name)
	if len(tags) == 0 {
		return finding{holdsNot, quoted + " is not set"}
	}
	for i, t := range tags {
		switch {
		case i+1 < len(tags) && tags[i+1].at.Equal(t.at) && (tags[i+1].set != t.set || tags[i+1].outside != t.outside):
			return finding{unknowable, fmt.Sprintf("%s was changed twice in the same moment, and it cannot be told which came last; set it again", quoted)}
		case t.outside == unsure:
			return finding{unknowable, fmt.Sprintf("whether %s, who set or took away %s, made part of the change is not known", mark(t.by), quoted)}
		case t.outside == yes:
			return s.stands(quoted, t, tags[:i])
		}
	}
	return finding{holdsNot, s.doesNotCount(quoted, tags[0])}
}

// stands says whether the last word that somebody outside said about a label still
// holds after what others did.
func (s *subject) stands(quoted string, t tag, later []tag) finding {
	switch {
	case !t.set && len(later) > 0:
		return finding{holdsNot, s.doesNotCount(quoted, later[0])}
	case !t.set:
		return finding{holdsNot, fmt.Sprintf("%s was taken away by %s", quoted, mark(t.by))}
	case len(later) > 0:
		return finding{contested, fmt.Sprintf("%s was set by %s and then set or taken away by %s, who has no say in it; let somebody who made no part of the change set it or take it away", quoted, mark(t.by), mark(later[0].by))}
	case s.movedSince(t.at):
		return finding{contested, fmt.Sprintf("%s was set by %s before the last push or change of the base, and so on something else; let somebody who made no part of the change take it away and set it again", quoted, mark(t.by))}
	}
	return finding{holds, fmt.Sprintf("%s was set by %s", quoted, mark(t.by))}
}

// doesNotCount says why a label that nobody outside has set does not count.
func (s *subject) doesNotCount(quoted string, last tag) string {
	switch {
	case !last.set:
		return quoted + " is not set"
	case s.makers.has(s.facts.People, last.by):
		return fmt.Sprintf("%s does not count: %s set it, and %s", quoted, mark(last.by), s.makers.because(s.facts.People, last.by))
	case last.by == "":
		return quoted + " does not count: nobody knows who set it"
	}
	return fmt.Sprintf("%s does not count: %s set it, who is no human", quoted, mark(last.by))
}

// tags returns what was done about a label until the change landed, the newest
// first. Where the forge shows something else than that comes to, as when a label is
// deleted, nobody known has done the last of it.
func (s *subject) tags(name string) []tag {
	timeline, _ := s.facts.Timeline.Get()
	labels, _ := s.facts.Labels.Get()
	shown := slices.ContainsFunc(labels, func(l string) bool { return strings.EqualFold(l, name) })
	var tags []tag
	for _, e := range timeline {
		switch {
		case e.Kind != change.Labeled && e.Kind != change.Unlabeled || !strings.EqualFold(e.Detail, name):
		case s.landed && e.At.After(s.landing.At): // the change had landed by then
		default:
			tags = append(tags, tag{e.At, e.Kind == change.Labeled, e.By, s.outside(e.By)})
		}
	}
	slices.SortFunc(tags, func(a, b tag) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		if a.set != b.set {
			return map[bool]int{true: 1, false: -1}[a.set]
		}
		return byNumber(a.by, b.by)
	})
	if was := len(tags) > 0 && tags[0].set; was != shown && !s.landed {
		tags = append([]tag{{set: shown}}, tags...)
	}
	return tags
}

// outside reports whether a human did something who made no part of the change.
func (s *subject) outside(p change.Person) answer {
	switch kind := s.facts.People[p].Kind; {
	case kind == change.Bot || kind == change.App || s.makers.has(s.facts.People, p):
		return no
	case kind != change.Human || len(s.makers.unknown) > 0:
		return unsure
	}
	return yes
}

// movedSince reports whether the change's branch moved, or its base became another,
// at some moment or later and before it landed. What moved it at a time that is not
// known may have done so since.
func (s *subject) movedSince(at time.Time) bool {
	after := func(t time.Time) bool { return t.IsZero() || !t.Before(at) && (!s.landed || !t.After(s.landing.At)) }
	pushed := slices.ContainsFunc(s.facts.Pushes.Or(nil), func(p change.BranchPush) bool { return after(p.At) })
	forced := slices.ContainsFunc(s.facts.Timeline.Or(nil), func(e change.Event) bool { return e.Kind == change.HeadForcePushed && after(e.At) })
	return pushed || forced || !s.lastBaseChange().Before(at)
}
