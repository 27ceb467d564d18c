package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/turns"
)

// A worker works deliveries: it reads the hint and has each change assessed.
// Working one twice does no harm, because an assessment asks everything afresh.
type worker struct {
	river.WorkerDefaults[deliveryArgs]

	config   Config
	forge    Forge
	assessor Assessor
	metrics  *metrics
	inbox    *inbox
	turns    *turns.Turns[struct{}]
	room     *waitingRoom
	count    *backlog

	ctx      context.Context // of every run; ends when Stop has no more time
	stopping atomic.Bool     // set before ctx ends
}

// A failure is a change that a delivery hints at and that was not assessed.
type failure struct {
	ref change.Ref // zero when the delivery could not even be read
	err error
}

// Work implements river.Worker. What it returns tells River what becomes of the
// job: nil completes it, a snooze puts it off without counting the attempt, any
// other error counts, and ends the job after the last attempt.
func (w *worker) Work(ctx context.Context, job *river.Job[deliveryArgs]) error {
	if job.Args.Row == 0 {
		return w.workSpread(ctx, job)
	}
	start := time.Now()
	b, err := w.takeOver(ctx, job)
	if err != nil {
		return w.fail(w.config.Log, job, stored{at: job.CreatedAt}, []failure{{err: err}})
	}
	d, hint := b.delivery, b.hint
	log := w.config.Log.With("delivery", d.ID, "event", d.Event, "attempt", job.Attempt)
	if panicked := (*turns.Panic)(nil); errors.As(b.err, &panicked) {
		return w.fail(log, job, d, []failure{{err: b.err}})
	}
	if err := b.err; err != nil {
		log.Warn("delivery not understood in full", "changes", names(hint.Refs), "err", err)
		if len(hint.Refs)+len(hint.Owners)+len(hint.Scopes)+len(hint.Requests) == 0 {
			return w.end("unreadable")
		}
	}
	if err := w.widen(ctx, hint); err != nil {
		return w.fail(log, job, d, []failure{{err: err}})
	}
	if !b.assessed {
		b.failures = w.assess(ctx, hint)
	}
	if len(b.failures) > 0 {
		return w.fail(log, job, d, b.failures)
	}
	log.Info("delivery worked", "changes", names(hint.Refs), "elapsed", time.Since(start))
	return w.end("done")
}

