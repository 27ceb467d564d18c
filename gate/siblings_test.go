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
	g, f, l := setUp(t, sharing(pull(1), true, pull(2), "release"), release)
	l.chain = map[string]string{pull(2).Key(): "refs/heads/release"}
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pending, f.reports[len(f.reports)-2].Decision.Status)
}

func TestUnknownSiblingsAreNotNone(t *testing.T) {
	said := reviewed(pull(1), true)
	said.Siblings = change.Fact[[]change.Sibling]{}
	g, f, _ := setUp(t, said)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Undetermined, f.shown())
}
