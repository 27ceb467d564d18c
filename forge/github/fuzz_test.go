package github

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecode looks for an answer of GitHub's that makes the facts wrong in shape:
// a panic, or facts that cannot be written and read back.
func FuzzDecode(f *testing.F) {
	s := &stub{}
	full := newStubValues(s)
	seed, err := json.Marshal(obj{"repository": obj{"databaseId": 1, "nameWithOwner": "acme/shop", "pullRequest": full}})
	require.NoError(f, err)
	f.Add(seed)
	f.Add([]byte(`{"repository":{"pullRequest":{"commits":{"nodes":[null]},"headCommit":{"nodes":[null]},"merged":true}}}`))
	f.Add([]byte(`{"repository":{"pullRequest":{"reviews":{"totalCount":1,"nodes":[{"state":"DISMISSED"}]},"timelineItems":{"nodes":[{"__typename":"ReviewDismissedEvent"}]}}}}`))
	forge := newForge(f, "")
	f.Fuzz(func(t *testing.T, data []byte) {
		var answer pullRequestAnswer
		if json.Unmarshal(data, &answer) != nil {
			return
		}
		repo, err := answer.shown()
		if err != nil {
			return
		}
		absent := reasons{}
		facts, _ := forge.builder(absent).pullRequest(material{ref: pull7, at: noon, pr: repo.PullRequest, absent: absent})
		require.NotNil(t, facts.People)
		if !facts.Commits.IsKnown() {
			require.NotEmpty(t, facts.Absent["commits"], "an absent fact says why")
		}
		if !facts.Reviews.IsKnown() {
			require.NotEmpty(t, facts.Absent["reviews"])
		}
		_ = mergeBaseOf(repo.PullRequest)
		_ = facts.Canonical()
	})
}
