package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// verify verifies a directory with the tests' own policy.
func verify(t testing.TB, dir string) Verification {
	t.Helper()
	v, err := Verify(context.Background(), dir, Options{Judge: judge})
	require.NoError(t, err)
	return v
}

func requireOK(t testing.TB, v Verification) {
	t.Helper()
	require.Empty(t, v.Findings)
	require.True(t, v.OK())
}

func TestRecordsOfOneBranchFormOneChain(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
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
	shut(t, l)

	v := verify(t, dir)
	requireOK(t, v)
	require.EqualValues(t, 4, v.Size)
	require.Equal(t, 4, v.Records)
	require.Equal(t, 4, v.Replayed)
	require.Zero(t, v.Unsigned)
	require.Equal(t, map[change.Verdict]int{change.Deny: 3, change.Allow: 1}, v.Verdicts)
	require.Equal(t, []ChainSummary{
		{Chain: "github.com/1296269/refs/heads/main", Records: 3, Last: 3},
		{Chain: "github.com/1296269/refs/heads/release/1", Records: 1, Last: 1},
	}, v.Chains)
	require.Empty(t, v.Notes)
}

func TestLastIsTheNewestRecordOfAChange(t *testing.T) {
	l := open(t, t.TempDir())
	_, found, err := l.Last(context.Background(), pull(1).Ref)
	require.NoError(t, err)
	require.False(t, found)

	record(t, l, entry(pull(1)))
	e := entry(approved(pull(1)))
	receipt := record(t, l, e)
	record(t, l, entry(pull(2)))

	last, found, err := l.Last(context.Background(), pull(1).Ref)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, receipt, last.Receipt)
	require.Equal(t, Fingerprint(e), last.Fingerprint)
	require.Equal(t, e.Decision, last.Decision)
	require.Equal(t, sha("pull 1"), last.Head)
	require.WithinDuration(t, time.Now(), last.At, time.Minute)
}

func TestFingerprint(t *testing.T) {
	base := Fingerprint(entry(pull(1)))
	same := pull(1)
	same.GatheredAt = same.GatheredAt.Add(time.Hour)
	require.Equal(t, base, Fingerprint(entry(same)), "asking again is not news")

	e := entry(pull(1))
	e.Policy.Commit = sha("another")
	require.Equal(t, base, Fingerprint(e), "the same text at another commit is not news")

	for name, change := range map[string]func(*Entry){
		"facts":    func(e *Entry) { e.Facts = approved(e.Facts) },
		"people":   func(e *Entry) { e.Facts.People["p1"] = e.Facts.People["p2"] },
		"policy":   func(e *Entry) { e.Policy.Text += "\n" },
		"no file":  func(e *Entry) { e.Policy.Found = false },
		"decision": func(e *Entry) { e.Decision.Owner = "somebody else" },
	} {
		e := entry(pull(1))
		change(&e)
		require.NotEqual(t, base, Fingerprint(e), name)
	}
}

func TestSecondLedgerOnOneDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := Open(context.Background(), testConfig(t, dir))
	require.ErrorContains(t, err, "in use by another process")
}

