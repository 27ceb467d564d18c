package policy_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/expression"
	"github.com/countersign-dev/countersign/policy/story"
)

// The page about composition lists every name that expressions may use, and what it
// shows comes out as it says.
func TestCompositionPage(t *testing.T) {
	const file = "../docs/policy-composition.md"
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	page := string(data)
	table := "\n| name | type | what it means |\n|---|---|---|\n"
	for _, v := range expression.Variables() {
		table += fmt.Sprintf("| `%s` | `%s` | %s |\n", v.Name, v.Type(), v.Doc)
	}
	const open, shut = "<!-- variables -->", "<!-- /variables -->"
	before, rest, opened := strings.Cut(page, open)
	shown, after, closed := strings.Cut(rest, shut)
	require.True(t, opened && closed)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+open+table+shut+after), 0o644))
	} else {
		require.Equal(t, table, shown, "run go test ./policy -run CompositionPage -update")
	}

	block := func(name string) string {
		m := regexp.MustCompile("(?s)<!-- " + name + " -->\n```[a-z]*\n(.*?)```\n<!-- /" + name + " -->").FindStringSubmatch(page)
		require.NotNil(t, m, name)
		return m[1]
	}
	found, err := policy.Examine("p.yml", []byte(block("policy")))
	require.NoError(t, err)
	require.Empty(t, found, "the example has nothing that policy check would warn of")
	s, err := story.Parse("page", []byte(block("story")))
	require.NoError(t, err)
	played, err := s.Play(block("policy"))
	require.NoError(t, err)
	require.Empty(t, s.Differences(played))
	_, err = policy.Parse(".countersign.yml", []byte(block("mistake")))
	require.EqualError(t, err, strings.TrimSpace(block("mistaken")))
}
