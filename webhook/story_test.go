package webhook

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

var update = flag.Bool("update", false, "write what happens into the stories")

// TestStories plays testdata/*.txtar: what is sent to a server and what its
// assessor answers, and then what must have happened, in order. The commands of
// a story:
//
//	post [delivery=] [event=] [changes=1,2] [forget=] [secret=] [type=] [body=] [size=]
//	assess CHANGE ANSWER...    what its next runs answer: ok, fail, panic or limit
//	give-up CHANGE ANSWER...   the same for giving it up
//	idle                       waits until nothing is left to be worked
//	rows                       tells how many deliveries and jobs are stored
//	metrics PREFIX             shows the counters with that prefix
//	get PATH                   shows a page
//	ready TEXT                 makes the extra readiness probe fail, or not
//	disk full|readonly|good    what SQLite meets when it writes
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			s := newStory(t)
			for _, line := range strings.Split(strings.TrimSpace(parts["story"]), "\n") {
				s.play(t, line)
			}
			if *update {
				archive.Files[len(archive.Files)-1].Data = []byte(s.text())
				require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
				return
			}
			require.Equal(t, parts["want"], s.text())
		})
	}
}

// A story is a server, what its assessor will answer, and what has happened.
type story struct {
	server *Server
	now    time.Time // moved on by a second with every command

	sending sync.RWMutex // held while a delivery is posted: its answer is told before what comes of it

	mu      sync.Mutex
	out     strings.Builder
	answers map[string][]string // by "assess 1" and "give up 1"
	unready error
}

// sent returns once the delivery that is being sent has been answered.
func (s *story) sent() {
	s.sending.RLock()
	defer s.sending.RUnlock()
}

func newStory(t *testing.T) *story {
	s := &story{answers: map[string][]string{}, now: time.Now()}
	server, err := New(t.Context(), Config{
		DataDir: t.TempDir(), Log: slog.New(&storyLog{story: s}), Attempts: 3, FirstRetry: time.Millisecond,
		Now: s.time, poll: 20 * time.Millisecond,
		Ready: []func(context.Context) error{s.ready},
	}, &testForge{before: s.sent}, &testAssessor{
		assess: func(_ context.Context, ref change.Ref) error { return s.answer("assess", ref) },
		giveUp: func(ref change.Ref, _ error) error { return s.answer("give up", ref) },
	})
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	s.server = server
	return s
}

func (s *story) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *story) ready(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unready
}

// tell writes a line of what has happened.
func (s *story) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.out, format+"\n", args...)
}

func (s *story) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// A rateLimit is an error that says when to come back.
type rateLimit struct{}

func (rateLimit) Error() string             { return "rate limit exceeded" }
func (rateLimit) RetryAfter() time.Duration { return time.Millisecond }

// answer tells of a run and returns the answer that stands next for it.
func (s *story) answer(what string, ref change.Ref) error {
	key := fmt.Sprintf("%s %d", what, ref.Number)
	s.mu.Lock()
	word := "ok"
	if next := s.answers[key]; len(next) > 0 {
		word, s.answers[key] = next[0], next[1:]
	}
	s.mu.Unlock()
	s.tell("%s %s: %s", what, ref, word)
	switch word {
	case "fail":
		return fmt.Errorf("the forge answered 502")
	case "limit":
		return fmt.Errorf("gathering: %w", rateLimit{})
	case "panic":
		panic("no such review")
	}
	return nil
}

