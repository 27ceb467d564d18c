package expression

import (
	"regexp/syntax"
	"sync"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// programs remembers the sizes of the last regular expressions that were matched.
var programs = struct {
	sync.Mutex
	sizes map[string]uint64
}{sizes: map[string]uint64{}}

// maxPrograms is how many sizes are remembered before all are forgotten.
const maxPrograms = 1000

// programSize returns how many instructions a regular expression compiles to. It
// depends on nothing but its text: 200 repetitions of a word are a short text and a
// long program.
func programSize(pattern string) uint64 {
	programs.Lock()
	defer programs.Unlock()
	if size, known := programs.sizes[pattern]; known {
		return size
	}
	size := uint64(maxRegex)
	if tree, err := syntax.Parse(pattern, syntax.Perl); err == nil {
		if program, err := syntax.Compile(tree.Simplify()); err == nil {
			size = uint64(len(program.Inst))
		}
	}
	if len(programs.sizes) == maxPrograms {
		clear(programs.sizes)
	}
	programs.sizes[pattern] = size
	return size
}

// literalText returns a text that stands in an expression as it is.
func literalText(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, is := e.AsLiteral().(types.String)
	return string(text), is
}

// matches reports whether a call matches a regular expression, and returns it.
func matches(tree *ast.AST, e ast.NavigableExpr) (pattern ast.Expr, is bool) {
	for _, id := range tree.GetOverloadIDs(e.ID()) {
		if args := e.AsCall().Args(); id == overloads.Matches || id == overloads.MatchesString {
			return args[len(args)-1], true
		}
	}
	return nil, false
}
