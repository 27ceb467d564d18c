package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// ask posts a delivery with a body of its own.
func ask(t *testing.T, s *Server, id, body string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", strings.NewReader(body))
	r.Header = http.Header{"X-Secret": {"right"}, "X-Delivery": {id}, "Content-Type": {"application/json"}}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	require.Equal(t, http.StatusAccepted, w.Code)
}

// many returns n changes.
func many(n int) (h change.Hint) {
	for i := 1; i <= n; i++ {
		h.Refs = append(h.Refs, testRef(i))
	}
	return h
}

// An installation consists of repositories, and those of changes: each is looked at
// once, although the installation is told of twice.
func TestAScopeIsSpreadOverItsChanges(t *testing.T) {
	release := make(chan struct{})
	a := &testAssessor{within: func(scope change.Scope) (change.Hint, error) {
		<-release
		if scope.Owner != "" {
			return change.Hint{Scopes: []change.Scope{{Repository: testRef(0).Repository, Unseen: true}}}, nil
		}
		return many(500), nil
	}}
	s := open(t, Config{}, a)
	ask(t, s, "d1", `{"scopes":["acme"]}`)
	ask(t, s, "d2", `{"scopes":["acme"]}`)
	close(release)
	idle(t, s)
	for n := 1; n <= 500; n++ {
		require.Positive(t, a.count(n))
		require.LessOrEqual(t, a.count(n), 2, "what waits already is not put in the queue again")
	}
}

// One change of many that fails is tried again alone.
func TestOfManyChangesOnlyTheFailedIsTriedAgain(t *testing.T) {
	failures := 0
	a := &testAssessor{within: func(change.Scope) (change.Hint, error) { return many(20), nil }}
	a.assess = func(_ context.Context, ref change.Ref) error {
		if ref.Number == 7 && failures < 2 {
			failures++
			return errors.New("the forge answered 502")
		}
		return nil
	}
	s := open(t, Config{FirstRetry: time.Millisecond, poll: 20 * time.Millisecond}, a)
	ask(t, s, "d1", `{"scopes":["acme"]}`)
	idle(t, s)
	require.Equal(t, 3, a.count(7))
	require.Equal(t, 1, a.count(8))
	require.Empty(t, a.givenUp)
}

// A list that cannot be had is asked for again, and in the end nothing is known that
// could be given up.
func TestAListThatFailsIsAskedForAgain(t *testing.T) {
	asked := 0
	a := &testAssessor{within: func(change.Scope) (change.Hint, error) {
		if asked++; asked < 3 {
			return change.Hint{}, errors.New("the forge answered 502")
		}
		return many(1), nil
	}}
	s := open(t, Config{FirstRetry: time.Millisecond, poll: 20 * time.Millisecond}, a)
	ask(t, s, "d1", `{"scopes":["acme"]}`)
	idle(t, s)
	require.Equal(t, 3, asked)
	require.Equal(t, 1, a.count(1))
}

// A process that ends in the middle leaves the rest to the next one.
func TestASpreadOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	began, block := make(chan struct{}, 100), make(chan struct{})
	stuck := &testAssessor{
		within: func(change.Scope) (change.Hint, error) { return many(40), nil },
		assess: func(ctx context.Context, ref change.Ref) error {
			if ref.Number <= 20 {
				return nil
			}
			began <- struct{}{}
			select {
			case <-block:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	s := open(t, Config{DataDir: dir}, stuck)
	ask(t, s, "d1", `{"scopes":["acme"]}`)
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, s.Stop(ctx))

	again := &testAssessor{}
	s = open(t, Config{DataDir: dir}, again)
	idle(t, s)
	for n := 21; n <= 40; n++ {
		require.Equal(t, 1, again.count(n), "change %d", n)
	}
	require.Empty(t, again.givenUp)
}

// Bodies of what was worked are dropped although changes wait that came of none.
func TestBodiesAreDroppedBesideASpread(t *testing.T) {
	block := make(chan struct{})
	a := &testAssessor{assess: func(context.Context, change.Ref) error { <-block; return nil }}
	s := open(t, Config{}, a)
	require.NoError(t, s.Later(t.Context(), many(1)))
	ask(t, s, "d1", `{}`)
	require.Eventually(t, func() bool { return s.forge.(*testForge).hints.Load() == 1 }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool {
		n, err := s.inbox.prune(t.Context(), time.Now().Add(time.Hour))
		return err == nil && n == 1
	}, 10*time.Second, 10*time.Millisecond, "the body of d1 is dropped")
	close(block)
	idle(t, s)
}

// jobsIn returns how many jobs there are in a state.
func jobsIn(t *testing.T, s *Server, state string) (n int) {
	t.Helper()
	require.NoError(t, s.inbox.db.read.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job WHERE state = ?`, state).Scan(&n))
	return n
}

// While one change waits for the forge, what else is to be looked at is, and so is that
// change when there is something new: it does not sleep until its next attempt.
func TestASpreadBesideAJobThatWaits(t *testing.T) {
	var away atomic.Bool
	away.Store(true)
	a := &testAssessor{within: func(change.Scope) (change.Hint, error) { return many(3), nil }}
	a.assess = func(_ context.Context, ref change.Ref) error {
		if ref.Number == 99 && away.Load() {
			return errors.New("the forge answered 502")
		}
		return nil
	}
	s := open(t, Config{FirstRetry: time.Hour}, a)
	require.NoError(t, s.Later(t.Context(), change.Hint{Refs: []change.Ref{testRef(99)}}))
	require.Eventually(t, func() bool { return jobsIn(t, s, "retryable") == 1 }, 10*time.Second, time.Millisecond)
	ask(t, s, "d1", `{"scopes":["acme"]}`)
	require.Eventually(t, func() bool { return a.count(1) == 1 && a.count(3) == 1 }, 10*time.Second, time.Millisecond, "the scope is asked about")
	away.Store(false)
	require.NoError(t, s.Later(t.Context(), change.Hint{Refs: []change.Ref{testRef(99), testRef(99)}}))
	idle(t, s)
	require.Equal(t, 2, a.count(99))
	require.Zero(t, jobsIn(t, s, "retryable"))
}