func TestOpenRefusesWhatItMustNotContinue(t *testing.T) {
	for _, c := range []struct {
		name, want string
		damage     func(t *testing.T, dir string, c *Config)
	}{
		{"state missing", "has a checkpoint but no .state", func(t *testing.T, dir string, _ *Config) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "log", ".state")))
		}},
		{"state and checkpoint missing", "has tiles but no .state", func(t *testing.T, dir string, _ *Config) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "log", ".state")))
			require.NoError(t, os.Remove(filepath.Join(dir, "log", "checkpoint")))
		}},
		{"log missing", "the log has gone back to 0, the index has seen 3", func(t *testing.T, dir string, _ *Config) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "log")))
		}},
		{"log older than the index", "the log has gone back to 2, the index has seen 3", func(t *testing.T, dir string, _ *Config) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "log")))
			require.NoError(t, os.CopyFS(filepath.Join(dir, "log"), os.DirFS(filepath.Join(dir, "older"))))
		}},
		{"checkpoint newer than the log", "the log has gone back to 2, its checkpoint says 3", func(t *testing.T, dir string, _ *Config) {
			state, err := os.ReadFile(filepath.Join(dir, "older", ".state", "treeState"))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "log", ".state", "treeState"), state, 0o600))
		}},
		{"tiles changed", "do not hash to its root", func(t *testing.T, dir string, _ *Config) {
			flip(t, filepath.Join(dir, "log", "tile", "0", "000.p", "3"), 40)
		}},
		{"other keys", "holds the records of the log", func(t *testing.T, _ string, c *Config) { c.Keys = testKeys(t, "mallory") }},
		{"other origin", "the origin of the log is configured as", func(_ *testing.T, _ string, c *Config) { c.Origin = "other.example" }},
		{"public keys missing", "the public keys in", func(t *testing.T, dir string, _ *Config) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "keys")))
		}},
		{"body missing, index missing", "reading record", func(t *testing.T, dir string, _ *Config) {
			removeIndex(t, dir)
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "records")))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := open(t, dir)
			record(t, l, entry(pull(1)))
			record(t, l, entry(pull(2)))
			shut(t, l)
			require.NoError(t, os.CopyFS(filepath.Join(dir, "older"), os.DirFS(filepath.Join(dir, "log"))))
			l = open(t, dir)
			record(t, l, entry(pull(3)))
			shut(t, l)

			config := testConfig(t, dir)
			c.damage(t, dir, &config)
			_, err := Open(context.Background(), config)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// flip changes one bit of a file.
func flip(t testing.TB, path string, at int) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[at] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

func removeIndex(t testing.TB, dir string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(dir, "index.sqlite"+suffix)); !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
	}
}

// dump returns all rows of the index.
func dump(t *testing.T, l *Ledger) []row {
	t.Helper()
	rows := make([]row, l.Size())
	for i := range rows {
		var found bool
		var err error
		rows[i], found, err = l.index.one(context.Background(), "records.idx = ?", i)
		require.NoError(t, err)
		require.True(t, found)
	}
	return rows
}

