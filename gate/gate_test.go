package gate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

func TestAnApprovedChangeIsRecordedAndThenShown(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	f.report = func(change.Report) error {
		require.Len(t, l.entries, 1, "the record comes before the report")
		return nil
	}
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Len(t, f.reports, 1)
	require.Equal(t, change.Allow, f.reports[0].Decision.Verdict())
	require.Equal(t, sha(10), f.reports[0].Commit)
	require.Equal(t, uint64(1), f.reports[0].Receipt.N)
	require.Equal(t, f.reports[0].Decision, l.entries[0].Decision)
}

func TestNothingIsShownThatIsNotRecorded(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	l.fail = errors.New("disk full")
	require.ErrorContains(t, g.Assess(t.Context(), pull(1)), "recording: disk full")
	require.Empty(t, f.reports)

	l.fail = nil
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Len(t, f.reports, 1)
}

func TestAFailedReportIsTriedAgainWithoutASecondRecord(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), false))
	f.report = func(change.Report) error { return errors.New("502") }
	require.ErrorContains(t, g.Assess(t.Context(), pull(1)), "reporting: 502")
	f.report = nil
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Len(t, l.entries, 1)
	require.Len(t, f.reports, 1)
}

func TestTheSameFactsWriteNothingNew(t *testing.T) {
	first := reviewed(pull(1), true)
	g, f, l := setUp(t, first)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	later := first
	later.Facts.GatheredAt = now.AddDate(0, 0, 1)
	f.says[pull(1).Key()] = later
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Len(t, l.entries, 1)

	f.says[pull(1).Key()] = reviewed(pull(1), false)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Len(t, l.entries, 2, "the approval was withdrawn")
}

// A delivery may be doubled, reordered or a lie: only what the forge says now counts.
func TestFactsAreGatheredAfresh(t *testing.T) {
	g, f, _ := setUp(t, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	f.says[pull(1).Key()] = reviewed(pull(1), false)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Deny, f.reports[1].Decision.Verdict())
}

func TestABranchThePolicyDoesNotNameIsLeftAlone(t *testing.T) {
	said := reviewed(pull(1), false)
	said.Facts.Base = change.Known(change.Base{Branch: "playground", Target: "playground", Commit: sha(1)})
	g, f, l := setUp(t, said)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Empty(t, l.entries)
	require.Empty(t, f.reports)
}

func TestWithoutAReadablePolicyThereIsNoDecision(t *testing.T) {
	for name, file := range map[string]change.PolicyFile{
		"none":   {},
		"broken": {Found: true, Path: ".countersign.yml", Text: "version: 1\nowner: a\nchanges:\n  - branchs: [main]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			said := reviewed(pull(1), true)
			said.Policy = file
			g, f, l := setUp(t, said)
			require.NoError(t, g.Assess(t.Context(), pull(1)))
			require.Equal(t, change.Undetermined, f.reports[0].Decision.Status)
			require.Len(t, l.entries, 1)
			require.NotEmpty(t, f.reports[0].Decision.Reason)
		})
	}
}

// Where the application is not installed nothing can be read or shown, and nothing
// was asked of us.
func TestARepositoryOutOfReachIsLeftAlone(t *testing.T) {
	g, f, l := setUp(t)
	f.gather = func(change.Ref) error { return fmt.Errorf("finding the installation: %w", change.ErrNotInstalled) }
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Empty(t, l.entries)
	require.Empty(t, f.reports)
}

func TestOneRunAtATimeAndLaterCallsShareTheNext(t *testing.T) {
	g, f, _ := setUp(t, reviewed(pull(1), true))
	synctest.Test(t, func(t *testing.T) {
		running, release := atomic.Int32{}, make(chan struct{})
		f.gather = func(change.Ref) error {
			require.Equal(t, int32(1), running.Add(1))
			<-release
			running.Add(-1)
			return nil
		}
		var callers sync.WaitGroup
		assess := func() { require.NoError(t, g.Assess(context.Background(), pull(1))) }
		callers.Go(assess)
		synctest.Wait()
		for range 50 {
			callers.Go(assess)
		}
		synctest.Wait()
		close(release)
		callers.Wait()
		require.Len(t, f.gathered, 2, "fifty calls during a run share the one after it")
	})
}

func TestACallerMayLeaveTheRunItStarted(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f.gather = func(change.Ref) error { <-release; return nil }
		ctx, leave := context.WithCancel(context.Background())
		left := make(chan error, 1)
		go func() { left <- g.Assess(ctx, pull(1)) }()
		synctest.Wait()
		leave()
		require.ErrorIs(t, <-left, context.Canceled)
		close(release)
		synctest.Wait()
		require.Len(t, l.entries, 1)
		require.Len(t, f.reports, 1)
	})
}

func TestAPanicIsAnErrorForEveryCaller(t *testing.T) {
	g, f, _ := setUp(t, reviewed(pull(1), true))
	f.gather = func(change.Ref) error { panic("a bug") }
	require.ErrorContains(t, g.Assess(t.Context(), pull(1)), "panic: a bug")
	f.gather = nil
	require.NoError(t, g.Assess(t.Context(), pull(1)), "the change is not stuck")
}

func TestGivingUpIsRecordedAndBlocks(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.NoError(t, g.GiveUp(t.Context(), pull(1), errors.New("GitHub answered 502 eight times")))
	require.Len(t, l.entries, 2)
	shown := f.reports[1]
	require.Equal(t, change.Undetermined, shown.Decision.Status)
	require.Equal(t, change.Deny, shown.Decision.Verdict())
	require.Equal(t, sha(10), shown.Commit, "on the head that was last seen")
	require.Contains(t, string(shown.Decision.Reason), "502 eight times")
}

// What was right when it was merged keeps the verdict it had then: writing it again
// would date it after the merge.
func TestALandedChangeKeepsItsVerdict(t *testing.T) {
	landed := reviewed(pull(1), true)
	landed.Facts.State = change.Known(change.LandedState)
	landed.Facts.Landing = change.Known(change.Landing{Landed: true, By: "p1", How: change.Squash, Branch: "main", Before: sha(1), Commit: sha(20), Tree: sha(11), At: now.Add(60)})
	landed.Facts.Shown = change.Known(change.Shown{ID: 5, Commit: sha(10), Status: "completed", Conclusion: "success", Completed: now})
	g, f, l := setUp(t, landed)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, l.entries[0].Decision.Status)
	require.Empty(t, f.reports)

	landed.Facts.Shown = change.Known(change.Shown{})
	f.says[pull(1).Key()] = landed
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Fail, l.entries[1].Decision.Status, "merged around the gate")
	require.Len(t, f.reports, 1)
}
