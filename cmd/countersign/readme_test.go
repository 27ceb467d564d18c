package main

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the demo prints into the README")

const readme = "../../README.md"

// between returns what stands in a block of the README that is fenced and between
// two marks.
func between(t *testing.T, text, name string) (inside string, start, end int) {
	t.Helper()
	open := regexp.MustCompile("<!-- " + name + " -->\n```[a-z]*\n").FindStringIndex(text)
	require.NotNil(t, open, "the README has a block %s", name)
	length := strings.Index(text[open[1]:], "```\n<!-- /"+name+" -->")
	require.GreaterOrEqual(t, length, 0, "the block %s ends", name)
	return text[open[1] : open[1]+length], open[1], open[1] + length
}

// demoDir matches the directory that the demo makes.
const demoDir = `\S*countersign-demo-[0-9A-Za-z]+`

// sameDay takes out of the demo's output what is another each time: commits, the
// record key, the directory, and how many records the deliveries came to, since
// those that arrive together share an assessment.
func sameDay(s string) string {
	for pattern, instead := range map[string]string{
		`\b[0-9a-f]{7}\b`: "COMMIT",
		`SHA256:\S+`:      "KEY",
		demoDir:           "DIR",
		`record \d+ *`:    "record N ",
		`\b\d+ (records|decisions|entries|landed|allowed|denied)`: "N $1",
		`127\.0\.0\.1/\d+`: "REPOSITORY",
	} {
		s = regexp.MustCompile(pattern).ReplaceAllString(s, instead)
	}
	return s
}

// The README shows what the demo prints, and the policy that governs it.
func TestReadmeTellsTheTruth(t *testing.T) {
	file, err := os.ReadFile(readme)
	require.NoError(t, err)
	text := string(file)

	out, errs, status := runCommand(t, "demo")
	require.Equal(t, allowed, status, errs)
	require.Empty(t, errs)

	if *update {
		_, start, end := between(t, text, "demo")
		text = text[:start] + regexp.MustCompile(demoDir).ReplaceAllString(out, "/tmp/countersign-demo-2718281828") + text[end:]
		_, start, end = between(t, text, "policy")
		text = text[:start] + demoPolicy + text[end:]
		require.NoError(t, os.WriteFile(readme, []byte(text), 0o644))
	}
	shown, _, _ := between(t, text, "demo")
	require.Equal(t, sameDay(shown), sameDay(out), "run go test ./cmd/countersign -run TestReadme -update")
	shown, _, _ = between(t, text, "policy")
	require.Equal(t, demoPolicy, shown)
	require.Contains(t, text, "go run ./cmd/countersign demo\n")
	require.Contains(t, text, "```\nmake test\n```")
}
