package policybot

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/policy"
)

// Regular expressions that people write for paths, and the patterns that come of
// them.
func TestGlobs(t *testing.T) {
	for expression, want := range map[string][]string{
		`^config/.*`:         {"config/**/*"},
		`^config/.*$`:        {"config/**/*"},
		`config/.*`:          {"**/*config/**/*"},
		`^CODEOWNERS$`:       {"CODEOWNERS"},
		`\.go$`:              {"**/*.go"},
		`.*\.tmpl$`:          {"**/*.tmpl"},
		`.*`:                 {"**"},
		``:                   {"**"},
		`^(main|develop)$`:   {"main", "develop"},
		`^ma(in|ster)$`:      {"main", "master"},
		`^release/[0-9]+$`:   {"release/**/*"},
		`^v[12]$`:            {"v1", "v2"},
		`^docs?/`:            {"docs/**/*", "doc/**/*"},
		`^a$|^b$`:            {"a", "b"},
		`^src`:               {"src*", "src*/**/*"},
		`^src/.*/secret\.go`: {"src/**/*/secret.go*", "src/**/*/secret.go*/**/*"},
		`^\[x\]\*$`:          {`\[x\]\*`},
	} {
		got, ok := globsOf(expression)
		require.True(t, ok, expression)
		require.Equal(t, want, got, expression)
	}
	for _, expression := range []string{`(`, `(?i)readme`, `a\b`, `(?m)^a$`, `a^b`, `a$b`, `(a|b)(a|b)(a|b)(a|b)(a|b)`, `(a.a|b.b)(a.a|b.b)(a.a|b.b)`, `^$`, `[^\x00-\x{10FFFF}]`} {
		_, ok := globsOf(expression)
		require.False(t, ok, expression)
	}
}

// Whatever an expression matches, the patterns match: a rule about paths is never
// about fewer.
func TestGlobsMatchNoLess(t *testing.T) {
	dice := rand.New(rand.NewPCG(7, 11))
	word := func(alphabet []string, most int) string {
		s := ""
		for range 1 + dice.IntN(most) {
			s += alphabet[dice.IntN(len(alphabet))]
		}
		return s
	}
	matched := 0
	for range 3000 {
		expression := word([]string{"a", "b", "/", `\.`, ".", ".*", "a?", "[ab]", "(a|b/)", "b+", "^", "$"}, 6)
		re, err := regexp.Compile(expression)
		if err != nil {
			continue
		}
		globs, ok := globsOf(expression)
		if !ok {
			continue
		}
		entry := "branches: [a], protected-paths: [{paths: " + list(rooted(globs)) + ", from: [a]}]"
		p, err := policy.Parse("p", []byte("{version: 1, owner: a, roles: {a: [permission:admin]}, changes: [{"+entry+"}]}"))
		if err != nil {
			continue // such as a path that begins with two slashes
		}
		for range 20 {
			path := word([]string{"a", "b", "a/", "b/", "a.b"}, 5) + "a"
			if !re.MatchString(path) {
				continue
			}
			matched++
			one := false
			for _, pattern := range p.Changes[0].ProtectedPaths[0].Paths {
				one = one || pattern.Matches(path)
			}
			require.True(t, one, "%s matches %s, none of %q does", expression, path, globs)
		}
	}
	require.Greater(t, matched, 1000)
}
