package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// The moments of a pull request of which a tape has answers.
const (
	opened = iota
	approved
	objected // a change request after the approval
	moments
)

// A tape holds what the simulated GitHub answered about pull request #1 at several
// moments, to be played back for any number of pull requests that differ in number,
// branch and head. Playing back costs so little that what is measured is the server.
type tape struct {
	app    string // its numeric id
	key    []byte
	secret []byte
	head   string

	mu      sync.Mutex
	moment  int
	answers [moments]map[string][]byte // by playKey
}

// RoundTrip records what a call is answered.
func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers[t.moment][playKey(r, body)] = answer
	return resp, err
}

// readBody returns the body of a call and puts it back.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

var operation = regexp.MustCompile(`query (\w+)`)

// playKey returns what tells the calls apart that are answered differently.
func playKey(r *http.Request, body []byte) string {
	return r.Method + " " + r.URL.Path + " " + string(operation.Find(body))
}

// recordTape plays a pull request with so many commits against the simulator.
func recordTape(b *testing.B, commits int) *tape {
	b.Helper()
	t := &tape{}
	for i := range t.answers {
		t.answers[i] = map[string][]byte{}
	}
	s, err := openStageOver(b.Context(), b.TempDir(), slog.New(slog.DiscardHandler), t)
	require.NoError(b, err)
	s.ctx, s.scene, s.teller = b.Context(), b.Name(), teller{out: io.Discard}
	s.try(s.begin)
	s.repo = s.sim.Repository("acme/shop")
	s.try(func() error { return s.as("ada").CreateBranch("ada/1", "main") })
	pushed := 0
	// In pushes of 10: the tape holds one answer to a question, and so one page of who
	// pushed.
	for batch := range slices.Chunk(make([]githubsim.Commit, commits), 10) {
		for i := range batch {
			pushed++
			batch[i] = file("basket.go", fmt.Sprintf("package shop // %d\n", pushed))
		}
		s.try(func() error { _, err := s.as("ada").Push("ada/1", batch...); return err })
	}
	s.passTest("ada/1")
	s.try(func() error {
		_, err := s.as("ada").Open(githubsim.PullRequest{Title: "Add a basket", Head: "ada/1"})
		return err
	})
	s.try(s.quiet)
	t.at(approved)
	s.approve("grace", 1)
	s.try(s.quiet)
	t.at(objected)
	s.try(func() error { _, err := s.as("grace").RequestChanges(1, "Hm."); return err })
	s.try(s.quiet)
	require.NoError(b, s.err)
	t.head = s.repo.Head("ada/1")
	t.app, t.key, t.secret = strconv.FormatInt(s.sim.App.ID, 10), s.sim.App.PrivateKeyPEM, s.sim.App.WebhookSecret
	require.NoError(b, s.close(context.WithoutCancel(b.Context())))
	return t
}

func (t *tape) at(moment int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moment = moment
}

// A player is a GitHub that plays a tape back.
type player struct {
	*tape
	*httptest.Server
	latency time.Duration

	mu       sync.Mutex
	now      map[int]int // the moment of each pull request
	reported map[int]chan time.Time
	calls    int
	unknown  []string
}

func newPlayer(t *tape, latency time.Duration) *player {
	p := &player{tape: t, latency: latency, now: map[int]int{}, reported: map[int]chan time.Time{}}
	p.Server = httptest.NewServer(p)
	return p
}

// headOf returns the head of a pull request, and numberOf which one has a head.
func (p *player) headOf(n int) string { return fmt.Sprintf("%08x", n) + p.head[8:] }

func numberOf(head string) int {
	n, err := strconv.ParseInt(head[:8], 16, 64)
	if err != nil {
		return 0
	}
	return int(n)
}

// ServeHTTP answers a call. A report is told to whoever waits for it as it arrives.
func (p *player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/access_tokens") {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token":"t","expires_at":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		return
	}
	n := numberAsked(r, body)
	if strings.Contains(r.URL.Path, "/check-runs") {
		p.report(w, r, body, arrived)
		return
	}
	p.mu.Lock()
	p.calls++
	moment := p.now[n]
	p.mu.Unlock()
	key := playKey(r, body)
	answer := p.answers[moment][key]
	for m := range moments { // what did not change was not asked again
		if answer == nil {
			answer = p.answers[m][key]
		}
	}
	time.Sleep(p.latency)
	if answer == nil {
		p.mu.Lock()
		p.unknown = append(p.unknown, key)
		p.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(p.as(n, answer))
}

