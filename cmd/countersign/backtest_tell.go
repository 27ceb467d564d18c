package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// What a draft makes of a change.
const (
	wouldAllow = "allowed"
	wouldHold  = "held"
	cannotTell = "unknown"
)

// verdict says what the draft makes of the change. One that some control holds would
// have been held whatever is not known of it.
func (t tried) verdict() string {
	if t.err != nil {
		return cannotTell
	}
	result := wouldAllow
	if len(t.decision.Results) == 0 {
		result = cannotTell
	}
	for _, r := range t.decision.Results {
		switch {
		case r.Status == change.Undetermined:
			result = cannotTell
		case r.Status.Blocks():
			return wouldHold
		}
	}
	return result
}

// A summary is what a backtest came to.
type summary struct {
	counts    map[string]int // by verdict
	controls  map[string]int // changes that each control holds
	because   map[string]int // how often something held a change
	unknown   map[string]int // how often something could not be known
	elsewhere map[string]int // pull requests into branches that the policy does not name
	beyond    int            // beyond the limit
	left      []tried        // that were not judged, because the run had to end
	unread    []string       // what the list may lack, and why
}

// add counts a change.
func (s *summary) add(t tried) {
	if s.counts == nil {
		s.counts, s.controls, s.because, s.unknown = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	}
	s.counts[t.verdict()]++
	if t.err != nil {
		s.unknown["it could not be read"]++
	}
	if t.decision.Reason != "" {
		s.unknown[alike(t.decision.Reason)]++
	}
	for _, r := range t.decision.Results {
		said := r.Control + ": " + alike(r.Reason)
		switch {
		case r.Status == change.Undetermined:
			s.unknown[said]++
		case r.Status.Blocks():
			s.controls[r.Control]++
			s.because[said]++
		}
	}
}

var (
	commitWord = regexp.MustCompile(`\b[0-9a-f]{7,40}\b`)
	momentWord = regexp.MustCompile(`\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ?\b`)
)

// alike returns a reason without who and which commit it is about, so that the same
// reason of two changes is the same.
func alike(t change.Text) string {
	s := t.Render(func(change.Person) string { return "somebody" })
	s = momentWord.ReplaceAllString(s, "…")
	return commitWord.ReplaceAllStringFunc(s, func(w string) string {
		if strings.ContainsAny(w, "0123456789") {
			return "…"
		}
		return w
	})
}

// begin says what is judged by what.
func (b *backtest) begin() error {
	if b.asJSON {
		return nil
	}
	out := lines{w: b.out}
	out.print("%s from %s to %s, judged by %s\n", b.past.Repository().Name, stamped(b.since), stamped(b.until), visible(b.file))
	return out.err
}

// tell prints what the draft makes of one change, and counts it. In words, what would
// have been let through is only counted.
func (b *backtest) tell(t tried) error {
	switch {
	case t.left:
		b.sum.left = append(b.sum.left, t)
		return nil
	case t.decision.Ungoverned:
		b.sum.elsewhere[t.branch]++
		return nil
	}
	b.sum.add(t)
	if b.asJSON {
		return json.NewEncoder(b.out).Encode(t.json())
	}
	if t.verdict() == wouldAllow {
		return nil
	}
	out := lines{w: b.out}
	out.print("%-7s %s", t.verdict(), visible(t.name()))
	if t.err != nil {
		out.print("  %s", visible(t.err.Error()))
	}
	if t.decision.Reason != "" {
		out.print("  %s", visible(t.words(t.decision.Reason)))
	}
	for _, r := range t.decision.Results {
		if r.Status.Blocks() {
			out.print("  %s (%s): %s", r.Control, r.Status, visible(t.words(r.Reason)))
		}
	}
	return out.err
}

// words returns a text with people by their labels.
func (t tried) words(text change.Text) string {
	return text.Render(func(p change.Person) string { return t.people[p].Label() })
}

// name says which change it is, when it landed and by whom.
func (t tried) name() string {
	what := fmt.Sprintf("#%d %s", t.ref.Number, change.Quote(t.title))
	how := "merged into"
	switch {
	case t.ref.Kind == change.Push && t.ref.Commit == "":
		what, how = "deletion", "of"
	case t.ref.Kind == change.Push:
		what, how = "push of "+t.ref.Commit.Short(), "to"
	}
	by := ""
	if t.by != "" {
		by = " by " + t.by
	}
	return fmt.Sprintf("%s, %s %s %s%s", what, how, t.branch, t.at.UTC().Format(time.DateOnly), by)
}

// A triedJSON is a tried change as JSON has it.
type triedJSON struct {
	Change   string           `json:"change"` // such as "acme/shop#12"
	Kind     change.Kind      `json:"kind"`
	Branch   string           `json:"branch"`
	Title    string           `json:"title,omitempty"`
	URL      string           `json:"url"`
	LandedAt string           `json:"landedAt"`
	LandedBy string           `json:"landedBy,omitempty"`
	Result   string           `json:"result"` // allowed, held or unknown
	Reason   string           `json:"reason,omitempty"`
	Controls []controlVerdict `json:"controls,omitempty"`
}

type controlVerdict struct {
	Control string        `json:"control"`
	Status  change.Status `json:"status"`
	Reason  string        `json:"reason"`
	Supply  string        `json:"supply,omitempty"`
}

