package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// ask looks up a key for a change of acme/shop.
func (w *world) ask(key string) (change.Issue, error) {
	return w.forge.Lookup(w.t.Context(), w.pull(1), key)
}

// untoldBecause requires that a lookup says neither yes nor no, and why.
func untoldBecause(t *testing.T, err error, why string) {
	t.Helper()
	require.Error(t, err)
	require.NotErrorIs(t, err, change.ErrNoIssue)
	var silent *change.UnansweredError
	require.ErrorAs(t, err, &silent)
	require.Contains(t, silent.Why, why)
	require.NotContains(t, silent.Why, "http", "the reason goes into a record, and names no place")
}

func TestLookupOfAnIssue(t *testing.T) {
	w := newWorld(t)
	number, err := w.shop.As("grace").OpenIssueWith(githubsim.Issue{Title: "Baskets", Body: "Customers want them.", Type: "Feature"})
	require.NoError(t, err)
	id := w.sim.Requests()
	for _, key := range []string{"#1", "GH-1", "acme/shop#1", "Acme/Shop#1", w.sim.URL + "/acme/shop/issues/1"} {
		i, err := w.ask(key)
		require.NoError(t, err, key)
		require.Equal(t, fmt.Sprintf("acme/shop#%d", number), i.Key)
		require.Equal(t, "open", i.State)
		require.Equal(t, "Feature", i.Type)
		require.Equal(t, "Customers want them.", i.Body)
		require.Equal(t, w.sim.URL+"/acme/shop/issues/1", i.URL)
		require.Equal(t, "grace", i.Requester.Login)
		require.Equal(t, change.Human, i.Requester.Kind)
		require.Equal(t, i.Requester, i.Creator)
		require.False(t, i.Created.IsZero())
		require.Zero(t, i.Closed)
		require.Empty(t, i.Moves)
		require.NotEmpty(t, i.ID)
	}
	const route = "GET /repos/{owner}/{repo}/issues/{number}"
	require.Equal(t, 5, w.sim.Requests()[route]-id[route], "one request each")
	require.Zero(t, w.sim.Requests()[route+"/events"], "what was always open has no history to ask for")
}

func TestLookupTellsHowTheStateMoved(t *testing.T) {
	w := newWorld(t)
	n, err := w.shop.As("grace").OpenIssue("Baskets")
	require.NoError(t, err)
	root := w.shop.As("root")
	require.NoError(t, root.CloseIssue(n, "not_planned"))
	require.NoError(t, root.ReopenIssue(n))
	i, err := w.ask("#1")
	require.NoError(t, err)
	require.Equal(t, "open", i.State)
	require.Len(t, i.Moves, 2)
	for range 51 { // more than a page of history
		require.NoError(t, root.CloseIssue(n, ""))
		require.NoError(t, root.ReopenIssue(n))
	}
	require.NoError(t, root.CloseIssue(n, "duplicate"))
	i, err = w.ask("#1")
	require.NoError(t, err)
	require.Equal(t, "duplicate", i.State)
	require.False(t, i.Closed.IsZero())
	require.Len(t, i.Moves, 105)
	require.Equal(t, "not_planned", i.Moves[0].To)
	require.Equal(t, change.Move{At: i.Closed, From: "open", To: "duplicate"}, i.Moves[104])
}

// A history that cannot be read to its end, or that does not fit, tells nothing.
func TestLookupOfAHistoryThatIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		events http.HandlerFunc
		why    string
	}{
		"without an end": {func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.URL.Query().Get("page"))
			w.Header().Set("Link", fmt.Sprintf(`<https://elsewhere.example/events?page=%d>; rel="next"`, n+1))
			say(200, `[{"event":"labeled","created_at":"2026-01-01T00:00:00Z"}]`)(w, r)
		}, "more than 1000 entries"},
		"of another state": {say(200, `[{"event":"closed","created_at":"2026-01-02T00:00:00Z"},{"event":"reopened","created_at":"2026-01-03T00:00:00Z"}]`), "does not lead to the state"},
		"refused":          {say(403, `{"message":"no"}`), "refuses this application (403)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.override["GET /repos/acme/shop/issues/3"] = say(200, `{"id":5,"number":3,"state":"closed","created_at":"2026-01-01T00:00:00Z","closed_at":"2026-01-02T00:00:00Z","repository_url":"https://x/repos/acme/shop"}`)
			s.override["GET /repos/acme/shop/issues/3/events"] = c.events
			_, err := newForge(t, s.URL).Lookup(t.Context(), pull7, "#3")
			untoldBecause(t, err, c.why)
		})
	}
}

