package webhook

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// A job that comes while the work has begun waits for it and does not do it again, and
// what was begun fails as the job would have.
func TestAJobTakesOverWhatWasBegun(t *testing.T) {
	h, release := newHeadStart(1), make(chan struct{})
	b := h.reserve(7)
	require.NotNil(t, b)
	require.Nil(t, h.reserve(8), "no more than the slots")
	h.begin(b, stored{Delivery: change.Delivery{ID: "d1", Body: []byte("{}")}}, func(b *begun) {
		<-release
		b.failures, b.assessed = []failure{{err: errors.New("502")}}, true
	})
	taken := h.take(7)
	require.Same(t, b, taken)
	require.Nil(t, h.take(7), "it is taken over once")
	close(release)
	<-taken.done
	require.EqualError(t, taken.failures[0].err, "502")
	require.Nil(t, taken.delivery.Body)
	h.done.Wait()
	require.NotNil(t, h.reserve(8))
}

// A job may be handed out before the work has begun that it is going to take over.
func TestAJobWaitsForWhatIsGoingToBegin(t *testing.T) {
	h := newHeadStart(1)
	b := h.reserve(7)
	taken := h.take(7)
	h.begin(b, stored{}, func(b *begun) { b.assessed = true })
	<-taken.done
	require.True(t, taken.assessed)
}

func TestWhatIsNotStoredIsNotBegun(t *testing.T) {
	h := newHeadStart(1)
	h.cancel(h.reserve(7))
	require.Nil(t, h.take(7))
	require.NotNil(t, h.reserve(7))
	h.cancel(nil)
	h.begin(nil, stored{}, nil)

	s := newStory(t)
	s.play(t, "disk full")
	s.play(t, "post delivery=d1 changes=1 size=900000")
	require.Contains(t, s.text(), "503")
	require.Empty(t, s.server.inbox.head.byRow)
	require.Empty(t, s.server.inbox.head.slots)
}
