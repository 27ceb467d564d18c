package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// never is a wait that no test waits out.
const never = time.Hour

func TestABurstCostsOneLook(t *testing.T) {
	room := newWaitingRoom(never)
	looks := 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := room.soon(t.Context(), "a", func() error { return errors.New("looked by itself") })
			require.EqualError(t, err, "503")
		})
	}
	// Whoever enters is there when the wait ends, here by somebody in a hurry.
	for looks = 0; room.waits("a") < 50; {
		runtime.Gosched()
	}
	require.EqualError(t, room.now("a", func() error { looks++; return errors.New("503") }), "503")
	all.Wait()
	require.Equal(t, 1, looks)
}

func TestTheWaitEnds(t *testing.T) {
	room := newWaitingRoom(time.Millisecond)
	require.EqualError(t, room.soon(t.Context(), "a", func() error { return errors.New("503") }), "503")
	require.Empty(t, room.byKey)
}

func TestWhoeverIsInAHurryTakesThoseAlongWhoWait(t *testing.T) {
	room := newWaitingRoom(never)
	result := make(chan error)
	go func() {
		result <- room.soon(t.Context(), "a", func() error { return errors.New("looked by itself") })
	}()
	for room.waits("a") == 0 {
		runtime.Gosched()
	}
	require.NoError(t, room.now("b", func() error { return nil }), "of another change")
	require.EqualError(t, room.now("a", func() error { return errors.New("502") }), "502")
	require.EqualError(t, <-result, "502")
	require.Empty(t, room.byKey)
}

func TestWhoWaitsLooksWhenThereIsNoMoreTime(t *testing.T) {
	room := newWaitingRoom(never)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the server stops"))
	require.Error(t, room.soon(ctx, "a", func() error { return context.Cause(ctx) }))
	require.Empty(t, room.byKey)
}

// What is put off late is looked at once, whatever has put it off, and not at all when
// somebody looked in between or the server has stopped.
func TestALateLook(t *testing.T) {
	room := newWaitingRoom(never)
	room.late = time.Millisecond
	looked := make(chan string, 10)
	look := func(name string) func() error {
		return func() error { looked <- name; return nil }
	}
	room.later("a", look("late"))
	require.Equal(t, "late", <-looked)
	room.looks.Wait()
	require.Empty(t, room.timers)

	room.late = never
	room.later("a", look("late"))
	room.later("a", look("once more"))
	require.Len(t, room.timers, 1)
	require.NoError(t, room.now("a", look("now")))
	require.Equal(t, "now", <-looked)
	require.Empty(t, room.timers, "that look has served it")

	room.later("a", look("late"))
	require.True(t, room.due("a"))
	closed := make(chan struct{})
	go func() { room.close(); close(closed) }()
	select {
	case <-closed:
		t.Error("closed while somebody looks")
	default:
	}
	room.looks.Done()
	<-closed
	room.later("a", look("late"))
	require.Empty(t, room.timers)
	require.False(t, room.due("a"))
}

// waits returns how many wait for a key.
func (r *waitingRoom) waits(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.byKey[key]; w != nil {
		return w.n
	}
	return 0
}

// What a delivery tells of decides whether and when its change is looked at, and is
// asked again once the look that goes on has ended: before the first one nobody knows.
func TestWorkGoesByUrgency(t *testing.T) {
	looking, release := make(chan struct{}), make(chan struct{})
	var known atomic.Bool
	assessor := &testAssessor{
		assess: func(context.Context, change.Ref) error {
			if !known.Load() {
				close(looking)
				<-release
				known.Store(true)
			}
			return nil
		},
		urgency: func(_ change.Ref, t change.Topic) change.Urgency {
			switch {
			case !known.Load() || t == (change.Topic{}):
				return change.Now
			case t.Check == "test":
				return change.Soon
			case t.Check == "lint":
				return change.Late
			}
			return change.Idle
		},
	}
	s, err := New(t.Context(), Config{DataDir: t.TempDir(), Linger: time.Millisecond, poll: 20 * time.Millisecond}, &testForge{}, assessor)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	sent := 0
	post := func(check string) {
		sent++
		r := httptest.NewRequest(http.MethodPost, "/webhooks/github", strings.NewReader(fmt.Sprintf(`{"changes":[1],"check":%q}`, check)))
		r.Header = http.Header{"X-Secret": {"right"}, "Content-Type": {"application/json"}, "X-Delivery": {fmt.Sprint("d", sent)}}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		require.Equal(t, http.StatusAccepted, w.Code)
	}
	post("")
	<-looking
	for range 10 {
		post("docs") // nobody knows yet whether they matter
	}
	close(release)
	require.NoError(t, s.Idle(t.Context()))
	require.Equal(t, 1, assessor.count(1), "they do not")
	s.worker.room.late = never
	post("lint")
	require.NoError(t, s.Idle(t.Context()))
	require.Equal(t, 1, assessor.count(1), "not yet")
	require.Len(t, s.worker.room.timers, 1)
	post("test")
	require.NoError(t, s.Idle(t.Context()))
	require.Equal(t, 2, assessor.count(1))
	require.Empty(t, s.worker.room.timers)
	s.worker.room.late = time.Millisecond
	post("lint")
	require.Eventually(t, func() bool { return assessor.count(1) == 3 }, 10*time.Second, time.Millisecond)
	s.worker.room.looks.Wait()
	post("")
	require.NoError(t, s.Idle(t.Context()))
	require.Equal(t, 4, assessor.count(1))
}
