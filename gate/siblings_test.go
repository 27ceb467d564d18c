package gate_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
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
	require.Contains(t, string(f.reports[0].Decision.Reason), "about to be judged")
	require.Contains(t, string(f.reports[len(f.reports)-1].Decision.Reason), "#2")

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
	nobodys := reviewed(pull(2), false)
	nobodys.Facts.Base = change.Known(change.Base{Branch: "playground", Target: "playground", Commit: sha(1)})
	g, f, _ := setUp(t, sharing(pull(1), true, pull(2), "playground"), nobodys)
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

// The held one of two goes elsewhere: it is nobody's concern any more, and neither
// are its old records.
func TestAChangeThatIsRetargetedHoldsNothingBackAnyMore(t *testing.T) {
	g, f, l := setUp(t, sharing(pull(1), true, pull(2), "main"), sharing(pull(2), false, pull(1), "main"))
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pending, f.shown())

	elsewhere := sharing(pull(2), false, pull(1), "main")
	elsewhere.Facts.Base = change.Known(change.Base{Branch: "playground", Target: "playground", Commit: sha(1)})
	f.says[pull(2).Key()] = elsewhere
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.Equal(t, change.Pass, f.shown())
	require.True(t, l.entries[len(l.entries)-1].Decision.Ungoverned)
	require.NotEqual(t, change.Allow, l.entries[len(l.entries)-1].Decision.Verdict())
	recorded := len(l.entries)
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.Len(t, l.entries, recorded, "said once")
}

// Everything that shares a head may be woken at once, whatever the forge lists.
func TestSharingAHeadNeverWaitsInACircle(t *testing.T) {
	var says []change.Gathered
	for n := 1; n <= 4; n++ {
		said := reviewed(pull(n), n != 3)
		if n%2 == 0 {
			said.Siblings = change.Known([]change.Sibling{{Ref: pull(1), Target: "elsewhere"}, {Ref: pull(n%4 + 1), Target: "main"}})
		}
		says = append(says, said)
	}
	g, f, _ := setUp(t, says...)
	var all sync.WaitGroup
	for range 20 {
		for n := 1; n <= 4; n++ {
			all.Go(func() { require.NoError(t, g.Assess(t.Context(), pull(n))) })
		}
	}
	all.Wait()
	require.Equal(t, change.Pending, f.shown(), "#3 is held")
}

// One of several changes that rest on a policy cannot be looked at: the others are,
// and the attempt after it looks again.
func TestWhatRestsOnAPolicyIsNotForgotten(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true), reviewed(pull(2), true), reviewed(pull(3), true))
	for n := 1; n <= 3; n++ {
		require.NoError(t, g.Assess(t.Context(), pull(n)))
	}
	tightened := landing(pull(9), true)
	tightened.Facts.Files = change.Known([]change.File{{Path: ".countersign.yml", Status: "modified"}})
	f.says[pull(9).Key()] = tightened
	for n := 1; n <= 3; n++ {
		said := reviewed(pull(n), true)
		said.Policy.Text = strings.Replace(rules, "approvals: 1", "approvals: 2", 1)
		f.says[pull(n).Key()] = said
	}
	broken := true
	f.gather = func(ref change.Ref) error {
		if broken && ref.Number == 1 {
			return errors.New("502")
		}
		return nil
	}
	require.Error(t, g.Assess(t.Context(), pull(9)))
	broken = false
	require.NoError(t, g.Assess(t.Context(), pull(9)))
	for n := 1; n <= 3; n++ {
		last, _, err := l.Last(t.Context(), pull(n))
		require.NoError(t, err)
		require.Equal(t, change.Pending, last.Decision.Status, "#%d", n)
	}
}

// The record of a sibling speaks of an older head: it is assessed before it counts.
func TestAnOldRecordOfASiblingDoesNotCount(t *testing.T) {
	older := reviewed(pull(2), true)
	head, _ := older.Facts.Head.Get()
	head.Commit = sha(9)
	older.Facts.Head = change.Known(head)
	commits := slices.Clone(older.Facts.Commits.Or(nil))
	commits[len(commits)-1].SHA = sha(9)
	older.Facts.Commits = change.Known(commits)
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
