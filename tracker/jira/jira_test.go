package jira_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/jirasim"
	"github.com/countersign-dev/countersign/tracker/jira"
)

var (
	morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	linus   = &jirasim.User{AccountID: "5b10ac8d82e05b22cc7d4ef5", Type: "atlassian", Name: "Linus"}
	desk    = &jirasim.User{AccountID: "557058:f58131cb-b67d-43c7-b30d-6b58d40bd077", Type: "app", Name: "Help Desk"}
)

func apiToken() ([]byte, error) { return []byte(jirasim.APIToken + "\n"), nil }

// site is a Jira with SHOP-7, and a tracker that asks it with an API token.
func site(t testing.TB) (*jirasim.Sim, *jira.Tracker) {
	t.Helper()
	now := morning
	sim := jirasim.Start(func() time.Time { now = now.Add(time.Minute); return now })
	t.Cleanup(sim.Close)
	sim.Add(jirasim.Issue{
		Key: "SHOP-7", Type: "Story", Summary: "Baskets", Reporter: linus, Created: morning, OldKeys: []string{"OLD-1"},
		Description: map[string]any{"type": "doc", "version": 1, "content": []any{
			map[string]any{"type": "paragraph", "content": []any{
				map[string]any{"type": "text", "text": "Customers want "},
				map[string]any{"type": "text", "text": "baskets", "marks": []any{map[string]any{"type": "link", "attrs": map[string]any{"href": "https://shop.example"}}}},
				map[string]any{"type": "mention", "attrs": map[string]any{"id": "1", "text": "@Ada"}},
			}},
			map[string]any{"type": "paragraph", "content": []any{map[string]any{"type": "text", "text": "Soon."}}},
		}},
	})
	return sim, tracker(t, jira.Config{BaseURL: sim.URL, Email: jirasim.Email, Token: apiToken})
}

func tracker(t testing.TB, c jira.Config) *jira.Tracker {
	t.Helper()
	k, err := jira.New(c)
	require.NoError(t, err)
	return k
}

func lookup(t testing.TB, k *jira.Tracker, key string) (change.Issue, error) {
	t.Helper()
	return k.Lookup(t.Context(), change.Ref{}, key)
}

// silent requires that a lookup says neither yes nor no, and why.
func silent(t *testing.T, err error, why string) *change.UnansweredError {
	t.Helper()
	require.Error(t, err)
	require.NotErrorIs(t, err, change.ErrNoIssue)
	var out *change.UnansweredError
	require.ErrorAs(t, err, &out)
	require.Contains(t, out.Why, why)
	for _, secret := range []string{jirasim.APIToken, jirasim.ClientSecret, "http", jirasim.Email} {
		require.NotContains(t, out.Why, secret)
	}
	require.NotContains(t, err.Error(), jirasim.APIToken)
	require.NotContains(t, err.Error(), jirasim.ClientSecret)
	return out
}

func TestLookup(t *testing.T) {
	sim, k := site(t)
	sim.Move("SHOP-7", "In Progress", "indeterminate")
	i, err := lookup(t, k, "SHOP-7")
	require.NoError(t, err)
	who := change.Identity{Kind: change.Human, Account: "jira:5b10ac8d82e05b22cc7d4ef5", Name: "Linus"}
	require.Equal(t, change.Issue{
		Snapshot: change.Snapshot{
			Body: "Customers want baskets[https://shop.example][@Ada][1]\nSoon.", Created: morning, ID: "10001", Key: "SHOP-7",
			State: "In Progress", Title: "Baskets", Tracker: change.Jira, Type: "Story",
		},
		URL: sim.URL + "/browse/SHOP-7", Requester: who, Creator: who,
		Moves: []change.Move{{At: morning.Add(time.Minute), From: "To Do", To: "In Progress"}},
	}, i)
	require.Equal(t, map[string]int{"issue": 1}, sim.Requests())
	again, err := lookup(t, k, sim.URL+"/browse/SHOP-7")
	require.NoError(t, err)
	require.Equal(t, i, again)
	moved, err := lookup(t, k, "OLD-1")
	require.NoError(t, err)
	require.Equal(t, "SHOP-7", moved.Key, "an issue that was moved answers under its old key too")
}