// as returns an answer about pull request #1 as one about another.
func (p *player) as(n int, answer []byte) []byte {
	number := strconv.Itoa(n)
	return []byte(strings.NewReplacer(p.head, p.headOf(n), `"number":1,`, `"number":`+number+`,`, `"number":1}`, `"number":`+number+`}`,
		`ada/1"`, "ada/"+number+`"`).Replace(string(answer)))
}

var (
	numberInQuery  = regexp.MustCompile(`"number":(\d+)`)
	numberInBranch = regexp.MustCompile(`ada(?:/|%2F)(\d+)`)
)

// numberAsked returns the number of the pull request that a call is about, or 1.
func numberAsked(r *http.Request, body []byte) int {
	m := numberInQuery.FindSubmatch(body)
	if m == nil {
		m = numberInBranch.FindSubmatch([]byte(r.URL.RawQuery))
	}
	if m == nil {
		return 1
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// report takes a verdict and says that it stands.
func (p *player) report(w http.ResponseWriter, r *http.Request, body []byte, arrived time.Time) {
	var run struct {
		HeadSHA    string `json:"head_sha"`
		ExternalID string `json:"external_id"`
		Status     string `json:"status"`
		Conclusion string `json:"conclusion"`
	}
	if err := json.Unmarshal(body, &run); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n, _ := strconv.Atoi(run.ExternalID[strings.LastIndexAny(run.ExternalID, "#/:")+1:])
	if run.HeadSHA != "" {
		n = numberOf(run.HeadSHA)
	}
	p.mu.Lock()
	p.calls++
	heard := p.reported[n]
	p.mu.Unlock()
	time.Sleep(p.latency)
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"id": 1_000_000 + n, "status": run.Status, "conclusion": run.Conclusion})
	if heard != nil {
		heard <- arrived
	}
}

// A process is the server as users run it, beside a player.
type process struct {
	*player
	cmd *exec.Cmd
	url string
}

// startProcess builds the command and has it serve.
func startProcess(b *testing.B, t *tape, latency time.Duration) *process {
	b.Helper()
	dir := b.TempDir()
	binary := filepath.Join(dir, "countersign")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(b, err, "%s", out)
	p := &process{player: newPlayer(t, latency)}
	b.Cleanup(p.Server.Close)
	address := freeAddress(b)
	for name, content := range map[string]string{
		"app.pem": string(t.key), "secret": string(t.secret), "passphrase": "correct horse battery staple",
		"config.yaml": "listen: " + address + "\ndata: data\ngithub: {url: \"" + p.Server.URL + "/\", app-id: " + t.app +
			", private-key-file: app.pem, webhook-secret-file: secret}\nkeys: {directory: keys, passphrase-file: passphrase}\n",
	} {
		require.NoError(b, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(b, evidence.GenerateKeys(filepath.Join(dir, "keys"), []byte("correct horse battery staple"), "countersign.example"))
	p.cmd = exec.Command(binary, "serve", "--config", filepath.Join(dir, "config.yaml"))
	if os.Getenv("BENCH_LOG") != "" {
		p.cmd.Stderr = os.Stderr
	}
	require.NoError(b, p.cmd.Start())
	b.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
	})
	p.url = "http://" + address
	require.Eventually(b, func() bool {
		resp, err := http.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, time.Minute, 10*time.Millisecond)
	return p
}

// deliver brings a pull request to a moment, tells the server, and returns how long it
// took until the report arrived and, whole, until it was answered.
func (p *process) deliver(client *http.Client, n, moment int) (arrived, answered time.Duration, err error) {
	event := "pull_request_review"
	if moment == opened {
		event = "pull_request"
	}
	body := fmt.Appendf(nil, `{"action":"submitted","repository":{"id":%s,"full_name":"acme/shop","default_branch":"main"},"review":{"state":"approved"},`+
		`"pull_request":{"number":%d,"head":{"ref":"ada/%d","sha":%q,"repo":{"full_name":"acme/shop"}},"base":{"ref":"main"}}}`, p.repository(), n, n, p.headOf(n))
	heard := make(chan time.Time, 16)
	p.mu.Lock()
	p.now[n], p.reported[n] = moment, heard
	p.mu.Unlock()
	mac := hmac.New(sha256.New, p.secret)
	mac.Write(body)
	req, err := http.NewRequest(http.MethodPost, p.url+webhookPath, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header = http.Header{
		"Content-Type": {"application/json"}, "X-Github-Event": {event}, "X-Github-Delivery": {fmt.Sprintf("%d-%d-%d", n, moment, time.Now().UnixNano())},
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
	}
	sent := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return 0, 0, fmt.Errorf("the delivery was answered %d", resp.StatusCode)
	}
	select {
	case at := <-heard:
		return at.Sub(sent), time.Since(sent), nil
	case <-time.After(time.Minute):
		return 0, 0, fmt.Errorf("#%d was not reported within a minute", n)
	}
}

var repositoryID = regexp.MustCompile(`"repository":\{"databaseId":(\d+)`)

// repository returns the id of the repository on the tape.
func (t *tape) repository() string {
	for _, answer := range t.answers[opened] {
		if m := repositoryID.FindSubmatch(answer); m != nil {
			return string(m[1])
		}
	}
	return ""
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	return l.Addr().String()
}

// use is what the server's process has used so far.
type use struct {
	cpu       time.Duration
	rss, peak int64 // bytes
}

// used reads what the kernel says of the process.
func (p *process) used(b *testing.B) use {
	b.Helper()
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		b.Skip("what a process uses is read from /proc, which this system has not: ", err)
	}
	// The name, in brackets, may hold spaces; times are in hundredths of a second.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	status, err := os.ReadFile(dir + "status")
	require.NoError(b, err)
	kilobytes := func(name string) int64 {
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, name+":"); ok {
				n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				return n << 10
			}
		}
		return 0
	}
	return use{cpu: time.Duration(user+system) * 10 * time.Millisecond, rss: kilobytes("VmRSS"), peak: kilobytes("VmHWM")}
}

