package turns

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// A hundred callers who come during a run share one further run, which begins
// after they came.
func TestCallersShareTheNextRun(t *testing.T) {
	started, release := make(chan int), make(chan error)
	runs := 0
	run := func() (int, error) {
		runs++
		started <- runs
		return runs, <-release
	}
	turns := New[int](1)
	first := turns.join("a", run)
	require.Equal(t, 1, <-started)

	var callers []*shared[int]
	for range 100 {
		callers = append(callers, turns.join("a", run))
	}
	release <- nil
	<-first.done
	require.NoError(t, first.err)
	require.Equal(t, 2, <-started)

	late := turns.join("a", run) // while the second run goes on: it may not have seen why
	release <- errors.New("the forge is away")
	for _, s := range callers {
		<-s.done
		require.EqualError(t, s.err, "the forge is away")
	}
	require.Equal(t, 3, <-started)
	release <- nil
	<-late.done
	require.NoError(t, late.err)
	require.Equal(t, 3, late.result)
}

// Callers who wait for one key leave the other slots to other keys, and no more
// runs go on than there are slots.
func TestWaitingHoldsNoSlot(t *testing.T) {
	started, release := make(chan string, 10), make(chan struct{})
	turns := New[string](2)
	join := func(key string) *shared[string] {
		return turns.join(key, func() (string, error) { started <- key; <-release; return key, nil })
	}
	callers := []*shared[string]{join("a")}
	require.Equal(t, "a", <-started)
	for range 50 {
		callers = append(callers, join("a"))
	}
	callers = append(callers, join("b"))
	require.Equal(t, "b", <-started, "b must not wait behind the callers of a")

	callers = append(callers, join("c"))
	require.Len(t, turns.slots, 2)
	require.Empty(t, started, "a third run began beside two")
	close(release)
	for _, s := range callers {
		<-s.done
	}
	require.Len(t, started, 2, "a and c had one more run each")
}

// A caller who has no more time leaves; the run goes on for the others.
func TestACallerLeaves(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	turns := New[int](0)
	ctx, cancel := context.WithCancelCause(t.Context())
	left := make(chan error)
	go func() {
		_, err := turns.Do(ctx, "a", func() (int, error) { close(started); <-release; return 0, nil })
		left <- err
	}()
	<-started
	cancel(errors.New("no more time"))
	require.EqualError(t, <-left, "no more time")
	other := turns.join("a", func() (int, error) { return 7, nil })
	close(release)
	<-other.done
	require.Equal(t, 7, other.result)
}

// A panic is an error for every caller, and the key is not stuck.
func TestAPanicIsAnError(t *testing.T) {
	turns := New[int](1)
	_, err := turns.Do(t.Context(), "a", func() (int, error) { panic("a bug") })
	var p *Panic
	require.ErrorAs(t, err, &p)
	require.Contains(t, string(p.Stack), "turns_test.go")
	n, err := turns.Do(t.Context(), "a", func() (int, error) { return 1, nil })
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// Ended waits for the run that goes on.
func TestEnded(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	turns := New[int](0)
	require.NoError(t, turns.Ended(t.Context(), "a"), "nothing goes on")

	run := turns.join("a", func() (int, error) { close(started); <-release; return 1, nil })
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no time"))
	require.EqualError(t, turns.Ended(gone, "a"), "no time", "about to begin, or going on")
	<-started
	require.EqualError(t, turns.Ended(gone, "a"), "no time", "going on")
	require.NoError(t, turns.Ended(gone, "b"))

	ended := make(chan error)
	go func() { ended <- turns.Ended(t.Context(), "a") }()
	close(release)
	require.NoError(t, <-ended)
	<-run.done
}