func TestLookupOfOneThatIsClosed(t *testing.T) {
	sim, k := site(t)
	sim.Move("SHOP-7", "Done", "done")
	i, err := lookup(t, k, "SHOP-7")
	require.NoError(t, err)
	require.False(t, i.Closed.IsZero())
	sim.Add(jirasim.Issue{Key: "SHOP-8", Status: "Rejected", Category: "done", Reporter: linus, Created: morning})
	i, err = lookup(t, k, "SHOP-8")
	require.NoError(t, err)
	require.Equal(t, morning, i.Closed, "done without a resolution is done")
}

func TestLookupOfALongHistory(t *testing.T) {
	sim, k := site(t)
	sim.Move("SHOP-7", "In Progress", "indeterminate")
	sim.Note("SHOP-7", 250)
	sim.Move("SHOP-7", "Review", "indeterminate")
	i, err := lookup(t, k, "SHOP-7")
	require.NoError(t, err)
	require.Len(t, i.Moves, 2)
	require.Equal(t, "In Progress", i.Moves[0].To)
	require.Equal(t, 3, sim.Requests()["changelog"])
	sim.Note("SHOP-7", 1000)
	_, err = lookup(t, k, "SHOP-7")
	silent(t, err, "more than 1000 entries")
}

func TestLookupOfPeople(t *testing.T) {
	sim, k := site(t)
	for key, c := range map[string]struct {
		user *jirasim.User
		want change.Identity
	}{
		"A-1": {desk, change.Identity{Kind: change.App, Account: "jira:557058:f58131cb-b67d-43c7-b30d-6b58d40bd077", Name: "Help Desk"}},
		"A-2": {nil, change.Identity{Kind: change.Unknown}},
		"A-3": {&jirasim.User{AccountID: "unknown", Type: "atlassian", Name: "Former user"}, change.Identity{Kind: change.Unknown, Name: "Former user"}},
		"A-4": {&jirasim.User{AccountID: "qm:1:2", Type: "customer", Name: "Carol"}, change.Identity{Kind: change.Human, Account: "jira:qm:1:2", Name: "Carol"}},
		"A-5": {&jirasim.User{AccountID: "x y", Type: "atlassian", Name: "Odd"}, change.Identity{Kind: change.Unknown, Name: "Odd"}},
		"A-6": {&jirasim.User{AccountID: "x", Type: "robot", Name: "New"}, change.Identity{Kind: change.Unknown, Account: "jira:x", Name: "New"}},
	} {
		sim.Add(jirasim.Issue{Key: key, Reporter: c.user, Creator: linus})
		i, err := lookup(t, k, key)
		require.NoError(t, err, key)
		require.Equal(t, c.want, i.Requester, key)
		require.Equal(t, "Linus", i.Creator.Name)
	}
}

func TestLookupOfWhatIsNotThere(t *testing.T) {
	sim, k := site(t)
	sim.Add(jirasim.Issue{Key: "HR-1", Reporter: linus, Hidden: true})
	for _, key := range []string{"SHOP-99", "NONE-1", "HR-1"} {
		_, err := lookup(t, k, key)
		require.ErrorIs(t, err, change.ErrNoIssue, key)
	}
	require.Zero(t, sim.Requests()["myself"], "the answer said who asked")
}

