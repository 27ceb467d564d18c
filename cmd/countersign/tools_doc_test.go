package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// The page about the tools shows what the scripts read and print: each block that is
// marked with a script and one of its files is that file.
func TestToolsPageTellsTheTruth(t *testing.T) {
	const page = "../../docs/policy-tools.md"
	data, err := os.ReadFile(page)
	require.NoError(t, err)
	text := string(data)
	marks := regexp.MustCompile(`<!-- (\w+\.txtar) (\S+) -->`).FindAllStringSubmatch(text, -1)
	require.GreaterOrEqual(t, len(marks), 4)
	for _, mark := range marks {
		script, err := txtar.ParseFile(filepath.Join("testdata/script", mark[1]))
		require.NoError(t, err)
		want := ""
		for _, f := range script.Files {
			if f.Name == mark[2] {
				want = string(f.Data)
			}
		}
		require.NotEmpty(t, want, "%s has a file %s", mark[1], mark[2])
		shown, _, _ := between(t, text, mark[1]+" "+mark[2])
		require.Equal(t, want, shown, mark[0])
	}
}
