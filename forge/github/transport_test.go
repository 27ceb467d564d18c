package github

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// failing answers a path with a status as often as told, then lets it through.
func failing(s *stub, path string, status, times int, header ...string) *int {
	n := 0
	s.before = func(s *stub, r *http.Request) {
		if r.URL.Path != path {
			return
		}
		n++
		delete(s.override, r.Method+" "+path)
		if n <= times {
			s.override[r.Method+" "+path] = func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i+1 < len(header); i += 2 {
					w.Header().Set(header[i], header[i+1])
				}
				answer(w, status, obj{"message": "no"})
			}
		}
	}
	return &n
}

func TestReadsAreRepeatedOnce(t *testing.T) {
	for _, status := range []int{502, 503, 504} {
		s := newStub(t)
		n := failing(s, "/graphql", status, 1)
		s.gather(t)
		require.Equal(t, 2, *n)

		n = failing(s, "/graphql", status, 9)
		_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
		require.Error(t, err)
		require.Equal(t, 2, *n)
	}
	s := newStub(t)
	n := failing(s, "/repos/acme/shop/check-runs", 502, 9)
	require.Error(t, newForge(t, s.URL).Report(t.Context(), held()))
	require.Equal(t, 1, *n, "a write is not repeated")

	n = failing(s, "/repos/acme/shop/pulls/7", 500, 9)
	_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	require.Error(t, err)
	require.Equal(t, 1, *n)
}

func TestRateLimits(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header []string
		least  time.Duration
	}{
		"primary":             {403, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Limit", "5000", "X-RateLimit-Reset", "1772453100"}, 5 * time.Minute},
		"secondary":           {403, []string{"Retry-After", "30"}, 30 * time.Second},
		"too many":            {429, nil, time.Minute},
		"gateway with a time": {503, []string{"Retry-After", "11"}, 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			failing(s, "/repos/acme/shop/pulls/7", c.status, 9, c.header...)
			_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
			var retry *RetryError
			require.ErrorAs(t, err, &retry)
			require.Equal(t, c.least, retry.RetryAfter())
		})
	}
	s := newStub(t)
	s.errors = []obj{{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}}
	_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	var retry *RetryError
	require.ErrorAs(t, err, &retry)
}

// A token must not travel to wherever an answer points.
func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was called with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	s := newStub(t)
	s.override["GET /repos/acme/shop/rules/branches/main"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/rules", http.StatusMovedPermanently)
	}
	_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	require.Error(t, err)

	s.change(func() {
		s.override["GET /repos/acme/shop/rules/branches/main"] = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/renamed/rules", http.StatusMovedPermanently)
		}
		s.override["GET /renamed/rules"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, []obj{{"type": "deletion"}}) }
	})
	require.Equal(t, "deletion", known(t, s.gather(t).Facts.Enforced).Rules[0].Type)
}

func TestAnswersAreBounded(t *testing.T) {
	body := &boundedBody{ReadCloser: io.NopCloser(zeros{}), left: 10}
	_, err := io.ReadAll(body)
	require.ErrorContains(t, err, "more than")

	s := newStub(t)
	s.override["GET /repos/acme/shop/rules/branches/main"] = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"type":"`)
		_, _ = io.Copy(w, io.LimitReader(letters{}, maxAnswer+1))
	}
	_, err = newForge(t, s.URL).Gather(t.Context(), pull7)
	require.ErrorContains(t, err, "more than")
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat("a", len(p))), nil
}

// An answer that was on its way when its event came is not kept.
func TestForgetDuringAFetch(t *testing.T) {
	s := newStub(t)
	f := newForge(t, s.URL)
	s.before = func(_ *stub, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/orgs/") {
			f.Forget([]string{"people:acme"})
		}
	}
	needs := change.Needs{Selectors: []change.Selector{"team:acme/engineers"}}
	for range 2 {
		_, err := f.Answer(t.Context(), reviewed(), needs)
		require.NoError(t, err)
	}
	require.Equal(t, 2, s.teams)
}

func TestRuleOfAnyTypeIsRead(t *testing.T) {
	s := newStub(t)
	s.rules = []obj{
		{"type": "merge_queue", "ruleset_id": 5, "ruleset_source": "acme/shop", "parameters": obj{"merge_method": "MERGE"}},
		{"type": "telepathy", "ruleset_id": 5, "parameters": obj{"x": []any{1, obj{}}}},
		{"type": "required_status_checks", "ruleset_id": 5, "parameters": obj{"required_status_checks": []obj{{"context": "countersign", "integration_id": testApp}, {"context": "lint"}}}},
	}
	s.override["GET /repos/acme/shop/rulesets/5"] = func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, obj{"bypass_actors": []obj{{"actor_type": "OrganizationAdmin", "actor_id": nil, "bypass_mode": "always"}}})
	}
	e := known(t, s.gather(t).Facts.Enforced)
	require.Len(t, e.Rules, 3)
	require.Equal(t, []change.Pinned{{Name: "countersign", AppID: testApp}, {Name: "lint"}}, e.Rules[1].Checks)
	require.Len(t, e.Rules[0].Digest, 64)
	require.Equal(t, []change.BypassActor{{Type: "OrganizationAdmin", Mode: "always"}}, known(t, e.Bypass))
}
