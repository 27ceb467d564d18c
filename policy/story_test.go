package policy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/story"
)

// update rewrites what the stories want. Read the difference before keeping it.
var update = flag.Bool("update", false, "write the decisions reached into the stories")

const (
	stories       = "../testdata/policy/*.txtar"
	defaultPolicy = "../testdata/policy/default.countersign.yml"
)

// commitID, treeID, factNames and forget name what stories are made of.
func commitID(n int) change.SHA           { return story.CommitID(n) }
func treeID(n int) change.SHA             { return story.TreeID(n) }
func factNames() []string                 { return story.FactNames() }
func forget(f *change.Facts, name string) { story.Forget(f, name) }
func mustPlay(t *testing.T, s *story.Story) story.Played {
	t.Helper()
	text, err := os.ReadFile(defaultPolicy)
	require.NoError(t, err)
	played, err := s.Play(string(text))
	require.NoError(t, err)
	return played
}

// TestStories plays every story: what happened to a change, and what a policy must
// decide. Here a story wants every word of the decision. A story without a policy
// has the default one.
func TestStories(t *testing.T) {
	files, err := filepath.Glob(stories)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 45)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			archive := txtar.Parse(data)
			if *update {
				data = txtar.Format(withWant(archive, "deny\n"))
			}
			s, err := story.Parse(path, data)
			require.NoError(t, err)
			played := mustPlay(t, s)
			got := story.Tell(played)
			if *update {
				require.NoError(t, os.WriteFile(path, txtar.Format(withWant(archive, got)), 0o644))
				return
			}
			require.Equal(t, section(archive, "want"), got)
			require.Empty(t, s.Differences(played))
			replays(t, played.Facts, played.Policy, played.Decision)
		})
	}
}

// replays requires that the recorded forms of the facts give the same decision.
func replays(t *testing.T, facts change.Facts, file change.PolicyFile, want change.Decision) {
	t.Helper()
	data, err := json.Marshal(facts)
	require.NoError(t, err)
	again, err := change.ParseFacts(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, wire(t, want), wire(t, policy.Judge(again, file)), "replayed from JSON")
	withheld := again
	withheld.People = change.People{}
	for p, id := range again.People {
		withheld.People[p] = id.Withhold("digest of " + string(p))
	}
	require.Equal(t, wire(t, want), wire(t, policy.Judge(withheld, file)), "replayed without identities")
}

// wire returns the JSON form of a value.
func wire(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// section returns the text of a section, or nothing.
func section(archive *txtar.Archive, name string) string {
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// withWant returns the archive with another want section.
func withWant(archive *txtar.Archive, want string) *txtar.Archive {
	for i := range archive.Files {
		if archive.Files[i].Name == "want" {
			archive.Files[i].Data = []byte(want)
			return archive
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(want)})
	return archive
}
