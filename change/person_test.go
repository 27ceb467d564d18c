package change_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// People are told apart by account id and by nothing else.
func TestRosterGoesByAccount(t *testing.T) {
	var r change.Roster
	ada := r.Add(change.Identity{Kind: change.Human, Account: "github:1", Login: "ada"})
	require.Equal(t, ada, r.Add(change.Identity{Kind: change.Human, Account: "github:1", Login: "ada-renamed"}))
	require.NotEqual(t, ada, r.Add(change.Identity{Kind: change.Human, Account: "github:2", Login: "ada"}), "a reused login")

	unclaimed := change.Identity{Kind: change.Unknown, Name: "Ada", Email: "ada@example.com"}
	require.Equal(t, r.Add(unclaimed), r.Add(unclaimed))
	require.NotEqual(t, r.Add(change.Identity{Kind: change.Unknown}), r.Add(change.Identity{Kind: change.Unknown}), "two deleted accounts may be two people")
}

func TestWithheldIdentityKeepsWhatDecides(t *testing.T) {
	id := change.Identity{Kind: change.Human, SameAs: "p1", Account: "github:1", Login: "ada", Name: "Ada", Email: "a@example.com"}
	require.Equal(t, change.Identity{Kind: change.Human, SameAs: "p1", Digest: "d"}, id.Withhold("d"))
}

func TestAccountIDs(t *testing.T) {
	for _, good := range []string{"github:583231", "gitlab:7", "jira:5b10ac8d82e05b22cc7d4ef5", "jira:712020:3c1e8f0a-9d2b-4c55-8f1e-0a9d2b4c558f"} {
		_, err := change.ParseAccountID(good)
		require.NoError(t, err)
	}
	for _, bad := range []string{"ada", "github:", "github:ada", "github:0", "github:-1", "github:01", "bitbucket:1", "jira:", "jira:a b", "jira::a", "jira:../x", "jira:" + strings.Repeat("a", 129), "github:9999999999999999999", "user:github:1"} {
		_, err := change.ParseAccountID(bad)
		require.ErrorContains(t, err, "numeric id", bad)
	}
}

func TestRefKeysIgnoreNames(t *testing.T) {
	repo := change.Repository{Forge: change.GitHub, Host: "github.com", ID: 9, Name: "acme/shop"}
	renamed := repo
	renamed.Name = "acme/store"
	a := change.Ref{Repository: repo, Kind: change.PullRequest, Number: 4}
	b := change.Ref{Repository: renamed, Kind: change.PullRequest, Number: 4}
	require.Equal(t, a.Key(), b.Key())
	require.NotEqual(t, a.Key(), change.Ref{Repository: repo, Kind: change.Push, Branch: "main", Commit: "4"}.Key())
	require.Equal(t, "acme/shop#4", a.String())
}