func TestIndexIsRebuiltEqual(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir)
	var g errgroup.Group
	for branch := range 10 { // together more than one bundle of the log
		g.Go(func() error {
			for i := range 30 {
				f := pull(i)
				if i%2 == 0 {
					f = approved(f)
				}
				if _, err := l.Record(context.Background(), entry(on(fmt.Sprint("release/", branch), f))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	before := dump(t, l)
	shut(t, l)

	removeIndex(t, dir)
	l = open(t, dir)
	require.Equal(t, before, dump(t, l))
	require.EqualValues(t, 31, record(t, l, entry(on("release/3", pull(1)))).N, "the chain goes on")
	shut(t, l)
	requireOK(t, verify(t, dir))
}

func TestHolesInTheIndexAreFilled(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for i := range 5 {
		record(t, l, entry(pull(i)))
	}
	before := dump(t, l)
	for _, holes := range []string{"idx = 0", "idx = 2", "idx IN (1, 3)", "idx >= 3"} {
		_, err := l.index.db.Exec("DELETE FROM records WHERE " + holes)
		require.NoError(t, err)
		shut(t, l)
		l = open(t, dir)
		require.Equal(t, before, dump(t, l), holes)
	}
}

func TestErasedPeopleLeaveTheRecordWhole(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	r := record(t, l, entry(pull(1)))
	require.NoError(t, os.Remove(l.bodies.disclosuresPath(r.Digest)))
	shut(t, l)

	v := verify(t, dir)
	requireOK(t, v)
	require.Equal(t, 1, v.Erased)

	removeIndex(t, dir)
	last, found, err := open(t, dir).Last(context.Background(), pull(1).Ref)
	require.NoError(t, err)
	require.True(t, found)
	require.Empty(t, last.Fingerprint)
}

func TestSignedBytesNameNobody(t *testing.T) {
	l := open(t, t.TempDir())
	r := record(t, l, entry(approved(pull(1))))
	e, err := l.bodies.envelope(r.Digest)
	require.NoError(t, err)
	for _, secret := range []string{"github:101", "github:102", `"ada"`, "Ada Example", "grace", "L. Example", "linus@mail.example"} {
		require.NotContains(t, string(e.Payload), secret)
	}
	s, err := ParseStatement(e.Payload)
	require.NoError(t, err)
	opened, err := l.bodies.disclosures(r.Digest)
	require.NoError(t, err)
	people, whole, err := opened.Open(s.Predicate.People)
	require.NoError(t, err)
	require.True(t, whole)
	require.Equal(t, pull(1).People, people)
}

func TestRecordRefusesWhatNobodyCouldVerify(t *testing.T) {
	l := open(t, t.TempDir())
	e := entry(pull(1))
	e.Policy.Text = "version: 1 # \xff"
	_, err := l.Record(context.Background(), e)
	require.ErrorContains(t, err, "not in its one canonical form")
	require.Zero(t, l.Size())
	require.NoError(t, l.Health())
}

func TestManyWritersOnManyBranches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir)
	var g errgroup.Group
	for w := range 16 {
		g.Go(func() error {
			for i := range 8 {
				f := on(strings.Repeat("b", w%5+1), pull(w*100+i))
				if _, err := l.Record(context.Background(), entry(f)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	require.EqualValues(t, 128, l.Size())
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Len(t, v.Chains, 5)
}

func TestFailedAppendIsNotBuiltUpon(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	record(t, l, entry(pull(1)))

	add := l.log.add
	l.log.add = failing(add, false)
	_, err := l.Record(context.Background(), entry(pull(2)))
	require.ErrorContains(t, err, "disk on fire")
	require.ErrorContains(t, l.Health(), "disk on fire")
	l.log.add = failing(add, true) // the worse case: an error, and the leaf is there all the same
	_, err = l.Record(context.Background(), entry(pull(3)))
	require.ErrorContains(t, err, "disk on fire")
	l.log.add = add

	last, found, err := l.Last(context.Background(), pull(3).Ref)
	require.NoError(t, err)
	require.True(t, found)
	require.EqualValues(t, 2, last.Receipt.N)
	require.EqualValues(t, 3, record(t, l, entry(pull(2))).N)
	require.NoError(t, l.Health())
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Len(t, v.Notes, 1, "the envelope whose leaf was never written")
}

func TestCallerThatGivesUpLeavesTheRecordWhole(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	held, started := make(chan struct{}), make(chan struct{})
	add := l.log.add
	l.log.add = holding(add, started, held)
	ctx, cancel := context.WithCancel(context.Background())
	given := make(chan error, 1)
	go func() {
		_, err := l.Record(ctx, entry(pull(1)))
		given <- err
	}()
	<-started
	cancel()
	require.ErrorIs(t, <-given, context.Canceled)
	close(held)
	l.log.add = add
	require.EqualValues(t, 2, record(t, l, entry(pull(2))).N, "the next one waits for the chain")
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Equal(t, 2, v.Records)
}

func TestClosedLedgerRefuses(t *testing.T) {
	l := open(t, t.TempDir())
	shut(t, l)
	_, err := l.Record(context.Background(), entry(pull(1)))
	require.ErrorIs(t, err, ErrClosed)
	_, _, err = l.Last(context.Background(), pull(1).Ref)
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, l.Health(), ErrClosed)
	shut(t, l) // a second time does nothing
}

func TestStrayFilesOfACrashAreHarmless(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	r := record(t, l, entry(pull(1)))
	shut(t, l)
	for _, stray := range []string{
		filepath.Join(dir, "records", r.Digest[:2], temporary+"123"),
		filepath.Join(dir, "log", "tile", "0", "000.p", "1987654321"),
		filepath.Join(dir, "log", "checkpoint12345"),
	} {
		require.NoError(t, os.WriteFile(stray, []byte("half a fi"), 0o600))
	}
	l = open(t, dir)
	record(t, l, entry(pull(2)))
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Empty(t, v.Notes)
}
