package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/riverqueue/river"

	"github.com/countersign-dev/countersign/internal/turns"
)

// A Server receives, stores and works deliveries. Make it with New, Start it,
// serve its Handler, and Stop it when no more requests can come.
type Server struct {
	config  Config
	forge   Forge
	db      *database
	client  *river.Client[*sql.Tx]
	worker  *worker
	inbox   *inbox
	count   *backlog
	metrics *metrics

	abort      context.CancelFunc // ends all runs
	background sync.WaitGroup     // the inbox's writer and the pruner
	halt       chan struct{}      // closed to end them
	lastWrite  lastProbe

	mu       sync.Mutex
	at       phase
	inFlight sync.WaitGroup // deliveries being received; added to while mu is held
}

// A phase is where a server is in its life. It only goes forward.
type phase int

const (
	created phase = iota
	running
	stopped // or stopping
)

// New opens the queue in the data directory and makes its tables. It returns
// dirlock.ErrTaken when another server has it open. Stop the server even when it is never
// started.
func New(ctx context.Context, c Config, forge Forge, assessor Assessor) (*Server, error) {
	if c.DataDir == "" {
		return nil, errors.New("the webhook server needs a data directory")
	}
	c = c.withDefaults()
	db, err := openDatabase(ctx, c.DataDir)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, forge: forge, db: db, count: &backlog{}, halt: make(chan struct{})}
	if err := s.assemble(ctx, assessor); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return s, nil
}

// assemble makes what the server consists of.
func (s *Server) assemble(ctx context.Context, assessor Assessor) (err error) {
	if s.metrics, err = newMetrics(s.config.Metrics, s.db, s.config.Now); err != nil {
		return err
	}
	runs, abort := context.WithCancel(context.Background())
	s.abort = abort
	s.worker = &worker{config: s.config, forge: s.forge, assessor: assessor, metrics: s.metrics, count: s.count, ctx: runs}
	// The assessor shares runs as well; doing it here keeps those who wait from
	// holding slots that other changes need.
	s.worker.turns = turns.New[struct{}](s.config.MaxWorkers)
	s.worker.room = newWaitingRoom(s.config.Linger)
	d := newDriver(s.db.write)
	if s.client, err = newQueue(ctx, d, s.config, s.worker); err != nil {
		abort()
		return err
	}
	s.inbox = &inbox{db: s.db, client: s.client, wake: d.wake.call, count: s.count, arrivals: make(chan *arrival), head: newHeadStart(jobsPerRun * s.config.MaxWorkers), start: s.worker.start}
	s.worker.inbox = s.inbox
	return nil
}

// Start takes up what the last process left and begins to take deliveries. ctx
// bounds the starting, not what was started: that ends with Stop.
func (s *Server) Start(ctx context.Context) error {
	if s.phase() != created {
		return errors.New("starting the queue: it was started before")
	}
	interrupted, unfinished, err := recoverJobs(ctx, s.db.write)
	if err != nil {
		return err
	}
	if unfinished > 0 {
		s.config.Log.Info("taking up deliveries of the last process", "unfinished", unfinished, "interrupted", interrupted)
	}
	s.count.add(int(unfinished))
	if err := s.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting the queue: %w", err)
	}
	s.background.Go(func() { s.inbox.run(s.halt) })
	s.background.Go(s.pruneHourly)
	s.advance(running)
	return nil
}

// Stop stops taking deliveries, lets running jobs end until ctx does, breaks off
// those that then still run, and closes the queue. What was not finished is
// worked when the next server starts. Only the first call does anything. Shut the HTTP server down first: a delivery
// that comes later is answered 503.
func (s *Server) Stop(ctx context.Context) error {
	switch s.advance(stopped) {
	case created:
		s.abort()
		return s.db.close()
	case stopped:
		return nil
	}
	s.inFlight.Wait() // each takes storeTimeout at most
	close(s.halt)
	err := s.client.Stop(ctx)
	if err != nil {
		err = s.breakOff()
	}
	s.abort()
	s.background.Wait()
	s.inbox.head.done.Wait()
	s.worker.room.close()
	return errors.Join(err, s.db.close())
}

// breakOffTimeout is how long jobs may take to notice that they are broken off.
const breakOffTimeout = 5 * time.Second

// breakOff ends the jobs that run. They are put back without counting the attempt.
func (s *Server) breakOff() error {
	s.config.Log.Warn("breaking off running jobs")
	s.worker.stopping.Store(true)
	s.abort()
	ctx, cancel := context.WithTimeout(context.Background(), breakOffTimeout)
	defer cancel()
	if err := s.client.StopAndCancel(ctx); err != nil {
		return fmt.Errorf("breaking off running jobs: %w", err)
	}
	return nil
}

// Idle returns nil when every delivery that was accepted has ended for good. It is
// for tests and demonstrations.
func (s *Server) Idle(ctx context.Context) error {
	if err := s.count.wait(ctx); err != nil {
		return fmt.Errorf("waiting for the queue to be empty: %w", err)
	}
	return nil
}

// advance moves the server to a later phase and returns the one it was in.
func (s *Server) advance(to phase) (from phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from = s.at
	s.at = max(s.at, to)
	return from
}

func (s *Server) phase() phase {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// enter reports whether a delivery may be received. When it may, inFlight is done
// once when it was.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at != running {
		return false
	}
	s.inFlight.Add(1)
	return true
}

// pruneHourly drops old bodies, at once and then every hour.
func (s *Server) pruneHourly() {
	hour := time.NewTicker(time.Hour)
	defer hour.Stop()
	for {
		dropped, err := s.inbox.prune(s.worker.ctx, s.config.Now().Add(-s.config.KeepBodies))
		if err != nil {
			s.config.Log.Error("old bodies not dropped", "err", err)
		} else if dropped > 0 {
			s.config.Log.Info("old bodies dropped", "deliveries", dropped)
		}
		select {
		case <-s.halt:
			return
		case <-hour.C:
		}
	}
}

// Handler returns the server's pages.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks/github", s.receive)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.config.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}

// HTTPServer returns an HTTP server for the Handler on addr whose limits suit it:
// a delivery is up to 25 MB and the forge waits 10 s for the answer.
func (s *Server) HTTPServer(addr string) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
	}
}
