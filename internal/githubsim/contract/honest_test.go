package contract

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// TestChecksFindFaults breaks true answers and payloads one by one: a check that
// finds nothing would prove nothing.
func TestChecksFindFaults(t *testing.T) {
	d := get(t)
	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	payloads := map[string][]byte{}
	sim.OnDelivery(func(event string, body []byte) { payloads[event] = body })
	sim.AddUsers("root")
	_, err = sim.AddOrganization("acme", "root")
	require.NoError(t, err)
	repo, err := sim.CreateRepository("acme/shop", githubsim.RepositoryOptions{})
	require.NoError(t, err)
	_, err = repo.As("root").Push("feature", githubsim.Commit{Files: map[string]string{"a": "a"}})
	require.NoError(t, err)
	_, err = repo.As("root").Open(githubsim.PullRequest{Head: "feature"})
	require.NoError(t, err)
	_, err = repo.PostCheck(githubsim.CheckRun{Name: "test", Conclusion: "success"})
	require.NoError(t, err)

	breaks := []struct{ event, path string }{
		{"pull_request", "number"}, {"pull_request", "pull_request.head.sha"}, {"pull_request", "repository.full_name"}, {"push", "after"},
		{"push", "head_commit.tree_id"}, {"create", "ref_type"}, {"check_run", "check_run.output"}, {"check_run", "sender"},
	}
	for _, b := range breaks {
		body := payloads[b.event]
		require.NoError(t, checkPayload(d.hooks, b.event, body), b.event)
		require.Error(t, checkPayload(d.hooks, b.event, without(t, body, b.path)), "%s without %s", b.event, b.path)
	}
	require.Error(t, checkPayload(d.hooks, "no_such_event", []byte("{}")))
	require.Error(t, checkPayload(d.hooks, "check_run", []byte(strings.Replace(string(payloads["check_run"]), `"completed"`, `"done"`, -1))))
}

func TestRESTChecksFindFaults(t *testing.T) {
	d := get(t)
	answer := func(method, path string, status int, body string) error {
		r := httptest.NewRequest(method, path, nil)
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, err := w.WriteString(body)
		require.NoError(t, err)
		return d.check(r, nil, w)
	}
	const membership = `{"url": "http://127.0.0.1/x", "role": "member", "state": "active"}`
	const path = "/orgs/acme/teams/engineers/memberships/ada"
	require.NoError(t, answer("GET", path, 200, membership))
	require.NoError(t, answer("GET", "/api/v3"+path, 200, membership))
	require.Error(t, answer("GET", path, 200, strings.Replace(membership, "active", "sure", 1)), "not in the enumeration")
	require.Error(t, answer("GET", path, 200, `{"role": "member", "state": "active"}`), "a required field is missing")
	require.Error(t, answer("GET", path, 201, membership), "not a status of this operation")
	require.Error(t, answer("GET", "/no/such/path", 200, membership), "not an operation")
	require.Error(t, answer("GET", path, 404, `"no"`), "not the shape of a refusal")
	require.NoError(t, answer("GET", path, 404, `{"message": "Not Found"}`))
}

func TestQueryChecksFindFaults(t *testing.T) {
	schema := get(t).schema
	check := func(query, data string) error {
		in, err := json.Marshal(map[string]string{"query": query})
		require.NoError(t, err)
		return checkQuery(schema, in, []byte(`{"data": `+data+`}`))
	}
	const query = `{repository(owner: "a", name: "b") {nameWithOwner visibility pullRequest(number: 1) {number merged state}}}`
	const data = `{"repository": {"nameWithOwner": "a/b", "visibility": "PRIVATE", "pullRequest": {"number": 1, "merged": true, "state": "MERGED"}}}`
	require.NoError(t, check(query, data))
	require.Error(t, check(strings.Replace(query, "merged", "mergd", 1), data), "no such field")
	for _, wrong := range []string{`"number": "1"`, `"number": null`} {
		require.Error(t, check(query, strings.Replace(data, `"number": 1`, wrong, 1)), wrong)
	}
	require.Error(t, check(query, strings.Replace(data, `"PRIVATE"`, `"SECRET"`, 1)), "not in the enumeration")
	require.Error(t, check(query, strings.Replace(data, `"merged": true, `, ``, 1)), "a selected field is missing")
}

// without returns a JSON object with one field taken out.
func without(t *testing.T, body []byte, path string) []byte {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(body, &v))
	at := v
	parts := strings.Split(path, ".")
	for _, p := range parts[:len(parts)-1] {
		at = at[p].(map[string]any)
	}
	require.Contains(t, at, parts[len(parts)-1])
	delete(at, parts[len(parts)-1])
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return out
}
