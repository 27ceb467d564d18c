package expression_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/policy/expression"
)

// The names that an expression rests on are told, those inside macros too.
func TestUses(t *testing.T) {
	for text, want := range map[string][]string{
		"true":         {},
		"change.draft": {"change.draft"},
		`change.files.all(f, f.path != change.title) && change.title != "" && size(change.title) > 1`: {"change.files", "change.title"},
	} {
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Empty(t, mistakes)
		require.Equal(t, want, append([]string{}, e.Uses()...))
	}
}
