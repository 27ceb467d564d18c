package codeowners

import (
	"fmt"
	"strings"
)

// Bounds of a file. The first is GitHub's own: a larger file is not loaded there.
const (
	MaxBytes    = 3 << 20
	MaxProblems = 20 // reported at once
	maxPattern  = 1000
	maxOwners   = 100 // of one line
)

// A File is what a code owners file says.
type File struct {
	// Sections each decide for themselves who owns a path. A file in GitHub's form
	// is one section without a name.
	Sections []Section
	Problems []Problem // lines that cannot be read, in order
}

// A Section is a list of rules of which the last that matches a path holds.
type Section struct {
	Name  string
	Rules []Rule
}

// A Rule is one line that gives paths to owners, or to nobody.
type Rule struct {
	Line    int // from 1
	Pattern Pattern
	Owners  []Owner
}

// A Problem is a line that cannot be read, and why.
type Problem struct {
	Line int // from 1; 0 when it is the whole file
	Why  string
}

// String returns the problem as "line 7: why".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Why
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Why)
}

// Locations returns the places where GitHub looks for the file, in its order: the
// first that is there is read, and the others are not.
func Locations() []string {
	return []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}
}

// Parse reads a file in GitHub's form.
func Parse(text string) File {
	if len(text) > MaxBytes {
		return File{Problems: []Problem{{Why: fmt.Sprintf("the file has more than %d bytes, and GitHub reads none of it", MaxBytes)}}}
	}
	var f File
	var rules []Rule
	for i, line := range strings.Split(text, "\n") {
		r, why := parseLine(strings.TrimSuffix(line, "\r"))
		r.Line = i + 1
		switch {
		case why != "" && len(f.Problems) < MaxProblems:
			f.Problems = append(f.Problems, Problem{i + 1, why})
		case why == "" && r.Pattern.text != "":
			rules = append(rules, r)
		}
	}
	f.Sections = []Section{{Rules: rules}}
	return f
}

// parseLine reads one line: a rule, a rule without a pattern where the line says
// nothing, or why it cannot be read.
func parseLine(line string) (Rule, string) {
	words, why := split(line)
	if why != "" || len(words) == 0 {
		return Rule{}, why
	}
	pattern, why := parsePattern(words[0])
	if why != "" {
		return Rule{}, why
	}
	if len(words)-1 > maxOwners {
		return Rule{}, fmt.Sprintf("it names more than %d owners", maxOwners)
	}
	r := Rule{Pattern: pattern}
	for n, word := range words[1:] {
		owner, ok := parseOwner(word)
		if !ok {
			return Rule{}, fmt.Sprintf("word %d is no owner; an owner is written @login, @organisation/team or as an e-mail address", n+2)
		}
		r.Owners = append(r.Owners, owner)
	}
	return r, ""
}

// split returns the words of a line up to its comment. A backslash before a space
// keeps a word together.
func split(line string) (words []string, why string) {
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ' || c == '\t':
			flush()
		case c == '#' && word.Len() == 0:
			return words, ""
		case c == '#':
			return nil, "a # stands inside a word, where a comment may or may not begin; put a space before it"
		case c == '\\' && i+1 < len(line) && line[i+1] == ' ':
			word.WriteByte(' ')
			i++
		case c == '\\':
			return nil, "a backslash can only stand before a space"
		case c < ' ' || c == 0x7f:
			return nil, "a control character stands in it"
		default:
			word.WriteByte(c)
		}
	}
	flush()
	return words, ""
}

// Of returns the rule that holds for a path, which is relative to the root of the
// repository, and whether there is one.
func (s Section) Of(path string) (Rule, bool) {
	names := strings.Split(path, "/")
	for i := len(s.Rules) - 1; i >= 0; i-- {
		if s.Rules[i].Pattern.matches(names) {
			return s.Rules[i], true
		}
	}
	return Rule{}, false
}
