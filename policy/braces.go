package policy

import "strings"

// withoutBraces returns the patterns that a valid pattern with groups in braces
// stands for, such as a.c and b.c for {a,b}.c. They match what it matches. Matching
// it as it stands could start again at every place of a path for every alternative
// of every group; of the patterns without braces, each is tried once. It returns
// nothing for a pattern that stands for more than maxAlternatives.
func withoutBraces(pattern string) []string {
	patterns := []string{pattern}
	for i := 0; i < len(patterns); {
		before, alternatives, after := firstGroup(patterns[i])
		if alternatives == nil {
			i++
			continue
		}
		if len(patterns)+len(alternatives)-1 > maxAlternatives {
			return nil
		}
		rest := patterns[i+1:]
		patterns = append([]string(nil), patterns[:i]...)
		for _, a := range alternatives {
			patterns = append(patterns, before+a+after)
		}
		patterns = append(patterns, rest...)
	}
	return patterns
}

// firstGroup cuts a pattern at its first group in braces. It returns no alternatives
// where there is none.
func firstGroup(pattern string) (before string, alternatives []string, after string) {
	open, depth, start := 0, 0, 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case c == '[':
			i = classEnd(pattern, i)
		case c == '{':
			if depth++; depth == 1 {
				open, start = i, i+1
			}
		case depth == 1 && (c == ',' || c == '}'):
			if alternatives = append(alternatives, pattern[start:i]); c == '}' {
				return pattern[:open], alternatives, pattern[i+1:]
			}
			start = i + 1
		case depth > 0 && c == '}':
			depth--
		}
	}
	return pattern, nil, ""
}

// classEnd returns where a class in brackets ends that begins at a place.
func classEnd(pattern string, open int) int {
	i := open + 1
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		if pattern[i] == '\\' {
			i++
		}
	}
	return i
}

// standsForTooMany reports whether a pattern stands for more patterns without braces
// than one may.
func standsForTooMany(pattern string) bool {
	return strings.Contains(pattern, "{") && withoutBraces(pattern) == nil
}
