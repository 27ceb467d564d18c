package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/tessera"

	"github.com/countersign-dev/countersign/change"
)

// together has entries written as if all of them had waited, and returns what
// became of each.
func together(t testing.TB, l *Ledger, entries ...Entry) []outcome {
	t.Helper()
	var group []*submission
	for _, e := range entries {
		require.NoError(t, l.enter())
		group = append(group, newSubmission(e))
	}
	for rest := group; len(rest) > 0; {
		rest = l.writeSome(context.Background(), rest)
	}
	var outcomes []outcome
	for _, s := range group {
		require.Len(t, s.done, 1, "every submission is answered")
		outcomes = append(outcomes, <-s.done)
	}
	return outcomes
}

// pulls returns entries about pull requests from one number to another.
func pulls(from, to int) (list []Entry) {
	for n := from; n <= to; n++ {
		list = append(list, entry(pull(n)))
	}
	return list
}

// requireChain checks that outcomes are the records of main from number n on.
func requireChain(t testing.TB, n uint64, outcomes []outcome) {
	t.Helper()
	for i, o := range outcomes {
		require.NoError(t, o.err)
		require.Equal(t, n+uint64(i), o.receipt.N)
	}
}

// spying counts the entries that were handed over and not yet waited for.
func spying(add tessera.AddFn, most *int) tessera.AddFn {
	pending := 0
	return func(ctx context.Context, e *tessera.Entry) tessera.IndexFuture {
		future := add(ctx, e)
		pending++
		*most = max(*most, pending)
		return func() (tessera.Index, error) { pending--; return future() }
	}
}

func TestWaitingRecordsOfOneBranchAreWrittenTogether(t *testing.T) {
	dir := t.TempDir()
	config := testConfig(t, dir)
	config.BatchAge = 200_000_000 // nothing here may depend on how fast this machine is
	l, err := Open(context.Background(), config)
	require.NoError(t, err)
	most := 0
	l.log.add = spying(l.log.add, &most)
	requireChain(t, 1, together(t, l, pulls(1, 40)...))
	require.Equal(t, 40, most)
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Equal(t, 40, v.Records)
	require.Empty(t, v.Notes)
}

func TestRefusedRecordLeavesNoGapInItsGroup(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	group := pulls(1, 6)
	for _, i := range []int{0, 3} {
		group[i].Policy.Text = "version: 1 # \xff"
	}
	outcomes := together(t, l, group...)
	for _, i := range []int{3, 0} {
		require.ErrorContains(t, outcomes[i].err, "not in its one canonical form")
		outcomes = append(outcomes[:i], outcomes[i+1:]...)
	}
	requireChain(t, 1, outcomes)
	require.NoError(t, l.Health())
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Empty(t, v.Notes)
}

// The disk fails in the middle of a group: what came before is recorded, what came
// behind is not, whatever the log has of it, and the chain goes on from what the
// log really has.
func TestGroupThatFailsHalfWayIsNotBuiltUpon(t *testing.T) {
	for name, c := range map[string]struct {
		appends bool // the log has the rest all the same
		next    uint64
		notes   int
	}{
		"lost": {false, 4, 5},
		"kept": {true, 9, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir)
			add, calls := l.log.add, 0
			l.log.add = func(ctx context.Context, e *tessera.Entry) tessera.IndexFuture {
				if calls++; calls <= 3 {
					return add(ctx, e)
				}
				return failing(add, c.appends)(ctx, e)
			}
			outcomes := together(t, l, pulls(1, 8)...)
			requireChain(t, 1, outcomes[:3])
			for _, o := range outcomes[3:] {
				require.ErrorContains(t, o.err, "disk on fire")
			}
			require.ErrorContains(t, l.Health(), "disk on fire")
			l.log.add = add
			requireChain(t, c.next, together(t, l, pulls(9, 12)...))
			require.NoError(t, l.Health())

			v := verify(t, dir)
			requireOK(t, v)
			require.Len(t, orphans(v), c.notes)
			shut(t, l)
			shut(t, open(t, dir)) // tidies up
			v = verify(t, dir)
			requireOK(t, v)
			require.Empty(t, orphans(v))
		})
	}
}

// orphans returns the notes on records that never came into the log.
func orphans(v Verification) (list []Finding) {
	for _, n := range v.Notes {
		if strings.Contains(n.What, "never came into the log") {
			list = append(list, n)
		}
	}
	return list
}