func (t tried) json() triedJSON {
	out := triedJSON{
		Change: t.ref.String(), Kind: t.ref.Kind, Branch: t.branch, Title: t.title, URL: t.url, LandedAt: stamped(t.at), LandedBy: t.by,
		Result: t.verdict(), Reason: t.words(t.decision.Reason),
	}
	if t.err != nil {
		out.Reason = t.err.Error()
	}
	for _, r := range t.decision.Results {
		out.Controls = append(out.Controls, controlVerdict{r.Control, r.Status, t.words(r.Reason), t.words(r.Supply)})
	}
	return out
}

// waiting says on a terminal that GitHub asked to wait.
func (b *backtest) waiting(d time.Duration) {
	if onTerminal(b.err) {
		fmt.Fprintf(b.err, "\nGitHub asks to wait for %s\n", d.Round(time.Second))
	}
}

// conclude prints the sum and returns the error with the exit status.
func (b *backtest) conclude(stopped error) error {
	print := b.printSum
	if b.asJSON {
		print = b.encodeSum
	}
	err := print(stopped)
	s := &b.sum
	switch {
	case stopped != nil || len(s.left) > 0:
		return errors.Join(err, exit(undecided, "it ended before everything was judged: %w", stopped))
	case s.counts[wouldHold] > 0:
		return errors.Join(err, &exitError{status: denied})
	case s.counts[cannotTell] > 0 || len(s.unread) > 0:
		return errors.Join(err, &exitError{status: undecided})
	}
	return err
}

// goOn returns the moment before which a run that had to end is taken up again: it
// judges again what landed in the same second, and whatever is older.
func (s *summary) goOn() string {
	if len(s.left) == 0 {
		return ""
	}
	return stamped(s.left[0].at.Add(time.Second))
}

// A tally is how often something was said.
type tally struct {
	Words   string `json:"words"`
	Changes int    `json:"changes"`
}

// tallies returns what was said, the most often first.
func tallies(said map[string]int) []tally {
	list := []tally{}
	for words, n := range said {
		list = append(list, tally{words, n})
	}
	slices.SortFunc(list, func(a, b tally) int {
		if a.Changes != b.Changes {
			return b.Changes - a.Changes
		}
		return strings.Compare(a.Words, b.Words)
	})
	return list
}

// total returns how many there are.
func total(counts map[string]int) (n int) {
	for _, k := range counts {
		n += k
	}
	return n
}

// asOfToday says what a backtest takes from today, because GitHub keeps no history of it.
const asOfToday = "teams, permissions and who owns which e-mail address are as they are today"

// printSum says in words what it came to.
func (b *backtest) printSum(error) error {
	const most = 10
	s, out := &b.sum, lines{w: b.out}
	c := s.counts
	if total(c) > c[wouldAllow] {
		out.print("")
	}
	out.print("%s judged: %d let through, %d held, %d not known", plural(total(c), "change"), c[wouldAllow], c[wouldHold], c[cannotTell])
	for _, part := range []struct {
		title string
		said  map[string]int
	}{{"held by", s.controls}, {"held because", s.because}, {"not known", s.unknown}, {"not judged: into branches that the policy does not name", s.elsewhere}} {
		list := tallies(part.said)
		if len(list) > 0 {
			out.print("%s", part.title)
		}
		for _, t := range list[:min(len(list), most)] {
			out.print("  %4d  %s", t.Changes, visible(t.Words))
		}
		if len(list) > most {
			out.print("        and %d more", len(list)-most)
		}
	}
	if s.beyond > 0 {
		out.print("not judged: %s beyond --limit %d", plural(s.beyond, "older pull request"), b.limit)
	}
	for _, why := range s.unread {
		out.print("not read: %s", visible(why))
	}
	if len(s.left) > 0 {
		out.print("left: %s; go on with --until %s", plural(len(s.left), "pull request"), s.goOn())
	}
	out.print("\n%s to GitHub, none of which wrote; %s", plural(int(b.forge.Requests()), "request"), asOfToday)
	out.print("%s", strings.TrimPrefix(unrecorded, "\n"))
	return out.err
}

// encodeSum prints the sum as the last JSON object.
func (b *backtest) encodeSum(stopped error) error {
	s := &b.sum
	sum := map[string]any{
		"repository": b.past.Repository().Name, "policy": b.file, "since": stamped(b.since), "until": stamped(b.until),
		"judged": total(s.counts), wouldAllow: s.counts[wouldAllow], wouldHold: s.counts[wouldHold], cannotTell: s.counts[cannotTell],
		"heldBy": tallies(s.controls), "heldBecause": tallies(s.because), "unknownBecause": tallies(s.unknown),
		"ungoverned": tallies(s.elsewhere), "beyondLimit": s.beyond, "left": len(s.left), "unread": append([]string{}, s.unread...),
		"requests": b.forge.Requests(), "complete": stopped == nil && len(s.left) == 0 && len(s.unread) == 0,
	}
	if at := s.goOn(); at != "" {
		sum["goOnWithUntil"] = at
	}
	return json.NewEncoder(b.out).Encode(map[string]any{"summary": sum})
}