func TestLookupOfWhatIsNoIssue(t *testing.T) {
	w := newWorld(t)
	pull, _ := w.open("ada", "basket")
	gone, err := w.shop.As("grace").OpenIssue("A mistake")
	require.NoError(t, err)
	require.NoError(t, w.shop.As("root").DeleteIssue(gone))
	for name, key := range map[string]string{
		"never opened": "#99", "a pull request": fmt.Sprintf("#%d", pull), "deleted": fmt.Sprintf("#%d", gone), "in full": "acme/shop#99",
	} {
		_, err := w.ask(key)
		require.ErrorIs(t, err, change.ErrNoIssue, name)
	}
}

func TestLookupFollowsATransfer(t *testing.T) {
	w := newWorld(t)
	desk, err := w.sim.CreateRepository("acme/desk", githubsim.RepositoryOptions{Permissions: map[string]string{"grace": "write"}})
	require.NoError(t, err)
	_, err = desk.As("grace").OpenIssue("Another")
	require.NoError(t, err)
	n, err := w.shop.As("grace").OpenIssue("Baskets")
	require.NoError(t, err)
	require.NoError(t, w.shop.As("grace").CloseIssue(n, ""))
	_, err = w.shop.As("grace").TransferIssue(n, desk)
	require.NoError(t, err)
	i, err := w.ask("#1")
	require.NoError(t, err)
	require.Equal(t, "acme/desk#2", i.Key)
	require.Len(t, i.Moves, 1)
	direct, err := w.ask("acme/desk#2")
	require.NoError(t, err)
	require.Equal(t, i, direct)
}

// What the application cannot see is not known to be missing.
func TestLookupOfWhatIsOutOfSight(t *testing.T) {
	w := newWorld(t)
	_, err := w.sim.AddOrganization("rival", "mallory")
	require.NoError(t, err)
	secret, err := w.sim.CreateRepository("rival/secret", githubsim.RepositoryOptions{})
	require.NoError(t, err)
	_, err = secret.As("mallory").OpenIssue("Our plans")
	require.NoError(t, err)
	for key, why := range map[string]string{
		"elsewhere/tool#1":                      "the application is not installed there",
		"rival/secret#1":                        "does not show the issues of rival/secret to whoever may read acme/shop",
		"rival/secret#99":                       "does not show the issues of rival/secret to whoever may read acme/shop",
		"../admin#1":                            "the key names none",
		"acme/../rival/secret#1":                "the key names none",
		"acme%2f..#1":                           "the key names none",
		"a/b/c#1":                               "names no repository",
		"SHOP-42":                               "the key names none",
		"":                                      "the key names none",
		"#0":                                    "the key names none",
		"#99999999999":                          "the key names none",
		"https://evil.example/a/b/issues/1":     "the address is not one of",
		w.sim.URL + "/acme/shop/pull/1":         "the key names none",
		w.sim.URL + "/acme/shop/issues/1?x=..":  "the key names none",
		w.sim.URL + "/acme/%2e%2e/x/issues/1":   "the key names none",
		strings.Repeat("a", 300) + "/shop#1":    "names no repository",
		strings.Repeat("a/", 20_000) + "shop#1": "the key names none",
	} {
		_, err := w.ask(key)
		untoldBecause(t, err, why)
	}
}

func TestLookupWithoutThePermission(t *testing.T) {
	w := newWorld(t)
	permissions := githubsim.DefaultPermissions()
	delete(permissions, "issues")
	w.sim.SetPermissions(permissions)
	w.forge = w.newForge()
	_, err := w.ask("#1")
	untoldBecause(t, err, "grant it the permission issues: read")
	require.Zero(t, w.sim.Requests()["GET /repos/{owner}/{repo}/issues/{number}"])
}

func TestLookupWhileGitHubIsInTrouble(t *testing.T) {
	const route = "GET /repos/{owner}/{repo}/issues/{number}"
	for name, c := range map[string]struct {
		fault githubsim.Fault
		why   string
		after time.Duration
	}{
		"a bad gateway":  {githubsim.Fault{Status: 502, Times: 2}, "answered 502", 0},
		"a rate limit":   {githubsim.Fault{Status: 403, RetryAfter: 90 * time.Second}, "left alone for a while", 90 * time.Second},
		"too many":       {githubsim.Fault{Status: 429}, "left alone for a while", time.Minute},
		"not allowed":    {githubsim.Fault{Status: 403}, "refuses this application (403)", 0},
		"not authorised": {githubsim.Fault{Status: 401}, "answered 401", 0},
		"no answer":      {githubsim.Fault{Hangup: true, Times: 4}, "no answer came that can be read", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.shop.As("grace").OpenIssue("Baskets")
			require.NoError(t, err)
			c.fault.Route = route
			w.sim.Fail(c.fault)
			_, err = w.ask("#1")
			untoldBecause(t, err, c.why)
			var silent *change.UnansweredError
			require.ErrorAs(t, err, &silent)
			require.Equal(t, c.after, silent.After)
			_, err = w.ask("#1")
			require.NoError(t, err, "and then it recovers")
		})
	}
}

