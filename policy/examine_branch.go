package policy

import (
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// branch notes a pattern that no branch can match.
func (e *examiner) branch(pattern string, path []any) {
	if rest, ok := strings.CutPrefix(pattern, "refs/heads/"); ok {
		e.warn(path, "branches are named without refs/heads/; write %s", change.Quote(rest))
		return
	}
	if why := noBranch(pattern); why != "" {
		e.warn(path, "no branch can match %s, because a branch's name %s", change.Quote(pattern), why)
	}
}

// noBranch says which rule of git-check-ref-format(1) keeps every branch from
// matching a pattern, or nothing. Of a pattern with wildcards only what stands
// before the first of them is looked at.
func noBranch(pattern string) string {
	literal, wild := pattern, strings.IndexAny(pattern, `*?[{\`)
	if wild >= 0 {
		literal = pattern[:wild]
	}
	switch {
	case strings.HasPrefix(literal, "/"):
		return "does not begin with a slash"
	case strings.Contains(literal, "//"):
		return "has no two slashes together"
	case strings.Contains(literal, ".."):
		return "has no two dots together"
	case strings.HasPrefix(literal, ".") || strings.Contains(literal, "/."):
		return "has no part that begins with a dot"
	case strings.ContainsAny(literal, " ~^:\x7f") || strings.ContainsFunc(literal, func(r rune) bool { return r < ' ' }):
		return "has no space, control character, tilde, caret or colon"
	case wild < 0 && (strings.HasSuffix(literal, "/") || strings.HasSuffix(literal, ".")):
		return "does not end with a slash or a dot"
	case strings.Contains(literal, ".lock/") || wild < 0 && strings.HasSuffix(literal, ".lock"):
		return "has no part that ends with .lock"
	}
	return ""
}
