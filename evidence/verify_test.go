package evidence

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/stretchr/testify/require"
)

func TestVerifyNeedsKeys(t *testing.T) {
	_, err := Verify(context.Background(), t.TempDir(), Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestVerifyWithKeysOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	record(t, l, entry(pull(1)))
	shut(t, l)
	public := testKeys(t, "a").Public()
	v, err := Verify(context.Background(), dir, Options{Judge: judge, Public: &public})
	require.NoError(t, err)
	requireOK(t, v)

	other := testKeys(t, "mallory").Public()
	v, err = Verify(context.Background(), dir, Options{Judge: judge, Public: &other})
	require.NoError(t, err)
	require.False(t, v.OK())
	require.Contains(t, v.Findings[len(v.Findings)-1].What, "names the key")
}

func TestVerifyEmptyLedger(t *testing.T) {
	dir := t.TempDir()
	shut(t, open(t, dir))
	v := verify(t, dir)
	requireOK(t, v)
	require.Zero(t, v.Records)
}

func TestVerifyStopsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	record(t, l, entry(pull(1)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Verify(ctx, dir, Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestVerifyReportsProgress(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	record(t, l, entry(pull(1)))
	record(t, l, entry(pull(2)))
	var got []string
	_, err := Verify(context.Background(), dir, Options{Progress: func(done, total int) { got = append(got, fmt.Sprint(done, "/", total)) }})
	require.NoError(t, err)
	require.Equal(t, []string{"2/2"}, got)
}

// While records are being written, what is half done is no finding.
func TestVerifyALedgerInUse(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	record(t, l, entry(pull(0)))
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if _, err := l.Record(context.Background(), entry(pull(i))); err != nil {
				stopped <- err
				return
			}
		}
	}()
	for range 10 {
		requireOK(t, verify(t, dir))
	}
	close(stop)
	require.NoError(t, <-stopped)
}

// An auditor is handed directories by those who are audited.
func TestVerifyIsNotHeldUpByOddFiles(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	pipe := record(t, l, entry(pull(1)))
	huge := record(t, l, entry(pull(2)))
	folder := record(t, l, entry(pull(3)))
	shut(t, l)
	require.NoError(t, os.Remove(l.bodies.envelopePath(pipe.Digest)))
	require.NoError(t, syscall.Mkfifo(l.bodies.envelopePath(pipe.Digest), 0o600))
	require.NoError(t, os.Truncate(l.bodies.envelopePath(huge.Digest), 10<<30))
	require.NoError(t, os.Remove(l.bodies.envelopePath(folder.Digest)))
	require.NoError(t, os.Mkdir(l.bodies.envelopePath(folder.Digest), 0o700))
	v := verify(t, dir)
	require.Len(t, v.Findings, 3)
	require.Contains(t, v.Findings[0].What, "is not a regular file")
	require.Contains(t, v.Findings[1].What, "more than the")
	require.Contains(t, v.Findings[2].What, "is not a regular file")
}

// A checkpoint can claim any size; reading ends all the same.
func TestVerifyEndsOnAClaimedSize(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	record(t, l, entry(pull(1)))
	shut(t, l)
	state := []byte(`{"size":4611686018427387000,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log", ".state", "treeState"), state, 0o600))
	v := verify(t, dir)
	require.False(t, v.OK())
	require.Contains(t, v.Findings[len(v.Findings)-1].What, "too much of the log cannot be read")
}

func TestPublishedRecordsAreUnderACheckpoint(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	require.NoError(t, l.Published(t.Context()))
	for i := range 3 {
		record(t, l, entry(pull(i)))
	}
	require.NoError(t, l.Published(t.Context()))
	v := verify(t, dir)
	requireOK(t, v)
	require.Zero(t, v.Unsigned)
}

func TestFindingsAreBounded(t *testing.T) {
	var v Verification
	for i := range maxFindings + 5 {
		v.find(int64(i), "", "x")
	}
	require.Len(t, v.Findings, maxFindings)
	require.Equal(t, 5, v.More)
	require.False(t, v.OK())
}

func TestHealth(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	require.NoError(t, l.Health())
	record(t, l, entry(pull(1)))
	require.NoError(t, l.Health())
	l.grow(9) // as if records were durable that no checkpoint covers
	require.NoError(t, l.Health(), "the next checkpoint may be on its way")
	l.config.Now = func() time.Time { return time.Now().Add(time.Minute) }
	require.ErrorContains(t, l.Health(), "records wait for the next")
	require.NoError(t, os.Remove(filepath.Join(dir, "log", "checkpoint")))
	require.ErrorContains(t, l.Health(), "the log has no checkpoint")
	l.size.Store(0) // so that closing does not wait for what was made up
}

func TestKeeps(t *testing.T) {
	l := open(t, t.TempDir())
	ref := change.Ref{Repository: shop, Kind: change.Push, Branch: "main"}
	kept, err := l.Keeps(context.Background(), ref)
	require.NoError(t, err)
	require.False(t, kept)
	record(t, l, entry(pull(1)))
	kept, err = l.Keeps(context.Background(), ref)
	require.NoError(t, err)
	require.True(t, kept)
}
