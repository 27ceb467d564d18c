package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Bounds of one pattern. Matching tries every combination of alternatives, so
// their number is what keeps it cheap.
const (
	maxPattern      = 256 // bytes
	maxGroups       = 4   // in braces
	maxAlternatives = 100 // of all groups together: what each has, multiplied
)

// checkPattern says what is wrong with a doublestar pattern that is not empty.
func checkPattern(pattern string) error {
	switch {
	case len(pattern) > maxPattern:
		return fmt.Errorf("a pattern has at most %d bytes", maxPattern)
	case strings.Count(pattern, "{") > maxGroups:
		return fmt.Errorf("a pattern has at most %d groups in braces; write several patterns", maxGroups)
	case !doublestar.ValidatePattern(pattern):
		return errors.New("it is not a valid pattern; check its brackets, braces and backslashes")
	case standsForTooMany(pattern):
		return fmt.Errorf("the alternatives of its braces make more than %d patterns together; write several patterns", maxAlternatives)
	}
	return nil
}

// matchesBranch reports whether any pattern matches the branch.
func matchesBranch(patterns []string, branch string) bool {
	for _, p := range patterns {
		for _, glob := range withoutBraces(p) {
			if doublestar.MatchUnvalidated(glob, branch) {
				return true
			}
		}
	}
	return false
}

// A PathPattern matches paths of a repository as CODEOWNERS does:
//
//	CODEOWNERS         that name at any depth
//	/go.mod            that path, from the root
//	deploy/*.yml       from the root, because it has a slash before its end; * does not cross a slash
//	secrets/           everything below any directory of that name
//	/infra/  infra/**  everything below that directory
//
// A pattern that ends in a plain name also matches everything below a directory
// of that name.
type PathPattern struct {
	Text string // as the policy writes it

	globs []string // what it means to doublestar, without braces
}

// newPathPattern reads a path pattern.
func newPathPattern(text string) (PathPattern, error) {
	if err := checkPattern(text); err != nil {
		return PathPattern{}, err
	}
	body, directory := strings.CutSuffix(text, "/")
	glob, anchored := strings.CutPrefix(body, "/")
	if glob == "" || strings.HasPrefix(glob, "/") || strings.HasSuffix(glob, "/") {
		return PathPattern{}, errors.New("it names no path; write ** for every path")
	}
	if matchesNothing(glob) {
		return PathPattern{}, errors.New("no path has a part that is empty, . or ..; write it as the repository has it, such as deploy/**")
	}
	if !anchored && !strings.Contains(glob, "/") {
		glob = "**/" + glob
	}
	p := PathPattern{Text: text}
	last := glob[strings.LastIndex(glob, "/")+1:]
	if directory || !strings.ContainsAny(last, `*?[{\`) {
		p.globs = append(p.globs, withoutBraces(glob+"/**/*")...)
	}
	if !directory {
		p.globs = append(p.globs, withoutBraces(glob)...)
	}
	return p, nil
}

// matchesNothing reports whether a pattern has a part that no path of a repository has.
// It would protect nothing, and looks as if it did.
func matchesNothing(glob string) bool {
	for _, one := range withoutBraces(glob) {
		for part := range strings.SplitSeq(one, "/") {
			if part == "" || part == "." || part == ".." {
				return true
			}
		}
	}
	return false
}

// Matches reports whether the pattern matches a path, which is relative to the
// root of the repository.
func (p PathPattern) Matches(path string) bool {
	for _, g := range p.globs {
		if doublestar.MatchUnvalidated(g, path) {
			return true
		}
	}
	return false
}
