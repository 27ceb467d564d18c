package webhook

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the server counts. No label takes a value that an outsider
// chooses: event names come from a list, statuses and results from this package.
type metrics struct {
	deliveries  *prometheus.CounterVec   // by event and result: accepted, duplicate, unstored
	refused     *prometheus.CounterVec   // by status
	jobs        *prometheus.CounterVec   // by result: done, unreadable, retried, postponed, interrupted, given_up
	acknowledge prometheus.Histogram     // request to answer, of stored deliveries
	pickup      prometheus.Histogram     // stored to first worked
	assessments *prometheus.HistogramVec // by result: done, failed
	spared      prometheus.Counter
	events      map[string]bool
}

// newMetrics registers the metrics, and the state of the queue in db.
func newMetrics(registry *prometheus.Registry, db *database, now func() time.Time) (*metrics, error) {
	buckets := prometheus.ExponentialBuckets(0.0005, 2, 16) // 0.5 ms to 16 s
	histogram := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: "countersign_" + name, Help: help, Buckets: buckets}
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "countersign_" + name, Help: help}, labels)
	}
	m := &metrics{
		deliveries:  counter("deliveries_total", "Authentic deliveries, by event and what became of them on arrival.", "event", "result"),
		refused:     counter("deliveries_refused_total", "Requests that are not authentic deliveries, by HTTP status.", "status"),
		jobs:        counter("jobs_total", "Attempts to work a delivery, by how they ended.", "result"),
		acknowledge: prometheus.NewHistogram(histogram("acknowledgement_seconds", "From request to answer of an authentic delivery.")),
		pickup:      prometheus.NewHistogram(histogram("pickup_seconds", "From a delivery's arrival to the start of its first attempt.")),
		assessments: prometheus.NewHistogramVec(histogram("assessment_seconds", "One assessment of one change."), []string{"result"}),
		spared:      prometheus.NewCounter(prometheus.CounterOpts{Name: "countersign_looks_spared_total", Help: "Changes that a delivery was about and that it can have changed nothing about that their verdicts rest on."}),
		events:      knownEvents(),
	}
	queue := &queueState{db: db, now: now,
		jobs: prometheus.NewDesc("countersign_queue_jobs", "Deliveries that are stored and not yet worked, by state.", []string{"state"}, nil),
		age:  prometheus.NewDesc("countersign_queue_oldest_seconds", "Age of the oldest of them.", nil, nil)}
	for _, c := range []prometheus.Collector{m.deliveries, m.refused, m.jobs, m.acknowledge, m.pickup, m.assessments, m.spared, queue} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

// received counts an authentic delivery.
func (m *metrics) received(event, result string, elapsed time.Duration) {
	if !m.events[event] {
		event = "other"
	}
	m.deliveries.WithLabelValues(event, result).Inc()
	m.acknowledge.Observe(elapsed.Seconds())
}

// refuse counts a request that is not an authentic delivery.
func (m *metrics) refuse(status int) { m.refused.WithLabelValues(strconv.Itoa(status)).Inc() }

// assessed counts an assessment.
func (m *metrics) assessed(elapsed time.Duration, err error) {
	result := "done"
	if err != nil {
		result = "failed"
	}
	m.assessments.WithLabelValues(result).Observe(elapsed.Seconds())
}

// knownEvents returns the events that are counted by name: those that a change's
// verdict can depend on, and those that every app gets.
func knownEvents() map[string]bool {
	events := map[string]bool{}
	for _, name := range []string{
		"branch_protection_configuration", "branch_protection_rule", "check_run", "check_suite", "create", "delete",
		"deployment", "deployment_protection_rule", "deployment_review", "deployment_status", "github_app_authorization",
		"installation", "installation_repositories", "installation_target", "issue_comment", "issues", "label", "member",
		"membership", "merge_group", "meta", "organization", "ping", "public", "pull_request", "pull_request_review",
		"pull_request_review_comment", "pull_request_review_thread", "push", "repository", "repository_ruleset", "status",
		"team", "team_add", "workflow_job", "workflow_run",
	} {
		events[name] = true
	}
	return events
}

// A queueState reads the state of the queue each time metrics are asked for.
type queueState struct {
	db        *database
	now       func() time.Time
	jobs, age *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (q *queueState) Describe(descs chan<- *prometheus.Desc) { descs <- q.jobs; descs <- q.age }

// Collect implements prometheus.Collector.
func (q *queueState) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, oldest, err := q.db.unfinished(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(q.jobs, err)
		return
	}
	for state, n := range counts {
		out <- prometheus.MustNewConstMetric(q.jobs, prometheus.GaugeValue, float64(n), state)
	}
	age := 0.0
	if !oldest.IsZero() {
		age = max(0, q.now().Sub(oldest).Seconds())
	}
	out <- prometheus.MustNewConstMetric(q.age, prometheus.GaugeValue, age)
}

// unfinished returns how many jobs there are in each state that is not final, and
// when the oldest arrived, which is the zero time when there are none.
func (db *database) unfinished(ctx context.Context) (counts map[string]int, oldest time.Time, err error) {
	counts = map[string]int{"available": 0, "running": 0, "retryable": 0, "scheduled": 0}
	// The rows of a table are numbered in the order they are inserted, so the
	// smallest number is the oldest.
	rows, err := db.read.QueryContext(ctx, `
		SELECT j.state, j.n, d.received_at
		FROM (SELECT state, count(*) AS n, min(json_extract(args, '$.row')) AS first
		      FROM river_job WHERE state IN `+unfinished+` GROUP BY state) AS j
		LEFT JOIN deliveries AS d ON d.row = j.first`)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("counting jobs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n int
		var at *int64
		if err := rows.Scan(&state, &n, &at); err != nil {
			return nil, time.Time{}, fmt.Errorf("counting jobs: %w", err)
		}
		counts[state] = n
		if at != nil && (oldest.IsZero() || time.UnixMilli(*at).Before(oldest)) {
			oldest = time.UnixMilli(*at)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, time.Time{}, fmt.Errorf("counting jobs: %w", err)
	}
	return counts, oldest, nil
}
