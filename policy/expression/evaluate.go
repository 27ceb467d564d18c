package expression

import (
	"errors"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// A Subject is a change made ready for expressions.
type Subject struct {
	vars cel.PartialActivation
}

// On returns the change made ready. What is absent is bound to nothing: an
// expression that needs it is unknown, and one that does not is decided.
func On(c Change) *Subject {
	known := map[string]any{}
	var unknown []*cel.AttributePatternType
	for _, v := range Variables() {
		if value, ok := v.get(c); ok {
			known[v.Name] = value
		} else {
			unknown = append(unknown, cel.AttributePattern(v.Name))
		}
	}
	vars, err := cel.PartialVars(known, unknown...)
	if err != nil {
		panic(err) // of bindings that are no map
	}
	return &Subject{vars}
}

// A Result is what an expression comes to on a change.
type Result struct {
	Known  bool
	Holds  bool     // of a known result
	Absent []string // of an unknown one: the variables that are not known, sorted
	Wrong  string   // of an unknown one: the error that it ended in, in CEL's words
}

// Evaluate returns what the expression comes to. It is total: an error, such as a
// key that is not there, is no answer.
func (e *Expression) Evaluate(s *Subject) Result {
	r, _ := e.evaluate(s)
	return r
}

// evaluate returns what the expression comes to, and the units that it took.
func (e *Expression) evaluate(s *Subject) (r Result, spent uint64) {
	out, details, err := e.program.Eval(s.vars)
	spent = MaxCost
	if c := details.ActualCost(); c != nil {
		spent = min(*c, MaxCost)
	}
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) {
		return Result{Wrong: "it takes too much work on this change"}, MaxCost
	}
	if err != nil {
		return Result{Wrong: err.Error()}, spent
	}
	switch out := out.(type) {
	case types.Bool:
		return Result{Known: true, Holds: bool(out)}, spent
	case *types.Unknown:
		return Result{Absent: absent(out)}, spent
	}
	return Result{Wrong: "it came to " + out.Type().TypeName()}, spent
}

// A Budget bounds what all the expressions of a policy take together on one change.
// The zero Budget has nothing spent.
type Budget struct {
	spent uint64 // units of CEL's cost model
}

// Spent returns the units that were spent. It never passes [MaxTotal] by more than one
// expression's [MaxCost].
func (b *Budget) Spent() uint64 { return b.spent }

// Evaluate returns what an expression comes to as long as the budget is not spent.
// After that nothing has an answer.
func (b *Budget) Evaluate(e *Expression, s *Subject) Result {
	if b.spent >= MaxTotal {
		return Result{Wrong: "the expressions of the policy take too much work together on this change"}
	}
	r, spent := e.evaluate(s)
	b.spent += spent
	return r
}

// Constant returns what the expression comes to whatever the change, if it does.
func (e *Expression) Constant() Result {
	return e.Evaluate(On(Change{}))
}

// absent returns the variables that an unknown result rests on.
func absent(u *types.Unknown) []string {
	var names []string
	for _, id := range u.IDs() {
		trails, _ := u.GetAttributeTrails(id)
		for _, t := range trails {
			names = append(names, strings.TrimPrefix(t.Variable(), "."))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
