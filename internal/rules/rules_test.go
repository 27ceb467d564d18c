// Package rules checks that docs/house-rules.md tells the truth about the tests.
package rules

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	row      = regexp.MustCompile(`(?m)^\| (\d+) \| .* \| (.*) \|$`)
	named    = regexp.MustCompile("`(Test\\w+)`")
	declared = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
)

// Every house rule names at least one test, and every test it names exists.
func TestEveryRuleHasItsTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/house-rules.md")
	require.NoError(t, err)
	exist := tests(t)
	rows := row.FindAllStringSubmatch(string(page), -1)
	require.Len(t, rows, 11)
	for _, r := range rows {
		names := named.FindAllStringSubmatch(r[2], -1)
		require.NotEmpty(t, names, "rule %s", r[1])
		for _, n := range names {
			require.True(t, exist[n[1]], "rule %s names %s, which is not there", r[1], n[1])
		}
	}
}

// tests returns the names of all tests of the module.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == "node_modules" {
			return errOrSkip(err)
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return nil
	})
	require.NoError(t, err)
	return names
}

func errOrSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}
