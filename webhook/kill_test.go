package webhook

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// childDir names the variable that makes the test binary a server to be killed.
const childDir = "WEBHOOK_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := serveUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// serveUntilKilled serves on the data directory, says on standard output where,
// and notes every assessment in the file assessed, after the time that an
// assessment takes.
func serveUntilKilled(dir string) error {
	notes, err := os.OpenFile(filepath.Join(dir, "assessed"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	a := &testAssessor{assess: func(ctx context.Context, ref change.Ref) error {
		select { // the forge's answers take this long
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		_, err := fmt.Fprintln(notes, ref.Number)
		return err
	}}
	ctx := context.Background()
	s, err := New(ctx, Config{DataDir: dir, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}, &testForge{}, a)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	return s.HTTPServer("").Serve(listener)
}

// A child is a server in a process of its own.
type child struct {
	command *exec.Cmd
	url     string
}

func startChild(t *testing.T, dir string) *child {
	c := &child{command: exec.Command(os.Args[0])}
	c.command.Env = append(os.Environ(), childDir+"="+dir)
	c.command.Stderr = os.Stderr
	out, err := c.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.command.Start())
	t.Cleanup(c.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the child did not start")
	c.url = strings.TrimSpace(line)
	return c
}

// kill ends the child as a power cut would, as far as the process is concerned.
func (c *child) kill() {
	_ = c.command.Process.Kill()
	_ = c.command.Wait()
}

// A load sends deliveries, each about a change of its own, and keeps the numbers
// of those that were acknowledged.
type load struct {
	client http.Client
	next   atomic.Int64

	mu    sync.Mutex
	acked []int
}

// send sends one delivery after the other until one fails, which is when the
// child was killed.
func (l *load) send(url string, some chan<- struct{}) {
	for {
		n := int(l.next.Add(1))
		body, _ := json.Marshal(testBody{Changes: []int{n}, Filler: strings.Repeat("x", 5000)})
		r, _ := http.NewRequest(http.MethodPost, url+"/webhooks/github", strings.NewReader(string(body)))
		r.Header = http.Header{"X-Secret": {"right"}, "X-Delivery": {strconv.Itoa(n)}, "Content-Type": {"application/json"}}
		answer, err := l.client.Do(r)
		if err != nil {
			return
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusAccepted {
			l.mu.Lock()
			l.acked = append(l.acked, n)
			l.mu.Unlock()
			select {
			case some <- struct{}{}:
			default:
			}
		}
	}
}

// missing returns the changes that were acknowledged and not assessed.
func (l *load) missing(t *testing.T, dir string) []int {
	data, err := os.ReadFile(filepath.Join(dir, "assessed"))
	require.NoError(t, err)
	assessed := map[int]bool{}
	for line := range strings.Lines(string(data)) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err == nil { // a line that the kill cut off is no assessment
			assessed[n] = true
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var missing []int
	for _, n := range l.acked {
		if !assessed[n] {
			missing = append(missing, n)
		}
	}
	return missing
}

// The server is killed under load, again and again. Within five seconds of each
// start every delivery that was ever acknowledged is assessed.
func TestKill(t *testing.T) {
	const kills, senders, ackedPerLife = 12, 8, 40
	dir := t.TempDir()
	l := &load{client: http.Client{Timeout: 10 * time.Second}}
	left := 0
	for life := range kills {
		c := startChild(t, dir)
		acks := make(chan struct{}, ackedPerLife)
		var all sync.WaitGroup
		for range senders {
			all.Go(func() { l.send(c.url, acks) })
		}
		for range ackedPerLife + 7*life { // another moment each time
			select {
			case <-acks:
			case <-time.After(20 * time.Second):
				t.Fatal("the child does not acknowledge")
			}
		}
		c.kill()
		all.Wait()
		left += len(l.missing(t, dir))

		c = startChild(t, dir)
		up := time.Now()
		require.Eventually(t, func() bool { return len(l.missing(t, dir)) == 0 }, 5*time.Second, 5*time.Millisecond,
			"life %d: acknowledged and not assessed", life)
		t.Logf("life %d: all assessed %v after the start", life, time.Since(up).Round(time.Millisecond))
		c.kill()
	}
	t.Logf("%d acknowledged, %d of them unfinished at a kill, none lost", len(l.acked), left)
	require.Positive(t, left, "no kill met unfinished work, so nothing was tried")
}
