package gate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// sharing returns what the forge would say of a pull request whose head is the
// head of another one too, into the given branch.
func sharing(ref change.Ref, approved bool, other change.Ref, target string) change.Gathered {
	g := reviewed(ref, approved)
	g.Siblings = change.Known([]change.Sibling{{Ref: other, Target: target}})
	return g
}

// shown returns what the last report shows.
func (f *forge) shown() change.Status { return f.reports[len(f.reports)-1].Decision.Status }

// A check stands on a commit. Two pull requests with one head share it, and the one
// that is held back must not be let through by the other.
func TestOneHeadShowsTheWorstOfItsChanges(t *testing.T) {
	g, f, l := setUp(t, sharing(pull(1), true, pull(2), "main"), sharing(pull(2), false, pull(1), "main"))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, l.entries[0].Decision.Status, "by itself it passes")
	for _, r := range f.reports {
		require.Equal(t, change.Pending, r.Decision.Status, "and is never shown so")
	}
	require.Contains(t, string(f.reports[len(f.reports)-2].Decision.Reason), "#2")

	f.says[pull(2).Key()] = sharing(pull(2), true, pull(1), "main")
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.Equal(t, change.Pass, f.shown(), "both are approved")

	f.says[pull(1).Key()] = sharing(pull(1), false, pull(2), "main")
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pending, f.shown())

	// The held one is closed: the other is alone and hears of it.
	closed := reviewed(pull(1), false)
	closed.Facts.State = change.Known(change.ClosedState)
	closed.Siblings = change.Known([]change.Sibling{{Ref: pull(2), Target: "main"}})
	f.says[pull(1).Key()], f.says[pull(2).Key()] = closed, reviewed(pull(2), true)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, f.shown())
}

func TestAChangeIntoNobodysBranchHoldsNothingBack(t *testing.T) {
	g, f, _ := setUp(t, sharing(pull(1), true, pull(2), "playground"))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, f.shown())
}

// A branch that only its own policy governs: records tell that it does.
func TestABranchWithRecordsHoldsBackEverywhere(t *testing.T) {
	release := sharing(pull(2), false, pull(1), "main")
	release.Facts.Base = change.Known(change.Base{Branch: "release", Target: "release", Commit: sha(1)})
	release.Policy.Text = "version: 1\nowner: release-team\nchanges:\n  - branches: [release]\n    peer-review: {approvals: 2}\n"
	g, f, _ := setUp(t, sharing(pull(1), true, pull(2), "release"), release)
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pending, f.reports[len(f.reports)-2].Decision.Status)
}

// Our own records count whatever the forge lists: its list lags, and leaves out
// what it thinks has landed.
func TestRecordsTellOfSiblingsTheForgeDoesNotList(t *testing.T) {
	alone := reviewed(pull(1), true)
	alone.Siblings = change.Fact[[]change.Sibling]{}
	g, f, _ := setUp(t, alone, reviewed(pull(2), false))
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	for _, r := range f.reports {
		require.Equal(t, change.Pending, r.Decision.Status)
		if r.Ref.Number == 1 {
			require.Contains(t, string(r.Decision.Reason), "#2")
		}
	}
}

// The record of a sibling speaks of an older head: it is assessed before it counts.
func TestAnOldRecordOfASiblingDoesNotCount(t *testing.T) {
	older := reviewed(pull(2), true)
	head, _ := older.Facts.Head.Get()
	head.Commit = sha(9)
	older.Facts.Head = change.Known(head)
	older.Facts.Reviews = change.Known([]change.Review{{ID: 81, By: "p2", State: change.Approved, Commit: sha(9), At: now, CanPush: change.Known(true)}})
	g, f, _ := setUp(t, older)
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.Equal(t, change.Pass, f.shown())

	f.says[pull(2).Key()] = sharing(pull(2), false, pull(1), "main")
	f.says[pull(1).Key()] = sharing(pull(1), true, pull(2), "main")
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	for _, r := range f.reports[1:] {
		require.Equal(t, change.Pending, r.Decision.Status)
	}
}
