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
)

// update rewrites what the stories want. Read the difference before keeping it.
var update = flag.Bool("update", false, "write the decisions reached into the stories")

const (
	stories       = "../testdata/policy/*.txtar"
	defaultPolicy = "../testdata/policy/default.countersign.yml"
)

// TestStories plays every story: what happened to a change, and what a policy must
// decide. A story has three sections:
//
//	-- policy --  the policy; the default one when there is no such section
//	-- story --   what happened, an event a line, in order: see verbs
//	-- want --    the verdict, then each control's status and reason
func TestStories(t *testing.T) {
	files, err := filepath.Glob(stories)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 45)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			require.NotEmpty(t, bytes.TrimSpace(archive.Comment), "a story begins by saying what it is about")
			facts, file := played(t, archive)
			decision := policy.Judge(facts, file)
			got := tell(decision, facts.People)
			if *update {
				require.NoError(t, os.WriteFile(path, txtar.Format(withWant(archive, got)), 0o644))
				return
			}
			require.Equal(t, section(archive, "want"), got)
			replays(t, facts, file, decision)
		})
	}
}

// played returns the facts and the policy of a story, on the path that a gate
// takes: ask what the policy needs, answer it, resolve, judge.
func played(t *testing.T, archive *txtar.Archive) (change.Facts, change.PolicyFile) {
	t.Helper()
	text := section(archive, "policy")
	if text == "" {
		data, err := os.ReadFile(defaultPolicy)
		require.NoError(t, err)
		text = string(data)
	}
	file := change.PolicyFile{Found: true, Path: ".countersign.yml", Commit: commitID(99), Text: text}
	s := newStory()
	for _, line := range strings.Split(section(archive, "story"), "\n") {
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(line, "#") {
			require.NoError(t, s.play(words), "%q", line)
		}
	}
	file.Found = !s.noPolicy
	p, err := policy.Parse(file.Path, []byte(text))
	if err != nil {
		return s.told(change.Needs{}), file
	}
	facts := s.told(p.Needs(s.told(change.Needs{})))
	return p.Resolve(facts, s.description).Canonical(), file
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

// tell writes a decision as a story wants it.
func tell(d change.Decision, people change.People) string {
	name := func(p change.Person) string { return people[p].Label() }
	var b strings.Builder
	b.WriteString(strings.ToLower(string(d.Verdict())) + "\n")
	if d.Reason != "" {
		b.WriteString(string(d.Status) + ": " + d.Reason.Render(name) + "\n")
	}
	for _, r := range d.Results {
		b.WriteString(string(r.Status) + " " + r.Control)
		if r.Status != change.NotApplicable {
			b.WriteString(": " + r.Reason.Render(name))
		}
		b.WriteString("\n")
	}
	return b.String()
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
