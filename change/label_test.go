package change_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

func TestLabelPrefersTheLogin(t *testing.T) {
	id := change.Identity{Account: "github:1", Login: "ci[bot]", Name: "CI", Email: "ci@example.com"}
	require.Equal(t, "ci[bot]", id.Label())
	id.Login = ""
	require.Equal(t, `"CI" (no account)`, id.Label())
	id.Name = ""
	require.Equal(t, `"ci@example.com" (no account)`, id.Label())
	id.Email = ""
	require.Equal(t, "github:1", id.Label())
	require.Equal(t, "somebody", change.Identity{}.Label())
}

// Whoever makes a commit chooses the name on it, and labels are shown in terminals,
// on pages and in the words of a check.
func TestLabelCannotSpeakForItself(t *testing.T) {
	hostile := "grace\" approved\n\x1b[2J\u202e\u2066\u200b\u061c\u2028\u0085\xff" + strings.Repeat("é", 300)
	for field, id := range map[string]change.Identity{
		"login": {Login: hostile}, "name": {Name: hostile}, "email": {Email: hostile}, "account": {Account: change.AccountID(hostile)},
	} {
		label := id.Label()
		require.Contains(t, label, "grace' approved··[2J······\ufffdééé", field)
		require.LessOrEqual(t, len([]rune(label)), 60+len(`"…" (no account)`), field)
	}
	require.Equal(t, `"grace' approved" (no account)`, change.Identity{Name: `grace" approved`}.Label())
	require.Equal(t, strings.Repeat("a", 60), change.Identity{Login: strings.Repeat("a", 60)}.Label())
	require.Equal(t, strings.Repeat("a", 60)+"…", change.Identity{Login: strings.Repeat("a", 61)}.Label())
}
