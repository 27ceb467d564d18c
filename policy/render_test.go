package policy_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/policy"
)

// rendered returns the document of a policy.
func rendered(t testing.TB, p *policy.Policy) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, policy.Render(&b, p, policy.Source{Name: ".countersign.yml", Digest: "SHA-256 9f86d081"}))
	return b.String()
}

// The document of the example policy, which has every part, is kept beside it.
func TestRenderExample(t *testing.T) {
	const golden = "../testdata/policy/example.md"
	text, err := os.ReadFile(examplePolicy)
	require.NoError(t, err)
	got := rendered(t, parsed(t, string(text)))
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// Every role, selector, branch, check, pattern, account and note of a policy, and
// every control that it asks for, stands in its document.
func TestRenderLeavesNothingOut(t *testing.T) {
	documents := 0
	for _, text := range storyPolicies(t) {
		p, err := policy.Parse("p.yml", text)
		if err != nil {
			continue
		}
		documents++
		var root yaml.Node
		require.NoError(t, yaml.Unmarshal(text, &root))
		got := rendered(t, p)
		for _, said := range sayings(&root, "") {
			require.Contains(t, got, said, "%s", text)
		}
		require.Equal(t, len(p.Changes), strings.Count(got, "## Changes to "))
		require.Equal(t, len(p.Changes), strings.Count(got, "### no-bypass\n"))
	}
	require.Greater(t, documents, 20)
}

// sayings returns what a document must contain for a node of a policy under a key.
func sayings(n *yaml.Node, under string) []string {
	var out []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			switch {
			case under == "roles":
				out = append(out, "`"+key+"`")
			case policy.Meaning(key) != "" && !slices.Contains([]string{"branches", "environments", "classes", "when"}, key):
				out = append(out, key, policy.Meaning(key))
			}
			out = append(out, sayings(n.Content[i+1], key)...)
		}
	case yaml.ScalarNode:
		switch under {
		case "version", "review-within":
		case "when", "that":
			out = append(out, "`"+strings.TrimSpace(strings.ReplaceAll(n.Value, "\n", " "))+"`")
		case "authors":
			out = append(out, "`"+strings.TrimPrefix(n.Value, "user:")+"`")
		case "tracker":
			out = append(out, map[string]string{"github": "in GitHub", "gitlab": "in GitLab", "jira": "in Jira"}[n.Value])
		case "created-before":
			out = append(out, map[string]string{"merge": "created before the change landed", "first-commit": "created before the first commit"}[n.Value])
		case "independent":
			if n.Value == "true" {
				out = append(out, "Who asked for the change")
			}
		case "approvals":
			out = append(out, map[string]string{"1": "One approval that counts"}[n.Value])
			if n.Value != "1" {
				out[0] = n.Value + " approvals that count"
			}
		case "attempts":
			out = append(out, map[string]string{"1": "at most one attempt may"}[n.Value])
			if n.Value != "1" {
				out[0] = "at most " + n.Value + " attempts may"
			}
		default:
			out = append(out, "`"+n.Value+"`")
		}
	default:
		for _, c := range n.Content {
			out = append(out, sayings(c, under)...)
		}
	}
	return out
}

// What a policy says cannot become markup of the document that is signed.
func TestRenderQuotesTheFile(t *testing.T) {
	const plainly, nastily = "a plain word", "`` x`\\n\\n# Approved\\n\\n<script> | [y](z) ** \\u202e"
	text := func(words string) string {
		return `{version: 1, owner: "` + words + `", roles: {a: [team:x/y]}, changes: [{branches: ["` + words + `"], peer-review: {approvals: 2, from: [a]},
  required-checks: [{name: "` + words + `", app: "` + words + `"}], linked-request: {pattern: "x"},
  protected-paths: [{paths: ["` + words + `"], from: [a]}]}], deployments: [{environments: ["` + words + `"], deployer-separation: {}}],
  people: [{accounts: [github:1, github:2], note: "` + words + `"}]}`
	}
	nasty := strings.ReplaceAll(nastily, "[y](z)", "(z)") // a bracket would be a pattern's
	plain, quoted := rendered(t, parsed(t, text(plainly))), rendered(t, parsed(t, text(nasty)))
	require.Equal(t, strings.Count(plain, "\n"), strings.Count(quoted, "\n"), "no line more")
	require.NotContains(t, quoted, "\u202e")
	require.Equal(t, 7, strings.Count(quoted, "``` `` x`··# Approved··<script> | (z) ** · ```"), quoted)
}

// How long after an emergency is said as people say it.
func TestRenderSpans(t *testing.T) {
	for given, want := range map[string]string{
		"24h": "one day", "48h": "2 days", "1h": "one hour", "36h": "36 hours", "90m": "90 minutes", "5s": "5 seconds", "1500ms": "1.5s",
	} {
		p := parsed(t, minimal("roles: {a: [permission:admin]}", "emergency: {authorised-by: [a], review-within: "+given+"}"))
		require.Contains(t, rendered(t, p), "within "+want+" afterwards")
	}
}

// A role that no rule asks for is pointed out, and a policy without roles says who
// can approve.
func TestRenderRoles(t *testing.T) {
	got := rendered(t, parsed(t, minimal("    peer-review: {approvals: 1, from: [a]}", `roles: {a: [permission:write, "user:github:7"], b: [team:x/y]}`)))
	require.Contains(t, got, "- `a`: whoever has at least `permission:write` on the repository or the account `user:github:7`\n")
	require.Contains(t, got, "- `b`: the members of `team:x/y`. No rule asks for this role.\n")
	require.Contains(t, rendered(t, parsed(t, minimal())), "names no roles")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRenderFails(t *testing.T) {
	require.ErrorContains(t, policy.Render(fullDisk{}, parsed(t, minimal()), policy.Source{}), "writing the document: no space left")
}
