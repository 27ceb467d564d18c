package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/forge/github"
	"github.com/countersign-dev/countersign/webhook"
)

func (c *command) serve() *cobra.Command {
	var config string
	serve := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "receive webhooks, judge changes, keep the evidence",
		Long:  "Serve receives a GitHub App's webhooks, judges the changes they hint at and keeps\nthe evidence, until it is told to stop. The configuration is a YAML file, whose keys can be\nwritten with underscores too (app_id):\n\n" + describeKeys(),
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.runServe(cmd.Context(), config) },
	}
	serve.Flags().StringVar(&config, "config", "", "the configuration file (required)")
	if err := serve.MarkFlagRequired("config"); err != nil {
		panic(err)
	}
	return serve
}

// describeKeys lists the keys of the configuration file, one a line.
func describeKeys() string {
	var b strings.Builder
	for _, k := range configKeys() {
		fmt.Fprintf(&b, "  %-35s %s", k.name, k.doc)
		if k.fallback != "" {
			fmt.Fprintf(&b, " (default %s)", k.fallback)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// grace is how long a server that is told to stop waits for what runs.
const grace = 30 * time.Second

func (c *command) runServe(ctx context.Context, config string) error {
	settings, err := readConfig(config)
	if err != nil {
		return &exitError{status: misused, err: err}
	}
	log := slog.New(slog.NewTextHandler(c.err, nil))
	p, err := settings.parts(log)
	if err != nil {
		return &exitError{status: misused, err: err}
	}
	s, err := start(ctx, p)
	if err != nil {
		return orUndecided(err)
	}
	thrifty(c.env)
	log.Info("listening", "url", s.url, "log", p.ledger.Keys.Public().Origin(), "key", p.ledger.Keys.Public().KeyID())
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case err = <-s.served:
	}
	// The signal has ended ctx; what still runs gets a while of its own.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if stopped := s.stop(last); stopped != nil || err != nil && !errors.Is(err, http.ErrServerClosed) {
		return exit(undecided, "serving: %w", errors.Join(err, stopped))
	}
	return nil
}

// garbage is the most that the heap grows between two collections, in percent.
const garbage = 50

// thrifty gives back the memory that decrypting the keys takes on purpose, and has a
// little more work done for less memory unless GOGC says otherwise.
func thrifty(env func(string) string) {
	if env("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	debug.FreeOSMemory()
}

// parts reads the secrets that a configuration names and returns what to wire.
func (c Config) parts(log *slog.Logger) (parts, error) {
	key, err := readSecret("App's private key", c.GitHub.PrivateKey)
	if err != nil {
		return parts{}, err
	}
	secret, err := readSecret("webhook secret", c.GitHub.Secret)
	if err != nil {
		return parts{}, err
	}
	secrets := [][]byte{secret}
	if c.GitHub.PreviousSecret != "" {
		if secret, err = readSecret("previous webhook secret", c.GitHub.PreviousSecret); err != nil {
			return parts{}, err
		}
		secrets = append(secrets, secret)
	}
	passphrase, err := readSecret("passphrase", c.Keys.Passphrase)
	if err != nil {
		return parts{}, err
	}
	keys, err := evidence.LoadKeys(c.Keys.Directory, passphrase)
	if err != nil {
		return parts{}, fmt.Errorf("loading the keys: %w", err)
	}
	trackers, err := c.trackers()
	if err != nil {
		return parts{}, err
	}
	return parts{
		trackers: trackers,
		listen:   c.Listen, data: c.Data, log: log,
		forge:  github.Config{BaseURL: c.GitHub.URL, AppID: c.GitHub.AppID, PrivateKey: key, Secrets: secrets, CheckName: c.GitHub.CheckName, Floors: c.Floor.Repository, FloorPath: c.Floor.Path, Log: log},
		ledger: evidence.Config{Keys: keys, BatchAge: c.Log.BatchAge, CheckpointInterval: c.Log.Checkpoint, Log: log},
		queue:  webhook.Config{Log: log, MaxWorkers: c.Queue.Workers, Attempts: c.Queue.Attempts, KeepBodies: c.Queue.KeepBodies},
	}, nil
}
