package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

const twoGuards = `version: 1
owner: platform-team
roles: {platform: [team:acme/platform], dba: [team:acme/dba]}
changes:
  - branches: [main]
    protected-paths:
      - {paths: ["*.yml"], from: [platform]}
      - {paths: ["*.sql", "both.yml"], from: [dba]}
`

func awaited(t *testing.T, events ...string) []string {
	t.Helper()
	events = append([]string{"team acme/platform grace", "team acme/dba linus", "author ada", "commit ada", "touch a.yml", "touch b.sql", "touch both.yml", "touch c.go"}, events...)
	f, d := storyFacts(t, twoGuards, events...)
	s, err := policy.Read(change.PolicyFile{Found: true, Text: twoGuards})
	require.NoError(t, err)
	var list []string
	for _, a := range s.Awaited(f, d) {
		require.Equal(t, policy.ProtectedPathsID, a.Control)
		require.True(t, a.Status.Blocks())
		require.Contains(t, a.Reason, `"`+a.Path+`" needs `)
		who, _, _ := strings.Cut(string(a.Supply), " ")
		list = append(list, a.Path+" "+who)
	}
	return list
}

// What is awaited is named path by path: what one team has approved is not, although
// the control as a whole still waits for the other.
func TestAwaitedPaths(t *testing.T) {
	require.Equal(t, []string{"a.yml platform", "b.sql dba", "both.yml platform", "both.yml dba"}, awaited(t))
	require.Equal(t, []string{"b.sql dba", "both.yml dba"}, awaited(t, "review grace approved"))
	require.Empty(t, awaited(t, "review grace approved", "review linus approved"))
	require.Empty(t, awaited(t, "land ada squash"), "nobody can supply it any more")
}

// Of a change of unknown files nothing is said path by path.
func TestAwaitedPathsOfUnknownFiles(t *testing.T) {
	f, d := storyFacts(t, twoGuards, "author ada", "commit ada", "touch a.yml")
	s, err := policy.Read(change.PolicyFile{Found: true, Text: twoGuards, Floor: &change.PolicyFile{Found: true, Text: twoGuards}})
	require.NoError(t, err)
	require.Len(t, s.Awaited(f, d), 1, "what the floor asks for too is said once")
	f.Base = change.Fact[change.Base]{}
	require.Empty(t, s.Awaited(f, d))
	f.Files = change.Fact[[]change.File]{}
	require.Empty(t, s.Awaited(f, d))
	f, d = storyFacts(t, twoGuards, "author ada", "commit ada", "touch a.yml")
	s.Floor.Changes[0].ProtectedPaths = nil
	f.Owners = change.Known(change.Ownership{Paths: []change.OwnedPath{{Path: "a.yml"}, {Path: "b.sql"}}})
	require.Len(t, s.Awaited(f, d), 1)
}

// The owners of each path are awaited by themselves.
func TestAwaitedOwners(t *testing.T) {
	const owners = "version: 1\nowner: platform-team\nchanges:\n  - branches: [main]\n    code-owners: {}\n"
	s, err := policy.Read(change.PolicyFile{Found: true, Text: owners})
	require.NoError(t, err)
	events := []string{"owners *.go @grace", "owners *.sql @linus", "author ada", "commit ada", "touch a.go", "touch b.sql", "touch c.md"}
	paths := func(more ...string) (list []string) {
		f, d := storyFacts(t, owners, append(events, more...)...)
		for _, a := range s.Awaited(f, d) {
			require.Equal(t, policy.CodeOwnersID, a.Control)
			list = append(list, a.Path)
		}
		return list
	}
	require.Equal(t, []string{"a.go", "b.sql"}, paths())
	require.Equal(t, []string{"b.sql"}, paths("review grace approved"))
	require.Empty(t, paths("review grace approved", "review linus approved"))
}
