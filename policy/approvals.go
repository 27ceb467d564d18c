package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// An approval is one human's last word on a change where that word is, or was
// before its dismissal, an approval.
type approval struct {
	review change.Review
	why    string       // why it counts for no control; empty when a role is all it may lack
	over   []change.SHA // the updates from the base that it was carried over
	unsure string       // why it is not known whether it can be carried that far
}

// An objection is a request for changes that may still stand.
type objection struct {
	review change.Review
	sure   bool   // false when the forge does not tell what the dismissed review had said
	how    string // what became of it
}

// reviews is what a change's reviews come to, whoever they must be from.
type reviews struct {
	approvals  []approval
	objections []objection
	unknown    []string // why it cannot be told which approvals count
}

// reviewsOf weighs the reviews of a change.
func (s *subject) reviewsOf() reviews {
	var out reviews
	all, known := s.facts.Reviews.Get()
	if !known {
		out.unknown = append(out.unknown, absent(s.facts, "reviews", "the reviews are not known"))
	}
	head, known := s.facts.Head.Get()
	if !known {
		out.unknown = append(out.unknown, absent(s.facts, "head", "the head is not known"))
	}
	if !s.facts.Timeline.IsKnown() {
		out.unknown = append(out.unknown, absent(s.facts, "timeline", timelineUnknown))
	}
	now := proposal{head, s.covered(head), s.lastBaseChange()}
	for _, r := range s.lastWords(all) {
		if said(r) == change.Approved {
			out.approvals = append(out.approvals, s.weighed(r, now))
		} else if o, stands := s.objects(r); stands {
			out.objections = append(out.objections, o)
		}
	}
	return out
}

// weighed returns what an approval comes to.
func (s *subject) weighed(r change.Review, now proposal) approval {
	a := approval{review: r, why: s.whyNot(r, now)}
	if a.why == "" {
		of := now.covered[r.Commit]
		a.over = of.over
		if !of.sure {
			a.unsure = absent(s.facts, "updates", fmt.Sprintf("%s's approval is of %s, and it is not known whether only pure updates lie between that and the head, %s",
				mark(r.By), abbrev(r.Commit), abbrev(now.head.Commit)))
		}
	}
	return a
}

// said returns what a review said before it was dismissed, if it was.
func said(r change.Review) change.ReviewState {
	if r.State == change.Dismissed && r.Dismissal != nil {
		return r.Dismissal.Was
	}
	return r.State
}

// lastWords returns the latest opinionated review of every human, in order of
// time. A comment is no opinion. A bot's approvals are returned beside, so that it
// can be said that they do not count; its other reviews say nothing.
func (s *subject) lastWords(all []change.Review) []change.Review {
	last := map[change.Person]change.Review{}
	var words []change.Review
	for _, r := range all {
		r, inTime := s.atLanding(r)
		if !inTime || said(r) == change.Commented {
			continue
		}
		if kind := s.facts.People[r.By].Kind; kind == change.Bot || kind == change.App {
			if r.State == change.Approved {
				words = append(words, r)
			}
			continue
		}
		p := s.facts.People.Same(r.By)
		if old, spoken := last[p]; !spoken || byTime(old, r) < 0 {
			last[p] = r
		}
	}
	words = slices.AppendSeq(words, maps.Values(last))
	slices.SortFunc(words, byTime)
	return words
}

// atLanding returns the review as it stood when the change landed, and whether it
// had been given by then: nobody approves or objects afterwards.
func (s *subject) atLanding(r change.Review) (change.Review, bool) {
	if !s.landed {
		return r, true
	}
	if d := r.Dismissal; r.State == change.Dismissed && d != nil && d.Was != "" && d.At.After(s.landing.At) {
		r.State, r.Dismissal = d.Was, nil
	}
	return r, !r.At.After(s.landing.At)
}

// byTime orders reviews by time and then id. Of two that agree in both, the one
// that helps the change less comes last and so is the last word.
func byTime(a, b change.Review) int {
	rank := func(r change.Review) int {
		if r.State == change.Approved {
			return 0
		}
		return 1
	}
	if c := cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), rank(a)-rank(b)); c != 0 {
		return c
	}
	return bytes.Compare(wire(a), wire(b))
}

// wire returns the JSON form of facts, or of what a policy says. Only a time beyond
// the year 9999 has none; such values are equal, which is an order too.
func wire(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

// lastBaseChange returns when the base last became another, up to the landing.
func (s *subject) lastBaseChange() time.Time {
	var last time.Time
	timeline, _ := s.facts.Timeline.Get()
	for _, e := range timeline {
		if e.Kind != change.BaseChanged && e.Kind != change.BaseForcePushed || s.landed && e.At.After(s.landing.At) {
			continue
		}
		if e.At.After(last) {
			last = e.At
		}
	}
	return last
}

// A proposal is what an approval must be of.
type proposal struct {
	head    change.Head
	covered map[change.SHA]cover // the commits of which an approval is one of the head
	rebased time.Time            // when the base last became another; zero when it never did
}

// covers reports whether an approval of a commit may be one of what is proposed.
func (p proposal) covers(commit change.SHA) bool {
	_, covered := p.covered[commit]
	return covered
}

// whyNot says why an approval counts for no control, or nothing when only a role
// can still be missing. What cannot be mended is named before what can.
func (s *subject) whyNot(r change.Review, now proposal) string {
	by := mark(r.By)
	switch kind := s.facts.People[r.By].Kind; {
	case kind == change.Bot || kind == change.App:
		return by + "'s approval does not count: only a human's does"
	case kind != change.Human:
		return by + "'s approval does not count: the account behind it is not known"
	case s.makers.has(s.facts.People, r.By):
		return fmt.Sprintf("%s's approval does not count: %s", by, s.makers.because(s.facts.People, r.By))
	case r.State == change.Dismissed:
		return fmt.Sprintf("%s's approval was dismissed by %s", by, mark(r.Dismissal.By))
	case r.Commit == "":
		return by + "'s approval is of a commit that the forge no longer knows"
	case !now.covers(r.Commit):
		return fmt.Sprintf("%s's approval is of %s, the head is now %s", by, abbrev(r.Commit), abbrev(now.head.Commit))
	case !now.rebased.IsZero() && !r.At.After(now.rebased):
		return fmt.Sprintf("%s's approval was not given after the base last changed, at %s", by, now.rebased.UTC().Format(time.DateTime))
	}
	return ""
}

// objects reports whether a last word that is no approval may still hold the
// change back, and how. Makers need not answer themselves, but whom only a commit
// names as one keeps the right to object: otherwise a commit with the reviewer's
// name on it would silence any reviewer. Only the reviewer, or somebody else who
// made no part of the change, can take a request for changes out of force.
func (s *subject) objects(r change.Review) (objection, bool) {
	if s.makers.provenly(s.facts.People, r.By) {
		return objection{}, false
	}
	switch {
	case r.State == change.ChangesRequested:
		return objection{r, true, "asks for changes; answer them and ask for another review"}, true
	case r.State != change.Dismissed:
		return objection{}, false // a word this program does not know, or an approval
	}
	by := change.Person("")
	if r.Dismissal != nil {
		by = r.Dismissal.By
	}
	if s.facts.People[by].Kind == change.Human && !s.makers.has(s.facts.People, by) {
		return objection{}, false
	}
	how := fmt.Sprintf("asked for changes, and %s, who cannot take that back, dismissed it; ask for another review", mark(by))
	return objection{r, said(r) == change.ChangesRequested, how}, true
}
