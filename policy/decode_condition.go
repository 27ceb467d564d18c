package policy

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// maxConditions bounds the expressions of one file, each of which is compiled when
// the file is read and takes expression.MaxCost at most when a change is judged.
const maxConditions = 100

// condition reads an expression.
func (d *decoder) condition(n *yaml.Node, what string, scope expression.Scope) Condition {
	switch d.conditions++; {
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		d.problem(n, "%s must be a CEL expression such as change.draft, in quotes where YAML reads it otherwise; here it is %s", what, describe(n))
		return Condition{}
	case strings.TrimSpace(n.Value) == "":
		d.problem(n, "%s is empty; write a CEL expression such as change.draft", what)
		return Condition{}
	case d.conditions > maxConditions:
		if d.conditions == maxConditions+1 {
			d.problem(n, "the policy has more than %d expressions; leave some out", maxConditions)
		}
		return Condition{}
	}
	compiled, mistakes := expression.Compile(n.Value, scope)
	for _, m := range mistakes {
		d.problem(d.within(n, m.Line, m.Column), "%s cannot be used: %s", what, change.Quote(m.Text))
	}
	return Condition{n.Value, compiled}
}

// within returns where a place inside a text stands in the file. YAML folds lines,
// takes away indentation and reads escapes, but keeps every other character in its
// order: so the place is found by how many characters stand before it.
func (d *decoder) within(n *yaml.Node, line, column int) *yaml.Node {
	before, there := countTo(n.Value, line, column)
	at := &yaml.Node{Line: n.Line, Column: n.Column}
	s := scanner{lines: d.lines, line: n.Line, column: n.Column, style: n.Style}
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		s.line, s.column = n.Line+1, 1
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		s.column++
	}
	for range before {
		c, ok := s.next()
		if !ok {
			return at
		}
		at.Line, at.Column = c.line, c.column+c.width
	}
	if there {
		if c, ok := s.next(); ok {
			at.Line, at.Column = c.line, c.column
		}
	}
	return at
}

// countTo returns how many characters, spaces apart, stand in a text before a place,
// and whether one stands there. Lines and columns count from 1.
func countTo(text string, line, column int) (before int, there bool) {
	for i, l := range strings.Split(text, "\n") {
		for j, r := range []rune(l) {
			switch {
			case unicode.IsSpace(r) || i+1 > line:
			case i+1 < line || j+1 < column:
				before++
			case j+1 == column:
				there = true
			}
		}
	}
	return before, there
}

// A scanner goes through the characters of a text as the file has them, spaces
// apart.
type scanner struct {
	lines        [][]rune
	line, column int // of what comes next, from 1
	style        yaml.Style
}

// A spot is where a character stands in the file, and how many it takes there.
type spot struct{ line, column, width int }

// next returns where the next character stands.
func (s *scanner) next() (spot, bool) {
	for s.line <= len(s.lines) {
		l := s.lines[s.line-1]
		if s.column > len(l) {
			s.line, s.column = s.line+1, 1
			continue
		}
		at := spot{s.line, s.column, s.width(l[s.column-1:])}
		s.column += at.width
		if unicode.IsSpace(l[at.column-1]) || s.blank(l[at.column-1:min(len(l), s.column-1)]) {
			continue
		}
		return at, true
	}
	return spot{}, false
}

// width returns how many characters of the file stand for the first one of the text.
func (s *scanner) width(rest []rune) int {
	switch {
	case s.style&yaml.SingleQuotedStyle != 0 && len(rest) > 1 && rest[0] == '\'' && rest[1] == '\'':
		return 2
	case s.style&yaml.DoubleQuotedStyle == 0 || rest[0] != '\\' || len(rest) == 1:
		return 1
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}
	return 2 + digits[rest[1]]
}

// blank reports whether an escape stands for a space, a line's end or, before one, for
// nothing.
func (s *scanner) blank(escape []rune) bool {
	if s.style&yaml.DoubleQuotedStyle == 0 {
		return false
	}
	return slices.Contains([]string{"\\\n", "\\\r", `\n`, `\r`, `\t`, `\v`, `\f`, `\ `, `\_`, `\N`, `\L`, `\P`, `\x20`, `\x09`}, string(escape))
}
