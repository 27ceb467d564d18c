package evidence

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordsOfOneBranchFormOneChain(t *testing.T) {
	l := open(t, t.TempDir())
	first := record(t, l, entry(pull(1)))
	second := record(t, l, entry(pull(2)))
	other := record(t, l, entry(on("release/1", pull(3))))
	third := record(t, l, entry(approved(pull(1))))

	require.EqualValues(t, 1, first.N)
	require.EqualValues(t, 2, second.N)
	require.EqualValues(t, 1, other.N)
	require.EqualValues(t, 3, third.N)
	require.Equal(t, "refs/heads/release/1", other.Chain)
	require.EqualValues(t, 4, l.Size())
	require.NoError(t, l.Health())
}
