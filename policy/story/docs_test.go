package story_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/policy/story"
)

var update = flag.Bool("update", false, "write the events into the documentation")

const docs = "../../docs/policy-stories.md"

// The page that describes the language lists every event, everybody and every fact,
// and its example comes out as it wants.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile(docs)
	require.NoError(t, err)
	page := string(data)

	var events, cast []string
	for _, e := range story.Events() {
		events = append(events, fmt.Sprintf("| `%s` | %s |", e.Form, e.Doc))
	}
	people := story.Cast()
	for _, login := range slices.Sorted(maps.Keys(people)) {
		cast = append(cast, fmt.Sprintf("%s (%s)", login, people[login]))
	}
	for name, want := range map[string]string{
		"events": "\n| event | what it tells |\n|---|---|\n" + strings.Join(events, "\n") + "\n",
		"cast":   strings.Join(cast, ", "),
		"facts":  "`" + strings.Join(story.FactNames(), "`, `") + "`",
	} {
		open, shut := "<!-- "+name+" -->", "<!-- /"+name+" -->"
		before, rest, opened := strings.Cut(page, open)
		shown, after, closed := strings.Cut(rest, shut)
		require.True(t, opened && closed, name)
		if *update {
			page = before + open + want + shut + after
			continue
		}
		require.Equal(t, want, shown, "run go test ./policy/story -run Documentation -update")
	}
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(page), 0o644))
	}

	s, err := story.Parse("stories/approved-then-pushed.txtar", []byte(block(t, page, "story")))
	require.NoError(t, err)
	played, err := s.Play(block(t, page, "policy"))
	require.NoError(t, err)
	require.Empty(t, s.Differences(played))

	// What a failure looks like is shown for the same story, had it wanted allow.
	text := strings.Replace(block(t, page, "story"), "\ndeny\n", "\nallow\n", 1)
	s, err = story.Parse("stories/approved-then-pushed.txtar", []byte(text))
	require.NoError(t, err)
	d := s.Differences(played)
	require.Len(t, d, 1)
	shown := block(t, page, "failure")
	require.Contains(t, shown, fmt.Sprintf("%s:%d: %s\n    want  %s\n    got   %s\n", s.File, d[0].Line, d[0].About, d[0].Want, d[0].Got))
	require.Contains(t, shown, s.About)
}

// block returns what stands in a fenced block between two marks.
func block(t *testing.T, page, name string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)<!-- " + name + " -->\n```[a-z]*\n(.*?)```\n<!-- /" + name + " -->").FindStringSubmatch(page)
	require.NotNil(t, m, name)
	return m[1]
}
