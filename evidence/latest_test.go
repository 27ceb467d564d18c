package evidence

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// standingEntry returns an entry of a pull request with the given head, state and status.
func standingEntry(t *testing.T, number int, head change.SHA, state change.State, status change.Status) Entry {
	t.Helper()
	e := Entry{Facts: change.Facts{
		Ref:        change.Ref{Repository: change.Repository{Forge: change.GitHub, Host: "github.com", ID: 7, Name: "Acme/shop"}, Kind: change.PullRequest, Number: number},
		GatheredAt: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), People: change.People{}, State: change.Known(state),
		Head: change.Known(change.Head{Branch: "b", Commit: head, Tree: head, Repository: 7}),
		Base: change.Known(change.Base{Branch: "main", Target: "main", Commit: "0000000000000000000000000000000000000001"}),
	}, Decision: change.Decision{Status: status, Results: []change.Result{}}}
	if state == change.LandedState {
		e.Facts.Landing = change.Known(change.Landing{Landed: true, How: change.Squash, Branch: "main", Commit: head, At: e.Facts.GatheredAt})
	}
	return e
}

// The ledger tells how changes stand by the newest record of each, also after its
// index was lost.
func TestTheNewestRecordsTellHowChangesStand(t *testing.T) {
	a, b := change.SHA("00000000000000000000000000000000000000aa"), change.SHA("00000000000000000000000000000000000000bb")
	l := open(t, filepath.Join(t.TempDir(), "evidence"))
	ctx := t.Context()
	write := func(number int, head change.SHA, state change.State, status change.Status) {
		_, err := l.Record(ctx, standingEntry(t, number, head, state, status))
		require.NoError(t, err)
	}
	write(1, a, change.Open, change.Pass)
	write(2, a, change.Open, change.Pending)
	write(3, a, change.ClosedState, change.Pending)
	write(4, a, change.Open, change.Pass)
	write(4, b, change.Open, change.Pass) // moved on
	write(5, a, change.Open, change.Pass)
	write(5, a, change.LandedState, change.Fail)
	write(6, a, change.Draft, change.Exception)

	repository := standingEntry(t, 1, a, change.Open, change.Pass).Facts.Ref.Repository
	standing, err := l.Standing(ctx, repository, a)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 6}, numbersOf(standing))
	other := repository
	other.ID = 8
	standing, err = l.Standing(ctx, other, a)
	require.NoError(t, err)
	require.Empty(t, standing)

	still, err := l.Open(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 4, 6}, numbersOf(still), "held ones too, each by its newest record")
	require.Equal(t, b, still[2].Head)
	still, err = l.Open(ctx, "others")
	require.NoError(t, err)
	require.Empty(t, still)

	ref := standingEntry(t, 5, a, change.Open, change.Pass).Facts.Ref
	last, found, err := l.Last(ctx, ref)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, change.LandedState, last.State)
	stood, found, err := l.LastProposed(ctx, ref)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, change.Pass, stood.Decision.Status)
}

func numbersOf(list []Latest) (numbers []int) {
	for _, l := range list {
		numbers = append(numbers, l.Ref.Number)
	}
	return numbers
}
