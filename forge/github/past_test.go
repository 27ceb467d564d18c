package github

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// reader returns a Forge that asks with a personal token.
func (w *world) reader(permissions map[string]string) *Forge {
	w.t.Helper()
	token, err := w.sim.PersonalToken("acme", permissions, 0)
	require.NoError(w.t, err)
	f, err := NewReader(Config{BaseURL: w.sim.URL}, token)
	require.NoError(w.t, err)
	return f
}

func readsAll() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "write", "statuses": "read", "actions": "read", "members": "read",
	}
}

// What landed is read with a token that could even write, and nothing is written. Who
// deletes the branch afterwards had no part in what landed.
func TestPastIsOnlyRead(t *testing.T) {
	w := newWorld(t)
	begun := time.Now().Add(-time.Minute)
	n, head := w.open("ada", "cents")
	w.ok(w.shop.As("grace").Approve(n))
	w.ok(w.shop.As("ada").Merge(n, githubsim.Merge{}))
	w.ok(nil, w.shop.As("grace").DeleteBranch("cents"))
	other, _ := w.open("linus", "open")
	w.ok(w.shop.As("root").Push("main", githubsim.Commit{Files: map[string]string{"hot.go": "package hot\n"}}))

	f := w.reader(readsAll())
	w.sim.ResetRequests()
	past, err := f.Past(t.Context(), "acme/shop", begun)
	require.NoError(t, err)
	require.Equal(t, "main", past.DefaultBranch())
	merged, err := past.Merged(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, merged, 1, "the open one has not landed")
	require.Equal(t, n, merged[0].Ref.Number)
	require.NotEqual(t, other, merged[0].Ref.Number)

	g, err := past.Gather(t.Context(), merged[0].Ref)
	require.NoError(t, err)
	require.Equal(t, change.SHA(head), known(t, g.Facts.Head).Commit)
	require.Equal(t, change.MergeCommit, known(t, g.Facts.Landing).How)
	for _, p := range known(t, g.Facts.Pushes) {
		require.Equal(t, []string{"ada"}, logins(g.Facts, p.By))
	}
	require.Equal(t, map[string]string{"enforced": "what GitHub enforces today says nothing about the day on which the change landed"}, g.Facts.Absent)
	facts, err := past.Answer(t.Context(), g.Facts, change.Needs{Selectors: []change.Selector{"permission:write", "team:acme/unheard-of"}})
	require.NoError(t, err)
	require.Len(t, known(t, facts.Members), 1)
	require.Equal(t, `the members of team "acme/unheard-of": GitHub does not show it to this token (404)`, facts.Absent["memberships"])

	names, err := past.Branches(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"main", "open"}, names)
	pushes, why, err := past.Pushes(t.Context(), "main", time.Now().Add(time.Hour), merged)
	require.NoError(t, err)
	require.Empty(t, why)
	require.Len(t, pushes, 2, "the push, and the creation of the branch")
	require.Equal(t, change.DirectPush, known(t, pushes[0].Landing).How)
	require.Equal(t, change.Creation, known(t, pushes[1].Landing).How)

	require.Error(t, f.Report(t.Context(), change.Report{Ref: w.pull(n), Commit: change.SHA(head)}))
	require.Empty(t, w.sim.Requests().Writes())
}

// A token says nothing of the movements that it may not read.
func TestPastOfABlindToken(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "cents")
	w.ok(w.shop.As("ada").Merge(n, githubsim.Merge{}))
	less := readsAll()
	delete(less, "contents")
	past, err := w.reader(less).Past(t.Context(), "acme/shop", time.Now().Add(-time.Hour))
	require.NoError(t, err)
	g, err := past.Gather(t.Context(), w.pull(n))
	require.NoError(t, err)
	require.Equal(t, "who pushed to acme/shop: GitHub refuses this token (403): check its permissions", g.Facts.Absent["pushes"])
	_, why, err := past.Pushes(t.Context(), "main", time.Now(), nil)
	require.NoError(t, err)
	require.Equal(t, "who pushed to main: GitHub refuses this token (403): check its permissions", why)
	_, err = past.Branches(t.Context())
	require.EqualError(t, err, "the branches: GitHub refuses this token (403): check its permissions")
}

// The list of what was merged is read to its end, page after page, and the activity of
// the branch once for all of it.
func TestPastOfManyChanges(t *testing.T) {
	w := newWorld(t)
	const many = 103
	for range many {
		w.ok(w.shop.As("ada").Push("again", githubsim.Commit{Files: map[string]string{"again.txt": time.Now().String()}}))
		n, err := w.shop.As("ada").Open(githubsim.PullRequest{Head: "again", Title: "Again"})
		require.NoError(t, err)
		w.ok(w.shop.As("ada").Merge(n, githubsim.Merge{}))
	}
	f := w.reader(readsAll())
	past, err := f.Past(t.Context(), "acme/shop", time.Now().Add(-time.Hour))
	require.NoError(t, err)
	merged, err := past.Merged(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, merged, many)
	w.sim.ResetRequests()
	for _, m := range merged {
		_, err := past.Gather(t.Context(), m.Ref)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, w.sim.Requests()["GET /repos/{owner}/{repo}/activity"], 3*many)
	require.LessOrEqual(t, w.sim.Requests().Total(), 4*many)
}

// A token that is none is not sent, nor anything that could write.
func TestReaderRefuses(t *testing.T) {
	for _, token := range []string{"", " \n", "a b", "é", "a\x00b"} {
		_, err := NewReader(Config{}, token)
		require.ErrorContains(t, err, "this is no token", "%q", token)
	}
	for method, sent := range map[string]bool{http.MethodGet: true, http.MethodPost: false, http.MethodPatch: false, http.MethodDelete: false, http.MethodPut: false} {
		called := false
		next := roundTrip(func(*http.Request) (*http.Response, error) { called = true; return nil, http.ErrNotSupported })
		r, err := http.NewRequest(method, "https://api.github.com/repos/acme/shop", nil)
		require.NoError(t, err)
		_, err = bearing{"secret", reading{next}}.RoundTrip(r)
		require.Error(t, err)
		require.Equal(t, sent, called, method)
		require.Empty(t, r.Header, "the caller's request is left alone")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
