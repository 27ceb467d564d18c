//go:build unix

package dirlock

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneOpenerAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "LOCK")
	first, err := Acquire(path)
	require.NoError(t, err)
	_, err = Acquire(path)
	require.ErrorIs(t, err, ErrTaken)
	require.ErrorContains(t, err, strconv.Itoa(os.Getpid()))
	require.NoError(t, first.Close())
	second, err := Acquire(path)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}
