package policy

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/countersign-dev/countersign/change"
)

// Explain writes a decision for people to read: its verdict, then a block for each
// control with its status, why, who can supply what is missing, which approvals
// did not count, and what it rests on. People are called by their labels.
func Explain(w io.Writer, d change.Decision, people change.People) error {
	name := func(p change.Person) string { return people[p].Label() }
	rendered := func(t change.Text) string { return printable(t.Render(name)) }
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", d.Verdict(), d.Status)
	if d.Rule != "" {
		fmt.Fprintf(&b, " by %s", d.Rule)
	}
	if d.Owner != "" {
		fmt.Fprintf(&b, ", owner %s", printable(d.Owner))
	}
	b.WriteByte('\n')
	if d.Reason != "" {
		fmt.Fprintf(&b, "  %s\n", rendered(d.Reason))
	}
	if d.ClassReason != "" {
		fmt.Fprintf(&b, "  class: %s\n", join(": ", printable(d.Class), rendered(d.ClassReason)))
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "  floor: %s\n", rendered(n))
	}
	for _, r := range d.Results {
		fmt.Fprintf(&b, "\n%s: %s\n", r.Control, r.Status)
		fmt.Fprintf(&b, "  why: %s\n", rendered(r.Reason))
		if r.Supply != "" {
			fmt.Fprintf(&b, "  who can supply it: %s\n", rendered(r.Supply))
		}
		for _, u := range r.Uncounted {
			fmt.Fprintf(&b, "  not counted: %s\n", rendered(u.Why))
		}
		for _, c := range r.Carried {
			fmt.Fprintf(&b, "  carried over: reviews/%d, given on %s, counts for %s over %s\n", c.Review, printable(abbrev(c.From)), printable(abbrev(c.To)), printable(updatesNamed(c.Over)))
		}
		if len(r.Facts) > 0 {
			fmt.Fprintf(&b, "  rests on: %s\n", printable(strings.Join(r.Facts, ", ")))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing an explanation: %w", err)
	}
	return nil
}

// printable returns the text without what a terminal would obey: names and paths
// are the choice of whoever made the change.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return '·'
		}
		return r
	}, s)
}
