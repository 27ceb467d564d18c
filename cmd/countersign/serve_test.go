package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// A logBuffer is written by the server and read by the test.
type logBuffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
	line  chan struct{} // has a token after a write
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.line <- struct{}{}:
	default:
	}
	return b.bytes.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}

// find waits until the log matches and returns the first group.
func (b *logBuffer) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for {
		if m := re.FindStringSubmatch(b.String()); m != nil {
			return m[1]
		}
		select {
		case <-b.line:
		case <-time.After(30 * time.Second):
			t.Fatalf("the log never matched %s:\n%s", pattern, b)
		}
	}
}

// An operator follows the README: makes keys, writes a configuration, starts the
// server, and stops it. What it was told before is there when it starts again.
func TestServeAsTheReadmeSays(t *testing.T) {
	dir := t.TempDir()
	sim, err := githubsim.Start(githubsim.Options{Dir: filepath.Join(dir, "github")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	for name, content := range map[string]string{
		"passphrase": "correct-horse\n", "webhook-secret": string(sim.App.WebhookSecret) + "\n", "app.pem": string(sim.App.PrivateKeyPEM),
		"countersign.yaml": fmt.Sprintf("listen: 127.0.0.1:0\ndata: data\ngithub: {url: %s/, app-id: %d, private-key-file: app.pem, webhook-secret-file: webhook-secret}\nkeys: {directory: keys, passphrase-file: passphrase}\n", sim.URL, sim.App.ID),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	_, errs, status := runCommand(t, "keygen", "--origin", "log.example.com", "--dir", filepath.Join(dir, "keys"), "--passphrase-file", filepath.Join(dir, "passphrase"))
	require.Equal(t, allowed, status, errs)

	s := &stage{sim: sim, dir: dir, seen: map[string]sighting{}, ctx: t.Context(), scene: t.Name()}
	s.try(s.found)
	s.repo = sim.Repository("acme/shop")

	log, stop := serveIn(t, dir)
	url := log.find(t, `msg=listening url=(\S+)`)
	sim.DeliverTo(url + webhookPath)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	require.NoError(t, s.err)
	log.find(t, `msg=assessed change=(acme/shop#1) status=pending`)
	for _, page := range []string{"/healthz", "/readyz", "/metrics"} {
		answer, err := http.Get(url + page)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode, page)
	}
	require.NotContains(t, log.String(), string(sim.App.WebhookSecret))
	stop()

	log, stop = serveIn(t, dir)
	sim.DeliverTo(log.find(t, `msg=listening url=(\S+)`) + webhookPath)
	s.approve("grace", n)
	require.NoError(t, s.err)
	log.find(t, `msg=assessed change=(acme/shop#1) status=pass`)
	stop()

	out, errs, status := runCommand(t, "verify", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "keys"))
	require.Equal(t, allowed, status, out+errs)
	require.True(t, strings.HasPrefix(out, "HOLDS: "), out)
}

// serveIn runs countersign serve in a directory until stop is called.
func serveIn(t *testing.T, dir string) (log *logBuffer, stop func()) {
	t.Helper()
	log = &logBuffer{line: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	c := &command{in: strings.NewReader(""), out: log, err: log, env: func(string) string { return "" }}
	ended := make(chan int, 1)
	go func() { ended <- c.run(ctx, []string{"serve", "--config", filepath.Join(dir, "countersign.yaml")}) }()
	return log, func() {
		t.Helper()
		cancel()
		require.Equal(t, allowed, <-ended, log.String())
	}
}