// atRest returns what the process uses once it has stood still for a second.
func (p *process) atRest(b *testing.B) use {
	b.Helper()
	time.Sleep(time.Second)
	return p.used(b)
}

// forgetPeak has the kernel begin anew to note the most memory that the process has
// used at a time: reading the keys takes more of it than any load.
func (p *process) forgetPeak(b *testing.B) {
	b.Helper()
	require.NoError(b, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0))
}

// BenchmarkLatency measures the server as its own process, from the moment a delivery
// is sent: until the report arrives at GitHub, which is after the record is durable, and
// until GitHub's answer to it has been sent.
func BenchmarkLatency(b *testing.B) {
	for _, commits := range []int{1, 10, 100} {
		t := recordTape(b, commits)
		for _, api := range []time.Duration{0, 50 * time.Millisecond} {
			b.Run(fmt.Sprintf("commits=%d/api=%s", commits, api), func(b *testing.B) {
				p := startProcess(b, t, api)
				client := &http.Client{}
				_, _, err := p.deliver(client, 1, opened)
				require.NoError(b, err)
				var arrived, answered []time.Duration
				b.ResetTimer()
				for i := range b.N {
					to, whole, err := p.deliver(client, 1, approved+i%2)
					require.NoError(b, err)
					arrived, answered = append(arrived, to), append(answered, whole)
				}
				reportPercentiles(b, "to-report", arrived)
				reportPercentiles(b, "to-answer", answered)
				require.Empty(b, p.unknown)
			})
		}
	}
}

// reportPercentiles prints the median and the 99th of a hundred.
func reportPercentiles(b *testing.B, name string, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms-"+name)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms-"+name)
}

// BenchmarkThroughput has as many pull requests of 10 commits as the benchmark runs
// reviewed at once, each by a delivery of its own, by 64 senders: what the server does
// in a second, what of a processor it takes for each assessment, and its memory at rest
// and at most.
func BenchmarkThroughput(b *testing.B) {
	t := recordTape(b, 10)
	for _, api := range []time.Duration{0, 50 * time.Millisecond} {
		b.Run("api="+api.String(), func(b *testing.B) {
			p := startProcess(b, t, api)
			idle := p.atRest(b)
			p.all(b, opened)
			p.forgetPeak(b)
			before, calls := p.used(b), p.calls
			b.ResetTimer()
			begun := time.Now()
			p.all(b, approved)
			took := time.Since(begun)
			after := p.used(b)
			require.Empty(b, p.unknown)
			n := float64(b.N)
			b.ReportMetric(n/took.Seconds(), "assessments/s")
			b.ReportMetric(float64((after.cpu-before.cpu).Microseconds())/1000/n, "cpu-ms/assessment")
			b.ReportMetric(float64(p.calls-calls)/n, "requests/assessment")
			b.ReportMetric(float64(idle.rss)/(1<<20), "rss-idle-MB")
			b.ReportMetric(float64(after.peak)/(1<<20), "rss-peak-MB")
		})
	}
}

// all brings every pull request to a moment.
func (p *process) all(b *testing.B, moment int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	numbers := make(chan int)
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for n := range numbers {
				if _, _, err := p.deliver(client, n, moment); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range b.N {
		numbers <- n + 1
	}
	close(numbers)
	senders.Wait()
	client.CloseIdleConnections()
}
