package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // for TestZones, which must not depend on the machine's

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/dirlock"
)

// open returns a server that is started and that the test stops at its end.
func open(t testing.TB, c Config, a Assessor) *Server {
	t.Helper()
	if c.DataDir == "" {
		c.DataDir = t.TempDir()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s, err := New(t.Context(), c, &testForge{}, a)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	require.NoError(t, s.Start(t.Context()))
	return s
}

// send posts a delivery about changes and returns the status of the answer.
func send(t testing.TB, s *Server, id string, changes ...int) int {
	t.Helper()
	body, err := json.Marshal(testBody{Changes: changes})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", strings.NewReader(string(body)))
	r.Header = http.Header{"X-Secret": {"right"}, "X-Delivery": {id}, "Content-Type": {"application/json"}}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code
}

// idle waits for the queue to be empty.
func idle(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.Idle(ctx))
}

// states returns how many jobs there are in each state.
func states(t testing.TB, s *Server) map[string]int {
	t.Helper()
	rows, err := s.db.read.Query(`SELECT state, count(*) FROM river_job GROUP BY state`)
	require.NoError(t, err)
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		require.NoError(t, rows.Scan(&state, &n))
		counts[state] = n
	}
	require.NoError(t, rows.Err())
	return counts
}

// What is delivered is worked at once and not when River next polls, which here
// would be in an hour.
func TestWake(t *testing.T) {
	a := &testAssessor{}
	s := open(t, Config{poll: time.Hour}, a)
	for n := range 20 {
		require.Equal(t, http.StatusAccepted, send(t, s, fmt.Sprint("d", n), n))
		idle(t, s)
		require.Equal(t, 1, a.count(n))
	}
}

// A burst about one change that arrives while it is assessed costs one further
// assessment, or a few when a job is slow to get there.
func TestBurst(t *testing.T) {
	release := make(chan struct{})
	a := &testAssessor{assess: func(context.Context, change.Ref) error { <-release; return nil }}
	s := open(t, Config{}, a)
	for n := range 100 {
		require.Equal(t, http.StatusAccepted, send(t, s, fmt.Sprint("d", n), 1))
	}
	hints := &s.forge.(*testForge).hints
	require.Eventually(t, func() bool { return hints.Load() == 100 }, 10*time.Second, time.Millisecond)
	close(release)
	idle(t, s)
	require.LessOrEqual(t, a.count(1), 20, "assessments for 100 deliveries")
}

// Of two changes of one delivery only the one that fails is given up.
func TestOnlyTheFailedIsGivenUp(t *testing.T) {
	var causes []string
	a := &testAssessor{
		assess: func(_ context.Context, ref change.Ref) error {
			if ref.Number == 2 {
				return errors.New("the forge answered 502")
			}
			return nil
		},
		giveUp: func(_ change.Ref, cause error) error { causes = append(causes, cause.Error()); return nil },
	}
	s := open(t, Config{Attempts: 2, FirstRetry: time.Millisecond, poll: 20 * time.Millisecond}, a)
	require.Equal(t, http.StatusAccepted, send(t, s, "d1", 1, 2))
	idle(t, s)
	require.Equal(t, map[int]int{2: 1}, a.givenUp)
	require.Equal(t, map[int]int{1: 2, 2: 2}, a.runs)
	require.Equal(t, []string{"the forge answered 502"}, causes)
	require.Eventually(t, func() bool { return states(t, s)["discarded"] == 1 }, 5*time.Second, 10*time.Millisecond)
}

// When the forge is so far away that not even giving up works, the job is put off
// rather than ended where nobody sees it.
func TestGiveUpFails(t *testing.T) {
	a := &testAssessor{
		assess: func(context.Context, change.Ref) error { return errors.New("the forge is away") },
		giveUp: func(change.Ref, error) error { return errors.New("the forge is away") },
	}
	s := open(t, Config{Attempts: 1}, a)
	require.Equal(t, http.StatusAccepted, send(t, s, "d1", 1))
	require.Eventually(t, func() bool { return states(t, s)["scheduled"] == 1 }, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, map[int]int{1: 1}, a.givenUp)
}

// Patience has an end: a delivery that is a day old is ended, whatever the forge
// says about coming back.
func TestPatienceEnds(t *testing.T) {
	start := time.Now()
	now := func() time.Time { // a day passes between arrival and work
		at := start
		start = start.Add(25 * time.Hour)
		return at
	}
	mutex := make(chan struct{}, 1)
	a := &testAssessor{
		assess: func(context.Context, change.Ref) error { return rateLimit{} },
		giveUp: func(change.Ref, error) error { return errors.New("the forge is away") },
	}
	s := open(t, Config{Attempts: 1, Now: func() time.Time {
		mutex <- struct{}{}
		defer func() { <-mutex }()
		return now()
	}}, a)
	require.Equal(t, http.StatusAccepted, send(t, s, "d1", 1))
	idle(t, s)
	require.Equal(t, map[int]int{1: 1}, a.givenUp)
	require.Equal(t, 1, a.count(1))
}

