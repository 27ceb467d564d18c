package policy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pure lists what policy, what belongs to it and change may import: nothing that reaches a file, the
// network, a clock or another goroutine.
func pure() []string {
	return []string{
		"bytes", "cmp", "crypto/sha256", "encoding/hex", "encoding/json", "errors", "fmt", "io", "maps", "path", "reflect", "regexp", "regexp/syntax", "slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
		"net/url", // takes an address apart
		"github.com/bmatcuk/doublestar/v4", "go.yaml.in/yaml/v3", "github.com/countersign-dev/countersign/change",
		"github.com/countersign-dev/countersign/policy", "github.com/countersign-dev/countersign/internal/codeowners", "golang.org/x/tools/txtar",
		"sync", // for what is made once and never changes
		"github.com/countersign-dev/countersign/policy/expression",
		"cel.dev/cel-go/cel", "cel.dev/cel-go/ext", "cel.dev/cel-go/interpreter", "cel.dev/cel-go/common/ast", "cel.dev/cel-go/common/cost",
		"cel.dev/cel-go/common/env", "cel.dev/cel-go/common/overloads", "cel.dev/cel-go/common/types", "cel.dev/cel-go/common/types/ref", // no function of the time of day among them
	}
}

// clock lists what of package time would make a judgement depend on when it is
// made.
func clock() []string {
	return []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep", "Local", "LoadLocation"}
}

// TestPurity reads the sources of these packages: a judgement depends on its
// arguments and on nothing else.
func TestPurity(t *testing.T) {
	for _, dir := range []string{".", "story", "policybot", "expression", "../change"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		read := 0
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			read++
			set := token.NewFileSet()
			source, err := parser.ParseFile(set, file, nil, 0)
			require.NoError(t, err)
			for _, i := range source.Imports {
				path, err := strconv.Unquote(i.Path.Value)
				require.NoError(t, err)
				require.Contains(t, pure(), path, "%s imports it", file)
				require.Nil(t, i.Name, "%s renames an import, which would hide its use from this test", file)
			}
			ast.Inspect(source, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock(), n.Sel.Name) {
						t.Errorf("%s uses time.%s", set.Position(n.Pos()), n.Sel.Name)
					}
				case *ast.GoStmt:
					t.Errorf("%s starts a goroutine", set.Position(n.Pos()))
				}
				return true
			})
		}
		require.Greater(t, read, 5, dir)
	}
}
