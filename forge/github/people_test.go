package github

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

func TestIdentities(t *testing.T) {
	human := change.Identity{Kind: change.Human, Account: "github:101", Login: "ada"}
	bot := change.Identity{Kind: change.Bot, Account: "github:49699333", Login: "dependabot[bot]"}
	for name, c := range map[string]struct{ got, want change.Identity }{
		"user":           {(&actor{"User", "ada", 101}).identity(), human},
		"bot":            {(&actor{"Bot", "dependabot", 49699333}).identity(), bot},
		"bot over REST":  {(&account{ID: 49699333, Login: "dependabot[bot]", Type: "Bot"}).identity(), bot},
		"user over REST": {(&account{ID: 101, Login: "ada", Type: "User"}).identity(), human},
		"ghost":          {(&account{ID: 10137, Login: "ghost", Type: "User"}).identity(), change.Identity{Kind: change.Unknown}},
		"deleted":        {(*actor)(nil).identity(), change.Identity{Kind: change.Unknown}},
		"mannequin":      {(&actor{"Mannequin", "old-ada", 77}).identity(), change.Identity{Kind: change.Unknown, Login: "old-ada"}},
		"organisation":   {(&actor{"Organization", "acme", 5}).identity(), change.Identity{Kind: change.Unknown, Login: "acme"}},
		"no id":          {(&actor{"User", "ada", 0}).identity(), change.Identity{Kind: change.Unknown, Login: "ada"}},
		"author":         {(&gitActor{"Ada", "ada@acme.example", &account{DatabaseID: 101, Login: "ada"}}).identity(), human},
		"unclaimed":      {(&gitActor{"Ada", "ada@home.example", nil}).identity(), change.Identity{Kind: change.Unknown, Name: "Ada", Email: "ada@home.example"}},
		"bot author":     {(&gitActor{"dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", nil}).identity(), bot},
		"no bot":         {(&gitActor{"x", "1+x@users.noreply.github.com", nil}).identity(), change.Identity{Kind: change.Unknown, Name: "x", Email: "1+x@users.noreply.github.com"}},
	} {
		require.Equal(t, c.want, c.got, name)
	}
}

// Anybody can write GitHub's own address into a commit.
func TestCommitterGitHub(t *testing.T) {
	webFlow := &gitActor{"GitHub", "noreply@github.com", &account{DatabaseID: 19864447, Login: "web-flow"}}
	for name, c := range map[string]struct {
		committer *gitActor
		signature *signatureState
		byForge   bool
		kind      change.ActorKind
	}{
		"made on the web":       {webFlow, &signatureState{IsValid: true, State: "VALID", WasSignedByGitHub: true}, true, ""},
		"forged, unsigned":      {webFlow, nil, false, change.Unknown},
		"forged, bad signature": {webFlow, &signatureState{State: "INVALID", WasSignedByGitHub: true}, false, change.Unknown},
		"forged, own signature": {webFlow, &signatureState{IsValid: true, State: "VALID", Signer: &account{DatabaseID: 404, Login: "mallory"}}, false, change.Unknown},
		"signed by GitHub for another committer": {&gitActor{"Grace", "grace@acme.example", &account{DatabaseID: 202, Login: "grace"}},
			&signatureState{IsValid: true, WasSignedByGitHub: true}, false, change.Human},
		"no committer": {nil, nil, false, change.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			b := newForge(t, "").builder(reasons{})
			ada := gitActor{"Ada", "ada@acme.example", &account{DatabaseID: 101, Login: "ada"}}
			got, err := b.commit(commit{
				Oid: change.SHA(sha(1)), Tree: oid{change.SHA(sha(2))}, Author: &ada,
				Authors: page[gitActor]{TotalCount: 1, Nodes: []*gitActor{&ada}}, Committer: c.committer, Signature: c.signature,
			})
			require.NoError(t, err)
			require.Equal(t, c.byForge, got.ByForge)
			if c.byForge {
				require.Empty(t, got.Committer)
			} else {
				require.Equal(t, c.kind, b.roster.People()[got.Committer].Kind)
			}
			require.Equal(t, c.signature != nil, known(t, got.Signature).Signed)
		})
	}
}

func TestGhostsAreNotOnePerson(t *testing.T) {
	var r change.Roster
	require.NotEqual(t, r.Add((*actor)(nil).identity()), r.Add((*actor)(nil).identity()))
}