// To a stranger every issue is missing. That says nothing of the issue.
func TestAStrangerIsNotToldWhatIsMissing(t *testing.T) {
	sim, _ := site(t)
	wrong := tracker(t, jira.Config{BaseURL: sim.URL, Email: jirasim.Email, Token: func() ([]byte, error) { return []byte("ended"), nil }})
	_, err := lookup(t, wrong, "SHOP-7")
	silent(t, err, "does not know who asks")
	sim.Fail(func(w http.ResponseWriter, r *http.Request) { // without the header that says so
		if strings.HasSuffix(r.URL.Path, "/myself") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"errorMessages":["Issue does not exist or you do not have permission to see it."],"errors":{}}`))
	})
	_, err = lookup(t, wrong, "SHOP-7")
	silent(t, err, "does not accept this server's credentials (401)")
}

func TestLookupByOAuth(t *testing.T) {
	sim, _ := site(t)
	k := tracker(t, jira.Config{BaseURL: sim.URL, ClientID: jirasim.ClientID, ClientSecret: jirasim.ClientSecret, TokenURL: sim.URL + "/oauth/token"})
	for range 3 {
		_, err := lookup(t, k, "SHOP-7")
		require.NoError(t, err)
	}
	require.Equal(t, 1, sim.Requests()["token"], "a token that is good serves again")
	sim.Revoke()
	_, err := lookup(t, k, "SHOP-7")
	silent(t, err, "does not accept this server's credentials (401)")
	_, err = lookup(t, k, "SHOP-7")
	require.NoError(t, err, "and another one is fetched")
	_, err = lookup(t, k, "SHOP-99")
	require.ErrorIs(t, err, change.ErrNoIssue)
	wrong := tracker(t, jira.Config{BaseURL: sim.URL, ClientID: jirasim.ClientID, ClientSecret: "wrong", TokenURL: sim.URL + "/oauth/token"})
	_, err = lookup(t, wrong, "SHOP-7")
	silent(t, err, "the server's credentials for it cannot be had")
	bearer := tracker(t, jira.Config{BaseURL: sim.URL, Token: func() ([]byte, error) { return []byte("ended"), nil }})
	_, err = lookup(t, bearer, "SHOP-7")
	silent(t, err, "does not accept this server's credentials (401)")
	none := tracker(t, jira.Config{BaseURL: sim.URL, Token: func() ([]byte, error) { return nil, errors.New("no such file") }})
	_, err = lookup(t, none, "SHOP-7")
	silent(t, err, "the server's credentials for it cannot be had")
}

func TestKeysThatAreNone(t *testing.T) {
	sim, k := site(t)
	for _, key := range []string{
		"", "SHOP", "SHOP-", "SHOP-0", "SHOP-07", "-7", "7", "#7", "../myself", "SHOP-7/../../myself", "SHOP-7%2f..", "SHOP-7?expand=all", "SHOP-7#x",
		"SHOP-7\n", "SHÖP-7", "https://evil.example/browse/SHOP-7", strings.Repeat("A", 500) + "-7",
	} {
		_, err := lookup(t, k, key)
		silent(t, err, "the key names none")
	}
	require.Empty(t, sim.Requests())
}

func TestAJiraInTrouble(t *testing.T) {
	var leaked []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = append(leaked, r.Header.Get("Authorization")) }))
	t.Cleanup(other.Close)
	say := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, c := range map[string]struct {
		fault http.HandlerFunc
		why   string
		after time.Duration
	}{
		"unauthorized":       {say(401, ""), "(401)", 0},
		"forbidden":          {say(403, ""), "(403)", 0},
		"a rate limit":       {say(429, "", "Retry-After", "30"), "left alone for a while (429)", 30 * time.Second},
		"a wordless limit":   {say(429, ""), "left alone for a while (429)", time.Minute},
		"an endless limit":   {say(429, "", "Retry-After", "99999999"), "left alone for a while (429)", time.Hour},
		"maintenance":        {say(503, "", "Retry-After", "60"), "left alone for a while (503)", time.Minute},
		"broken":             {say(500, "<html>"), "answered 500", 0},
		"a gateway":          {say(502, "<html>"), "answered 502", 0},
		"another site":       {say(404, "<html>No such site</html>"), "is not what answers at its address", 0},
		"a login page":       {say(200, "<html>Log in</html>"), "cannot be read", 0},
		"half an answer":     {say(200, `{"id":"1","key":"SHOP-7","fie`), "cannot be read", 0},
		"nothing":            {say(200, `{}`), "not a whole issue", 0},
		"null":               {say(200, `null`), "not a whole issue", 0},
		"another shape":      {say(200, `[{"id":1}]`), "cannot be read", 0},
		"a wrong date":       {say(200, `{"id":"1","key":"SHOP-7","fields":{"created":"yesterday"}}`), "cannot be read", 0},
		"a key with a path":  {say(200, `{"id":"1","key":"../../x","fields":{"created":"2026-03-01T09:00:00.000+0000","status":{"name":"x"}}}`), "not a whole issue", 0},
		"a redirect":         {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, "answered 302, and no redirect is followed", 0},
		"a huge answer":      {say(200, `{"id":"`+strings.Repeat("x", 17<<20)+`"}`), "more than 16777216 bytes", 0},
		"no answer":          {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be reached", 0},
		"an answer too slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "cannot be reached", 0},
	} {
		t.Run(name, func(t *testing.T) {
			sim, _ := site(t)
			k := tracker(t, jira.Config{BaseURL: sim.URL, Email: jirasim.Email, Token: apiToken, CallTimeout: time.Second})
			sim.Fail(c.fault)
			_, err := lookup(t, k, "SHOP-7")
			require.Equal(t, c.after, silent(t, err, c.why).After)
			sim.Heal()
			_, err = lookup(t, k, "SHOP-7")
			require.NoError(t, err, "and then it recovers")
		})
	}
	require.Empty(t, leaked)
}

func TestAJiraThatIsGone(t *testing.T) {
	sim, k := site(t)
	sim.Close()
	_, err := lookup(t, k, "SHOP-7")
	silent(t, err, "cannot be reached")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = k.Lookup(ended, change.Ref{}, "SHOP-7")
	silent(t, err, "cannot be reached")
}

func TestNewRefuses(t *testing.T) {
	good := jira.Config{BaseURL: "https://acme.atlassian.net/", Email: "a@b", Token: apiToken}
	_, err := jira.New(good)
	require.NoError(t, err)
	for name, spoil := range map[string]func(*jira.Config){
		"no address":     func(c *jira.Config) { c.BaseURL = "" },
		"plain http":     func(c *jira.Config) { c.BaseURL = "http://jira.example" },
		"a password":     func(c *jira.Config) { c.BaseURL = "https://a:secret@jira.example" },
		"a query":        func(c *jira.Config) { c.BaseURL = "https://jira.example?x=1" },
		"no credentials": func(c *jira.Config) { c.Token = nil },
		"both":           func(c *jira.Config) { c.ClientID, c.ClientSecret = "a", "b" },
		"half a client":  func(c *jira.Config) { c.Token, c.Email, c.ClientID = nil, "", "a" },
		"a token in clear": func(c *jira.Config) {
			*c = jira.Config{BaseURL: c.BaseURL, ClientID: "a", ClientSecret: "b", TokenURL: "http://auth.example"}
		},
	} {
		c := good
		spoil(&c)
		_, err := jira.New(c)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "secret@")
	}
}

// FuzzLookup looks for an answer that panics, or of which an issue is made that is not
// whole.
func FuzzLookup(f *testing.F) {
	f.Add([]byte(`{"id":"1","key":"SHOP-7","fields":{"summary":"s","created":"2026-03-01T09:00:00.000+0000","status":{"name":"Done","statusCategory":{"key":"done"}},"reporter":{"accountId":"x","accountType":"app"},"description":{"type":"doc","content":[{"type":"text","text":"t","marks":[{"type":"link","attrs":{"href":"h"}}]}]}},"changelog":{"total":1,"histories":[{"id":"1","created":"2026-03-01T09:00:00.000+0000","items":[{"field":"status","fromString":"a","toString":"b"}]}]}}`))
	f.Add([]byte(`{"id":"1","key":"SHOP-7","fields":{"created":"2026-03-01T09:00:00Z","status":{"name":"x"},"description":"text","reporter":null}}`))
	f.Add([]byte(`{"total":3,"values":[]}`))
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	f.Cleanup(s.Close)
	k := tracker(f, jira.Config{BaseURL: s.URL, Email: "a@b", Token: apiToken})
	f.Fuzz(func(t *testing.T, data []byte) {
		body = data
		i, err := k.Lookup(t.Context(), change.Ref{}, "SHOP-7")
		if err != nil {
			return
		}
		require.NotEmpty(t, i.ID)
		require.NotEmpty(t, i.State)
		require.False(t, i.Created.IsZero())
		require.NotEmpty(t, i.Requester.Kind)
		require.Less(t, len(i.Body), 300<<10)
		_ = fmt.Sprint(i.Digest())
	})
}
