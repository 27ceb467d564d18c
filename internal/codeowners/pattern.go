package codeowners

import "strings"

// A Pattern matches paths:
//
//   - every path
//     *.go  Makefile  that name at any depth
//     /go.mod         that path, from the root
//     deploy/a.yml    from the root, because it has a slash before its end
//     docs/*          what stands in docs itself, and nothing deeper
//     apps/           everything below any directory of that name
//     /infra/  /infra everything below that directory
//     **/logs         everything below any directory of that name, as without **
//
// A * stands for any characters but a slash, a ? for one of them, and ** as a whole
// part of a path for any number of parts.
type Pattern struct {
	text  string
	parts []string // between slashes; "**" for any number
	below bool     // also matches everything below a directory that it matches
	dir   bool     // matches directories only, so that a file must be below one
}

// String returns the pattern as the file has it, a space in it unescaped.
func (p Pattern) String() string { return p.text }

// parsePattern reads a pattern, or says why it is none.
func parsePattern(text string) (Pattern, string) {
	switch {
	case len(text) > maxPattern:
		return Pattern{}, "its pattern is too long"
	case strings.HasPrefix(text, "\ufeff"):
		return Pattern{}, "the file begins with a byte order mark; save it without one"
	case strings.HasPrefix(text, "!"):
		return Pattern{}, "a pattern cannot be negated with !"
	case strings.ContainsAny(text, "[]"):
		return Pattern{}, "a pattern cannot have a character range in [ ]"
	}
	p := Pattern{text: text, below: true}
	body := text
	if trimmed, ok := strings.CutSuffix(body, "/"); ok {
		body, p.dir = trimmed, true
	}
	trimmed, anchored := strings.CutPrefix(body, "/")
	if trimmed == "" || strings.Contains(trimmed, "//") || strings.HasPrefix(trimmed, "/") || strings.HasSuffix(trimmed, "/") {
		return Pattern{}, "its pattern names no path; write * for every path"
	}
	p.parts = strings.Split(trimmed, "/")
	anchored = anchored || len(p.parts) > 1
	if last := p.parts[len(p.parts)-1]; last == "*" && anchored && !p.dir {
		p.below = false
	}
	if !anchored {
		p.parts = append([]string{"**"}, p.parts...)
	}
	return p, ""
}

// Matches reports whether the pattern matches the path of a file, which is relative
// to the root of the repository.
func (p Pattern) Matches(path string) bool {
	return p.matches(strings.Split(path, "/"))
}

// matches is Matches for the names between the slashes of a path.
func (p Pattern) matches(names []string) bool {
	if first := p.parts[0]; !strings.ContainsAny(first, "*?") && first != names[0] {
		return false // which most patterns of a long file say of most paths
	}
	if !p.below {
		return matchParts(p.parts, names)
	}
	// What a directory's name matches holds for all below it.
	most := len(names)
	if p.dir {
		most--
	}
	if p.parts[len(p.parts)-1] == "**" {
		return matchParts(p.parts, names[:most])
	}
	return matchPrefix(p.parts, names[:most])
}

// matchPrefix reports whether the parts match the names or some of the first of them.
func matchPrefix(parts, names []string) bool {
	return matchParts(append(parts[:len(parts):len(parts)], "**"), names) || matchParts(parts, names)
}

// matchParts reports whether the parts of a pattern match all names of a path. Only
// the last ** before a mismatch is tried again, because whatever an earlier one could
// take it can take too.
func matchParts(parts, names []string) bool {
	return match(len(parts), len(names),
		func(i int) bool { return parts[i] == "**" },
		func(i, j int) bool { return matchName(parts[i], names[j]) },
		func(i int) int { return least(parts[i+1:]) })
}

// least is how many names a ** takes at least: one when nothing follows it, since
// dir/** is what stands below dir and not dir itself.
func least(after []string) int {
	if len(after) == 0 {
		return 1
	}
	return 0
}

// matchName reports whether a part of a pattern matches one name.
func matchName(part, name string) bool {
	if !strings.ContainsAny(part, "*?") {
		return part == name
	}
	glob, runes := []rune(part), []rune(name)
	return match(len(glob), len(runes),
		func(i int) bool { return glob[i] == '*' },
		func(i, j int) bool { return glob[i] == '?' || glob[i] == runes[j] },
		func(int) int { return 0 })
}

// match reports whether a pattern of n elements matches a text of m. An element that
// is wild takes any number of the text's elements, but at least those that least says;
// of the others, one tells whether it takes a certain one.
func match(n, m int, wild func(i int) bool, one func(i, j int) bool, least func(i int) int) bool {
	i, j := 0, 0
	star, from := -1, 0 // the last wild element, and where it stops taking
	for j < m || i < n {
		switch {
		case i < n && wild(i):
			star, from = i, j+least(i)
			if from > m {
				return false
			}
			i, j = i+1, from
		case i < n && j < m && one(i, j):
			i, j = i+1, j+1
		case star >= 0 && from < m:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return true
}
