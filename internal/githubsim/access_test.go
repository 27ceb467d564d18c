package githubsim_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

func TestAppTokenIsChecked(t *testing.T) {
	sim, _ := shop(t)
	other, err := githubsim.Start(githubsim.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	now := time.Now()
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"good":         {appToken(t, sim, now.Add(-time.Minute), 9*time.Minute), 200},
		"none":         {"", 401},
		"not a token":  {"abc", 401},
		"expired":      {appToken(t, sim, now.Add(-time.Hour), 9*time.Minute), 401},
		"too long":     {appToken(t, sim, now, time.Hour), 401},
		"of tomorrow":  {appToken(t, sim, now.Add(24*time.Hour), 9*time.Minute), 401},
		"another key":  {appToken(t, other, now.Add(-time.Minute), 9*time.Minute), 401},
		"installation": {token(t, sim, "acme"), 401},
	} {
		require.Equal(t, c.status, call(t, sim, c.token, http.MethodGet, "/app", nil, nil).StatusCode, name)
	}
}

func TestInstallationTokenEnds(t *testing.T) {
	sim, _ := shop(t)
	tok := token(t, sim, "acme")
	require.Greater(t, len(tok), 100)
	require.Equal(t, "ghs_", tok[:4])
	const path = "/repos/acme/shop/pulls"
	require.Equal(t, 200, call(t, sim, tok, http.MethodGet, path, nil, nil).StatusCode)
	require.Equal(t, 200, call(t, sim, tok, http.MethodGet, "/api/v3"+path, nil, nil).StatusCode, "as an Enterprise Server serves it")
	sim.ExpireTokens()
	var no struct{ Message string }
	require.Equal(t, 401, call(t, sim, tok, http.MethodGet, path, nil, &no).StatusCode)
	require.Equal(t, "Bad credentials", no.Message)
}

func TestInstallationTokenExpiresAfterAnHour(t *testing.T) {
	now := time.Now()
	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	_, err = sim.AddOrganization("acme")
	require.NoError(t, err)
	tok := token(t, sim, "acme")
	require.Equal(t, 200, call(t, sim, tok, http.MethodGet, "/rate_limit", nil, nil).StatusCode)
	now = now.Add(time.Hour)
	require.Equal(t, 401, call(t, sim, tok, http.MethodGet, "/rate_limit", nil, nil).StatusCode)
}

func TestPermissionsAreEnforced(t *testing.T) {
	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir(), Permissions: map[string]string{"metadata": "read", "checks": "read"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	sim.AddUsers("root")
	for _, org := range []string{"acme", "other"} {
		_, err = sim.AddOrganization(org, "root")
		require.NoError(t, err)
		_, err = sim.CreateRepository(org+"/shop", githubsim.RepositoryOptions{})
		require.NoError(t, err)
	}
	tok := token(t, sim, "acme")
	head := sim.Repository("acme/shop").Head("main")
	require.Equal(t, 200, call(t, sim, tok, http.MethodGet, "/repos/acme/shop/commits/"+head+"/check-runs", nil, nil).StatusCode)
	require.Equal(t, 403, call(t, sim, tok, http.MethodGet, "/repos/acme/shop/pulls", nil, nil).StatusCode)
	require.Equal(t, 403, call(t, sim, tok, http.MethodPost, "/repos/acme/shop/check-runs", map[string]any{"name": "x", "head_sha": head}, nil).StatusCode)
	require.Equal(t, 404, call(t, sim, tok, http.MethodGet, "/repos/other/shop", nil, nil).StatusCode, "of another installation")
}

func TestOnlyTheOwnAppChangesItsCheckRun(t *testing.T) {
	sim, repo := shop(t)
	run, err := repo.PostCheck(githubsim.CheckRun{App: "github-actions", Name: "test", Conclusion: "failure"})
	require.NoError(t, err)
	path := "/repos/acme/shop/check-runs/" + strconv.FormatInt(run, 10)
	require.Equal(t, 403, call(t, sim, token(t, sim, "acme"), http.MethodPatch, path, map[string]any{"conclusion": "success"}, nil).StatusCode)
}

func TestUnchangedAnswerCostsNothing(t *testing.T) {
	sim, _ := shop(t)
	tok := token(t, sim, "acme")
	first := call(t, sim, tok, http.MethodGet, "/repos/acme/shop/pulls", nil, nil)
	second := call(t, sim, tok, http.MethodGet, "/repos/acme/shop/pulls", nil, nil, "If-None-Match", first.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, second.StatusCode)
	third := call(t, sim, tok, http.MethodGet, "/repos/acme/shop/pulls", nil, nil)
	require.Equal(t, "1", first.Header.Get("X-RateLimit-Used"))
	require.Equal(t, "2", third.Header.Get("X-RateLimit-Used"))
}

func TestChildTeamMembersBelongToTheParent(t *testing.T) {
	sim, repo := shop(t)
	org := sim.Organization("acme")
	_, err := org.AddTeam("root", "engineers", "")
	require.NoError(t, err)
	_, err = org.AddTeam("root", "backend", "engineers")
	require.NoError(t, err)
	require.NoError(t, org.AddToTeam("root", "backend", "mallory"))
	tok := token(t, sim, "acme")
	require.Equal(t, 200, call(t, sim, tok, http.MethodGet, "/orgs/acme/teams/engineers/memberships/mallory", nil, nil).StatusCode)
	require.Equal(t, 404, call(t, sim, tok, http.MethodGet, "/orgs/acme/teams/engineers/memberships/ada", nil, nil).StatusCode)
	refused(t, org.AddToTeam("mallory", "backend", "ada"), 403, "organization owner or team maintainer")

	require.NoError(t, repo.As("root").SetTeamPermission("engineers", "maintain"))
	var got struct {
		Permission string `json:"permission"`
		Role       string `json:"role_name"`
	}
	call(t, sim, tok, http.MethodGet, "/repos/acme/shop/collaborators/mallory/permission", nil, &got)
	require.Equal(t, "write maintain", got.Permission+" "+got.Role)
}

func TestArrayValuedCustomProperty(t *testing.T) {
	sim, repo := shop(t)
	repo.SetCustomProperty("regions", []string{"eu", "us"})
	open(t, repo, "ada", "feature")
	var pull struct {
		Base struct {
			Repo struct {
				Properties map[string]any `json:"custom_properties"`
			}
		}
	}
	call(t, sim, token(t, sim, "acme"), http.MethodGet, "/repos/acme/shop/pulls/1", nil, &pull)
	require.Equal(t, []any{"eu", "us"}, pull.Base.Repo.Properties["regions"])
}

func TestDeletedAccountIsAGhost(t *testing.T) {
	sim, repo := shop(t)
	n, _ := open(t, repo, "ada", "feature")
	require.NoError(t, sim.DeleteUser("ada"))
	a := query(t, sim, token(t, sim, "acme"), `query($n: Int!) {repository(owner: "acme", name: "shop") {pullRequest(number: $n) {
		author {login} commits(first: 1) {nodes {commit {author {name user {login}}}}}}}}`, map[string]any{"n": n})
	require.Equal(t, map[string]any{"author": nil, "commits": map[string]any{"nodes": []any{map[string]any{"commit": map[string]any{
		"author": map[string]any{"name": "Ada", "user": nil}}}}}}, a.Data["repository"].(map[string]any)["pullRequest"])
}