// The log has a record and not the one before it. That must not happen, and when
// it does nothing is added to it.
func TestTornLogEndsTheLedger(t *testing.T) {
	l := open(t, t.TempDir())
	add, calls := l.log.add, 0
	l.log.add = func(ctx context.Context, e *tessera.Entry) tessera.IndexFuture {
		if calls++; calls == 2 {
			return failing(add, false)(ctx, e)
		}
		return add(ctx, e)
	}
	l.log.age = 1 << 40
	outcomes := together(t, l, pulls(1, 3)...)
	require.NoError(t, outcomes[0].err)
	for _, o := range outcomes[1:] {
		require.ErrorIs(t, o.err, errTorn)
	}
	l.log.add = add
	_, err := l.Record(context.Background(), entry(pull(4)))
	require.ErrorIs(t, err, errTorn)
	require.ErrorIs(t, l.Health(), errTorn)
	require.EqualValues(t, 1, l.Size(), "nothing rests on what is behind the tear")
}

func TestCallerThatGivesUpInTheLineLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	held, started := make(chan struct{}), make(chan struct{})
	add := l.log.add
	l.log.add = holding(add, started, held)
	first := make(chan error, 1)
	go func() {
		_, err := l.Record(context.Background(), entry(pull(1)))
		first <- err
	}()
	<-started
	ctx, cancel := context.WithCancel(context.Background())
	waiting := newSubmission(entry(pull(2)))
	require.False(t, l.line.join(waiting), "the first one's writer serves the line")
	cancel()
	_, err := l.Record(ctx, entry(pull(3)))
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, l.line.leave(waiting))
	require.False(t, l.line.leave(waiting))
	l.log.add = add
	close(held)
	require.NoError(t, <-first)
	require.EqualValues(t, 2, record(t, l, entry(pull(4))).N)
	require.EqualValues(t, 2, l.Size())
}

func TestBodiesThatCannotBeWrittenReachNoLog(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "records"), 0o700))
	blocked := filepath.Join(dir, "records", stagingDir)
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	for _, o := range together(t, l, pulls(1, 3)...) {
		require.Error(t, o.err)
	}
	require.Error(t, l.Health())
	require.Zero(t, l.Size())
	require.NoError(t, os.Remove(blocked))
	requireChain(t, 1, together(t, newest(l), pulls(4, 6)...))
	shut(t, l)
	requireOK(t, verify(t, dir))
}

// newest forgets which directories were made, as a new process would.
func newest(l *Ledger) *Ledger {
	l.bodies.made = map[string]bool{}
	return l
}

// A process ends between the flush of the log and the moves of the bodies, and
// another one before its leaves came into the log.
func TestBodiesInStagingAreFoundAndTidiedUp(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	outcomes := together(t, l, pulls(1, 3)...)
	requireChain(t, 1, outcomes)
	kept := outcomes[1].receipt
	for _, path := range l.bodies.paths(kept.Digest) {
		require.NoError(t, os.Rename(path, stagedPath(path)))
	}
	l.log.add = failing(l.log.add, false)
	for _, o := range together(t, l, pulls(4, 5)...) {
		require.Error(t, o.err)
	}
	shut(t, l)

	v := verify(t, dir)
	requireOK(t, v)
	require.Equal(t, 3, v.Records)
	require.Zero(t, v.Erased)
	require.Len(t, orphans(v), 2)

	removeIndex(t, dir)
	l = open(t, dir)
	for _, path := range l.bodies.paths(kept.Digest) {
		require.FileExists(t, path)
	}
	staged, err := l.bodies.staged()
	require.NoError(t, err)
	require.Empty(t, staged)
	last, found, err := l.Last(context.Background(), pull(2).Ref)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, kept, last.Receipt)
	requireChain(t, 4, together(t, l, pulls(6, 7)...))
	shut(t, l)
	v = verify(t, dir)
	requireOK(t, v)
	require.Empty(t, orphans(v))
}

func TestGroupsOfSeveralBranchesKeepTheirChainsApart(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var group []Entry
	for i := range 12 {
		group = append(group, entry(on(fmt.Sprint("release/", i%3), pull(i))))
	}
	for i, o := range together(t, l, group...) {
		require.NoError(t, o.err)
		require.Equal(t, change.Receipt{Index: uint64(i), Digest: o.receipt.Digest, Chain: fmt.Sprint("refs/heads/release/", i%3), N: uint64(i/3 + 1)}, o.receipt)
	}
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Len(t, v.Chains, 3)
}

func TestIndexThatFailsLeavesARecordToBeFound(t *testing.T) {
	l := open(t, t.TempDir())
	requireChain(t, 1, together(t, l, pulls(1, 2)...))
	_, err := l.index.db.Exec("CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'index on fire'); END")
	require.NoError(t, err)
	for _, o := range together(t, l, pulls(3, 4)...) {
		require.ErrorContains(t, o.err, "is in the log")
	}
	_, err = l.index.db.Exec("DROP TRIGGER full")
	require.NoError(t, err)
	last, found, err := l.Last(context.Background(), pull(4).Ref)
	require.NoError(t, errors.Join(err))
	require.True(t, found)
	require.EqualValues(t, 4, last.Receipt.N)
	requireChain(t, 5, together(t, l, pulls(5, 6)...))
}
