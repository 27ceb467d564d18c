// Package arrows guards the layering of the module: which package may know which.
package arrows

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/countersign-dev/countersign/"

// mayImport lists, for every package, the packages of this module that it may
// import. A package that is not listed may import none and must be added here
// with a reason to exist. Only the command, which wires everything, is free.
var mayImport = map[string][]string{
	"change":           {},
	"policy":           {"policy/expression", "change"},
	"policy/story":     {"policy", "change", "internal/codeowners"}, // a story tells of lines of a code owners file
	"policy/policybot": {"policy", "change"},

	"policy/expression": {"change"},
	"evidence":          {"change", "internal/dirlock"},
	"forge/github":      {"change", "internal/codeowners"},
	"tracker/gitlab":    {"change"}, // as tracker/jira
	"tracker/jira":      {"change"}, // where requests are looked up; a tracker knows no forge
	"gate":              {"policy", "evidence", "change", "internal/turns"},
	"webhook":           {"gate", "change", "internal/turns", "internal/dirlock"},

	"internal/turns":      {},
	"internal/dirlock":    {},
	"internal/codeowners": {}, // who owns which paths, for every forge

	"internal/arrows":             {},
	"internal/rules":              {},
	"internal/mutation":           {}, // a command of ours for the tests of a package
	"internal/githubsim":          {},
	"internal/jirasim":            {}, // the Jira that tests of tracker/jira and the server ask
	"internal/githubsim/contract": {"internal/githubsim"},
}

// free may import every package.
const free = "cmd/countersign"

func TestImportsRunDown(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	seen := 0
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		seen++
		check(t, pkg, name)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, seen, 20, "the walk found the module")
}

// check reports every import of a file that its package may not have.
func check(t *testing.T, pkg, name string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	require.NoError(t, err)
	allowed, listed := mayImport[pkg]
	if pkg == free || strings.HasPrefix(pkg, free+"/") {
		return
	}
	if !listed {
		t.Errorf("%s: package %s is not in the list of arrows", path.Base(name), pkg)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		inner, ours := strings.CutPrefix(imported, module)
		if ours && !slices.Contains(allowed, inner) {
			t.Errorf("%s: %s may not import %s", path.Base(name), pkg, inner)
		}
	}
}
