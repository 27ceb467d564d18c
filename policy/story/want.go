package story

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// A want is one line of the section want.
type want struct {
	line    int
	about   string // the verdict, a control, or the decision as a whole
	status  string
	reason  string
	reasons bool // whether the line gives a reason
}

// What a line can be about, beside a control.
const (
	theVerdict  = "verdict"
	theDecision = "decision" // the reason why nothing could be judged
	theClass    = "class"    // of the change; its status is "class" and the name, or "class" alone where it is not settled
)

// statuses lists the outcomes of a control.
func statuses() []string {
	return []string{string(change.Pass), string(change.Fail), string(change.Pending), string(change.Undetermined), string(change.NotApplicable), string(change.Exception)}
}

// wants reads the lines of the section want.
func (p *parser) wants(lines []line) []want {
	var wants []want
	for i, l := range lines {
		if i == 0 {
			if known := []string{"allow", "deny", "exception"}; !slices.Contains(known, l.text) {
				p.problem(l.number, "%s is no verdict; the first line wants one of %s", change.Quote(l.text), strings.Join(known, ", "))
			}
			wants = append(wants, want{line: l.number, about: theVerdict, status: l.text})
			continue
		}
		w := p.want(l)
		if twice := slices.IndexFunc(wants, func(o want) bool { return o.about == w.about }); twice >= 0 {
			p.problem(l.number, "%s is wanted here and in line %d; keep one of them", w.about, wants[twice].line)
		}
		wants = append(wants, w)
	}
	return wants
}

// wantsUndetermined reports whether the story wants that nothing can be judged.
func (s *Story) wantsUndetermined() bool {
	return slices.ContainsFunc(s.wants, func(w want) bool { return w.about == theDecision && w.status == string(change.Undetermined) })
}

// want reads one line: a status, a control, and perhaps a reason.
func (p *parser) want(l line) want {
	head, reason, reasons := strings.Cut(l.text, ":")
	w := want{line: l.number, about: theDecision, reason: strings.TrimSpace(reason), reasons: reasons}
	words := strings.Fields(head)
	if len(words) == 0 || len(words) > 2 {
		p.problem(l.number, "write a status, a control and perhaps a colon and the reason, such as: pending peer-review")
		return w
	}
	if words[0] == theClass {
		w.about, w.status = theClass, strings.Join(words, " ")
		return w
	}
	if w.status = words[0]; !slices.Contains(statuses(), w.status) {
		p.problem(l.number, "%s is no status; write one of %s", change.Quote(w.status), strings.Join(statuses(), ", "))
	}
	if len(words) == 2 {
		if w.about = words[1]; !slices.Contains(policy.ControlIDs(), w.about) {
			p.problem(l.number, "%s is no control; write one of %s", change.Quote(w.about), strings.Join(policy.ControlIDs(), ", "))
		}
	}
	return w
}

// A Difference is one thing that came out other than a story wants it.
type Difference struct {
	Line  int    `json:"line"`  // of the story's file
	About string `json:"about"` // a control, or "verdict" or "decision"
	Want  string `json:"want"`
	Got   string `json:"got"`
}

// Differences returns what came out other than the story wants it, in the order of
// its lines.
func (s *Story) Differences(p Played) []Difference {
	got := outcomesOf(p)
	var all []Difference
	for _, w := range s.wants {
		g, judged := got[w.about]
		if judged && g.status == w.status && (!w.reasons || g.reason == w.reason) {
			continue
		}
		if !judged {
			g = want{status: "was not judged"}
			if w.about == theDecision {
				g.status = "the controls were judged one by one"
			}
		}
		all = append(all, Difference{Line: w.line, About: w.about, Want: w.said(), Got: g.said()})
	}
	return all
}

// said returns a status and its reason as a line has them.
func (w want) said() string {
	if w.reason == "" {
		return w.status
	}
	return w.status + ": " + w.reason
}

// outcomesOf returns what came of a story, by what a line can be about.
func outcomesOf(p Played) map[string]want {
	name := func(person change.Person) string { return p.Facts.People[person].Label() }
	d := p.Decision
	got := map[string]want{theVerdict: {status: strings.ToLower(string(d.Verdict()))}}
	if d.Reason != "" {
		got[theDecision] = want{status: string(d.Status), reason: d.Reason.Render(name)}
	}
	if d.ClassReason != "" {
		got[theClass] = want{status: strings.TrimSpace(theClass + " " + d.Class), reason: d.ClassReason.Render(name)}
	}
	for _, r := range d.Results {
		got[r.Control] = want{status: string(r.Status), reason: r.Reason.Render(name)}
	}
	return got
}

// Tell returns what came of a story as its section want would have it.
func Tell(p Played) string {
	got := outcomesOf(p)
	var b strings.Builder
	b.WriteString(got[theVerdict].status + "\n")
	if whole, none := got[theDecision]; none {
		b.WriteString(whole.said() + "\n")
	}
	if class, classed := got[theClass]; classed {
		b.WriteString(class.said() + "\n")
	}
	for _, r := range p.Decision.Results {
		w := got[r.Control]
		b.WriteString(w.status + " " + r.Control)
		if r.Status != change.NotApplicable && w.reason != "" {
			b.WriteString(": " + w.reason)
		}
		b.WriteString("\n")
	}
	return b.String()
}
