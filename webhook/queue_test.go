package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// The waits add up to about an hour with the default of eight attempts, and are
// bounded however many there are.
func TestBackoff(t *testing.T) {
	middle := backoff{first: 2 * time.Second, rand: func() float64 { return 0.5 }}
	var sum time.Duration
	for attempt := 1; attempt < 8; attempt++ {
		sum += middle.wait(attempt)
	}
	require.Equal(t, 2*time.Second, middle.wait(1))
	require.InDelta(t, time.Hour, sum, float64(10*time.Minute))
	require.Equal(t, time.Hour, middle.wait(1000))
	require.Equal(t, 1600*time.Millisecond, backoff{first: 2 * time.Second, rand: func() float64 { return 0 }}.wait(1))
	require.Less(t, backoff{first: 2 * time.Second, rand: func() float64 { return 0.999 }}.wait(1), 2400*time.Millisecond)
}

// What a dead process left in any unfinished state is taken up. A job that was
// put off keeps its time.
func TestRecoverJobs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{DataDir: dir}, &testAssessor{})
	for n := 1; n <= 4; n++ {
		require.Equal(t, http.StatusAccepted, send(t, s, fmt.Sprint("d", n), n))
	}
	idle(t, s)
	require.Eventually(t, func() bool { return states(t, s)["completed"] == 4 }, 5*time.Second, 10*time.Millisecond)
	for id, left := range map[int]string{
		1: `state = 'running', finalized_at = NULL, attempted_by = jsonb('["the dead one"]')`,
		2: `state = 'retryable', finalized_at = NULL, scheduled_at = '2020-01-01 00:00:00'`,
		3: `state = 'scheduled', finalized_at = NULL, scheduled_at = '2099-01-01 00:00:00'`,
	} {
		_, err := s.db.write.Exec(`UPDATE river_job SET `+left+` WHERE id = ?`, id)
		require.NoError(t, err)
	}
	require.NoError(t, s.Stop(t.Context()))

	again := &testAssessor{}
	s = open(t, Config{DataDir: dir}, again)
	require.Eventually(t, func() bool { return again.count(1) == 1 && again.count(2) == 1 }, 5*time.Second, time.Millisecond)
	require.Zero(t, again.count(3), "was put off to 2099")
	require.Zero(t, again.count(4), "was complete")
	require.Error(t, s.Idle(expired(t)), "one is not finished")
	counts, oldest, err := s.db.unfinished(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, counts["available"])
	require.WithinDuration(t, time.Now(), oldest, time.Minute)
}

// expired returns a context that has ended.
func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// Old bodies go, ids stay and still mark a duplicate. The body of a delivery that
// is not finished stays however old it is.
func TestPrune(t *testing.T) {
	a := &testAssessor{assess: func(_ context.Context, ref change.Ref) error {
		if ref.Number == 2 {
			return errors.New("the forge is away")
		}
		return nil
	}}
	s := open(t, Config{FirstRetry: time.Hour}, a)
	for n := 1; n <= 3; n++ {
		require.Equal(t, http.StatusAccepted, send(t, s, fmt.Sprint("d", n), n))
	}
	require.Eventually(t, func() bool { return states(t, s)["completed"] == 2 && states(t, s)["retryable"] == 1 }, 5*time.Second, 10*time.Millisecond)
	_, err := s.db.write.Exec(`UPDATE deliveries SET received_at = 0 WHERE id IN ('d1', 'd2')`)
	require.NoError(t, err)

	dropped, err := s.inbox.prune(t.Context(), time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.EqualValues(t, 1, dropped)
	kept := map[string]bool{}
	rows, err := s.db.read.Query(`SELECT id, body IS NOT NULL FROM deliveries`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		var body bool
		require.NoError(t, rows.Scan(&id, &body))
		kept[id] = body
	}
	require.Equal(t, map[string]bool{"d1": false, "d2": true, "d3": true}, kept)
	require.Equal(t, http.StatusAccepted, send(t, s, "d1", 1))
	require.Equal(t, 1, a.count(1), "worked again after its body was dropped")
}

// Prune goes on until nothing old is left, however much that is.
func TestPruneManyBatches(t *testing.T) {
	s, err := New(t.Context(), Config{DataDir: t.TempDir()}, &testForge{}, &testAssessor{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop(t.Context())) }()
	require.NoError(t, inTx(t.Context(), s.db.write, func(tx *sql.Tx) error {
		for n := range 2*pruneBatch + 1 {
			if _, err := tx.Exec(`INSERT INTO deliveries (id, event, received_at, body) VALUES (?, 'push', 0, x'7b7d')`, fmt.Sprint("old", n)); err != nil {
				return err
			}
		}
		return nil
	}))
	dropped, err := s.inbox.prune(t.Context(), time.Now())
	require.NoError(t, err)
	require.EqualValues(t, 2*pruneBatch+1, dropped)
}

// A large delivery that does not fit any more does not take those down with it
// that are stored together with it.
func TestBatchFallsApart(t *testing.T) {
	s := open(t, Config{}, &testAssessor{})
	var size int
	require.NoError(t, s.db.write.QueryRow(`PRAGMA page_count`).Scan(&size))
	require.NoError(t, s.db.write.QueryRow(fmt.Sprintf(`PRAGMA max_page_count = %d`, size+20)).Scan(&size))
	large := &arrival{delivery: change.Delivery{ID: "large", Body: make([]byte, 1<<20)}, at: time.Now(), stored: make(chan error, 1)}
	small := &arrival{delivery: change.Delivery{ID: "small", Body: []byte(`{"changes":[1]}`)}, at: time.Now(), stored: make(chan error, 1)}
	twice := &arrival{delivery: small.delivery, at: time.Now(), stored: make(chan error, 1)}
	s.inbox.commit([]*arrival{large, small, twice})
	require.ErrorContains(t, <-large.stored, "full")
	require.NoError(t, <-small.stored)
	require.ErrorIs(t, <-twice.stored, errDuplicate)
	idle(t, s)
}
