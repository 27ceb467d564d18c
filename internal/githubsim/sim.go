package githubsim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options configure a simulator. Only Dir is required.
type Options struct {
	// Dir is an existing folder in which the bare repositories are made.
	Dir string

	// Log is told of each delivery and refused call. Optional: the default discards.
	Log *slog.Logger

	// Now is the clock of every date the simulator writes and of token expiry. It
	// is called from several goroutines. Optional: the default is time.Now.
	Now func() time.Time

	// Rand gives tokens, delivery ids and the App's key. Optional: the default
	// is crypto/rand.Reader.
	Rand io.Reader

	// Permissions are what the App's installations may do, such as
	// {"contents": "read"}. Optional: the default is DefaultPermissions.
	Permissions map[string]string

	// RateLimit is the number of calls an installation may make per hour.
	// Optional: the default is 15,000, which an organisation on GitHub
	// Enterprise Cloud has.
	RateLimit int
}

// A Sim is one running GitHub. All methods may be called from any goroutine.
type Sim struct {
	URL string // such as http://127.0.0.1:41234, without a trailing slash
	App App    // the one GitHub App that is registered and installed everywhere

	dir  string
	log  *slog.Logger
	now  func() time.Time
	rand io.Reader

	server   *http.Server
	served   chan struct{} // closed when the server has stopped
	outbox   *outbox
	faults   *faults
	requests *requestLog
	wrap     *wrapper
	queries  *queryCache

	mu            sync.Mutex // guards everything below
	lastID        int64
	accounts      map[string]*account // by lower-case login
	byID          map[int64]*account
	byEmail       map[string]*account
	apps          map[string]*App // by slug
	organizations map[string]*Organization
	repositories  map[string]*Repository // by lower-case full name
	tokens        *tokenTable
	lastTime      time.Time
}

// Start starts a simulator on a free port of the loopback interface.
func Start(o Options) (*Sim, error) {
	if o.Dir == "" {
		return nil, errors.New("starting the simulator: no folder for its repositories")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.RateLimit == 0 {
		o.RateLimit = 15000
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	s := &Sim{
		dir: dir, log: o.Log, now: o.Now, rand: o.Rand, served: make(chan struct{}),
		requests: newRequestLog(), faults: newFaults(), queries: newQueryCache(),
		lastID:   1000,
		accounts: map[string]*account{}, byID: map[int64]*account{}, byEmail: map[string]*account{},
		apps: map[string]*App{}, organizations: map[string]*Organization{}, repositories: map[string]*Repository{},
	}
	if s.App, err = newApp(o.Rand); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	s.App.permissions = o.Permissions
	if s.App.permissions == nil {
		s.App.permissions = DefaultPermissions()
	}
	s.tokens = newTokenTable(o.RateLimit)
	s.outbox = newOutbox(s)
	s.foundBuiltIns()
	if err := s.listen(); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	go s.outbox.run()
	return s, nil
}

// listen opens the port and serves the API on it.
func (s *Sim) listen() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.URL = "http://" + l.Addr().String()
	s.wrap = &wrapper{inner: s.handler()}
	s.server = &http.Server{Handler: s.wrap, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	go func() {
		defer close(s.served)
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the simulator stopped serving", "err", err)
		}
	}()
	return nil
}

// Close stops the server and the deliveries and ends every git process that was
// started. Repositories stay on disk.
func (s *Sim) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = s.server.Close()
	}
	<-s.served
	s.outbox.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.repositories {
		err = errors.Join(err, r.git.close())
	}
	return err
}

// Wrap puts a handler around the API of a running simulator; contract checks
// use it. The last one to be put around is the outermost.
func (s *Sim) Wrap(around func(http.Handler) http.Handler) { s.wrap.around(around) }

// wrapper is a handler that can be replaced while it serves.
type wrapper struct {
	mu    sync.RWMutex
	inner http.Handler
}

func (w *wrapper) around(f func(http.Handler) http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inner = f(w.inner)
}

func (w *wrapper) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.RLock()
	h := w.inner
	w.mu.RUnlock()
	h.ServeHTTP(rw, r)
}

// nextID gives out the next numeric id. Ids of all kinds come from one sequence,
// so that no test passes by mixing up two kinds. The caller holds mu.
func (s *Sim) nextID() int64 {
	s.lastID++
	return s.lastID
}

// clock returns the current time to the second, as GitHub keeps it, and never
// goes back. The caller holds mu.
func (s *Sim) clock() time.Time {
	t := s.now().UTC().Truncate(time.Second)
	if t.Before(s.lastTime) {
		return s.lastTime
	}
	s.lastTime = t
	return t
}

// A Refusal is how GitHub says no to a verb: with the status and the message of
// its API. Status is 0 where there is no API answer: a push that git refuses.
type Refusal struct {
	Status  int
	Message string
}

// Error returns the message with the status in front.
func (r *Refusal) Error() string {
	if r.Status == 0 {
		return r.Message
	}
	return fmt.Sprintf("%d %s", r.Status, r.Message)
}

func refuse(status int, format string, args ...any) error {
	return &Refusal{Status: status, Message: fmt.Sprintf(format, args...)}
}
