package expression

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// An Expression is a compiled expression. It can be evaluated any number of times,
// by several at once.
type Expression struct {
	Text string

	program cel.Program
	cost    uint64
	uses    []string
	labels  []string
	other   bool // something else is done with labels
}

// Labels returns the labels that the expression asks for by their names, sorted and in
// lower case, and whether it does anything else with labels, so that any can matter.
func (e *Expression) Labels() (names []string, other bool) { return slices.Clone(e.labels), e.other }

// Uses returns the variables that the expression names, sorted.
func (e *Expression) Uses() []string { return slices.Clone(e.uses) }

// A Mistake is one thing wrong with an expression, and where. Line and Column count
// from 1, in characters of the expression.
type Mistake struct {
	Line, Column int
	Text         string // may hold words of the expression
}

// Compile reads an expression, which must come to true or false and must not take
// too much work on a large change.
func Compile(text string, scope Scope) (*Expression, []Mistake) {
	all, err := environments()
	if err != nil {
		return nil, []Mistake{{1, 1, err.Error()}}
	}
	e := all[scope]
	checked, issues := e.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, mistakes(issues)
	}
	if kind := checked.OutputType(); !kind.IsExactType(cel.BoolType) {
		return nil, []Mistake{{1, 1, fmt.Sprintf("it must come to true or false, and comes to %s", cel.FormatCELType(kind))}}
	}
	if at := unordered(checked); at != nil {
		return nil, []Mistake{*at}
	}
	if at := unbounded(checked); at != nil {
		return nil, []Mistake{*at}
	}
	estimate, err := e.EstimateCost(checked, sizesOf(Variables()))
	if err != nil {
		return nil, []Mistake{{1, 1, err.Error()}}
	}
	if estimate.Max > MaxCost {
		return nil, []Mistake{{1, 1, fmt.Sprintf("it could take too much work: on a large change %d units by CEL's cost model, and at most %d are allowed; look at fewer things at once", estimate.Max, MaxCost)}}
	}
	program, err := e.Program(checked, cel.EvalOptions(cel.OptOptimize, cel.OptPartialEval), cel.CostLimit(MaxCost))
	if err != nil {
		return nil, []Mistake{{1, 1, err.Error()}}
	}
	out := &Expression{Text: text, program: program, cost: estimate.Max, uses: usedBy(checked)}
	out.labels, out.other = labelsOf(checked)
	return out, nil
}

// unordered returns where an expression goes through the keys of a map, if it does.
// Their order is another one each time, so that the same facts could be judged
// otherwise when they are judged again.
func unordered(a *cel.Ast) *Mistake {
	tree := a.NativeRep()
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree), ast.KindMatcher(ast.ComprehensionKind)) {
		over := e.AsComprehension().IterRange()
		if kind := tree.GetType(over.ID()); kind.Kind() != types.ListKind {
			at := tree.SourceInfo().GetStartLocation(over.ID())
			return &Mistake{max(1, at.Line()), max(0, at.Column()) + 1, fmt.Sprintf("only a list can be gone through, and this is of the type %s", cel.FormatCELType(kind))}
		}
	}
	return nil
}

// usedBy returns the variables that an expression names, sorted.
func usedBy(a *cel.Ast) []string {
	known := sizesOf(Variables())
	var names []string
	for _, ref := range a.NativeRep().ReferenceMap() {
		name := strings.TrimPrefix(ref.Name, ".")
		if _, is := known[name]; is {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// labelsOf returns the labels that an expression asks for by their names, and whether
// it does anything else with them.
func labelsOf(a *cel.Ast) (names []string, other bool) {
	tree := a.NativeRep()
	mentions := 0
	for _, ref := range tree.ReferenceMap() {
		if strings.TrimPrefix(ref.Name, ".") == LabelsVariable {
			mentions++
		}
	}
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree), ast.KindMatcher(ast.CallKind)) {
		if call := e.AsCall(); call.FunctionName() == "@in" {
			name, literal := literalText(call.Args()[0])
			if literal && isLabels(tree, call.Args()[1]) {
				names = append(names, strings.ToLower(name))
				mentions--
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), mentions > 0
}

// sizesOf returns the variables by name.
func sizesOf(variables []Variable) sizes {
	s := sizes{}
	for _, v := range variables {
		s[v.Name] = v
	}
	return s
}

// mistakes returns what the compiler says, the first few of it.
func mistakes(issues *cel.Issues) []Mistake {
	const most = 3
	var out []Mistake
	for _, e := range issues.Errors() {
		if len(out) == most {
			break
		}
		words, _, _ := strings.Cut(strings.TrimPrefix(e.Message, "Syntax error: "), "\n")
		out = append(out, Mistake{max(1, e.Location.Line()), max(0, e.Location.Column()) + 1, words})
	}
	return out
}
