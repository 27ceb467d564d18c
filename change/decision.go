package change

import (
	"strings"
)

// A Status is the outcome of one control, or of all of them.
type Status string

// The outcomes. Only Pass, Exception and NotApplicable let a change through.
const (
	Pass          Status = "pass"
	Fail          Status = "fail"           // a control is violated
	Pending       Status = "pending"        // not yet satisfied, and still can be
	Undetermined  Status = "unknown"        // a fact is absent; blocks
	NotApplicable Status = "not-applicable" // the control does not speak of this change
	Exception     Status = "exception"      // let through by break-glass, to be reviewed
)

// severity orders statuses by how much they hold a change back.
var severity = map[Status]int{NotApplicable: 0, Pass: 1, Exception: 2, Pending: 3, Undetermined: 4, Fail: 5}

// Worse returns the status that holds a change back more. A status this version
// does not know holds back as much as Fail.
func (s Status) Worse(other Status) Status {
	a, known := severity[s]
	if !known {
		return Fail
	}
	b, known := severity[other]
	if !known || b > a {
		if !known {
			return Fail
		}
		return other
	}
	return s
}

// Blocks reports whether the status holds a change back.
func (s Status) Blocks() bool { return s.Worse(Exception) != Exception }

// A Text is words for people in which a person is written as a mark, @{p1}, so
// that the words can be signed without saying who it was. Outside strings enter
// it through Quote only.
type Text string

// Quote returns s so that it can stand in a Text: between quotation marks,
// control characters escaped, at most 200 characters, and unable to form a mark.
func Quote(s string) string {
	const most = 200
	var b strings.Builder
	b.WriteByte('"')
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteString("…")
			break
		}
		switch {
		case r == '@':
			b.WriteString("＠") // full width: neither a mark nor a mention
		case r == '"':
			b.WriteString("'")
		case r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029 ||
			(r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) || r == 0x200e || r == 0x200f:
			b.WriteString("·") // control, line separator or direction override
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Mark returns the mark of p in a Text.
func (p Person) Mark() string { return "@{" + string(p) + "}" }

// Render returns the text with every mark replaced by what name says of that
// person.
func (t Text) Render(name func(Person) string) string {
	var b strings.Builder
	rest := string(t)
	for {
		before, after, ok := strings.Cut(rest, "@{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		p, tail, closed := strings.Cut(after, "}")
		if !closed {
			b.WriteString("@{" + after)
			return b.String()
		}
		b.WriteString(name(Person(p)))
		rest = tail
	}
}

// Refer returns the text with every person p in it replaced by to(p), for use
// among other facts, where the same people have other references.
func (t Text) Refer(to func(Person) Person) Text {
	return Text(t.Render(func(p Person) string { return to(p).Mark() }))
}

// A Result is what one control says of some facts.
type Result struct {
	Control  string              `json:"control"` // stable id, such as "peer-review"
	Status   Status              `json:"status"`
	Reason   Text                `json:"reason"`             // why, in words the engineer can act on
	Supply   Text                `json:"supply,omitempty"`   // who can supply what is missing
	Facts    []string            `json:"facts,omitempty"`    // what it rests on, such as "reviews/80" or "commits/1a2b3c…", sorted
	Criteria map[string][]string `json:"criteria,omitempty"` // framework to criteria it evidences, such as soc2: [CC8.1]

	Uncounted []Uncounted `json:"uncounted,omitempty"` // approvals that did not count for it, by review id
	Carried   []Carry     `json:"carried,omitempty"`   // approvals of an older head that did, by review id
}

// A Verdict is a decision in one word, as a record states it.
type Verdict string

// The verdicts. Whatever is not allowed is denied.
const (
	Allow          Verdict = "ALLOW"
	Deny           Verdict = "DENY"
	AllowException Verdict = "EXCEPTION"
)

// A Decision is every control's result over some facts, in the order of the
// controls' ids in the policy package, and what they come to.
type Decision struct {
	Status  Status   `json:"status"`
	Rule    string   `json:"rule,omitempty"`   // which rule of the policy applied, such as "changes[0]"
	Owner   string   `json:"owner,omitempty"`  // who owns the policy
	Reason  Text     `json:"reason,omitempty"` // set when there are no results: why nothing could be judged
	Results []Result `json:"results"`

	// Ungoverned is set when the policy names no rule for the branch that the change
	// wants to reach. It is unknown then, and nobody's concern.
	Ungoverned bool `json:"ungoverned,omitempty"`

	Class       string `json:"class,omitempty"`       // the class of the change by the policy's classes, such as "normal"; empty when it has none
	ClassReason Text   `json:"classReason,omitempty"` // why it is of that class, or why the class is not settled
	Notes       []Text `json:"notes,omitempty"`       // what an organisation's floor tightened, and what of the repository's policy it left without effect
}

// Conclude returns the status of a set of results: the worst of them, and
// Undetermined when there are none, because nothing was judged.
func Conclude(results []Result) Status {
	if len(results) == 0 {
		return Undetermined
	}
	worst := NotApplicable
	for _, r := range results {
		worst = worst.Worse(r.Status)
	}
	return worst
}

// Verdict returns the decision in one word.
func (d Decision) Verdict() Verdict {
	switch {
	case d.Status.Blocks():
		return Deny
	case d.Status == Exception:
		return AllowException
	}
	return Allow
}
