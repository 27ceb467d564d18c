package policy_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

const examplePolicy = "../testdata/policy/example.countersign.yml"

// TestExample reads the example policy, which has every part.
func TestExample(t *testing.T) {
	text, err := os.ReadFile(examplePolicy)
	require.NoError(t, err)
	p, err := policy.Parse("example", text)
	require.NoError(t, err)

	require.Equal(t, 1, p.Version)
	require.Equal(t, "platform-team", p.Owner)
	require.Equal(t, []change.Selector{"team:acme/platform", "user:github:583231"}, p.Roles["platform"])
	require.Len(t, p.Changes, 2)
	require.Equal(t, []string{"normal", "dependencies"}, p.Changes[1].Classes)
	require.Equal(t, `change.files.exists(f, f.path.startsWith("billing/"))`, p.Changes[1].When.Text)
	require.Equal(t, "two reviewers", p.Changes[1].Assertions[0].Name)
	require.Equal(t, []policy.Author{"github:301"}, p.Classes[2].Authors)
	rule := p.Changes[0]
	require.Equal(t, []string{"main", "release/**"}, rule.Branches)
	require.Equal(t, &policy.PeerReview{Approvals: 1, From: []string{"engineer"}}, rule.PeerReview)
	require.True(t, rule.SegregationOfDuties)
	require.Equal(t, policy.RequiredCheck{Name: "codeql", App: "github-advanced-security", Class: "sast"}, rule.RequiredChecks[1])
	asked := *rule.LinkedRequest
	require.Equal(t, "[A-Z][A-Z0-9]+-[0-9]+", asked.Pattern)
	require.Equal(t, []string{"Story", "Bug"}, asked.Types)
	require.Equal(t, []string{"In Progress", "In Review"}, asked.States)
	require.Equal(t, []string{"jira", "first-commit"}, []string{asked.Tracker, asked.CreatedBefore})
	require.True(t, asked.Independent)
	require.Equal(t, ".github/workflows/**", rule.ProtectedPaths[0].Paths[0].Text)
	require.Equal(t, []string{"platform"}, rule.ProtectedPaths[0].From)
	require.Equal(t, []policy.DeploymentRule{{
		Environments: []string{"production"}, ApprovedChangesOnly: true, DeployerSeparation: true,
		DeploymentApproval: &policy.PeerReview{Approvals: 1, From: []string{"release-manager"}},
	}}, p.Deployments)
	require.Equal(t, &policy.Emergency{AuthorisedBy: []string{"oncall-lead"}, ReviewWithin: 24 * time.Hour}, p.Emergency)
	require.Equal(t, []policy.Alias{
		{Accounts: []change.AccountID{"github:101", "github:202"}, Note: "one person, two accounts"},
		{Accounts: []change.AccountID{"github:105", "jira:712020:3c1e8f0a-9d2b-4c55-8f1e-0a9d2b4c558f"}, Note: "asks for changes in Jira"},
	}, p.People)
	require.Equal(t, policy.Automation{Account: "github:41898282", Accountable: policy.Starter, Note: "github-actions[bot]"}, p.Automations[1])
	require.Equal(t, "go.sum", p.Automations[0].Paths[1].Text)

	require.True(t, p.Governs("main"))
	require.True(t, p.Governs("release/2026/03"))
	require.False(t, p.Governs("topic"))
	require.False(t, p.Governs("main/old"))
}

