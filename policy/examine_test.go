package policy_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/story"
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

// A gate is said to be impassable exactly when a stranger's change that every holder
// approves does not pass it.
func TestNeverIsNever(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	impassable := 0
	for range 200 {
		var holders []string
		for id := 1; id <= 1+dice.IntN(4); id++ {
			holders = append(holders, fmt.Sprintf(`"user:github:%d"`, id))
		}
		text := minimal(fmt.Sprintf("    peer-review: {approvals: %d, from: [a, b]}", 1+dice.IntN(4)),
			fmt.Sprintf("roles: {a: [%s], b: [%s]}", strings.Join(holders, ", "), holders[0]))
		if dice.IntN(2) == 0 {
			text += "people: [{accounts: [github:1, github:2]}]\n"
		}
		found, err := policy.Examine("p.yml", []byte(text))
		require.NoError(t, err)
		never := false
		for _, f := range found {
			never = never || f.Never
		}
		if never {
			impassable++
		}
		require.Equal(t, never, everybodyApproves(t, text) != change.Allow, text)
	}
	require.Greater(t, impassable, 20)
}

// everybodyApproves returns the verdict on a change that four accounts approve which
// had no part in it. The first is the last to do so, because of two accounts of one
// human the later word is the one that counts.
func everybodyApproves(t *testing.T, text string) change.Verdict {
	t.Helper()
	told := "Everybody approves.\n-- story --\nauthor ada\ncommit ada\n"
	for id := 4; id >= 1; id-- {
		told += fmt.Sprintf("account h%d github:%d\nreview h%d approved\n", id, id, id)
	}
	s, err := story.Parse("told", []byte(told+"-- want --\nallow\n"))
	require.NoError(t, err)
	played, err := s.Play(text)
	require.NoError(t, err)
	return played.Decision.Verdict()
}

// A name that git accepts for a branch is never said to be none.
func TestNoBranchIsNoBranch(t *testing.T) {
	dice := rand.New(rand.NewPCG(4, 5))
	parts := []string{"a", "b", "c", "d", "e", "f/g", "/", ".", "..", ".lock", "-", "@", " ", "~", "^", ":", "é"}
	names, accepted := map[string]bool{}, 0
	for len(names) < 100 {
		name := ""
		for range 1 + dice.IntN(4) {
			name += parts[dice.IntN(len(parts))]
		}
		names[name] = true
	}
	for name := range names {
		found, err := policy.Examine("p.yml", []byte(strings.Replace(minimal("    peer-review: {approvals: 1}"), "[main]", fmt.Sprintf("[%q]", name), 1)))
		require.NoError(t, err)
		valid := exec.Command("git", "check-ref-format", "refs/heads/"+name).Run() == nil
		require.Equal(t, valid, len(found) == 0, "%q", name)
		if valid {
			accepted++
		}
	}
	require.Greater(t, accepted, 20)
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
