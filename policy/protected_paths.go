package policy

import (
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// protectedPaths asks, for each entry whose paths are touched, for one approval
// that counts by a holder of one of its roles.
func protectedPaths(s *subject, r *ChangeRule) change.Result {
	files, known := s.facts.Files.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "files", "the touched files are not known"))
	}
	var said []change.Result
	for _, entry := range r.ProtectedPaths {
		if touched := entry.touchedBy(files); len(touched) > 0 {
			said = append(said, s.protectedPath(entry, touched))
		}
	}
	if len(said) == 0 {
		return say(change.NotApplicable, "no protected path is touched")
	}
	return combine(said)
}

// protectedPath judges one entry whose paths are touched.
func (s *subject) protectedPath(entry ProtectedPaths, touched []string) change.Result {
	out, _ := s.approvedBy(s.from(entry.From), 1)
	out.Reason = change.Text(fmt.Sprintf("%s need%s %s: %s", somePaths(touched), thirdPerson(len(touched)), enumerate(slices.Clone(entry.From), "or"), out.Reason))
	out.Supply = supplyWhile(out.Status, s.supplyOf(entry.From))
	out.Facts = sorted(append(out.Facts, fileFacts(touched)...))
	return out
}

// thirdPerson returns the ending of a verb whose subject is n things.
func thirdPerson(n int) string {
	if n == 1 {
		return "s"
	}
	return ""
}

// touchedBy returns the paths that an entry protects and files touch, in order.
func (p ProtectedPaths) touchedBy(files []change.File) []string {
	var touched []string
	for _, path := range touchedPaths(files) {
		if p.matches(path) {
			touched = append(touched, path)
		}
	}
	return touched
}

// matches reports whether any pattern of the entry matches the path.
func (p ProtectedPaths) matches(path string) bool {
	return slices.ContainsFunc(p.Paths, func(pattern PathPattern) bool { return pattern.Matches(path) })
}
