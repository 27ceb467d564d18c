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
	out, _, err := e.program.Eval(s.vars)
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) {
		return Result{Wrong: "it takes too much work on this change"}
	}
	if err != nil {
		return Result{Wrong: err.Error()}
	}
	switch out := out.(type) {
	case types.Bool:
		return Result{Known: true, Holds: bool(out)}
	case *types.Unknown:
		return Result{Absent: absent(out)}
	}
	return Result{Wrong: "it came to " + out.Type().TypeName()}
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
