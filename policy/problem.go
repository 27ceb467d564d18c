package policy

import (
	"fmt"
	"slices"
	"strings"
)

// A Problem is one thing wrong with a policy, and what to do about it.
type Problem struct {
	Name   string // of the policy file
	Line   int    // from 1
	Column int    // from 1
	Text   string // may be used in a change.Text: what the file says stands between quotation marks
}

// String returns the problem as "name:line:column: text".
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.Name, p.Line, p.Column, p.Text)
}

// Problems is all that is wrong with a policy, in the order of the file. Parse
// returns it as its error.
type Problems []Problem

// Error returns the problems, one a line.
func (pp Problems) Error() string {
	lines := make([]string, len(pp))
	for i, p := range pp {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// inOrder sorts the problems as the file has them.
func (pp Problems) inOrder() Problems {
	slices.SortStableFunc(pp, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return pp
}