// play does what a line of the story says.
func (s *story) play(t *testing.T, line string) {
	s.mu.Lock()
	s.now = s.now.Add(time.Second)
	s.mu.Unlock()
	words := strings.Fields(line)
	switch command, rest := words[0], words[1:]; command {
	case "post":
		s.post(t, rest)
	case "assess", "give-up":
		s.mu.Lock()
		s.answers[strings.ReplaceAll(command, "-", " ")+" "+rest[0]] = rest[1:]
		s.mu.Unlock()
	case "idle":
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		require.NoError(t, s.server.Idle(ctx))
	case "rows":
		var deliveries, jobs int
		require.NoError(t, s.server.db.read.QueryRow(`SELECT (SELECT count(*) FROM deliveries), (SELECT count(*) FROM river_job)`).Scan(&deliveries, &jobs))
		s.tell("%d deliveries, %d jobs", deliveries, jobs)
	case "metrics":
		for line := range strings.Lines(s.get("/metrics").Body.String()) {
			if strings.HasPrefix(line, rest[0]) {
				s.tell("%s", strings.TrimSpace(line))
			}
		}
	case "get":
		answer := s.get(rest[0])
		s.tell("%d %s", answer.Code, strings.TrimSpace(answer.Body.String()))
	case "ready":
		s.mu.Lock()
		if s.unready = nil; len(rest) > 0 {
			s.unready = fmt.Errorf("%s", strings.Join(rest, " "))
		}
		s.mu.Unlock()
	case "disk":
		s.disk(t, rest[0])
	default:
		t.Fatalf("a story has no command %q", line)
	}
}

// post sends a delivery and tells what was answered.
func (s *story) post(t *testing.T, fields []string) {
	body, header := testBody{}, http.Header{"X-Secret": {"right"}, "Content-Type": {"application/json"}}
	raw := ""
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "delivery", "event", "secret":
			header.Set("X-"+name, value)
		case "type":
			header.Set("Content-Type", value)
		case "changes":
			for n := range strings.SplitSeq(value, ",") {
				number, err := strconv.Atoi(n)
				require.NoError(t, err)
				body.Changes = append(body.Changes, number)
			}
		case "forget":
			body.Forget = []string{value}
		case "size":
			size, err := strconv.Atoi(value)
			require.NoError(t, err)
			body.Filler = strings.Repeat("x", size)
		case "body":
			raw = value
		default:
			t.Fatalf("a post has no %q", field)
		}
	}
	if raw == "" {
		data, err := json.Marshal(body)
		require.NoError(t, err)
		raw = string(data)
	}
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", strings.NewReader(raw))
	r.Header = header
	s.sending.Lock()
	defer s.sending.Unlock()
	w := httptest.NewRecorder()
	s.server.Handler().ServeHTTP(w, r)
	line := fmt.Sprintf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
	if after := w.Header().Get("Retry-After"); after != "" {
		line += " Retry-After: " + after
	}
	s.tell("%s", line)
}

func (s *story) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.server.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// disk makes SQLite refuse to grow or to write, as it would on such a disk.
func (s *story) disk(t *testing.T, state string) {
	pages, readonly := 1<<30, "OFF"
	switch state {
	case "full":
		pages = 1                                  // which SQLite takes for the present size
		_, err := s.server.db.write.Exec("VACUUM") // so that there are no free pages in it
		require.NoError(t, err)
	case "readonly":
		readonly = "ON"
	}
	var got int
	require.NoError(t, s.server.db.write.QueryRow(fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&got))
	_, err := s.server.db.write.Exec("PRAGMA query_only = " + readonly)
	require.NoError(t, err)
}

// A storyLog tells what this package logs, from warnings upwards and without what
// differs from run to run.
type storyLog struct {
	story *story
	attrs []slog.Attr
}

func (l *storyLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (l *storyLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &storyLog{l.story, slices.Concat(l.attrs, attrs)}
}

func (l *storyLog) WithGroup(string) slog.Handler { return l }

func (l *storyLog) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	attrs := slices.Clone(l.attrs)
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	for _, a := range attrs {
		switch a.Key {
		case "from":
			return nil // River's, when it tries what the disk does not let it
		case "remote", "wait":
		case "stack":
			line += fmt.Sprintf(" stack=%t", strings.Contains(a.Value.String(), "story_test.go") || strings.Contains(a.Value.String(), "fakes_test.go"))
		default:
			line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		}
	}
	l.story.tell("%s", line)
	return nil
}
