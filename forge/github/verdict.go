package github

import (
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Bounds of what a check run shows: GitHub refuses longer texts, and cuts longer
// titles where it lists checks.
const (
	maxText  = 65_535 // bytes
	maxTitle = 120    // characters
	maxCell  = 2_000  // characters of one cell of the table, before they are escaped
)

// verdict puts a decision into words. A change that can still be allowed is in
// progress, which blocks a required check and reads as what it is.
func (f *Forge) verdict(r change.Report) verdict {
	v := verdict{status: "completed", externalID: "countersign:" + r.Ref.Key()}
	name := func(p change.Person) string { return r.People[p].Label() }
	d := r.Decision
	var word string
	switch {
	case d.Verdict() == change.Allow:
		v.conclusion, word = "success", "Allowed"
	case d.Verdict() == change.AllowException:
		v.conclusion, word = "success", "Exception"
	case d.Status == change.Pending:
		v.status, word = "in_progress", "Held"
	case d.Status == change.Undetermined:
		v.conclusion, word = "action_required", "Undetermined"
	default:
		v.conclusion, word = "failure", "Denied"
	}
	v.title = plain(word+": "+gist(d, name), maxTitle)
	v.summary = summary(r, word, name)
	v.text = table(d, name)
	return v
}

// gist says in one line why a change is held, worst reasons first, or how many
// controls let it through.
func gist(d change.Decision, name func(change.Person) string) string {
	if len(d.Results) == 0 {
		return d.Reason.Render(name)
	}
	var reasons []string
	if d.Reason != "" {
		reasons = append(reasons, d.Reason.Render(name))
	}
	for _, status := range []change.Status{change.Fail, change.Undetermined, change.Pending, change.Exception} {
		for _, r := range d.Results {
			if r.Status == status {
				reasons = append(reasons, r.Reason.Render(name))
			}
		}
	}
	if len(reasons) > 0 {
		return strings.Join(reasons, " · ")
	}
	passed := 0
	for _, r := range d.Results {
		if r.Status == change.Pass {
			passed++
		}
	}
	if passed == 1 {
		return "1 control passes"
	}
	return fmt.Sprintf("%d controls pass", passed)
}

// summary says what was decided and where the record of it lies.
func summary(r change.Report, word string, name func(change.Person) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s.** %s\n\n", word, explain(r.Decision.Status))
	if reason := r.Decision.Reason.Render(name); reason != "" {
		fmt.Fprintf(&b, "%s\n\n", escape(reason))
	}
	if r.Receipt.Digest != "" {
		fmt.Fprintf(&b, "Record %d of %s, log entry %d, SHA-256 `%s`.\n", r.Receipt.N, escape(r.Receipt.Chain), r.Receipt.Index, code(r.Receipt.Digest))
	}
	if r.Decision.Owner != "" {
		fmt.Fprintf(&b, "The policy belongs to %s.\n", escape(r.Decision.Owner))
	}
	return cut(b.String())
}

func explain(s change.Status) string {
	switch s {
	case change.Pass, change.NotApplicable:
		return "Every control that applies is satisfied."
	case change.Exception:
		return "Let through by break-glass; a review has to follow."
	case change.Pending:
		return "Not every control is satisfied yet. The table says what is missing and who can supply it."
	case change.Undetermined:
		return "A fact that a control rests on could not be had, and what is not known does not pass."
	}
	return "A control is violated. The table says which, and what would satisfy it."
}

// code keeps only what cannot end a code span.
func code(s string) string { return strings.ReplaceAll(plain(s, 128), "`", "") }

// words of the statuses, for the first column of the table.
func statusWord(s change.Status) string {
	switch s {
	case change.Pass:
		return "✅ pass"
	case change.Fail:
		return "❌ fail"
	case change.Pending:
		return "⏳ pending"
	case change.Undetermined:
		return "❓ unknown"
	case change.NotApplicable:
		return "➖ not applicable"
	case change.Exception:
		return "⚠️ exception"
	}
	return escape(string(s))
}

const tableHead = "| Status | Control | Why | Who can supply it |\n| --- | --- | --- | --- |\n"

// table lists every control. A row that would not fit is left out and counted in a
// last line; those after it may fit.
func table(d change.Decision, name func(change.Person) string) string {
	if len(d.Results) == 0 {
		return ""
	}
	const note = "\n%d more controls do not fit here; the record holds them all.\n"
	cell := func(t change.Text) string { return escape(plain(t.Render(name), maxCell)) }
	room := maxText - len(tableHead) - len(note) - 20
	var b strings.Builder
	b.WriteString(tableHead)
	left := 0
	for _, r := range d.Results {
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", statusWord(r.Status), cell(change.Text(r.Control)), cell(r.Reason), cell(r.Supply))
		if len(row) > room {
			left++
			continue
		}
		room -= len(row)
		b.WriteString(row)
	}
	if left > 0 {
		fmt.Fprintf(&b, note, left)
	}
	return b.String()
}

// cut shortens a summary to what GitHub takes, at the end of a line or, failing
// that, of a character.
func cut(s string) string {
	const note = "\n…\n"
	if len(s) <= maxText {
		return s
	}
	s = strings.ToValidUTF8(s[:maxText-len(note)], "")
	if at := strings.LastIndexByte(s, '\n'); at > 0 {
		s = s[:at]
	}
	return s + note
}
