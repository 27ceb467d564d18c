package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// suggest returns "; did you mean X?" for the known word nearest to word, or
// nothing when none is near enough to be a slip of the pen.
func suggest(word string, known []string) string {
	best := Nearest(word, known)
	if best == "" {
		return ""
	}
	return "; did you mean " + change.Quote(best) + "?"
}

// Nearest returns the known word nearest to word, or nothing when none is near enough
// to be a slip of the pen.
func Nearest(word string, known []string) string {
	const longest = 64 // a longer word is no slip of the pen, and the distance costs its square
	if len(word) > longest {
		return ""
	}
	best, bestDistance := "", min(len(word), 1+max(2, len(word)/3))
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(word, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance returns the Levenshtein distance of two words, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// quoted lists words for people: "a", "b" and "c".
func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = change.Quote(w)
	}
	return enumerate(q, "and")
}

// enumerate joins items as a sentence does, with word before the last.
func enumerate(items []string, word string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " " + word + " " + items[last]
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
