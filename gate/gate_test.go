package gate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
	require.Contains(t, string(shown.Decision.Reason), "did not answer")
	require.NotContains(t, string(shown.Decision.Reason), "502", "an error may name people, and records are signed")
}

// Nobody knows on what to show it: that is no visible end.
func TestGivingUpUnseenIsAnError(t *testing.T) {
	g, f, l := setUp(t)
	require.ErrorContains(t, g.GiveUp(t.Context(), pull(1), errors.New("502")), "no head is known")
	require.Len(t, l.entries, 1)
	require.Empty(t, f.reports)
	require.Error(t, g.GiveUp(t.Context(), pull(1), errors.New("502")))
	require.Len(t, l.entries, 1, "the same is not recorded twice")
}

// A push to a branch that no records are kept of is nobody's concern.
func TestGivingUpOnNobodysBranchLeavesNothing(t *testing.T) {
	g, f, l := setUp(t)
	require.NoError(t, g.GiveUp(t.Context(), pushed().Facts.Ref, errors.New("502")))
	require.Empty(t, l.entries)
	require.Empty(t, f.reports)
}

// While the forge does not answer, whatever made us look may be what must stop the
// change: a verdict that lets it through is taken back.
func TestAGreenVerdictIsWithdrawnWhileWeAreBlind(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, f.shown())

	f.gather = func(change.Ref) error { return fmt.Errorf("asking: %w", change.ErrNotYet) }
	require.Error(t, g.Assess(t.Context(), pull(1)))
	require.Len(t, f.reports, 1, "answers that lag are on their way")

	f.gather = func(change.Ref) error { return errors.New("502") }
	for range 3 {
		require.Error(t, g.Assess(t.Context(), pull(1)))
	}
	require.Equal(t, change.Undetermined, f.shown())
	require.Len(t, l.entries, 2, "recorded once, and shown until it is seen to be")

	f.gather = nil
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, f.shown())
}

// Showing that a verdict is withdrawn may fail as well: it is not forgotten.
func TestAWithdrawalIsShownInTheEnd(t *testing.T) {
	g, f, _ := setUp(t, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	f.gather = func(change.Ref) error { return errors.New("502") }
	f.report = func(change.Report) error { return errors.New("502") }
	require.Error(t, g.Assess(t.Context(), pull(1)))
	f.report = nil
	require.Error(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Undetermined, f.shown())
}

// landing returns what the forge would say of a pull request once it was merged.
func landing(ref change.Ref, approved bool) change.Gathered {
	g := reviewed(ref, approved)
	g.Facts.State = change.Known(change.LandedState)
	g.Facts.Landing = change.Known(change.Landing{Landed: true, By: "p1", How: change.Squash, Branch: "main", Before: sha(1), Commit: sha(20), Tree: sha(11), At: now.Add(time.Hour)})
	return g
}

// A change is judged once when it has landed. What becomes of it and of its
// reviewers afterwards says nothing about how it landed.
func TestALandedChangeIsJudgedOnce(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	f.says[pull(1).Key()] = landing(pull(1), true)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Len(t, l.entries, 2)
	require.Equal(t, change.Pass, l.entries[1].Decision.Status)
	require.Len(t, f.reports, 1, "the verdict that stood stays as it was")

	f.says[pull(1).Key()] = landing(pull(1), false) // the approver's account is gone, say
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.NoError(t, g.GiveUp(t.Context(), pull(1), errors.New("502")))
	require.Len(t, l.entries, 2)
}

// What stood when it landed is told by our records: nobody else can write those.
func TestMergingAroundTheGateIsRecorded(t *testing.T) {
	for name, before := range map[string][]change.Gathered{
		"never judged": nil,
		"still held":   {reviewed(pull(1), false)},
		"judged for another branch": {func() change.Gathered {
			g := reviewed(pull(1), true)
			g.Facts.Base = change.Known(change.Base{Branch: "next", Target: "next", Commit: sha(1)})
			g.Policy.Text = strings.Replace(rules, "[main]", "[next]", 1)
			return g
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			g, f, l := setUp(t)
			for _, said := range append(before, landing(pull(1), true)) {
				f.says[pull(1).Key()] = said
				require.NoError(t, g.Assess(t.Context(), pull(1)))
			}
			last := l.entries[len(l.entries)-1].Decision
			require.Equal(t, change.Fail, last.Status)
			require.Equal(t, "no-bypass", last.Results[len(last.Results)-1].Control)
			require.Equal(t, change.Fail, last.Results[len(last.Results)-1].Status)
			require.Len(t, f.reports, len(before), "nothing is written over what stood")
		})
	}
}

// We were blind after it had been merged: that is no verdict that stood before.
func TestBlindnessAfterTheMergeProvesNoBypass(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	f.gather = func(change.Ref) error { return errors.New("502") }
	require.Error(t, g.Assess(t.Context(), pull(1))) // at now, which is before the landing
	f.gather = nil
	merged := landing(pull(1), true)
	l2, _ := merged.Facts.Landing.Get()
	l2.At = now.Add(-time.Minute)
	merged.Facts.Landing = change.Known(l2)
	merged.Facts.Reviews = change.Known([]change.Review{{ID: 80, By: "p2", State: change.Approved, Commit: sha(10), Tree: sha(11), At: now.Add(-time.Hour), CanPush: change.Known(true)}})
	f.says[pull(1).Key()] = merged
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, l.entries[len(l.entries)-1].Decision.Status)
}

// A policy that stops naming a branch does not take the branch out of sight: what
// moves it is recorded, and what is proposed for it is nobody's concern any more.
func TestARetiredBranchIsStillWatched(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	for _, said := range []change.Gathered{reviewed(pull(2), false), landing(pull(3), false), pushed()} {
		said.Policy.Text = strings.Replace(rules, "[main]", "[elsewhere]", 1)
		f.says[said.Facts.Ref.Key()] = said
		require.NoError(t, g.Assess(t.Context(), said.Facts.Ref))
	}
	require.Len(t, l.entries, 3)
	require.Equal(t, pull(3).Key(), l.entries[1].Facts.Ref.Key())
	require.Equal(t, change.Undetermined, l.entries[1].Decision.Status)
	require.Equal(t, change.Push, l.entries[2].Facts.Ref.Kind)
	for _, r := range f.reports {
		require.Equal(t, 1, r.Ref.Number, "only of what was judged before")
	}
}
