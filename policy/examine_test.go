package policy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/policy"
)

// TestFindings shows what Examine finds. Each section of the archive is a policy;
// the section behind it lists what is said.
func TestFindings(t *testing.T) {
	const file = "../testdata/policy/findings.txt"
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(archive.Files), 2*14)
	for i := 0; i+1 < len(archive.Files); i += 2 {
		text, want := archive.Files[i], &archive.Files[i+1]
		require.Equal(t, text.Name+" says", want.Name)
		t.Run(text.Name, func(t *testing.T) {
			found, err := policy.Examine("p.yml", text.Data)
			require.NoError(t, err)
			var got strings.Builder
			for _, f := range found {
				kind := "warning"
				if f.Never {
					kind = "never"
				}
				fmt.Fprintf(&got, "%s %s\n", kind, f.Problem)
			}
			if *update {
				want.Data = []byte(got.String())
				return
			}
			require.Equal(t, string(want.Data), got.String())
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
	}
}

// What cannot be parsed is not examined, and a long list of findings ends.
func TestExamineBounds(t *testing.T) {
	_, err := policy.Examine("p.yml", []byte("version: 2"))
	require.ErrorAs(t, err, &policy.Problems{})
	found, err := policy.Examine("p.yml", []byte(strings.Replace(minimal(), "[main]", "["+strings.Repeat("main, ", 500)+"main]", 1)))
	require.NoError(t, err)
	require.Len(t, found, 100)
}

// The example and every policy of the stories can be passed.
func TestExampleCanBePassed(t *testing.T) {
	text, err := os.ReadFile(examplePolicy)
	require.NoError(t, err)
	found, err := policy.Examine("p.yml", text)
	require.NoError(t, err)
	require.Empty(t, found)
}

// FuzzExamine: whatever Parse accepts can be examined and rendered, every finding
// has a place in the text, and none puts people into what is said.
func FuzzExamine(f *testing.F) {
	for _, text := range storyPolicies(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse("p.yml", text)
		found, failed := policy.Examine("p.yml", text)
		require.Equal(t, err, failed)
		if err != nil {
			return
		}
		for _, finding := range found {
			require.Positive(t, finding.Line)
			require.Positive(t, finding.Column)
			require.NotContains(t, finding.Text, "@{")
		}
		require.NotContains(t, rendered(t, p), "\x1b")
	})
}
