package githubsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// moves are the activity entries of a branch, the newest first.
func moves(t *testing.T, sim *githubsim.Sim, branch string) (kinds, actors []string) {
	t.Helper()
	var list []struct {
		Kind  string `json:"activity_type"`
		Actor struct{ Login string }
	}
	resp := call(t, sim, token(t, sim, "acme"), http.MethodGet, "/repos/acme/shop/activity?ref=refs/heads/"+branch, nil, &list)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	for _, m := range list {
		kinds, actors = append(kinds, m.Kind), append(actors, m.Actor.Login)
	}
	return kinds, actors
}

func TestActivityNamesThePusherOfAForgedCommit(t *testing.T) {
	sim, repo := shop(t)
	_, err := repo.As("ada").Push("feature", file("a.txt", "a\n"))
	require.NoError(t, err)
	tip, err := repo.As("linus").Push("feature", githubsim.Commit{
		Files: map[string]string{"b.txt": "b\n"}, Author: sim.Identity("ada"), Committer: githubsim.Identity{Name: "GitHub", Email: "noreply@github.com"},
	})
	require.NoError(t, err)
	kinds, actors := moves(t, sim, "feature")
	require.Equal(t, []string{"push", "branch_creation"}, kinds)
	require.Equal(t, []string{"linus", "ada"}, actors)

	a := query(t, sim, token(t, sim, "acme"), `query($oid: GitObjectID!) {repository(owner: "acme", name: "shop") {object(oid: $oid) {... on Commit {
		author {user {login}} committer {email} signature {isValid} committedViaWeb}}}}`, map[string]any{"oid": tip})
	require.Equal(t, map[string]any{
		"author": map[string]any{"user": map[string]any{"login": "ada"}}, "committer": map[string]any{"email": "noreply@github.com"},
		"signature": nil, "committedViaWeb": false,
	}, a.Data["repository"].(map[string]any)["object"])
}

func TestWebEditIsSignedByGitHub(t *testing.T) {
	sim, repo := shop(t)
	require.NoError(t, repo.As("ada").CreateBranch("feature", "main"))
	tip, err := repo.As("ada").WebEdit("feature", "a.txt", "a\n", "Add a")
	require.NoError(t, err)
	a := query(t, sim, token(t, sim, "acme"), `query($oid: GitObjectID!) {repository(owner: "acme", name: "shop") {object(oid: $oid) {... on Commit {
		author {user {login}} committer {email} signature {isValid wasSignedByGitHub}}}}}`, map[string]any{"oid": tip})
	require.Equal(t, map[string]any{
		"author": map[string]any{"user": map[string]any{"login": "ada"}}, "committer": map[string]any{"email": "noreply@github.com"},
		"signature": map[string]any{"isValid": true, "wasSignedByGitHub": true},
	}, a.Data["repository"].(map[string]any)["object"])
}

func TestProtectedBranchRefusesPushes(t *testing.T) {
	sim, repo := shop(t)
	_, err := repo.As("root").SetRuleset(githubsim.Ruleset{
		Name: "main", PullRequest: &githubsim.PullRequestRule{}, NonFastForward: true, Deletion: true,
		Bypass: []githubsim.BypassActor{{Type: githubsim.BypassOrganizationAdmin}},
	})
	require.NoError(t, err)
	start := repo.Head("main")
	_, err = repo.As("ada").Push("main", file("a.txt", "a\n"))
	refused(t, err, 0, "GH013: Repository rule violations found for refs/heads/main.\nremote: - Changes must be made through a pull request.")
	require.Equal(t, start, repo.Head("main"))
	_, err = repo.As("root").Push("main", file("a.txt", "a\n"))
	require.NoError(t, err, "an organisation's owner may bypass")
	_, err = repo.As("ada").ForcePush("main", start, file("b.txt", "b\n"))
	refused(t, err, 0, "Cannot force-push to this branch")
	refused(t, repo.As("ada").DeleteBranch("main"), 0, "Cannot delete this branch")
	_, err = repo.As("root").ForcePush("main", start, file("b.txt", "b\n"))
	require.NoError(t, err)
	kinds, actors := moves(t, sim, "main")
	require.Equal(t, []string{"force_push", "push", "branch_creation"}, kinds)
	require.Equal(t, []string{"root", "root", "root"}, actors)

	_, err = repo.As("root").SetRuleset(githubsim.Ruleset{Name: "main", Enforcement: "disabled"})
	require.NoError(t, err)
	_, err = repo.As("ada").Push("main", file("a.txt", "a\n"))
	require.NoError(t, err, "a disabled ruleset holds nobody")
}

