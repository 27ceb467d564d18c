package change

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseIssueKey(t *testing.T) {
	for key, want := range map[string]IssueKey{
		"#7":                                    {Number: 7},
		"GH-26":                                 {Number: 26},
		"acme/shop#7":                           {Project: "acme/shop", Number: 7},
		"group/sub/project#12":                  {Project: "group/sub/project", Number: 12},
		"https://github.com/acme/shop/issues/7": {Host: "github.com", Project: "acme/shop", Number: 7},
		"https://github.com/acme/shop/issues/7#issuecomment-9":      {Host: "github.com", Project: "acme/shop", Number: 7},
		"https://GitLab.example/group/sub/project/-/issues/12/":     {Host: "gitlab.example", Project: "group/sub/project", Number: 12},
		"https://gitlab.example:8443/group/project/-/work_items/12": {Host: "gitlab.example:8443", Project: "group/project", Number: 12},
	} {
		got, ok := ParseIssueKey(key)
		require.True(t, ok, key)
		require.Equal(t, want, got, key)
	}
	for _, key := range []string{
		"", "#", "#0", "#07", "#-1", "7", "SHOP-7", "acme#7", "/shop#7", "acme/#7", "../shop#7", "acme/..#7", "acme/./shop#7", "acme/sh op#7", "acme%2fshop#7",
		"#99999999999", "https://github.com/acme/shop/pull/7", "https://github.com/a/../b/issues/7",
		"https://me@github.com/acme/shop/issues/7", "https://github.com/acme/%73hop%2f/issues/7", "//github.com/acme/shop/issues/7", "ftp://github.com/acme/shop/issues/7",
		"https://github.com/acme/shop/issues/7?x=1", strings.Repeat("a", 600) + "/shop#7",
	} {
		got, ok := ParseIssueKey(key)
		require.False(t, ok, "%q is %v", key, got)
	}
}

func TestTheNameOfALookup(t *testing.T) {
	shop := Repository{Forge: GitHub, Host: "github.com", ID: 7, Name: "Acme/shop"}
	for want, l := range map[string]Lookup{
		"github acme/shop#7":  {GitHubIssues, "#7"},
		"github other/shop#7": {GitHubIssues, "https://github.com/other/shop/issues/7"},
		"gitlab #7":           {GitLabIssues, "#7"},
		"jira shop-7":         {Jira, "SHOP-7"},
		"jira #7":             {Jira, "#7"},
		"github nonsense":     {GitHubIssues, "nonsense"},
	} {
		require.Equal(t, []string{want}, l.In(shop).Names())
	}
	require.Equal(t, []string{"github acme/shop#7", "github id 9"}, RequestID{Tracker: GitHubIssues, Key: "acme/shop#7", ID: "9"}.Names())
	require.Empty(t, RequestID{Tracker: GitHubIssues}.Names())
}

// FuzzParseIssueKey looks for a key that could lead elsewhere in a path.
func FuzzParseIssueKey(f *testing.F) {
	for _, key := range []string{"#7", "GH-7", "acme/shop#7", "https://github.com/acme/shop/issues/7", "a/..#1", "https://x/a/%2e%2e/b/issues/1"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		k, ok := ParseIssueKey(key)
		if !ok {
			return
		}
		require.Positive(t, k.Number)
		require.NotContains(t, "/"+k.Project+"/", "/../")
		require.NotContains(t, "/"+k.Project+"/", "/./")
		require.NotContains(t, k.Project, "%")
		if k.Project != "" {
			again, ok := ParseIssueKey(k.String())
			require.True(t, ok)
			require.Equal(t, k.String(), again.String())
		}
	})
}
