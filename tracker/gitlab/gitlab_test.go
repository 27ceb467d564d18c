package gitlab_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/tracker/gitlab"
)

const token = "glpat-secret"

// A site is the issues of a GitLab, by "group/project#12", as its API answers them. It
// answers 404 as GitLab does: of a project that is not shown otherwise than of an issue
// that is not there.
type site struct {
	*httptest.Server
	issues map[string]string
	events map[string][]string

	mu    sync.Mutex // calls that were given up may still run
	fault http.HandlerFunc
	asked int
}

// fail answers every call by a handler, or as ever with nil.
func (s *site) fail(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = h
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	fault := s.fault
	s.mu.Unlock()
	if fault != nil {
		fault(w, r)
		return
	}
	if r.Header.Get("PRIVATE-TOKEN") != token {
		say(401, `{"message":"401 Unauthorized"}`)(w, r)
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/api/v4/projects/"), "/")
	project, err := url.PathUnescape(parts[0])
	if err != nil || len(parts) < 3 || parts[1] != "issues" || r.Method != http.MethodGet {
		say(404, `{"error":"404 Not Found"}`)(w, r)
		return
	}
	key := project + "#" + parts[2]
	switch body, there := s.issues[key]; {
	case project != "group/sub/shop":
		say(404, `{"message":"404 Project Not Found"}`)(w, r)
	case !there:
		say(404, `{"message":"404 Not found"}`)(w, r)
	case len(parts) == 4 && parts[3] == "resource_state_events":
		all := s.events[key]
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		from, to := min((page-1)*100, len(all)), min(page*100, len(all))
		w.Header().Set("X-Page", strconv.Itoa(page))
		if to < len(all) {
			w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
		}
		say(200, "["+strings.Join(all[from:to], ",")+"]")(w, r)
	default:
		say(200, body)(w, r)
	}
}

func say(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func issue(number int, state, closed, author string) string {
	return fmt.Sprintf(`{"id":9%d,"iid":%d,"project_id":3,"title":"Baskets","description":"Soon.","state":%q,"created_at":"2026-03-01T09:00:00.123Z","closed_at":%s,"labels":[],
		"issue_type":"issue","web_url":"https://gitlab.example/group/sub/shop/-/issues/%d","author":%s,"references":{"short":"#%d","relative":"#%d","full":"group/sub/shop#%d"}}`,
		number, number, state, closed, number, author, number, number, number)
}

const linus = `{"id":7,"username":"linus","name":"Linus","state":"active"}`

func event(state, at string) string {
	return fmt.Sprintf(`{"id":1,"user":%s,"created_at":%q,"resource_type":"Issue","resource_id":9,"state":%q}`, linus, at, state)
}

func newSite(t testing.TB) (*site, *gitlab.Tracker) {
	t.Helper()
	s := &site{issues: map[string]string{"group/sub/shop#7": issue(7, "opened", "null", linus)}, events: map[string][]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	k, err := gitlab.New(gitlab.Config{BaseURL: s.URL, Token: func() ([]byte, error) { return []byte(token + "\n"), nil }, CallTimeout: time.Second})
	require.NoError(t, err)
	return s, k
}

var here = change.Ref{Repository: change.Repository{Forge: change.GitLab, Name: "group/sub/shop"}}

func silent(t *testing.T, err error, why string) *change.UnansweredError {
	t.Helper()
	require.Error(t, err)
	require.NotErrorIs(t, err, change.ErrNoIssue)
	var out *change.UnansweredError
	require.ErrorAs(t, err, &out)
	require.Contains(t, out.Why, why)
	require.NotContains(t, err.Error(), token)
	return out
}

func TestLookup(t *testing.T) {
	s, k := newSite(t)
	who := change.Identity{Kind: change.Human, Account: "gitlab:7", Login: "linus", Name: "Linus"}
	for _, key := range []string{"#7", "group/sub/shop#7", s.URL + "/group/sub/shop/-/issues/7", s.URL + "/group/sub/shop/-/work_items/7"} {
		i, err := k.Lookup(t.Context(), here, key)
		require.NoError(t, err, key)
		require.Equal(t, change.Issue{
			Snapshot: change.Snapshot{Body: "Soon.", Created: time.Date(2026, 3, 1, 9, 0, 0, 123e6, time.UTC), ID: "97", Key: "group/sub/shop#7",
				State: "opened", Title: "Baskets", Tracker: change.GitLabIssues, Type: "issue"},
			URL: "https://gitlab.example/group/sub/shop/-/issues/7", Requester: who, Creator: who,
		}, i, key)
	}
	s.issues["group/sub/shop#8"] = issue(8, "closed", `"2026-03-04T09:00:00Z"`, linus)
	s.events["group/sub/shop#8"] = []string{event("closed", "2026-03-02T09:00:00Z"), event("reopened", "2026-03-03T09:00:00Z"), event("closed", "2026-03-04T09:00:00Z")}
	i, err := k.Lookup(t.Context(), here, "#8")
	require.NoError(t, err)
	require.Len(t, i.Moves, 3)
	require.Equal(t, "closed", i.State)
	require.Equal(t, time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC), i.Closed)
	require.Equal(t, "opened", change.Ticket{State: i.State, Moves: i.Moves}.StateAt(i.Closed.Add(-time.Hour)))
	s.issues["group/sub/shop#9"] = issue(9, "opened", `"2026-03-04T09:00:00Z"`, linus)
	s.events["group/sub/shop#9"] = []string{event("reopened", "2026-03-05T09:00:00Z"), event("closed", "2026-03-04T09:00:00Z")}
	i, err = k.Lookup(t.Context(), here, "#9")
	require.NoError(t, err)
	require.Zero(t, i.Closed, "of one that was reopened, the time it was closed at says nothing")
}

func TestLookupOfALongHistory(t *testing.T) {
	s, k := newSite(t)
	for n := range 110 {
		at := time.Date(2026, 3, 2, 9, n, 0, 0, time.UTC).Format(time.RFC3339)
		s.events["group/sub/shop#7"] = append(s.events["group/sub/shop#7"], event([]string{"closed", "reopened"}[n%2], at))
	}
	i, err := k.Lookup(t.Context(), here, "#7")
	require.NoError(t, err)
	require.Len(t, i.Moves, 110)
	for range 10 {
		s.events["group/sub/shop#7"] = append(s.events["group/sub/shop#7"], s.events["group/sub/shop#7"][:100]...)
	}
	_, err = k.Lookup(t.Context(), here, "#7")
	silent(t, err, "more than 1000 changes")
	s.events["group/sub/shop#7"] = []string{event("closed", "2026-03-02T09:00:00Z")}
	_, err = k.Lookup(t.Context(), here, "#7")
	silent(t, err, "does not lead to the state that it has")
}

func TestLookupOfPeople(t *testing.T) {
	s, k := newSite(t)
	for author, want := range map[string]change.Identity{
		`null`: {Kind: change.Unknown},
		`{"id":1,"username":"ghost","name":"Ghost User"}`:                 {Kind: change.Unknown},
		`{"id":2,"username":"project_3_bot_a1b2","name":"release token"}`: {Kind: change.Bot, Account: "gitlab:2", Login: "project_3_bot_a1b2", Name: "release token"},
		`{"id":4,"username":"support-bot","name":"Support Bot"}`:          {Kind: change.Bot, Account: "gitlab:4", Login: "support-bot", Name: "Support Bot"},
		`{"id":5,"username":"ghostwriter","name":"Gina"}`:                 {Kind: change.Human, Account: "gitlab:5", Login: "ghostwriter", Name: "Gina"},
	} {
		s.issues["group/sub/shop#7"] = issue(7, "opened", "null", author)
		i, err := k.Lookup(t.Context(), here, "#7")
		require.NoError(t, err)
		require.Equal(t, want, i.Requester, author)
	}
}

func TestLookupOfWhatIsNotThere(t *testing.T) {
	_, k := newSite(t)
	_, err := k.Lookup(t.Context(), here, "#99")
	require.ErrorIs(t, err, change.ErrNoIssue)
	_, err = k.Lookup(t.Context(), here, "group/secret#1")
	silent(t, err, "does not show the project")
}

func TestKeysThatAreNone(t *testing.T) {
	s, k := newSite(t)
	elsewhere := change.Ref{Repository: change.Repository{Forge: change.GitHub, Name: "acme/shop"}}
	for key, why := range map[string]string{
		"": "the key names none", "7": "the key names none", "GH-7": "the key names none", "group/../../users#7": "the key names none",
		"group%2fshop#7": "the key names none", "group/shop#7/../../user": "the key names none", "#7": "the key names no project",
		"https://evil.example/group/shop/-/issues/7": "another host",
	} {
		_, err := k.Lookup(t.Context(), elsewhere, key)
		silent(t, err, why)
	}
	require.Zero(t, s.asked)
}

func TestAGitLabInTrouble(t *testing.T) {
	var leaked []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = append(leaked, r.Header.Get("PRIVATE-TOKEN")) }))
	t.Cleanup(other.Close)
	for name, c := range map[string]struct {
		fault http.HandlerFunc
		why   string
		after time.Duration
	}{
		"unauthorized":     {say(401, `{"message":"401 Unauthorized"}`), "(401)", 0},
		"forbidden":        {say(403, `{"error":"insufficient_scope"}`), "(403)", 0},
		"a rate limit":     {say(429, "Retry later", "Retry-After", "30"), "left alone for a while (429)", 30 * time.Second},
		"a wordless limit": {say(429, ""), "left alone for a while (429)", time.Minute},
		"broken":           {say(500, "<html>"), "answered 500", 0},
		"a gateway":        {say(502, "<html>"), "answered 502", 0},
		"another site":     {say(404, "<html>Not here</html>"), "is not what answers at its address", 0},
		"a login page":     {say(200, "<html>Sign in</html>"), "cannot be read", 0},
		"half an answer":   {say(200, `{"id":1,"iid":7,`), "cannot be read", 0},
		"nothing":          {say(200, `{}`), "not a whole issue", 0},
		"another number":   {say(200, issue(8, "opened", "null", linus)[:1]+`"iid":7,"id":1,"state":"opened","created_at":"2026-03-01T09:00:00Z","references":{"full":"x/y#9"}}`), "not a whole issue", 0},
		"a path for a key": {say(200, `{"iid":7,"id":1,"state":"opened","created_at":"2026-03-01T09:00:00Z","references":{"full":"../..#7"}}`), "not a whole issue", 0},
		"a redirect":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, "answered 302", 0},
		"a huge answer":    {say(200, `{"description":"`+strings.Repeat("x", 9<<20)+`"}`), "cannot be read", 0},
		"no answer":        {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be reached", 0},
		"a slow answer":    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "cannot be reached", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, k := newSite(t)
			s.fail(c.fault)
			_, err := k.Lookup(t.Context(), here, "#7")
			require.Equal(t, c.after, silent(t, err, c.why).After)
			s.fail(nil)
			_, err = k.Lookup(t.Context(), here, "#7")
			require.NoError(t, err, "and then it recovers")
		})
	}
	require.Empty(t, leaked)
}

