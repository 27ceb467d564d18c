package github

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/countersign-dev/countersign/change"
)

// Bounds of what a check run shows. GitHub takes 65,535 characters of a text; bytes
// are at least as many.
const (
	maxText  = 65_535 // bytes
	maxCell  = 2_000  // characters of one cell of the table, before they are escaped
	maxItems = 10     // of what is missing, of notes and of links of one cell
)

// A verdict is a decision in the words of a check run.
type verdict struct {
	status      string // in_progress or completed
	conclusion  string // of a completed one
	title       string
	summary     string
	text        string
	externalID  string
	annotations []*gh.CheckRunAnnotation
}

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
	page := sheet{report: r, name: name, web: f.web}
	v.title = title(d, word, name)
	v.summary = cut(page.summary(word))
	v.text = page.table()
	v.annotations = annotations(r, name)
	return v
}

// A sheet writes a report in GitHub's Markdown.
type sheet struct {
	report change.Report
	name   func(change.Person) string
	web    string // where people browse
}

// summary says what was decided, what is missing, and where the record of it lies.
func (s sheet) summary(word string) string {
	d := s.report.Decision
	var b strings.Builder
	fmt.Fprintf(&b, "**%s.** %s\n\n", word, explain(d.Status))
	if reason := s.words(d.Reason); reason != "" {
		fmt.Fprintf(&b, "%s\n\n", reason)
	}
	s.missing(&b)
	if d.Class != "" {
		fmt.Fprintf(&b, "The policy takes this for a change of the class **%s**", escape(plain(d.Class, maxCell)))
		if why := s.words(d.ClassReason); why != "" {
			fmt.Fprintf(&b, ": %s", why)
		}
		b.WriteString(".\n\n")
	}
	if len(d.Notes) > 0 {
		b.WriteString("The organisation's floor and this repository's policy:\n\n")
		for _, n := range d.Notes[:min(len(d.Notes), maxItems)] {
			fmt.Fprintf(&b, "- %s\n", s.words(n))
		}
		if more := len(d.Notes) - maxItems; more > 0 {
			fmt.Fprintf(&b, "- and %d more, which the record holds\n", more)
		}
		b.WriteByte('\n')
	}
	b.WriteString(unannotated(s.report))
	if r := s.report.Receipt; r.Digest != "" {
		fmt.Fprintf(&b, "* Record %d of %s, log entry %d, SHA-256 `%s`.\n", r.N, escape(r.Chain), r.Index, code(r.Digest))
	}
	s.policy(&b)
	return b.String()
}

// missing lists what holds the change back, where the title has no room for it.
func (s sheet) missing(b *strings.Builder) {
	held := worstFirst(s.report.Decision)
	held = slices.DeleteFunc(held, func(r change.Result) bool { return !r.Status.Blocks() })
	for _, r := range held[:min(len(held), maxItems)] {
		fmt.Fprintf(b, "- %s **%s**: %s", mark(r.Status), s.words(change.Text(r.Control)), escape(plain(clause(r.Reason.Render(s.name)), maxCell)))
		if who := s.words(r.Supply); who != "" {
			fmt.Fprintf(b, "  \n  Who can supply it: %s", who)
		}
		b.WriteByte('\n')
	}
	switch more := len(held) - maxItems; {
	case more == 1:
		b.WriteString("- and 1 more control, in the table\n")
	case more > 1:
		fmt.Fprintf(b, "- and %d more controls, in the table\n", more)
	}
	if len(held) > 0 {
		b.WriteByte('\n')
	}
}

// policy says which policy was judged by, and whose it is.
func (s sheet) policy(b *strings.Builder) {
	file, owner := s.report.Policy, s.report.Decision.Owner
	if file.Found && s.linkable(file.URI) {
		fmt.Fprintf(b, "* Judged by [%s at %s](%s)", escape(plain(file.Path, maxCell)), file.Commit.Short(), file.URI)
		if floor := file.Floor; floor != nil && floor.Found && s.linkable(floor.URI) {
			fmt.Fprintf(b, " and the organisation's floor, [%s at %s](%s)", escape(plain(floor.Path, maxCell)), floor.Commit.Short(), floor.URI)
		}
		b.WriteString(".\n")
	}
	if owner != "" {
		fmt.Fprintf(b, "* The policy belongs to %s.\n", escape(plain(owner, maxCell)))
	}
}

// linkable reports whether an address can stand as a link's target: it is one of the
// forge's own and holds nothing that would end the link.
func (s sheet) linkable(uri string) bool {
	return s.web != "" && strings.HasPrefix(uri, s.web+"/") && !strings.ContainsAny(uri, " \t\r\n()<>\"'`\\")
}

// words returns a text, escaped, in one line.
func (s sheet) words(t change.Text) string { return escape(plain(t.Render(s.name), maxCell)) }

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

// mark is the sign of a status.
func mark(s change.Status) string {
	sign, _, _ := strings.Cut(statusWord(s), " ")
	return sign
}

// statusWord is a status for the first column of the table.
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
	return "❔ " + escape(string(s))
}

const tableHead = "| Status | Control | Why | Who can supply it |\n| --- | --- | --- | --- |\n"

// table lists every control. A row that would not fit is left out and counted in a
// last line; those after it may fit.
func (s sheet) table() string {
	d := s.report.Decision
	if len(d.Results) == 0 {
		return ""
	}
	const note, longest = "\n%s not fit here; the record holds them all.\n", len("1000000 more controls do")
	room := maxText - len(tableHead) - len(note) - longest
	var b strings.Builder
	b.WriteString(tableHead)
	left := 0
	for _, r := range d.Results {
		row := fmt.Sprintf("| %s | %s | %s%s | %s |\n", statusWord(r.Status), s.words(change.Text(r.Control)), s.words(r.Reason), s.links(r), s.words(r.Supply))
		if len(row) > room {
			left++
			continue
		}
		room -= len(row)
		b.WriteString(row)
	}
	switch {
	case left == 1:
		fmt.Fprintf(&b, note, "1 more control does")
	case left > 1:
		fmt.Fprintf(&b, note, fmt.Sprintf("%d more controls do", left))
	}
	return b.String()
}

// links returns links to the reviews and files that a result rests on.
func (s sheet) links(r change.Result) string {
	ref := s.report.Ref
	if ref.Kind != change.PullRequest || !validName(ref.Repository.Name) || s.web == "" {
		return ""
	}
	at := fmt.Sprintf("%s/%s/pull/%d", s.web, ref.Repository.Name, ref.Number)
	var links []string
	files := 0
	review := func(id string) {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && n > 0 && len(links) < maxItems {
			links = append(links, fmt.Sprintf("[review %d](%s#pullrequestreview-%d)", n, at, n))
		}
	}
	for _, fact := range r.Facts {
		switch kind, id, _ := strings.Cut(fact, "/"); kind {
		case "reviews":
			review(id)
		case "files":
			files++
		}
	}
	for _, u := range r.Uncounted {
		if fact := strconv.FormatInt(u.Review, 10); !slices.Contains(r.Facts, "reviews/"+fact) {
			review(fact)
		}
	}
	links = slices.Compact(links)
	switch {
	case files == 1:
		links = append(links, fmt.Sprintf("[1 file](%s/files)", at))
	case files > 1:
		links = append(links, fmt.Sprintf("[%d files](%s/files)", files, at))
	}
	if len(links) == 0 {
		return ""
	}
	return " · " + strings.Join(links, " · ")
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
