package github

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// TestHint plays testdata/hint/deliveries.txtar in order: what an earlier
// delivery said helps with a later one that names only a commit.
func TestHint(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/hint/deliveries.txtar")
	require.NoError(t, err)
	require.Zero(t, len(archive.Files)%2)
	f := newForge(t, "")
	for i := 0; i < len(archive.Files); i += 2 {
		name, body := archive.Files[i].Name, archive.Files[i].Data
		require.True(t, strings.HasPrefix(archive.Files[i+1].Name, "want "))
		event, _, _ := strings.Cut(name, " ")
		t.Run(name, func(t *testing.T) {
			h, err := f.Hint(change.Delivery{ID: "1", Event: event, Body: body})
			require.Equal(t, string(archive.Files[i+1].Data), hintText(h, err))
		})
	}
}

func hintText(h change.Hint, err error) string {
	var b strings.Builder
	for _, r := range h.Refs {
		b.WriteString(r.String())
		if r.Kind != change.PullRequest {
			b.WriteString(" " + string(r.Kind))
		}
		if r.Before != "" {
			b.WriteString(" before " + string(r.Before))
		}
		b.WriteString("\n")
	}
	if len(h.Forget) > 0 {
		b.WriteString("forget " + strings.Join(h.Forget, " ") + "\n")
	}
	if len(h.Owners) > 0 {
		b.WriteString("roles of " + strings.Join(h.Owners, " ") + "\n")
	}
	for _, scope := range h.Scopes {
		fmt.Fprintf(&b, "%s of %s\n", map[bool]string{true: "all that is open", false: "what is on record"}[scope.Unseen], scope)
	}
	if h.Topic != (change.Topic{}) {
		fmt.Fprintf(&b, "only %+v\n", h.Topic)
	}
	if err != nil {
		b.WriteString("error\n")
	}
	return b.String()
}

func FuzzHint(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/hint/deliveries.txtar")
	require.NoError(f, err)
	for i := 0; i < len(archive.Files); i += 2 {
		event, _, _ := strings.Cut(archive.Files[i].Name, " ")
		f.Add(event, archive.Files[i].Data)
	}
	forge := newForge(f, "")
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		h, _ := forge.Hint(change.Delivery{ID: "1", Event: event, Body: body})
		for _, r := range h.Refs {
			require.Positive(t, r.Repository.ID)
			require.Regexp(t, `^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`, r.Repository.Name)
			switch r.Kind {
			case change.PullRequest:
				require.Positive(t, r.Number)
			case change.Push, change.MergeGroup:
				require.True(t, r.Commit.Valid() || r.Kind == change.Push && r.Commit == "" && r.Before.Valid())
				require.NotEmpty(t, r.Branch)
				require.True(t, r.Before == "" || r.Before.Valid())
			default:
				t.Fatalf("kind %q", r.Kind)
			}
		}
	})
}
