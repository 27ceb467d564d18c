package rules

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "add the stories that are named after a row to docs/bypasses.md")

const bypasses = "../../docs/bypasses.md"

// known are the rows that there are, by section. Numbers that are not here were never
// given.
var known = map[string][]int{
	"A": {1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 13, 16, 18, 20, 21, 22, 23, 24, 25},
	"B": {1, 4, 5, 6, 8, 10, 11, 12, 14, 16},
	"C": {1, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 23, 25, 26, 28, 29, 30},
	"D": {1, 2, 4, 6, 7, 8, 10, 12, 14, 15},
	"E": {1, 2, 4, 5},
	"F": {1, 4, 6, 7, 8, 11, 12, 13, 14, 16, 17, 18, 19, 20},
	"G": {1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 17},
}

const (
	undecided = "Facts cannot tell"
	later     = "A later part."
)

var (
	bypass   = regexp.MustCompile(`(?m)^\| ([A-G]\d+) \| (.*) \| (.*) \| (.*) \|$`)
	mention  = regexp.MustCompile("`([^`]+)`")
	afterRow = regexp.MustCompile(`^([a-g]\d+)-`)
)

// Every row of the catalogue is listed once. What it names exists; a row that facts
// decide names a story or a test, and one that they cannot decide says so.
func TestEveryBypassIsListed(t *testing.T) {
	page, err := os.ReadFile(bypasses)
	require.NoError(t, err)
	text := string(page)
	if *update {
		text = withStories(t, text)
		require.NoError(t, os.WriteFile(bypasses, []byte(text), 0o644))
	}
	var listed []string
	exist, told := tests(t), map[string]string{}
	for _, row := range bypass.FindAllStringSubmatch(text, -1) {
		id, stops, shown := row[1], row[3], row[4]
		listed = append(listed, id)
		names := mention.FindAllStringSubmatch(shown, -1)
		switch {
		case strings.HasPrefix(id, "F"):
			require.Equal(t, later, stops, id)
		case strings.HasPrefix(stops, undecided):
			require.Contains(t, strings.TrimPrefix(stops, undecided), ".", "%s says what is done instead", id)
		default:
			require.NotEmpty(t, names, "%s is decided, and no story or test shows it", id)
		}
		for _, n := range names {
			if strings.HasPrefix(n[1], "Test") {
				require.True(t, exist[n[1]], "%s names the test %s, which is not there", id, n[1])
				continue
			}
			require.FileExists(t, filepath.Join("../../testdata/policy", n[1]+".txtar"), "%s names it", id)
			told[n[1]] = id
		}
	}
	var want []string
	for _, section := range []string{"A", "B", "C", "D", "E", "F", "G"} {
		for _, n := range known[section] {
			want = append(want, fmt.Sprint(section, n))
		}
	}
	require.Equal(t, want, listed)
	for story, id := range namedAfterARow(t) {
		require.Equal(t, id, told[story], "the row of the story %s in docs/bypasses.md; run go test ./internal/rules -run Bypass -update", story)
	}
}

// namedAfterARow returns the stories that begin with a row's id, and that id.
func namedAfterARow(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/policy/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	rows := map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if m := afterRow.FindStringSubmatch(name); m != nil {
			rows[name] = strings.ToUpper(m[1])
		}
	}
	return rows
}

// withStories returns the page with, in each row, the stories that are named after
// it, and without stories that are gone.
func withStories(t *testing.T, page string) string {
	t.Helper()
	stories := namedAfterARow(t)
	return bypass.ReplaceAllStringFunc(page, func(line string) string {
		row := bypass.FindStringSubmatch(line)
		var names, others []string
		for story, id := range stories {
			if id == row[1] {
				names = append(names, "`"+story+"`")
			}
		}
		slices.Sort(names)
		for _, n := range mention.FindAllStringSubmatch(row[4], -1) {
			if !afterRow.MatchString(n[1]) {
				others = append(others, n[0])
			}
		}
		return fmt.Sprintf("| %s | %s | %s | %s |", row[1], row[2], row[3], strings.Join(append(names, others...), " "))
	})
}
