package codeowners

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each row is a pattern, paths that it matches and paths that it does not. The rows
// are what GitHub documents of its patterns, and what follows from that.
func TestPatterns(t *testing.T) {
	for pattern, c := range map[string]struct{ yes, no []string }{
		"*":              {[]string{"a", "a/b/c", ".github/x"}, nil},
		"**":             {[]string{"a", "a/b/c"}, nil},
		"*.js":           {[]string{"a.js", "lib/a.js", ".js", "x.js/y"}, []string{"a.jsx", "js"}},
		"/build/logs/":   {[]string{"build/logs/a", "build/logs/b/c"}, []string{"build/logs", "x/build/logs/a", "build/log/a"}},
		"docs/*":         {[]string{"docs/a.md"}, []string{"docs/a/b.md", "x/docs/a.md", "docs"}},
		"/docs/*":        {[]string{"docs/a.md"}, []string{"docs/a/b.md"}},
		"/*":             {[]string{"a"}, []string{"a/b"}},
		"/*/":            {[]string{"a/b", "a/b/c"}, []string{"a"}},
		"docs/*.md":      {[]string{"docs/a.md", "docs/.md"}, []string{"docs/a.txt", "docs/a/b.md"}},
		"apps/":          {[]string{"apps/a", "x/apps/a/b"}, []string{"apps", "x/apps", "myapps/a"}},
		"/apps/github":   {[]string{"apps/github", "apps/github/a/b"}, []string{"apps/githubs", "x/apps/github"}},
		"Makefile":       {[]string{"Makefile", "a/Makefile", "a/Makefile/b"}, []string{"makefile", "Makefile2"}},
		"**/logs":        {[]string{"logs/a", "build/logs/a", "a/b/logs", "a/b/logs/c/d"}, []string{"blogs/a"}},
		"/a/**/z":        {[]string{"a/z", "a/b/z", "a/b/c/z", "a/b/z/y"}, []string{"z", "a/b/zz"}},
		"a/**":           {[]string{"a/b", "a/b/c"}, []string{"a", "b/a/c"}},
		"a/**/":          {[]string{"a/b/c"}, []string{"a", "a/b", "b/a/c"}},
		"/a?c":           {[]string{"abc", "aéc", "abc/d"}, []string{"ac", "abbc", "a/c"}},
		"a**c":           {[]string{"abbc", "x/ac"}, []string{"a/c"}},
		"*a*a*":          {[]string{"aa", "bababab", "x/caca"}, []string{"bab"}},
		`my\ notes/`:     {[]string{"my notes/a"}, []string{"my/a", `my\ notes/a`}},
		"{a,b}":          {[]string{"{a,b}"}, []string{"a", "b"}},
		"a/*/c":          {[]string{"a/b/c", "a/b/c/d"}, []string{"a/c", "a/b/b/c"}},
		"/**/a/**/b":     {[]string{"a/b", "x/a/y/b", "a/a/b/c"}, []string{"b/a"}},
		".github/":       {[]string{".github/CODEOWNERS", "x/.github/y"}, []string{"github/x"}},
		"/x.*/CODEOWN*S": {[]string{"x.y/CODEOWNERS"}, []string{"x/CODEOWNERS"}},
	} {
		f := Parse(pattern + " @ada")
		require.Empty(t, f.Problems, pattern)
		for _, path := range c.yes {
			_, holds := f.Sections[0].Of(path)
			require.True(t, holds, "%s matches %s", pattern, path)
		}
		for _, path := range c.no {
			_, holds := f.Sections[0].Of(path)
			require.False(t, holds, "%s does not match %s", pattern, path)
		}
	}
}

func TestLastMatchHolds(t *testing.T) {
	f := Parse("# who owns what\r\n\n* @ada @acme/engineers docs@example.com # everything\n/apps/ @grace\r\n/apps/github\n  *.md\t@linus\n")
	require.Empty(t, f.Problems)
	section := f.Sections[0]
	for path, want := range map[string]Rule{
		"main.go":           {Line: 3, Owners: []Owner{{Login: "ada"}, {Team: "acme/engineers"}, {Email: "docs@example.com"}}},
		"apps/a.go":         {Line: 4, Owners: []Owner{{Login: "grace"}}},
		"apps/github/a.go":  {Line: 5},
		"apps/github/a.md":  {Line: 6, Owners: []Owner{{Login: "linus"}}},
		"x/apps/github.txt": {Line: 3, Owners: []Owner{{Login: "ada"}, {Team: "acme/engineers"}, {Email: "docs@example.com"}}},
	} {
		got, holds := section.Of(path)
		require.True(t, holds, path)
		got.Pattern = Pattern{}
		require.Equal(t, want, got, path)
	}
	_, holds := Parse("/a @ada").Sections[0].Of("b")
	require.False(t, holds)
}