// Stop waits for what runs and leaves the rest, which the next server works.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	started, release := make(chan int, 1), make(chan struct{})
	a := &testAssessor{assess: func(_ context.Context, ref change.Ref) error {
		select {
		case started <- ref.Number:
		default:
		}
		<-release
		return nil
	}}
	s := open(t, Config{DataDir: dir, MaxWorkers: 1}, a)
	for n := 1; n <= 10; n++ {
		require.Equal(t, http.StatusAccepted, send(t, s, fmt.Sprint("d", n), n))
	}
	running := <-started
	stopped := make(chan error)
	go func() { stopped <- s.Stop(context.Background()) }()
	acked := 10
	require.Eventually(t, func() bool { // Stop may not have begun yet
		late := send(t, s, fmt.Sprint("d", acked+1), acked+1)
		if late == http.StatusAccepted {
			acked++
		}
		return late == http.StatusServiceUnavailable
	}, 5*time.Second, time.Millisecond)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "the server is stopping")
	close(release)
	require.NoError(t, <-stopped)
	require.Equal(t, 1, a.count(running))

	again := &testAssessor{}
	s = open(t, Config{DataDir: dir}, again)
	idle(t, s)
	for n := 1; n <= acked; n++ {
		require.Equal(t, 1, a.count(n)+again.count(n), "change %d", n)
	}
	require.Zero(t, again.count(acked+1), "refused and worked all the same")
}

// A run that does not end in time is broken off. That is not the delivery's
// fault: its only attempt is not used up.
func TestStopBreaksOff(t *testing.T) {
	dir := t.TempDir()
	started := make(chan struct{})
	stuck := &testAssessor{assess: func(ctx context.Context, _ change.Ref) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}}
	s := open(t, Config{DataDir: dir, Attempts: 1}, stuck)
	require.Equal(t, http.StatusAccepted, send(t, s, "d1", 1))
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, s.Stop(ctx))
	require.Empty(t, stuck.givenUp)

	again := &testAssessor{}
	s = open(t, Config{DataDir: dir, Attempts: 1}, again)
	idle(t, s)
	require.Equal(t, 1, again.count(1))
	require.Empty(t, again.givenUp)
}

// Two servers on one queue would work each other's jobs.
func TestSecondServer(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Config{DataDir: dir}, &testAssessor{})
	_, err := New(t.Context(), Config{DataDir: dir}, &testForge{}, &testAssessor{})
	require.ErrorIs(t, err, dirlock.ErrTaken)
	require.NoError(t, first.Stop(t.Context()))
	open(t, Config{DataDir: dir}, &testAssessor{})
}

// Before Start nothing is taken, and /readyz says so.
func TestNotStarted(t *testing.T) {
	s, err := New(t.Context(), Config{DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}, &testForge{}, &testAssessor{})
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, send(t, s, "d1", 1))
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "the queue is not started")
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()))
	require.Error(t, s.Start(t.Context()))
}

// Only the owner can read what was delivered.
func TestFileModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, Config{DataDir: dir}, &testAssessor{})
	require.Equal(t, http.StatusAccepted, send(t, s, "d1", 1))
	for _, name := range []string{".", "queue.sqlite", "queue.sqlite-wal", "queue.sqlite-shm", "LOCK-queue"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s has mode %s", name, info.Mode())
	}
}

// A queue written by a later version is refused.
func TestLaterVersion(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{DataDir: dir}, &testAssessor{})
	_, err := s.db.write.Exec("PRAGMA user_version = 99")
	require.NoError(t, err)
	require.NoError(t, s.Stop(t.Context()))
	_, err = New(t.Context(), Config{DataDir: dir}, &testForge{}, &testAssessor{})
	require.ErrorContains(t, err, "the tables are of version 99, and this server knows up to 1")
}

// River writes some times in the machine's zone and compares them as text. East
// and west of Greenwich what is put off must come back neither at once nor hours
// later.
func TestZones(t *testing.T) {
	for _, zone := range []string{"Asia/Tokyo", "America/New_York"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStories/(rate-limited|retried)$", "-test.v")
		child.Env = append(os.Environ(), "TZ="+zone)
		out, err := child.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestStories/rate-limited")
	}
}