func TestNewRefuses(t *testing.T) {
	give := func() ([]byte, error) { return []byte(token), nil }
	_, err := gitlab.New(gitlab.Config{Token: give})
	require.NoError(t, err)
	for _, address := range []string{"http://gitlab.example", "https://a:secret@gitlab.example", "https://", "ftp://gitlab.example", "https://gitlab.example?x=1"} {
		_, err := gitlab.New(gitlab.Config{BaseURL: address, Token: give})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "secret@")
	}
	_, err = gitlab.New(gitlab.Config{})
	require.Error(t, err)
	k, err := gitlab.New(gitlab.Config{Token: func() ([]byte, error) { return nil, errors.New("no such file") }})
	require.NoError(t, err)
	_, err = k.Lookup(t.Context(), here, "#7")
	silent(t, err, "the server's token for it cannot be had")
}

// FuzzLookup looks for an answer that panics, or of which an issue is made that is not
// whole.
func FuzzLookup(f *testing.F) {
	f.Add([]byte(issue(7, "opened", "null", linus)), []byte("["+event("closed", "2026-03-02T09:00:00Z")+"]"))
	f.Add([]byte(`{"id":"x"}`), []byte(`{}`))
	f.Add([]byte(`null`), []byte(`[null]`))
	s, k := newSite(f)
	var body, events []byte
	s.fail(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "events") {
			_, _ = w.Write(events)
			return
		}
		_, _ = w.Write(body)
	})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		body, events = first, second
		i, err := k.Lookup(t.Context(), here, "#7")
		if err != nil {
			return
		}
		require.NotEmpty(t, i.ID)
		require.Contains(t, i.Key, "#")
		require.False(t, i.Created.IsZero())
		require.NotEmpty(t, i.Requester.Kind)
	})
}
