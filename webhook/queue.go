package webhook

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/countersign-dev/countersign/change"
)

// queueName is River's name of the only queue.
const queueName = river.QueueDefault

// deliveryArgs is what a job holds: one of these.
type deliveryArgs struct {
	Row    int64         `json:"row,omitempty"`    // of the deliveries table
	Change *change.Ref   `json:"change,omitempty"` // to be assessed
	Scope  *change.Scope `json:"scope,omitempty"`  // of changes that are to be assessed
}

// Kind implements river.JobArgs.
func (deliveryArgs) Kind() string { return "delivery" }

// unfinished lists, in SQL, the states of jobs that are still to be worked.
const unfinished = `('available', 'running', 'retryable', 'scheduled')`

// How often River looks for jobs. New ones wake it at once, so the poll only has
// to find those that were put off, and the cooldown only keeps a burst from
// costing a fetch, which is a write, for each commit.
const (
	pollInterval  = 500 * time.Millisecond
	fetchCooldown = 2 * time.Millisecond
)

// jobsPerRun is how many jobs River starts for each assessment that may go on.
// Most jobs of a burst wait to share a run, and while they do they need a job
// slot and nothing else.
const jobsPerRun = 4

// waitPerRun bounds, in runs, how long a job may take: it waits for a slot behind
// other changes' runs, for its own change's present run, and for its own.
const waitPerRun = jobsPerRun + 2

// newQueue makes River's tables and its client, not yet started.
func newQueue(ctx context.Context, d *driver, c Config, w *worker) (*river.Client[*sql.Tx], error) {
	log := slog.New(atLeast{slog.LevelWarn, c.Log.Handler()}).With("from", "river")
	migrator, err := rivermigrate.New(d, &rivermigrate.Config{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("reading the queue's migrations: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("making the queue's tables: %w", err)
	}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, w); err != nil {
		return nil, fmt.Errorf("naming the queue's worker: %w", err)
	}
	client, err := river.NewClient(d, &river.Config{
		FetchCooldown:     fetchCooldown,
		FetchPollInterval: c.poll,
		JobTimeout:        waitPerRun * c.JobTimeout,
		Logger:            log,
		MaxAttempts:       c.Attempts,
		Queues:            map[string]river.QueueConfig{queueName: {MaxWorkers: jobsPerRun * c.MaxWorkers}},
		// SQLite's indexes do not bloat, and rebuilding one would block every
		// delivery meanwhile.
		ReindexerIndexNames: []string{},
		// Left for jobs whose end could not be written; see recoverJobs for those
		// of a killed process.
		RescueStuckJobsAfter: waitPerRun*c.JobTimeout + time.Minute,
		RetryPolicy:          backoff{first: c.FirstRetry, rand: c.Rand},
		Workers:              workers,
	})
	if err != nil {
		return nil, fmt.Errorf("making the queue: %w", err)
	}
	return client, nil
}

// recoverJobs makes the jobs that a dead process was running available, and
// returns how many there were and how many jobs there are in all. River would
// wait until RescueStuckJobsAfter before it believes that they are not running.
// We know: the lock says that no other process works on this file, and in this
// one River has not started.
//
// Jobs that were put off become available too. River's fetch respects the time
// they are put off to, and it does not depend, as its scheduler does, on the
// leader's lease, which for the same reason is not waited for.
func recoverJobs(ctx context.Context, db *sql.DB) (running, all int64, err error) {
	err = inTx(ctx, db, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE state = 'running'), count(*) FROM river_job WHERE state IN `+unfinished).
			Scan(&running, &all); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE state IN ('running', 'retryable', 'scheduled')`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM river_leader`)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("taking up the jobs of the last process: %w", err)
	}
	return running, all, nil
}

// backoff says when a failed job is tried again: 2 s, 6.6 s, 22 s, 1 min, 4 min,
// 13 min, 43 min after each failure, by default, give or take a fifth so that
// what failed together does not come back together.
type backoff struct {
	first time.Duration
	rand  func() float64
}

// longestWait bounds a wait whatever the number of attempts.
const longestWait = time.Hour

// NextRetry implements river.ClientRetryPolicy. It is by the machine's clock,
// because River compares it with that.
func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(b.wait(job.Attempt))
}

// wait returns how long to wait after the given attempt, from 1.
func (b backoff) wait(attempt int) time.Duration {
	wait := float64(b.first)
	for range attempt - 1 {
		wait = min(wait*3.3, float64(longestWait))
	}
	return time.Duration(wait * (0.8 + 0.4*b.rand()))
}

// atLeast is a log handler that drops what is below a level. River tells at the
// level of information what this package tells better.
type atLeast struct {
	level slog.Level
	slog.Handler
}

// Enabled implements slog.Handler.
func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.level, h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.level, h.Handler.WithGroup(name)}
}