// Every line that GitHub would skip is named, and says nothing of whom it names.
func TestProblems(t *testing.T) {
	for line, why := range map[string]string{
		"!a @ada":                           "negated",
		"*.[ch] @ada":                       "character range",
		"a] @ada":                           "character range",
		`\#a @ada`:                          "backslash",
		`a\*b @ada`:                         "backslash",
		"a#b @ada":                          "#",
		"a @ada#comment":                    "#",
		"a ada":                             "word 2 is no owner",
		"a @ada, @grace":                    "word 2 is no owner",
		"a @ada @":                          "word 3 is no owner",
		"a @acme/":                          "word 2 is no owner",
		"a @acme/x/y":                       "word 2 is no owner",
		"a @a@b":                            "word 2 is no owner",
		"/ @ada":                            "names no path",
		"// @ada":                           "names no path",
		"a//b @ada":                         "names no path",
		"a\x01 @ada":                        "control character",
		"\ufeff* @ada":                      "byte order mark",
		"[Section] @ada":                    "character range",
		"^[Section][2] @ada":                "character range",
		strings.Repeat("a", 1001) + " @ada": "too long",
		"a" + strings.Repeat(" @ada", maxOwners+1): "more than 100 owners",
	} {
		f := Parse("# first\n" + line + "\n/b @grace")
		require.Len(t, f.Problems, 1, line)
		require.Equal(t, 2, f.Problems[0].Line)
		require.Contains(t, f.Problems[0].String(), "line 2: ")
		require.Contains(t, f.Problems[0].String(), why, line)
		require.NotContains(t, f.Problems[0].String(), "ada", line)
		_, holds := f.Sections[0].Of("b")
		require.True(t, holds, "what can be read is")
	}
}

func TestBounds(t *testing.T) {
	f := Parse(strings.Repeat("!a\n", 100))
	require.Len(t, f.Problems, MaxProblems)
	f = Parse(strings.Repeat("#", MaxBytes+1))
	require.Len(t, f.Problems, 1)
	require.Equal(t, "the file has more than 3145728 bytes, and GitHub reads none of it", f.Problems[0].String())
	require.Empty(t, f.Sections)
	require.Empty(t, Parse(strings.Repeat("#", MaxBytes)).Problems)
}

// A pattern made to be slow is not.
func TestNoBlowUp(t *testing.T) {
	f := Parse(strings.Repeat("*a", 400) + "b @ada\n/" + strings.Repeat("**/a/", 150) + "b @ada")
	require.Empty(t, f.Problems)
	began := time.Now()
	for range 10 {
		_, holds := f.Sections[0].Of(strings.Repeat("a/", 2000) + strings.Repeat("a", 2000))
		require.False(t, holds)
	}
	require.Less(t, time.Since(began), 20*time.Second)
}

// FuzzParse: no file makes the parser panic, every line is a rule, a problem or
// nothing, and every pattern without wildcards matches the path that it names.
func FuzzParse(f *testing.F) {
	f.Add("* @ada\n/docs/* @acme/docs # x\n!a\n", "docs/a.md")
	f.Add("a/**/b/ x@example.com\n\\ \n**\n", "a/c/b/d")
	f.Fuzz(func(t *testing.T, text, path string) {
		path = path[:min(len(path), 4096)] // git's own bound where it checks out files
		file := Parse(text)
		lines := strings.Count(text, "\n") + 1
		for _, p := range file.Problems {
			require.LessOrEqual(t, p.Line, lines)
		}
		for _, s := range file.Sections {
			s.Of(path)
			for _, r := range s.Rules {
				require.True(t, r.Line >= 1 && r.Line <= lines)
				if plain := strings.Trim(r.Pattern.String(), "/"); !strings.ContainsAny(plain, "*?") {
					require.True(t, r.Pattern.Matches(plain+"/x"), r.Pattern.String())
				}
			}
		}
	})
}