// takeOver returns what has begun of the work on a delivery, once that is done; where
// nothing has, the delivery and its hint.
func (w *worker) takeOver(ctx context.Context, job *river.Job[deliveryArgs]) (*begun, error) {
	if b := w.inbox.head.take(job.Args.Row); b != nil {
		select {
		case <-b.done:
			return b, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	d, err := w.inbox.load(ctx, job.Args.Row)
	if err != nil {
		return nil, err
	}
	if job.Attempt == 1 {
		w.metrics.pickup.Observe(w.config.Now().Sub(d.at).Seconds())
	}
	b := &begun{delivery: d}
	b.hint, b.err = w.read(d.Delivery)
	b.delivery.Body = nil // up to 25 MB, not needed while the runs are waited for
	return b, nil
}

// read returns the delivery's hint, and makes the forge adapter forget what it
// says is out of date. Beside an error the hint holds what was understood.
func (w *worker) read(d change.Delivery) (hint change.Hint, err error) {
	err = turns.Guard(func() (err error) {
		if hint, err = w.forge.Hint(d); len(hint.Forget) > 0 {
			w.forge.Forget(hint.Forget)
		}
		return err
	})
	return hint, err
}

// assess has every change assessed and returns those that failed.
func (w *worker) assess(ctx context.Context, hint change.Hint) []failure {
	refs, errs := hint.Refs, make([]error, len(hint.Refs))
	var all sync.WaitGroup
	for i, ref := range refs {
		all.Go(func() { errs[i] = w.look(ctx, ref, hint.Topic) })
	}
	all.Wait()
	var failures []failure
	for i, err := range errs {
		if err != nil {
			failures = append(failures, failure{refs[i], err})
		}
	}
	return failures
}

// run is one assessment. Its callers, of several deliveries, may have gone.
func (w *worker) run(ref change.Ref) error {
	ctx, cancel := context.WithTimeout(w.ctx, w.config.JobTimeout)
	defer cancel()
	start := time.Now()
	err := turns.Guard(func() error { return w.assessor.Assess(ctx, ref) })
	w.metrics.assessed(time.Since(start), err)
	return err
}

// end counts a job that has ended for good.
func (w *worker) end(result string) error {
	w.metrics.jobs.WithLabelValues(result).Inc()
	w.count.add(-1)
	return nil
}

// fail decides what becomes of a job whose changes were not all assessed.
func (w *worker) fail(log *slog.Logger, job *river.Job[deliveryArgs], d stored, failures []failure) error {
	patient := w.config.Now().Sub(d.at) < w.config.Patience
	wait, limited := retryAfter(failures)
	switch {
	case w.stopping.Load():
		// It was we who broke off the run: the next process does it again.
		w.metrics.jobs.WithLabelValues("interrupted").Inc()
		return river.JobSnooze(0)
	case limited && patient:
		return w.postpone(log, wait, failures)
	case job.Attempt < job.MaxAttempts:
		w.metrics.jobs.WithLabelValues("retried").Inc()
		logEach(log, slog.LevelWarn, "delivery failed, trying again", failures)
		return join(failures)
	}
	return w.giveUp(log, failures, patient)
}

// postpone waits as long as the forge asks for, give or take a tenth: many jobs
// were told the same.
func (w *worker) postpone(log *slog.Logger, wait time.Duration, failures []failure) error {
	wait = min(wait, longestWait) + time.Duration(w.config.Rand()*float64(wait)/10)
	w.metrics.jobs.WithLabelValues("postponed").Inc()
	logEach(log.With("wait", wait), slog.LevelWarn, "delivery put off at the forge's request", failures)
	return river.JobSnooze(wait)
}

// giveUpAgain is how long after GiveUp has failed everything is tried once more.
const giveUpAgain = 10 * time.Minute

// giveUp ends every change that failed. When a change cannot even be given up,
// nobody would see that it has no verdict, so as long as the delivery is young
// enough the whole job is tried again, which may also succeed by then.
func (w *worker) giveUp(log *slog.Logger, failures []failure, patient bool) error {
	ctx, cancel := context.WithTimeout(w.ctx, w.config.JobTimeout)
	defer cancel()
	logEach(log, slog.LevelError, "delivery failed for the last time, giving up", failures)
	var unseen []failure
	for _, f := range failures {
		if f.ref == (change.Ref{}) {
			continue // nothing is known that could be given up
		}
		if err := turns.Guard(func() error { return w.assessor.GiveUp(ctx, f.ref, f.err) }); err != nil {
			unseen = append(unseen, failure{f.ref, fmt.Errorf("giving up: %w", err)})
		}
	}
	logEach(log, slog.LevelError, "change could not be given up", unseen)
	if len(unseen) > 0 && (patient || w.stopping.Load()) {
		w.metrics.jobs.WithLabelValues("postponed").Inc()
		return river.JobSnooze(giveUpAgain)
	}
	w.end("given_up")
	return join(failures)
}

// retryAfter returns the longest wait that a failure asks for.
func retryAfter(failures []failure) (wait time.Duration, limited bool) {
	for _, f := range failures {
		var asks interface{ RetryAfter() time.Duration }
		if errors.As(f.err, &asks) && asks.RetryAfter() > 0 {
			wait, limited = max(wait, asks.RetryAfter()), true
		}
	}
	return wait, limited
}

// join returns one error for River to keep with the job.
func join(failures []failure) error {
	errs := make([]error, len(failures))
	for i, f := range failures {
		if errs[i] = f.err; f.ref != (change.Ref{}) {
			errs[i] = fmt.Errorf("assessing %s: %w", f.ref, f.err)
		}
	}
	return errors.Join(errs...)
}

// logEach writes a line for each failure.
func logEach(log *slog.Logger, level slog.Level, message string, failures []failure) {
	for _, f := range failures {
		attrs := []any{"err", f.err}
		if f.ref != (change.Ref{}) {
			attrs = []any{"change", f.ref, "err", f.err}
		}
		if p := (*turns.Panic)(nil); errors.As(f.err, &p) {
			attrs = append(attrs, "stack", string(p.Stack))
		}
		log.Log(context.Background(), level, message, attrs...)
	}
}

// names returns what to call the changes in a log line.
func names(refs []change.Ref) []string {
	list := make([]string, len(refs))
	for i, ref := range refs {
		list[i] = ref.String()
	}
	return list
}
