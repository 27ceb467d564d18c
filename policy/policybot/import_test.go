package policybot_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/policybot"
)

var update = flag.Bool("update", false, "write what came of the policies into the test data")

// options are those that every file of the test data is imported with.
func options() policybot.Options {
	return policybot.Options{Owner: "platform-team", Accounts: map[string]change.AccountID{"ada": "github:101", "grace": "github:102"}}
}

// told writes losses as the test data has them.
func told(losses []policybot.Loss) string {
	var b strings.Builder
	for _, l := range losses {
		kind := "stricter"
		if l.Less {
			kind = "less"
		}
		fmt.Fprintf(&b, "%d: %s: %s\n", l.Line, kind, l.Text)
	}
	return b.String()
}

// TestImport converts every policy of the test data. Each archive holds a policy of
// policy-bot, the policy that comes of it, and what could not be carried over. What
// comes of it can be passed.
func TestImport(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 8)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			require.NotEmpty(t, archive.Comment)
			out, err := policybot.Import(".policy.yml", archive.Files[0].Data, options())
			require.NoError(t, err)
			if *update {
				archive.Files = []txtar.File{archive.Files[0], {Name: "policy", Data: out.Policy}, {Name: "losses", Data: []byte(told(out.Losses))}}
				require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
				return
			}
			require.Equal(t, string(archive.Files[1].Data), string(out.Policy))
			require.Equal(t, string(archive.Files[2].Data), told(out.Losses))
			found, err := policy.Examine("p.yml", out.Policy)
			require.NoError(t, err)
			for _, f := range found {
				require.False(t, f.Never, f.Problem)
			}
		})
	}
}

// What cannot be converted at all is an error with its line.
func TestImportRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":            "the file is empty",
		"a: 1\n b: 2": ".policy.yml:2: mapping values are not allowed",
		"approval_rules: [{name: r},\n{name: r}]\npolicy: {approval: [r]}": `.policy.yml:2: the rule "r" stands in line 1 already; rename one of them`,
		"[":                                  "did not find expected",
		"- a":                                ".policy.yml:1: a policy of policy-bot is a mapping",
		"a: &x 1\nb: *x":                     ".policy.yml:2: an alias stands here",
		"remote: acme/policies":              `.policy.yml:1: the policy lies in another repository, "acme/policies"`,
		"approval_rules: []":                 ".policy.yml:1: it asks for no approval",
		"policy: {approval: []}":             "it asks for no approval",
		"policy: {approval: [r]}":            `.policy.yml:1: there is no rule "r"`,
		"policy: {approval: [{xor: [r]}]}":   ".policy.yml:1: the name of a rule, and: or or: belongs here",
		"policy: {approval: [{or: [r, s]}]}": `there is no rule "r"`,
		"policy: {approval: [[r]]}":          "the name of a rule, and: or or: belongs here",
		"approval_rules: [{name: r}]\npolicy: {approval: [r]}":                                         "nothing in it asks for an approval",
		"a: " + strings.Repeat("[", 60) + strings.Repeat("]", 60):                                      "more than 50 deep",
		strings.Repeat("#", 256<<10+1):                                                                 "more than 262144 bytes",
		"policy: {approval: [" + strings.Repeat("{and: [", 12) + "r" + strings.Repeat("]}", 12) + "]}": "more than 10 deep inside each other",
		"approval_rules: [" + strings.Repeat("{},", 501) + "]":                                         "more than 500 rules",
	} {
		_, err := policybot.Import(".policy.yml", []byte(text), options())
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, ".policy.yml:", text)
	}
}

// FuzzImport: no text makes Import panic, and what comes of one is a valid policy
// that something can pass.
func FuzzImport(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(f, err)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		require.NoError(f, err)
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		out, err := policybot.Import("p", text, options())
		if err != nil {
			require.NotContains(t, err.Error(), "what came of it", "%s", out.Policy)
			return
		}
		found, err := policy.Examine("p.yml", out.Policy)
		require.NoError(t, err)
		for _, f := range found {
			require.False(t, f.Never, f.Problem)
		}
	})
}
