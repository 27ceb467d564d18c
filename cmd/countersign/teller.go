package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
)

// A teller says what happens, a line each.
type teller struct {
	out    io.Writer
	json   bool
	colour bool
	scene  string // the last one that was named
}

// A moment is one line of the demo as --json prints it.
type moment struct {
	Scene   string         `json:"scene"`
	Change  string         `json:"change"`
	What    string         `json:"what"`
	Status  change.Status  `json:"status,omitempty"`  // absent where GitHub refused
	Verdict change.Verdict `json:"verdict,omitempty"` // likewise
	Reason  string         `json:"reason"`
	Record  *uint64        `json:"record,omitempty"` // index in the log
}

// words names a status for somebody who watches.
var words = map[change.Status]string{
	change.Pass: "allowed", change.Fail: "denied", change.Pending: "held", change.Undetermined: "unknown",
	change.Exception: "exception", change.NotApplicable: "allowed",
}

// assessed tells what the server made of a change.
func (t *teller) assessed(scene, name, what string, s sighting) error {
	d := s.assessment.Decision
	m := moment{Scene: scene, Change: name, What: what, Status: d.Status, Verdict: d.Verdict(),
		Reason: reason(d, s.facts.People), Record: &s.assessment.Receipt.Index}
	if t.json {
		return json.NewEncoder(t.out).Encode(m)
	}
	return t.line(scene, t.paint(d.Status, fmt.Sprintf("%-8s", words[d.Status])), fmt.Sprintf("record %-3d", *m.Record), name, what, m.Reason)
}

// refused tells that GitHub refused something.
func (t *teller) refused(scene, name, what, why string) error {
	if t.json {
		return json.NewEncoder(t.out).Encode(moment{Scene: scene, Change: name, What: what, Reason: why})
	}
	return t.line(scene, fmt.Sprintf("%-8s", "refused"), "by GitHub ", name, what, why)
}

func (t *teller) line(scene, verdict, record, name, what, why string) error {
	p := &lines{w: t.out}
	if scene != t.scene {
		p.print("%s", scene)
		t.scene = scene
	}
	p.print("  %s %s %s: %s | %s", verdict, record, short(name), what, visible(strings.Join(strings.Fields(why), " ")))
	return p.err
}

// short drops the organisation, which is the same all day.
func short(name string) string {
	_, rest, _ := strings.Cut(name, "/")
	return rest
}

// The colours of a verdict, for a terminal.
var paints = map[change.Status]string{change.Pass: "32", change.Fail: "31", change.Pending: "33", change.Undetermined: "35", change.Exception: "36"}

func (t *teller) paint(s change.Status, text string) string {
	if !t.colour || paints[s] == "" {
		return text
	}
	return "\x1b[" + paints[s] + "m" + text + "\x1b[0m"
}

// reason returns why a decision is what it is: the reason of the control that
// decides it, or, where all pass, of the first.
func reason(d change.Decision, people change.People) string {
	name := func(p change.Person) string { return people[p].Label() }
	for _, r := range d.Results {
		if r.Status == d.Status {
			return r.Control + ": " + r.Reason.Render(name)
		}
	}
	return d.Reason.Render(name)
}

// end tells what verifying the day's evidence gave, and where it lies.
func (t *teller) end(v *evidence.Verification, dir string) error {
	if t.json {
		return json.NewEncoder(t.out).Encode(map[string]any{"verification": v, "holds": v.OK(), "data": dir})
	}
	p := &lines{w: t.out}
	p.print("\nThe evidence, verified offline:")
	if p.err == nil {
		p.err = writeVerification(t.out, v)
	}
	p.print("\nIt lies in %s; verify it again with: go run ./cmd/countersign verify %s", dir, dir)
	return p.err
}
