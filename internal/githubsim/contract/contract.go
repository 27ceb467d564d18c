package contract

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// Install is the command that installs GitHub's descriptions.
const Install = "npm ci --ignore-scripts --prefix internal/githubsim/contract"

// ModulesEnv names the variable that says where node_modules is, when it is not
// beside this package.
const ModulesEnv = "COUNTERSIGN_CONTRACT_MODULES"

// descriptions are all that GitHub publishes about its interfaces.
type descriptions struct {
	rest   *rest
	hooks  *openapi3.T
	schema *ast.Schema
}

// load reads the descriptions once per process: they are immutable, and reading
// them takes seconds.
var load = sync.OnceValues(func() (*descriptions, error) {
	dir, err := Modules()
	if err != nil {
		return nil, err
	}
	var d descriptions
	if d.rest, err = loadREST(filepath.Join(dir, "@octokit/openapi/generated/api.github.com.json")); err != nil {
		return nil, err
	}
	if d.hooks, err = loadWebhooks(filepath.Join(dir, "@octokit/openapi-webhooks/generated/api.github.com.json")); err != nil {
		return nil, err
	}
	if d.schema, err = loadSchema(filepath.Join(dir, "@octokit/graphql-schema/schema.graphql")); err != nil {
		return nil, err
	}
	return &d, nil
})

// ErrNotInstalled says that the descriptions are not there.
var ErrNotInstalled = errors.New("GitHub's descriptions are not installed; run: " + Install)

// Modules returns the folder that holds @octokit, or ErrNotInstalled.
func Modules() (string, error) {
	dir := os.Getenv(ModulesEnv)
	if dir == "" {
		_, file, _, ok := runtime.Caller(0)
		if !ok {
			return "", ErrNotInstalled
		}
		dir = filepath.Join(filepath.Dir(file), "node_modules")
	}
	if _, err := os.Stat(filepath.Join(dir, "@octokit/openapi/generated/api.github.com.json")); err != nil {
		return "", ErrNotInstalled
	}
	return dir, nil
}

// get returns the descriptions, or skips the test.
func get(t testing.TB) *descriptions {
	t.Helper()
	d, err := load()
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Schema returns GitHub's GraphQL schema, or skips the test.
func Schema(t testing.TB) *ast.Schema {
	t.Helper()
	return get(t).schema
}

// Checked has every call to sim, every answer and every delivery checked until
// the test ends; what differs from GitHub's descriptions fails the test.
func Checked(t testing.TB, sim *githubsim.Sim) {
	t.Helper()
	d := get(t)
	sim.Wrap(func(h http.Handler) http.Handler { return Wrap(t, h) })
	sim.OnDelivery(func(event string, body []byte) {
		if err := checkPayload(d.hooks, event, body); err != nil {
			t.Errorf("payload of %s: %s\n%s", event, brief(err), body)
		}
	})
}

// Wrap returns h with every exchange checked. Enterprise paths (/api/v3/… and
// /api/graphql) are checked as their counterparts at the root.
func Wrap(t testing.TB, h http.Handler) http.Handler {
	t.Helper()
	d := get(t)
	var mu sync.Mutex // the validators share caches
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r.Clone(r.Context()))
		mu.Lock()
		err = d.check(r, body, answer)
		mu.Unlock()
		if err != nil {
			t.Errorf("%s %s: %s", r.Method, r.URL, brief(err))
		}
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the caller is gone if this fails
	})
}

// byRepositoryID begins the addresses that GitHub redirects to, of operations that it
// describes by the repository's name.
var byRepositoryID = regexp.MustCompile(`^/repositories/[0-9]+/`)

// check checks one exchange with the description that speaks of it.
func (d *descriptions) check(r *http.Request, body []byte, answer *httptest.ResponseRecorder) error {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/api/v3")
	r.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, "/api/v3")
	r.URL.Path = byRepositoryID.ReplaceAllString(r.URL.Path, "/repos/owner/name/")
	if (r.URL.Path == "/graphql" || r.URL.Path == "/api/graphql") && answer.Code == http.StatusOK {
		return checkQuery(d.schema, body, answer.Body.Bytes())
	}
	return d.rest.check(exchange{request: r, body: body, answer: answer})
}

// brief shortens what the validator says: it repeats whole schemas.
func brief(err error) string {
	const most = 3000
	s := err.Error()
	if i := strings.Index(s, "\nSchema:"); i >= 0 {
		s = s[:i]
	}
	return s[:min(len(s), most)]
}