func TestForcePushKeepsTheFirstVersionInTheTimeline(t *testing.T) {
	sim, repo := shop(t)
	n, first := open(t, repo, "ada", "feature")
	second, err := repo.As("linus").ForcePush("feature", "main", file("other.txt", "o\n"))
	require.NoError(t, err)
	a := query(t, sim, token(t, sim, "acme"), `query($n: Int!) {repository(owner: "acme", name: "shop") {pullRequest(number: $n) {headRefOid
		timelineItems(first: 9, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) {nodes {... on HeadRefForcePushedEvent {
			actor {login} beforeCommit {oid} afterCommit {oid}}}}}}}`, map[string]any{"n": n})
	require.Empty(t, a.Errors)
	require.Equal(t, map[string]any{"headRefOid": second, "timelineItems": map[string]any{"nodes": []any{map[string]any{
		"actor": map[string]any{"login": "linus"}, "beforeCommit": map[string]any{"oid": first}, "afterCommit": map[string]any{"oid": second},
	}}}}, a.Data["repository"].(map[string]any)["pullRequest"])
}

func TestDeletedHeadBranchClosesThePullRequest(t *testing.T) {
	_, repo := shop(t)
	n, _ := open(t, repo, "ada", "feature")
	require.NoError(t, repo.As("ada").DeleteBranch("feature"))
	refused(t, repo.As("ada").Close(n), 422, "not open")
	refused(t, repo.As("ada").Reopen(n), 422, "state cannot be changed")
}

func TestThreeHundredCommitsAndFiveHundredFilesPage(t *testing.T) {
	sim, repo := shop(t)
	var commits []githubsim.Commit
	for i := range 300 {
		c := githubsim.Commit{Files: map[string]string{}}
		for j := range 2 {
			c.Files[name("dir", i%7)+"/"+name("file", 2*i+j)] = "x\n"
		}
		commits = append(commits, c)
	}
	_, err := repo.As("ada").Push("big", commits...)
	require.NoError(t, err)
	n, err := repo.As("ada").Open(githubsim.PullRequest{Head: "big"})
	require.NoError(t, err)
	tok := token(t, sim, "acme")
	for connection, want := range map[string]int{"commits": 300, "files": 600} {
		var after any
		seen, pages := 0, 0
		for {
			pages++
			a := query(t, sim, tok, `query($n: Int!, $after: String) {repository(owner: "acme", name: "shop") {pullRequest(number: $n) {
				list: `+connection+`(first: 100, after: $after) {totalCount nodes {__typename} pageInfo {hasNextPage endCursor}}}}}`, map[string]any{"n": n, "after": after})
			require.Empty(t, a.Errors)
			list := a.Data["repository"].(map[string]any)["pullRequest"].(map[string]any)["list"].(map[string]any)
			require.EqualValues(t, want, list["totalCount"])
			seen += len(list["nodes"].([]any))
			info := list["pageInfo"].(map[string]any)
			if after = info["endCursor"]; info["hasNextPage"] == false {
				break
			}
			require.Less(t, pages, 10)
		}
		require.Equal(t, want, seen, connection)
	}
}

func name(prefix string, i int) string {
	return prefix + string(rune('a'+i/26/26%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
}