// TestMistakes shows every mistake that a policy can have with what is said about
// it. Each section of the stories' archive is a policy; its want lists the errors.
func TestMistakes(t *testing.T) {
	const file = "../testdata/policy/mistakes.txt"
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(archive.Files), 2*50)
	for i := 0; i+1 < len(archive.Files); i += 2 {
		bad, want := archive.Files[i], &archive.Files[i+1]
		require.Equal(t, bad.Name+" says", want.Name)
		t.Run(bad.Name, func(t *testing.T) {
			p, err := policy.Parse("p.yml", bad.Data)
			require.Nil(t, p)
			var problems policy.Problems
			require.True(t, errors.As(err, &problems))
			if *update {
				want.Data = []byte(err.Error() + "\n")
				return
			}
			require.Equal(t, string(want.Data), err.Error()+"\n")
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
	}
}

// minimal returns a valid policy with more lines of its rule.
func minimal(lines ...string) string {
	return "version: 1\nowner: a\nchanges:\n  - branches: [main]\n" + strings.Join(lines, "\n") + "\n"
}

// TestBounds tries what is too large to stand in a file.
func TestBounds(t *testing.T) {
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+", ", n), ", ") }
	var roles strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&roles, "  r%d: [permission:read]\n", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"text":        {strings.Repeat("#", 256<<10+1), "p.yml:1:1: the policy has more than 262144 bytes; shorten it"},
		"list":        {strings.Replace(minimal(), "[main]", "["+many(1001, "main")+"]", 1), "p.yml:4:15: branches has more than 1000 entries; shorten it"},
		"mapping":     {minimal() + "roles:\n" + roles.String(), "p.yml:7:3: roles has more than 1000 entries; shorten it"},
		"scalar":      {strings.Replace(minimal(), "owner: a", "owner: "+strings.Repeat("a", 1001), 1), "p.yml:2:8: owner is longer than 1000 bytes; shorten it"},
		"pattern":     {strings.Replace(minimal(), "main", strings.Repeat("a", 257), 1), "a pattern has at most 256 bytes"},
		"nesting":     {strings.Replace(minimal(), "[main]", strings.Repeat("[", 30)+strings.Repeat("]", 30), 1), "lists and mappings stand more than 20 deep"},
		"expressions": {minimal("    assertions:\n" + assertions(102)), "p.yml:106:28: the policy has more than 100 expressions; leave some out"},
		"problems":    {strings.Replace(minimal(), "[main]", "["+many(500, "{}")+"]", 1), "must be text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse("p.yml", []byte(c.text))
			require.ErrorContains(t, err, c.want)
			require.LessOrEqual(t, strings.Count(err.Error(), "\n"), 99)
		})
	}
}

// assertions returns so many entries of assertions.
func assertions(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "      - {name: a%03d, that: change.draft}\n", i)
	}
	return b.String()
}

// TestWithinBounds tries what is just as large as it may be.
func TestWithinBounds(t *testing.T) {
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+", ", n), ", ") }
	var roles strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&roles, "  r%d: [permission:read]\n", i)
	}
	for name, text := range map[string]string{
		"text":         minimal() + strings.Repeat("#", 256<<10-len(minimal())),
		"list":         strings.Replace(minimal(), "[main]", "["+many(1000, "main")+"]", 1),
		"mapping":      minimal() + "roles:\n" + roles.String(),
		"scalar":       strings.Replace(minimal(), "owner: a", "owner: "+strings.Repeat("a", 1000), 1),
		"pattern":      strings.Replace(minimal(), "main", strings.Repeat("a", 256), 1),
		"alternatives": strings.Replace(minimal(), "main", "\""+strings.Repeat("{a,b}", 4)+"\"", 1),
		"approvals":    minimal("    peer-review: {approvals: 50}"),
		"attempts":     minimal("    required-checks: [{name: test, app: ci, attempts: 100}]"),
		"app":          minimal("    required-checks: [{name: test, app: 4503599627370496}]"),
		"expressions":  minimal("    assertions:\n" + assertions(100)),
		"duration":     minimal() + "roles: {lead: [permission:admin]}\nemergency: {authorised-by: [lead], review-within: 2160h}\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse("p.yml", []byte(text))
			require.NoError(t, err)
		})
	}
	deep := strings.Replace(minimal(), "[main]", strings.Repeat("[", 18)+strings.Repeat("]", 18), 1)
	_, err := policy.Parse("p.yml", []byte(deep))
	require.NotContains(t, err.Error(), "deep")
	_, err = policy.Parse("p.yml", []byte(strings.Replace(deep, "[]", "[[]]", 1)))
	require.ErrorContains(t, err, "deep")
}

// FuzzParse: no text makes Parse panic, every error names a place in the text, and
// what is accepted can judge.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../testdata/policy/*")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		if strings.HasSuffix(file, ".yml") {
			f.Add(data)
			continue
		}
		for _, section := range txtar.Parse(data).Files {
			f.Add(section.Data)
		}
	}
	facts := newDice(1).facts()
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse("p.yml", text)
		if err != nil {
			var problems policy.Problems
			require.True(t, errors.As(err, &problems))
			require.NotEmpty(t, problems)
			for _, problem := range problems {
				require.Positive(t, problem.Line)
				require.Positive(t, problem.Column)
				require.NotContains(t, problem.Text, "@{", "a policy cannot put people into a decision")
			}
			require.Nil(t, p)
			return
		}
		require.NotEmpty(t, p.Owner)
		d := p.Evaluate(p.Resolve(facts, string(text)))
		require.NotEmpty(t, d.Status)
	})
}
