package webhook

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// A hundred callers who come while a change is being assessed share one further
// run, which begins after they came.
func TestLineShares(t *testing.T) {
	started, release := make(chan int), make(chan error)
	runs := 0
	l := newLines(1, func(change.Ref) error {
		runs++
		started <- runs
		return <-release
	})
	results := make(chan error, 101)
	go func() { results <- l.do(t.Context(), testRef(1)) }()
	require.Equal(t, 1, <-started)

	var shared []*shared
	for range 100 {
		shared = append(shared, l.join(testRef(1)))
	}
	release <- nil
	require.NoError(t, <-results)
	require.Equal(t, 2, <-started)

	late := l.join(testRef(1)) // while the second run goes on: it may not have seen why
	release <- errors.New("the forge is away")
	for _, s := range shared {
		<-s.done
		require.EqualError(t, s.err, "the forge is away")
	}
	require.Equal(t, 3, <-started)
	release <- nil
	<-late.done
	require.NoError(t, late.err)
}

// Callers who wait for one change leave the other slots to other changes, and no
// more runs go on than there are slots.
func TestLineSlots(t *testing.T) {
	started, release := make(chan int, 10), make(chan struct{})
	l := newLines(2, func(ref change.Ref) error {
		started <- ref.Number
		<-release
		return nil
	})
	callers := []*shared{l.join(testRef(1))}
	require.Equal(t, 1, <-started)
	for range 50 {
		callers = append(callers, l.join(testRef(1)))
	}
	callers = append(callers, l.join(testRef(2)))
	require.Equal(t, 2, <-started, "change 2 must not wait behind the callers of change 1")

	callers = append(callers, l.join(testRef(3)))
	require.Len(t, l.slots, 2)
	require.Empty(t, started, "a third run began beside two")
	close(release)
	for _, s := range callers {
		<-s.done
	}
	require.Len(t, started, 2, "changes 1 and 3 had one more run each")
}

// A caller who has no more time leaves; the run goes on for the others.
func TestLineLeave(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	l := newLines(1, func(change.Ref) error {
		close(started)
		<-release
		return nil
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	left := make(chan error)
	go func() { left <- l.do(ctx, testRef(1)) }()
	<-started
	cancel(errors.New("no more time"))
	require.EqualError(t, <-left, "no more time")
	close(release)
}