// No answer is half believed, and no redirect takes the token to another host.
func TestLookupOfAnAnswerThatIsNone(t *testing.T) {
	var leaked []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked = append(leaked, r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		why    string
	}{
		"HTML":          {say(200, "<html>sign in</html>"), "no answer came that can be read"},
		"half of it":    {say(200, `{"id": 5, "number": 3`), "no answer came that can be read"},
		"nothing":       {say(200, `{}`), "not a whole issue"},
		"no date":       {say(200, `{"id":5,"number":3,"state":"open","repository_url":"https://x/repos/acme/shop"}`), "not a whole issue"},
		"no repository": {say(200, `{"id":5,"number":3,"state":"open","created_at":"2026-01-01T00:00:00Z"}`), "names no repository"},
		"another shape": {say(200, `{"id":5,"number":3,"state":["open"]}`), "no answer came that can be read"},
		"another state": {say(200, `{"id":5,"number":3,"state":"half","created_at":"2026-01-01T00:00:00Z","repository_url":"https://x/repos/acme/shop"}`), "not a whole issue"},
		"another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/issue", http.StatusMovedPermanently)
		}, "answered 301"},
		"a circle": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusMovedPermanently)
		}, "answered 301"},
		"too large": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"body":"%s"}`, strings.Repeat("x", maxAnswer))
		}, "no answer came that can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.override["GET /repos/acme/shop/issues/3"] = c.answer
			_, err := newForge(t, s.URL).Lookup(t.Context(), pull7, "#3")
			untoldBecause(t, err, c.why)
			require.Empty(t, leaked)
		})
	}
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestHintOfIssues(t *testing.T) {
	w := newWorld(t)
	desk, err := w.sim.CreateRepository("acme/desk", githubsim.RepositoryOptions{Permissions: map[string]string{"grace": "write"}})
	require.NoError(t, err)
	said := map[string][]string{}
	w.sim.OnDelivery(func(event string, body []byte) {
		if event != "issues" {
			return
		}
		h, err := w.forge.Hint(change.Delivery{Event: event, Body: body})
		require.NoError(t, err)
		require.Empty(t, h.Refs)
		require.Empty(t, h.Owners)
		var p payload
		require.NoError(t, json.Unmarshal(body, &p))
		for _, r := range h.Requests {
			require.NotEmpty(t, r.ID)
			said[p.Action] = append(said[p.Action], r.Key)
		}
	})
	grace := w.shop.As("grace")
	n, err := grace.OpenIssue("Baskets")
	require.NoError(t, err)
	require.NoError(t, grace.CloseIssue(n, ""))
	require.NoError(t, grace.ReopenIssue(n))
	require.NoError(t, grace.RetitleIssue(n, "Bigger baskets"))
	require.NoError(t, grace.AssignIssue(n))
	moved, err := grace.TransferIssue(n, desk)
	require.NoError(t, err)
	require.NoError(t, desk.As("root").DeleteIssue(moved))
	shop, there := "acme/shop#1", "acme/desk#1"
	require.Equal(t, map[string][]string{
		"opened": {shop}, "closed": {shop}, "reopened": {shop}, "edited": {shop}, "transferred": {shop, there}, "deleted": {there},
	}, said, "who works on an issue is no fact")
}

// FuzzIssue looks for an answer that panics, or that is neither an issue nor an error.
func FuzzIssue(f *testing.F) {
	f.Add([]byte(`{"id":5,"number":3,"state":"closed","state_reason":"completed","created_at":"2026-01-01T00:00:00Z","closed_at":"2026-01-02T00:00:00Z","repository_url":"https://x/repos/acme/shop","user":{"id":5,"login":"ada","type":"User"},"type":{"name":"Bug"}}`))
	f.Add([]byte(`{"id":5,"number":3,"state":"open","user":null,"pull_request":null,"type":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var i issueAnswer
		if json.Unmarshal(data, &i) != nil {
			return
		}
		at, err := i.place()
		if err != nil {
			var last finalError
			require.True(t, errors.As(err, &last))
			return
		}
		_, ok := change.ParseIssueKey(at.String())
		require.True(t, ok, at.String())
		_ = i.User.identity()
		_ = stateOfIssue(i.State, i.StateReason)
	})
}
