package webhook

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/countersign-dev/countersign/change"
)

// A Forge tells what a delivery is. Its methods are called concurrently.
type Forge interface {
	// Authenticate reads the delivery that r posts and proves that the forge
	// sent it. The error may have a method StatusCode() int, which is the HTTP
	// status to refuse it with: 400, 401, 405, 413, 415 or 503.
	Authenticate(r *http.Request) (change.Delivery, error)

	// Hint reads from the body which changes to look at. It is pure: an error
	// means that the body, or what is not in the hint, will never be understood.
	Hint(d change.Delivery) (change.Hint, error)

	// Forget drops cached answers that a delivery says are out of date.
	Forget(keys []string)
}

// An Assessor brings verdicts up to date. Its methods are called concurrently.
type Assessor interface {
	// Assess gathers, judges, records and reports one change. It can be repeated
	// at will. The error may have a method RetryAfter() time.Duration, which says
	// that the forge wants to be left alone that long.
	Assess(ctx context.Context, ref change.Ref) error

	// Urgency returns how soon to call Assess because of what a delivery can have
	// changed. It asks nobody.
	Urgency(ref change.Ref, topic change.Topic) change.Urgency

	// Affected returns the open changes in the repositories of an owner whose people
	// have changed roles, as far as those decide their verdicts.
	Affected(ctx context.Context, owner string) ([]change.Ref, error)

	// Within returns what a scope consists of: open changes, or smaller scopes. What it
	// returns beside an error is known all the same.
	Within(ctx context.Context, scope change.Scope) (change.Hint, error)

	// Linked returns the changes that are linked to a change request which is not
	// what it was.
	Linked(ctx context.Context, request change.RequestID) ([]change.Ref, error)

	// GiveUp ends a change visibly, never green, after Assess has failed for the
	// last time because of cause.
	GiveUp(ctx context.Context, ref change.Ref, cause error) error
}

// Config is what a Server is made of. Only DataDir is required.
type Config struct {
	// DataDir is the directory of queue.sqlite and LOCK-queue. It is created,
	// readable by its owner only, when it does not exist.
	DataDir string

	// Log takes what happens to each delivery; bodies and secrets never enter it.
	// Optional: slog.Default.
	Log *slog.Logger

	// Now tells the time that is written down and that ages are measured by.
	// Optional: time.Now. Waiting is always by the machine's clock.
	Now func() time.Time

	// Rand returns numbers in [0, 1), which spread retries out. Optional.
	Rand func() float64

	// MaxWorkers is how many assessments go on at the same time. Optional: 64,
	// which with one request each stays below GitHub's limit of 100 at a time.
	MaxWorkers int

	// Attempts is how often a delivery is tried before its changes are given up.
	// Optional: 8, which with FirstRetry of 2 s takes about an hour.
	Attempts int

	// FirstRetry is how long to wait after the first failure; every further wait
	// is 3.3 times as long. Optional: 2 s.
	FirstRetry time.Duration

	// Patience is how old a delivery may become while a forge that limits our
	// rate keeps telling us to come back, or while giving up fails too.
	// Optional: 24 h.
	Patience time.Duration

	// JobTimeout bounds one assessment. Optional: 1 min.
	JobTimeout time.Duration

	// Linger is how long a delivery waits for others to share its look when it cannot
	// let its change through whatever it tells of. Optional: 500 ms.
	Linger time.Duration

	// KeepBodies is how long the body of a delivery that was worked is kept.
	// Optional: 7 days.
	KeepBodies time.Duration

	// Ready are further probes of /readyz, such as the evidence log's. An error
	// says what is not ready. Optional.
	Ready []func(ctx context.Context) error

	// Metrics is where this server's metrics are registered, and what /metrics
	// shows. Optional: a registry of its own.
	Metrics *prometheus.Registry

	poll time.Duration // how often River looks for jobs; tests set it
}

// withDefaults returns the configuration with what is optional filled in.
func (c Config) withDefaults() Config {
	c.Log = cmp.Or(c.Log, slog.Default())
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	c.MaxWorkers = cmp.Or(c.MaxWorkers, 64)
	c.Attempts = cmp.Or(c.Attempts, 8)
	c.FirstRetry = cmp.Or(c.FirstRetry, 2*time.Second)
	c.Patience = cmp.Or(c.Patience, 24*time.Hour)
	c.JobTimeout = cmp.Or(c.JobTimeout, time.Minute)
	c.Linger = cmp.Or(c.Linger, 500*time.Millisecond)
	c.KeepBodies = cmp.Or(c.KeepBodies, 7*24*time.Hour)
	c.poll = cmp.Or(c.poll, pollInterval)
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	return c
}
