package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// shown returns our check run on the head of a pull request. There is one.
func (s *stage) shown(t *testing.T, number int) githubsim.CheckRun {
	t.Helper()
	last := s.lastRecord(t, number)
	var ours []githubsim.CheckRun
	for _, c := range s.repo.Checks(string(last.Head)) {
		if c.App == s.sim.App.Slug {
			ours = append(ours, c)
		}
	}
	require.Len(t, ours, 1, "it is changed in place")
	return ours[0]
}

// stable takes out of a check run what is another each time.
func (s *stage) stable(text string) string {
	for pattern, instead := range map[string]string{
		regexp.QuoteMeta(s.sim.URL): "https://github.com",
		`\b[0-9a-f]{64}\b`:          strings.Repeat("c0ffee00", 8),
		`\b[0-9a-f]{40}\b`:          strings.Repeat("c0ffee00", 5),
		`\b[0-9a-f]{7}\b`:           "c0ffee0",
		`Record \d+ of`:             "Record 1 of",
		`log entry \d+,`:            "log entry 1,",
		`pull/\d+`:                  "pull/12",
		`(review[ -])\d+`:           "${1}80",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, instead)
	}
	return text
}

// The README shows a check run as GitHub gets it.
func TestReadmeShowsACheckRun(t *testing.T) {
	s := newStage(t)
	change := file("basket.go", "package shop\n")
	change.Files[".github/workflows/ci.yml"] = "on: [pull_request, push]\n"
	n := s.propose("ada", "Add a basket", change)
	s.verdict(t, n)
	first := s.shown(t, n)
	require.Len(t, first.Annotations, 1, "on the path that the platform team has to approve, and on no other")
	require.Equal(t, ".github/workflows/ci.yml", first.Annotations[0].Path)
	require.Contains(t, first.Annotations[0].Message, "needs platform")
	s.approve("grace", n)
	s.verdict(t, n)
	c := s.shown(t, n)
	require.Len(t, c.Annotations, 1)
	require.LessOrEqual(t, utf8.RuneCountInString(c.Title), 80)
	require.Equal(t, "in_progress", c.Status)

	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	const open, end = "<!-- check-run -->\n", "<!-- /check-run -->"
	before, rest, found := strings.Cut(string(text), open)
	require.True(t, found)
	inside, after, found := strings.Cut(rest, end)
	require.True(t, found)
	now := s.stable("> **" + c.Title + "**\n\n" + c.Summary + "\n" + c.Text)
	now = strings.ReplaceAll(strings.TrimRight(now, "\n"), "\n\n", "\n>\n")
	now = regexp.MustCompile(`(?m)^([^>])`).ReplaceAllString(now, "> $1") + "\n"
	if *update {
		require.NoError(t, os.WriteFile(readme, []byte(before+open+now+end+after), 0o644))
		return
	}
	require.Equal(t, inside, now, "run go test ./cmd/countersign -run TestReadmeShowsACheckRun -update")

	// Once everything is there it says so, on the same run.
	s.approve("barbara", n)
	s.passes(t, n)
	c = s.shown(t, n)
	require.Equal(t, "Allowed: 4 controls pass", c.Title)
	require.Len(t, c.Annotations, 1, "GitHub would never take one back, so none is put there twice")
}
