package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/policy/expression"
)

// A Condition is an expression in CEL over the facts of a change: see package
// expression.
type Condition struct {
	Text string // as the policy writes it

	compiled *expression.Expression
}

// An Assertion is a demand in the policy's own words: an expression that must hold
// of a change.
type Assertion struct {
	Name    string
	That    Condition
	Message string // what to do where it does not hold. Optional.
}

// NormalClass is the class of every change that no other class takes.
const NormalClass = "normal"

// A Class is a sort of change. It takes a change that meets all of its criteria; what
// it does not name does not matter, and it names at least one.
type Class struct {
	Name    string
	Paths   []PathPattern // every touched path matches one of them, the old path of a rename too
	Labels  []string      // one of them counts: see subject.label
	Authors []Author      // whoever had a hand in the change has one of these accounts
	When    *Condition
}

// An Author is an account of a forge, such as github:301.
type Author string

// holding says whether something holds of a change.
type holding int

const (
	holdsNot holding = iota

	// contested is what whoever made the change has settled alone against somebody
	// else's word. It is judged both ways, and the stricter counts.
	contested

	unknowable // a fact is absent, or an expression has no answer
	holds
)

// A finding is whether something holds, and why.
type finding struct {
	is  holding
	why string
}

// allOf returns whether several things hold together, of which there is at least one.
func allOf(findings []finding) finding {
	return first(findings, holdsNot, unknowable, contested, holds)
}

// anyOf returns whether one of several things holds, of which there is at least one.
func anyOf(findings []finding) finding {
	return first(findings, holds, unknowable, contested, holdsNot)
}

// first returns the findings that come first in an order, as one.
func first(findings []finding, order ...holding) finding {
	out := finding{is: slices.MinFunc(findings, func(a, b finding) int { return slices.Index(order, a.is) - slices.Index(order, b.is) }).is}
	var whys []string
	for _, f := range findings {
		if f.is == out.is {
			whys = appendNew(whys, f.why)
		}
	}
	out.why = sample(whys)
	return out
}
