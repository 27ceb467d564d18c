package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/forge/github"
	"github.com/countersign-dev/countersign/internal/githubsim"
	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/webhook"
)

// A demonstration is the options of countersign demo.
type demonstration struct {
	dir  string
	keep bool
	json bool
	log  bool
}

func (c *command) demo() *cobra.Command {
	var d demonstration
	demo := &cobra.Command{
		Use:   "demo",
		Short: "watch a real server hold and release changes, on a simulated GitHub",
		Long: "Demo starts a simulated GitHub and a real Countersign server on the loopback interface, plays\n" +
			"a working day on them, one line for everything that happens, and then verifies the evidence\n" +
			"that the day has left.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runDemo(cmd.Context(), d) },
	}
	demo.Flags().StringVar(&d.dir, "dir", "", "directory to leave the evidence in (default a new one for temporary files)")
	demo.Flags().BoolVar(&d.keep, "keep", false, "leave both running until interrupted")
	demo.Flags().BoolVar(&d.json, "json", false, "print one JSON object a line")
	demo.Flags().BoolVar(&d.log, "log", false, "print the server's log to standard error")
	return demo
}

func (c *command) runDemo(ctx context.Context, d demonstration) (err error) {
	dir, err := d.directory()
	if err != nil {
		return &exitError{status: undecided, err: err}
	}
	s, err := openStage(ctx, dir, d.logger(c))
	if err != nil {
		return &exitError{status: undecided, err: err}
	}
	defer func() {
		if closed := s.close(context.WithoutCancel(ctx)); closed != nil && ctx.Err() == nil {
			err = errors.Join(err, closed)
		}
	}()
	s.teller = teller{out: c.out, json: d.json, colour: onTerminal(c.out)}
	if err := s.playDay(ctx); ctx.Err() != nil {
		return exit(undecided, "interrupted; what was recorded so far lies in %s", s.data())
	} else if err != nil {
		return &exitError{status: undecided, err: err}
	}
	if err := s.server.ledger.Published(ctx); err != nil {
		return &exitError{status: undecided, err: err}
	}
	v, err := evidence.Verify(ctx, filepath.Join(s.data(), evidenceDir), evidence.Options{Judge: policy.Judge})
	if err != nil {
		return &exitError{status: undecided, err: err}
	}
	if err := s.teller.end(&v, s.data()); err != nil {
		return &exitError{status: undecided, err: err}
	}
	if !v.OK() {
		return &exitError{status: denied}
	}
	if d.keep {
		fmt.Fprintf(c.err, "GitHub %s, server %s; interrupt to stop\n", s.sim.URL, s.server.url)
		<-ctx.Done()
	}
	return nil
}

func (d demonstration) directory() (string, error) {
	if d.dir == "" {
		return os.MkdirTemp("", "countersign-demo-")
	}
	if _, err := os.Stat(filepath.Join(d.dir, "data")); err == nil {
		return "", fmt.Errorf("%s holds an earlier demo; name another directory", d.dir)
	}
	return d.dir, os.MkdirAll(d.dir, 0o700)
}

func (d demonstration) logger(c *command) *slog.Logger {
	if d.log {
		return slog.New(slog.NewTextHandler(c.err, nil))
	}
	return slog.New(slog.DiscardHandler)
}

// openStage starts a simulated GitHub and a server that is its App, each in a
// folder of dir.
func openStage(ctx context.Context, dir string, log *slog.Logger) (*stage, error) {
	return openStageOver(ctx, dir, log, nil)
}

// openStageOver is openStage with what carries the server's calls to GitHub.
func openStageOver(ctx context.Context, dir string, log *slog.Logger, way http.RoundTripper) (*stage, error) {
	s := &stage{dir: dir, seen: map[string]sighting{}, way: way}
	sim, err := githubsim.Start(githubsim.Options{Dir: filepath.Join(dir, "github"), Log: log, Now: s.clock})
	if err != nil {
		return nil, err
	}
	s.sim = sim
	if s.keys, err = newKeys(); err == nil {
		err = s.serve(ctx, log)
	}
	if err != nil {
		return nil, errors.Join(err, sim.Close())
	}
	return s, nil
}

// webhookPath is where the server takes GitHub's deliveries.
const webhookPath = "/webhooks/github"

// newKeys returns keys that are kept nowhere: the public ones stay with the evidence.
func newKeys() (evidence.Keys, error) {
	record, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return evidence.Keys{}, fmt.Errorf("making the key of the records: %w", err)
	}
	_, checkpoints, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return evidence.Keys{}, fmt.Errorf("making the key of the log: %w", err)
	}
	return evidence.NewKeys(record, checkpoints, "countersign.example")
}

// serve starts the server as serve --config does.
func (s *stage) serve(ctx context.Context, log *slog.Logger) (err error) {
	s.server, err = start(ctx, parts{
		listen: "127.0.0.1:0", data: s.data(), log: log, observe: s.observe, now: s.clock, trackers: s.trackers,
		forge: github.Config{
			BaseURL: s.sim.URL + "/", AppID: s.sim.App.ID, PrivateKey: s.sim.App.PrivateKeyPEM,
			Secrets: [][]byte{s.sim.App.WebhookSecret}, Floors: s.floors, Log: log, Transport: s.way,
		},
		ledger: evidence.Config{Keys: s.keys, Log: log},
		queue:  webhook.Config{Log: log, FirstRetry: 100 * time.Millisecond},
	})
	return err
}

// data is the server's data directory.
func (s *stage) data() string { return filepath.Join(s.dir, "data") }

func (s *stage) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	return errors.Join(s.server.stop(ctx), s.sim.Close())
}
