package expression

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// unbounded returns what stands in an expression whose work cannot be told from the
// size of its parts, if anything does.
func unbounded(a *cel.Ast) *Mistake {
	tree := a.NativeRep()
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree), func(ast.NavigableExpr) bool { return true }) {
		if why := cannotBeBounded(tree, e); why != "" {
			at := tree.SourceInfo().GetStartLocation(e.ID())
			return &Mistake{max(1, at.Line()), max(0, at.Column()) + 1, why}
		}
	}
	return nil
}

// cannotBeBounded says why the work of one part of an expression cannot be told.
func cannotBeBounded(tree *ast.AST, e ast.NavigableExpr) string {
	if kind := tree.GetType(e.ID()); nesting(kind) > 2 {
		return fmt.Sprintf("lists of lists of lists cannot be made, and this is of the type %s", cel.FormatCELType(kind))
	}
	switch e.Kind() {
	case ast.StructKind:
		return "an expression cannot make objects"
	case ast.CallKind:
		if name := e.AsCall().FunctionName(); slices.Contains(leftOut(), name) {
			return fmt.Sprintf("expressions cannot use %s: it can make large things out of small ones", name)
		}
		if pattern, is := matches(tree, e); is {
			if _, literal := literalText(pattern); !literal {
				return "the regular expression of matches must be written in quotes, so that its work can be told"
			}
		}
		if comparesElements(e.AsCall().FunctionName()) && slices.ContainsFunc(operands(e), func(o ast.Expr) bool { return nesting(tree.GetType(o.ID())) > 1 }) {
			return "lists of lists cannot be compared; compare their elements"
		}
	}
	return ""
}

// comparesElements reports whether a function compares what lists hold.
func comparesElements(function string) bool {
	return slices.Contains([]string{"_==_", "_!=_", "@in", "sets.contains", "sets.equivalent", "sets.intersects", "distinct"}, function)
}

// operands returns what a call is given, what it is called on included.
func operands(e ast.NavigableExpr) []ast.Expr {
	call := e.AsCall()
	if call.IsMemberFunction() {
		return append([]ast.Expr{call.Target()}, call.Args()...)
	}
	return call.Args()
}

// nesting returns how many lists and maps stand in one another in a type.
func nesting(kind *cel.Type) int {
	if kind == nil || kind.Kind() != types.ListKind && kind.Kind() != types.MapKind {
		return 0
	}
	deepest := 0
	for _, p := range kind.Parameters() {
		deepest = max(deepest, nesting(p))
	}
	return 1 + deepest
}

// isLabels reports whether an expression is the variable for the labels.
func isLabels(tree *ast.AST, e ast.Expr) bool {
	ref := tree.ReferenceMap()[e.ID()]
	return ref != nil && strings.TrimPrefix(ref.Name, ".") == LabelsVariable
}
