package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/forge/github"
	"github.com/countersign-dev/countersign/gate"
	"github.com/countersign-dev/countersign/webhook"
)

// A parts list is what a server is wired from.
type parts struct {
	listen string
	data   string // the queue lies in it, the evidence in its folder "evidence"
	forge  github.Config
	ledger evidence.Config // without Dir
	queue  webhook.Config  // without DataDir
	log    *slog.Logger

	trackers map[string]gate.Tracker // beside GitHub, by the names that policies have for them

	now func() time.Time // optional

	observe func(change.Facts, gate.Assessment) // told of every assessment; optional
}

// A server is the whole thing, running.
type server struct {
	url    string // where it listens
	forge  *github.Forge
	ledger *evidence.Ledger
	hooks  *webhook.Server

	http   *http.Server
	served chan error

	path  *gate.Gate
	log   *slog.Logger
	halt  context.CancelFunc // ends the look back
	ended sync.WaitGroup     // the look back

	asking sync.WaitGroup // of trackers that were silent, until halt
}

// evidenceDir names the folder of a data directory that holds the evidence.
const evidenceDir = "evidence"

// start wires the parts and serves. What it opened before an error it closes.
func start(ctx context.Context, p parts) (*server, error) {
	forge, err := github.New(p.forge)
	if err != nil {
		return nil, exit(misused, "setting up GitHub: %w", err)
	}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	p.ledger.Dir = filepath.Join(p.data, evidenceDir)
	ledger, err := evidence.Open(ctx, p.ledger)
	if err != nil {
		return nil, fmt.Errorf("opening the evidence: %w", err)
	}
	s := &server{forge: forge, ledger: ledger, served: make(chan error, 1)}
	if err := s.serve(ctx, p); err != nil {
		return nil, errors.Join(err, ledger.Close(ctx))
	}
	return s, nil
}

// serve starts the queue and then the listener, so that nothing is accepted that
// nobody works on.
func (s *server) serve(ctx context.Context, p parts) error {
	p.queue.DataDir = p.data
	p.queue.Ready = append(p.queue.Ready, func(context.Context) error { return s.ledger.Health() })
	s.log = p.log
	if p.now == nil {
		p.now = time.Now
	}
	trackers := map[string]gate.Tracker{change.GitHubIssues: s.forge}
	maps.Copy(trackers, p.trackers)
	s.path = gate.New(gate.Config{Forge: s.forge, Ledger: s.ledger, Trackers: trackers, Log: p.log, Now: p.now, Observe: p.observe,
		Later: func(ctx context.Context, hint change.Hint) error { return s.hooks.Later(ctx, hint) }})
	hooks, err := webhook.New(ctx, p.queue, s.forge, s.path)
	if err != nil {
		return fmt.Errorf("opening the queue: %w", err)
	}
	s.hooks = hooks
	listener, err := net.Listen("tcp", p.listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listening: %w", err), hooks.Stop(ctx))
	}
	if err := hooks.Start(ctx); err != nil {
		return errors.Join(fmt.Errorf("starting the queue: %w", err), listener.Close(), hooks.Stop(ctx))
	}
	s.url = "http://" + listener.Addr().String()
	s.http = hooks.HTTPServer(p.listen)
	s.http.ErrorLog = slog.NewLogLogger(p.log.Handler(), slog.LevelWarn)
	go func() { s.served <- s.http.Serve(listener) }()
	back, halt := context.WithCancel(context.WithoutCancel(ctx))
	s.halt = halt
	s.ended.Go(func() { s.lookBack(back) })
	s.asking.Go(func() { s.askAgain(back) })
	// What was opened or moved meanwhile is not among that, and its delivery may be lost.
	missed := change.Hint{Scopes: []change.Scope{{Unseen: true, Missed: true}}}
	if err := hooks.Later(ctx, missed); err != nil {
		p.log.ErrorContext(ctx, "looking for missed changes failed", "err", err)
	}
	return nil
}

// askEvery is how often it is looked whether it is time to ask a tracker again.
const askEvery = 20 * time.Second

// askAgain has the changes judged again for which a tracker that was silent has an
// answer now.
func (s *server) askAgain(ctx context.Context) {
	every := time.NewTicker(askEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			s.hear(ctx)
		}
	}
}

// hear asks once.
func (s *server) hear(ctx context.Context) {
	refs := s.path.AskAgain(ctx)
	if len(refs) == 0 {
		return
	}
	if err := s.hooks.Later(ctx, change.Hint{Refs: refs}); err != nil {
		s.log.ErrorContext(ctx, "a tracker answers again, and what waits for it could not be stored", "err", err)
	}
}

// lookBack assesses once more what stands let through: while the server was down
// nobody looked, and the deliveries that told of it may not come again. What fails
// is tried again after a while that grows up to a minute, for as long as it takes.
func (s *server) lookBack(ctx context.Context) {
	refs, err := s.path.Affected(ctx, "")
	if err != nil {
		s.log.ErrorContext(ctx, "looking back failed", "err", err)
		return
	}
	looked := len(refs)
	for wait := time.Second; len(refs) > 0; wait = min(2*wait, time.Minute) {
		refs = slices.DeleteFunc(refs, func(ref change.Ref) bool {
			err := s.path.Assess(ctx, ref)
			if err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "looking back failed", "change", ref.String(), "err", err)
			}
			return err == nil
		})
		if len(refs) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
	s.log.InfoContext(ctx, "looked back", "changes", looked)
}

// stop stops accepting, lets what runs end, and closes everything, in the order
// in which one needs the other.
func (s *server) stop(ctx context.Context) error {
	s.halt()
	err := errors.Join(s.http.Shutdown(ctx), s.hooks.Stop(ctx))
	s.ended.Wait()
	s.asking.Wait()
	return errors.Join(err, s.ledger.Close(ctx))
}
