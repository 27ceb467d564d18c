package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// A mutant is one comparison that is another one.
type mutant struct {
	id       int
	position string // file:line
	key      string // the file, the function, the expression and what becomes of it
}

// A form is how the comparisons by one operator are rewritten.
type form struct {
	call    string   // the function that stands for it, see switchboard; empty where its opposite is all there is
	becomes []string // what its mutants are, numbered upwards
}

// forms returns the forms of the operators that have mutants.
func forms() map[string]form {
	return map[string]form{
		"==": {"", []string{"!="}}, "!=": {"", []string{"=="}}, "!": {"", []string{"no !"}},
		"<": {"mutantLess", []string{">=", "<="}}, ">=": {"mutantAtLeast", []string{"<", ">"}},
		">": {"mutantMore", []string{"<=", ">="}}, "<=": {"mutantAtMost", []string{">", "<"}},
		"&&": {"mutantAnd", []string{"||"}}, "||": {"mutantOr", []string{"&&"}},
		"Before": {"mutantBefore", []string{"not before", "before or at"}},
		"After":  {"mutantAfter", []string{"not after", "after or at"}},
	}
}

// An edit is what changes at one place of a file.
type edit struct {
	closing, opening string
	skip             int // bytes of the original that the opening stands for
}

// A rewriting is one file on its way to hold its mutants.
type rewriting struct {
	source   []byte
	files    *token.FileSet
	function string
	number   int // of the last mutant
	mutants  []mutant
	seen     map[string]int
	edits    map[int]edit
}

// rewrite returns a file that holds its mutants, and which those are. They are
// numbered from one above the given number.
func rewrite(name string, source []byte, number int) (string, []mutant, error) {
	r := &rewriting{source: source, files: token.NewFileSet(), number: number, seen: map[string]int{}, edits: map[int]edit{}}
	file, err := parser.ParseFile(r.files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return "", nil, fmt.Errorf("parsing: %w", err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			r.function = f.Name.Name
			ast.Inspect(f.Body, r.visit)
		}
	}
	return r.written(), r.mutants, nil
}

// visit puts the mutants of one expression in. Outer expressions come before inner
// ones.
func (r *rewriting) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if f, ok := forms()[n.Op.String()]; ok {
			r.put(n, f, n.OpPos, len(n.Op.String()))
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			r.put(n, forms()["!"], n.OpPos, 0)
		}
	case *ast.CallExpr:
		selected, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || len(n.Args) != 1 {
			return true
		}
		if f, ok := forms()[selected.Sel.Name]; ok {
			r.put(n, f, selected.X.End(), int(n.Lparen+1-selected.X.End()))
		}
	}
	return true
}

// put puts the mutants of a comparison in, whose operator is so many bytes at a
// place.
func (r *rewriting) put(n ast.Expr, f form, operator token.Pos, length int) {
	first := r.number + 1
	for _, becomes := range f.becomes {
		r.number++
		r.mutants = append(r.mutants, r.mutant(n, becomes))
	}
	switch {
	case f.call == "":
		r.add(n.Pos(), "((", "", 0)
		r.add(n.End(), "", fmt.Sprintf(") != mutantIs(%d))", first), 0)
		return
	case f.call == "mutantAnd" || f.call == "mutantOr":
		r.add(operator, ", func() bool { return (", "", length)
		r.add(n.End(), "", ") })", 0)
	case length > 2: // a call, which closes itself
		r.add(operator, ", ", "", length)
	default:
		r.add(operator, ", ", "", length)
		r.add(n.End(), "", ")", 0)
	}
	r.add(n.Pos(), fmt.Sprintf("%s(%d, ", f.call, first), "", 0)
}

// add notes what changes at a place.
func (r *rewriting) add(at token.Pos, opening, closing string, skip int) {
	offset := r.files.Position(at).Offset
	e := r.edits[offset]
	e.opening, e.closing, e.skip = e.opening+opening, closing+e.closing, e.skip+skip
	r.edits[offset] = e
}

// mutant names the mutant with the last number.
func (r *rewriting) mutant(n ast.Expr, becomes string) mutant {
	at := r.files.Position(n.Pos())
	text := strings.Join(strings.Fields(string(r.source[at.Offset:r.files.Position(n.End()).Offset])), " ")
	key := fmt.Sprintf("%s %s: %s: %s", filepath.Base(at.Filename), r.function, text, becomes)
	if r.seen[key]++; r.seen[key] > 1 {
		key += fmt.Sprintf(" (%d)", r.seen[key])
	}
	return mutant{r.number, fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line), key}
}

// written returns the file with its edits.
func (r *rewriting) written() string {
	var b strings.Builder
	for i := 0; i < len(r.source); i++ {
		e, edited := r.edits[i]
		b.WriteString(e.closing + e.opening)
		if edited && e.skip > 0 {
			i += e.skip - 1
			continue
		}
		b.WriteByte(r.source[i])
	}
	return b.String()
}

// switchboard returns the file that knows which mutant is on.
func switchboard(pkg string) string {
	return "package " + pkg + `

import (
	"cmp"
	"os"
	"strconv"
	"time"
)

var mutantOn, _ = strconv.Atoi(os.Getenv("` + variable + `"))

func mutantIs(id int) bool { return mutantOn == id }

func mutantLess[T cmp.Ordered](id int, a, b T) bool {
	return (a < b) != mutantIs(id) || mutantIs(id+1) && a == b
}

func mutantAtMost[T cmp.Ordered](id int, a, b T) bool {
	return (a <= b) != mutantIs(id) && !(mutantIs(id+1) && a == b)
}

func mutantMore[T cmp.Ordered](id int, a, b T) bool { return mutantLess(id, b, a) }

func mutantAtLeast[T cmp.Ordered](id int, a, b T) bool { return mutantAtMost(id, b, a) }

func mutantBefore(id int, a, b time.Time) bool {
	return a.Before(b) != mutantIs(id) || mutantIs(id+1) && a.Equal(b)
}

func mutantAfter(id int, a, b time.Time) bool { return mutantBefore(id, b, a) }

func mutantAnd(id int, a bool, b func() bool) bool {
	if mutantIs(id) {
		return a || b()
	}
	return a && b()
}

func mutantOr(id int, a bool, b func() bool) bool {
	if mutantIs(id) {
		return a && b()
	}
	return a || b()
}
`
}
