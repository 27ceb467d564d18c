package policy

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/stretchr/testify/require"
)

// TestWithoutBraces shows what groups in braces stand for.
func TestWithoutBraces(t *testing.T) {
	for pattern, want := range map[string][]string{
		"main":                {"main"},
		"{a,b}.c":             {"a.c", "b.c"},
		"{a,{b,c}d}{,e}":      {"a", "ae", "bd", "bde", "cd", "cde"},
		`\{a,b}[{,]{[},],\,}`: {`\{a,b}[{,][},]`, `\{a,b}[{,]\,`},
		`[a\]{]{b,c}`:         {`[a\]{]b`, `[a\]{]c`},
	} {
		require.ElementsMatch(t, want, withoutBraces(pattern), pattern)
	}
}

// TestWithoutBracesMatchesTheSame compares with how doublestar reads braces itself,
// which only misses that a star before a group can match nothing.
func TestWithoutBracesMatchesTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	text := func(most int, alphabet ...string) string {
		var b strings.Builder
		for range 1 + r.IntN(most) {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	matched := 0
	for tried := 0; tried < 30_000; {
		pattern := text(10, "a", "b", "/", "?", "*", "{", "{", "}", "}", ",", ",", "[ab]", "[,a]", "[}b]", `\{`, `\,`)
		patterns := withoutBraces(pattern)
		if strings.Count(pattern, "{") > maxGroups || !doublestar.ValidatePattern(pattern) || strings.Contains(strings.Join(patterns, " "), "**") {
			continue
		}
		tried++
		path := text(5, "a", "b", "/", ",", "}", "{")
		want, got := doublestar.MatchUnvalidated(pattern, path), false
		for _, p := range patterns {
			got = got || doublestar.MatchUnvalidated(p, path)
		}
		if want || !strings.Contains(pattern, "*") {
			require.Equal(t, want, got, "%s on %s", pattern, path)
		}
		if want {
			matched++
		}
	}
	require.Greater(t, matched, 1000)
}

// TestAlternativesAreBounded: the groups of a pattern multiply, and so their product
// is what is bounded.
func TestAlternativesAreBounded(t *testing.T) {
	many := "{" + strings.Repeat("*,", 30) + "*}"
	for _, pattern := range []string{"/" + strings.Repeat(many, 4) + "Y", many + many, "{" + strings.Repeat(",", 100) + "}", "{" + strings.Repeat("{*,*},", 40) + "{" + strings.Repeat(",", 30) + "}}"} {
		require.Error(t, checkPattern(pattern), pattern)
		_, err := newPathPattern(pattern)
		require.Error(t, err, pattern)
	}
	for _, pattern := range []string{"{" + strings.Repeat("a,", 99) + "b}", "{a,b,c}{d,e,f}{g,h,i}{j,k,l}"} {
		p, err := newPathPattern(pattern)
		require.NoError(t, err)
		require.LessOrEqual(t, len(p.globs), maxAlternatives)
		require.NotContains(t, strings.Join(p.globs, ""), "{")
	}
}
