package github

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// Whoever creates a branch that the policy protects cannot bring the policy along.
func TestCreatedBranchIsJudgedByTheDefaultBranchsPolicy(t *testing.T) {
	w := newWorld(t)
	created := func(branch string) change.Gathered {
		ref := change.Ref{Repository: w.repository(), Kind: change.Push, Branch: branch, Commit: change.SHA(w.shop.Head(branch))}
		g := w.gather(ref)
		require.Equal(t, change.Creation, known(t, g.Facts.Landing).How)
		require.Contains(t, g.Facts.Absent, "commits")
		require.Equal(t, simPolicy, g.Policy.Text)
		require.Equal(t, change.SHA(w.shop.Head("main")), g.Policy.Commit)
		return g
	}
	require.Empty(t, known(t, created("main").Facts.Landing).Reachable, "the default branch is on no other")

	w.ok(nil, w.shop.As("mallory").CreateBranch("release/1", "main"))
	require.Equal(t, "main", known(t, created("release/1").Facts.Landing).Reachable)

	_, err := w.shop.As("mallory").Push("release/2", githubsim.Commit{Files: map[string]string{".countersign.yml": "version: 1\nowner: mallory\n"}})
	require.NoError(t, err)
	require.Empty(t, known(t, created("release/2").Facts.Landing).Reachable)
}

var creation9 = change.Ref{Repository: shop, Kind: change.Push, Branch: "release/1", Commit: change.SHA(sha(0xc9))}

// created makes the stub's release/1 begin at c9, at ten o'clock, beside a default
// branch that stands at d3.
func (s *stub) created(trunk ...obj) {
	s.pushed("push", "2026-03-01T10:00:00Z")
	s.moves["acme/shop refs/heads/release/1"] = []obj{move(9, "branch_creation", "", sha(0xc9), 202, "grace", "2026-03-01T10:00:00Z", "refs/heads/release/1")}
	s.moves["acme/shop refs/heads/main"] = trunk
	s.branch["defaultBranchRef"] = obj{"name": "main", "target": obj{"oid": sha(0xd3)}}
	s.branch["ref"] = obj{"name": "release/1", "target": obj{"oid": sha(0xc9)}}
}

// What counts is where the default branch stood when the branch was created.
func TestCreatedBranchIsComparedWithThePast(t *testing.T) {
	onMain := func(id int, kind string, before, after int, at string) obj {
		from := ""
		if before != 0 {
			from = sha(before)
		}
		return move(id, kind, from, sha(after), 202, "grace", at, "refs/heads/main")
	}
	const early, then, late = "2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"
	for name, c := range map[string]struct {
		trunk    []obj // newest first
		compared string
	}{
		"it has moved since":             {[]obj{onMain(3, "push", 0xd2, 0xd3, late), onMain(2, "push", 0xd1, 0xd2, early), onMain(1, "push", 0xd0, 0xd1, early)}, sha(0xd2)},
		"it moved in the same second":    {[]obj{onMain(3, "push", 0xd2, 0xd3, late), onMain(2, "push", 0xd1, 0xd2, then)}, sha(0xd2)},
		"it has moved twice since":       {[]obj{onMain(3, "push", 0xd2, 0xd3, late), onMain(2, "push", 0xd1, 0xd2, late)}, sha(0xd1)},
		"it stands as it stood":          {[]obj{onMain(3, "push", 0xd2, 0xd3, early)}, sha(0xd3)},
		"nothing is known of its moves":  {nil, sha(0xd3)},
		"it was created after the other": {[]obj{onMain(3, "branch_creation", 0, 0xd3, late)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for status, want := range map[string]string{"behind": "main", "identical": "main", "ahead": "", "diverged": "", "": ""} {
				s := newStub(t)
				s.created(c.trunk...)
				compared := ""
				s.compare = func(base, head string, _ int) obj {
					require.Equal(t, sha(0xc9), head)
					compared = base
					ahead := 0
					if status == "ahead" || status == "diverged" {
						ahead = 1
					}
					return obj{"status": status, "total_commits": ahead, "commits": []obj{}}
				}
				g, err := newForge(t, s.URL).Gather(t.Context(), creation9)
				require.NoError(t, err)
				require.Equal(t, c.compared, compared)
				if c.compared == "" {
					want = ""
				}
				require.Equal(t, want, known(t, g.Facts.Landing).Reachable, status)
			}
		})
	}
}

// Where the default branch stood is known or the landing is not.
func TestCreatedBranchUnknown(t *testing.T) {
	s := newStub(t)
	s.created()
	s.override["GET /repos/acme/shop/compare/"+sha(0xd3)+"..."+sha(0xc9)] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 404, obj{"message": "Not Found"}) }
	g, err := newForge(t, s.URL).Gather(t.Context(), creation9)
	require.NoError(t, err)
	require.False(t, g.Facts.Landing.IsKnown())
	require.Contains(t, g.Facts.Absent["landing"], "404")

	s.override["GET /repos/acme/shop/compare/"+sha(0xd3)+"..."+sha(0xc9)] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, obj{}) }
	_, err = newForge(t, s.URL).Gather(t.Context(), creation9)
	require.Error(t, err)

	// A default branch whose newest move is not listed yet is asked again.
	s.change(func() {
		s.created(move(2, "push", sha(0xd1), sha(0xd2), 202, "grace", "2026-03-02T11:00:00Z", "refs/heads/main"))
		s.moves["acme/shop refs/heads/release/1"][0]["timestamp"] = "2026-03-02T11:59:58Z"
	})
	_, err = newForge(t, s.URL).Gather(t.Context(), creation9)
	require.ErrorIs(t, err, change.ErrNotYet)
}
