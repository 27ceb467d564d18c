package githubsim

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzQuery gives the GraphQL server any text: it answers with data or with
// errors, in JSON, and never panics.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		`{rateLimit {limit}}`,
		`query Q($n: Int! = 1) {repository(owner: "acme", name: "shop") {pullRequest(number: $n) {title author {... on User {databaseId}}}}}`,
		`{repository(owner: "acme", name: "shop") {object(expression: "main:README.md") {... on Blob {text}}}}`,
		`{a: repository(owner: "acme", name: "shop") {...F ...F}} fragment F on Repository {...G} fragment G on Repository {...F}`,
		`{nodes(ids: ["", "MDA2OkNvbW1pdDE6"]) {id}}`, `mutation {x}`, `{`, `{x @include(if: 3)}`,
		`{repository(owner: "acme", name: "shop") {pullRequest(number: 1) {timelineItems(first: 1, itemTypes: [A]) {nodes {__typename}}}}}`,
	} {
		f.Add(seed)
	}
	sim, err := Start(Options{Dir: f.TempDir()})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, sim.Close()) })
	sim.AddUsers("root")
	org, err := sim.AddOrganization("acme", "root")
	require.NoError(f, err)
	repo, err := sim.CreateRepository("acme/shop", RepositoryOptions{})
	require.NoError(f, err)
	_, err = repo.As("root").Push("feature", Commit{Files: map[string]string{"a": "a"}})
	require.NoError(f, err)
	_, err = repo.As("root").Open(PullRequest{Head: "feature"})
	require.NoError(f, err)
	tok, err := sim.issue(org, DefaultPermissions(), nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		sim.mu.Lock()
		defer sim.mu.Unlock()
		data, errs := sim.query(tok, text, "", nil)
		if data == nil {
			require.NotEmpty(t, errs)
		}
		_, err := json.Marshal(record{"data": data, "errors": errs})
		require.NoError(t, err)
	})
}
