package githubsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

const pullsRoute = "GET /repos/{owner}/{repo}/pulls"

func TestFaultsStrikeTheNextCalls(t *testing.T) {
	sim, _ := shop(t)
	tok := token(t, sim, "acme")
	get := func(path string) *http.Response { return call(t, sim, tok, http.MethodGet, path, nil, nil) }
	sim.Fail(githubsim.Fault{Route: pullsRoute, Status: 502, Times: 2})
	require.Equal(t, 200, get("/repos/acme/shop").StatusCode, "another route")
	require.Equal(t, 502, get("/repos/acme/shop/pulls").StatusCode)
	require.Equal(t, 502, get("/repos/acme/shop/pulls").StatusCode)
	require.Equal(t, 200, get("/repos/acme/shop/pulls").StatusCode)

	require.Zero(t, sim.FaultsLeft())

	sim.Fail(githubsim.Fault{Route: "PATCH *", Status: 500})
	sim.Fail(githubsim.Fault{Route: "GET */pul*s", Status: 500})
	require.Equal(t, 200, get("/repos/acme/shop").StatusCode)
	require.Equal(t, 500, get("/repos/acme/shop/pulls").StatusCode)
	require.Equal(t, 1, sim.FaultsLeft())
	sim.Heal()

	sim.Fail(githubsim.Fault{RetryAfter: 3 * time.Second})
	limited := get("/repos/acme/shop")
	require.Equal(t, 403, limited.StatusCode)
	require.Equal(t, "3", limited.Header.Get("Retry-After"))

	sim.Fail(githubsim.Fault{Hangup: true, Times: 9}) // clients try again
	_, err := http.Get(sim.URL + "/repos/acme/shop/pulls")
	require.Error(t, err)
	sim.Fail(githubsim.Fault{Status: 500, Times: 100})
	sim.Heal()
	require.Equal(t, 200, get("/repos/acme/shop").StatusCode)
}

func TestGraphQLFaultsComeInA200(t *testing.T) {
	sim, _ := shop(t)
	tok := token(t, sim, "acme")
	const text = `{repository(owner: "acme", name: "shop") {name}}`
	sim.Fail(githubsim.Fault{Route: "POST /graphql", GraphQL: "RATE_LIMITED"})
	sim.Fail(githubsim.Fault{Route: "POST /graphql", GraphQL: "INTERNAL", Partial: true})
	a := query(t, sim, tok, text, nil)
	require.Nil(t, a.Data)
	require.Equal(t, "RATE_LIMITED", a.Errors[0].Type)
	a = query(t, sim, tok, text, nil)
	require.NotNil(t, a.Data)
	require.Len(t, a.Errors, 1)

	sim.ExhaustRateLimit()
	require.Equal(t, "RATE_LIMITED", query(t, sim, tok, text, nil).Errors[0].Type)
	resp := call(t, sim, tok, http.MethodGet, "/repos/acme/shop", nil, nil)
	require.Equal(t, 403, resp.StatusCode)
	require.Equal(t, "0", resp.Header.Get("X-RateLimit-Remaining"))
}

func TestLatencyAndCounts(t *testing.T) {
	sim, _ := shop(t)
	tok := token(t, sim, "acme")
	sim.ResetRequests()
	sim.SetLatency(30 * time.Millisecond)
	start := time.Now()
	call(t, sim, tok, http.MethodGet, "/repos/acme/shop/pulls", nil, nil)
	require.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
	sim.Heal()
	query(t, sim, tok, `{rateLimit {limit}}`, nil)
	call(t, sim, tok, http.MethodPost, "/repos/acme/shop/check-runs", map[string]any{}, nil)
	require.Equal(t, githubsim.Counts{pullsRoute: 1, "POST /graphql": 1, "POST /repos/{owner}/{repo}/check-runs": 1}, sim.Requests())
	require.Equal(t, 1, sim.Requests().Writes().Total())
}

func TestQueryThatIsNotServedIsAnError(t *testing.T) {
	sim, repo := shop(t)
	open(t, repo, "ada", "feature")
	tok := token(t, sim, "acme")
	for text, want := range map[string]string{
		`{repository(owner: "acme", name: "shop") {stargazerCount}}`:                                                      "Field 'stargazerCount' doesn't exist on type 'Repository'",
		`{repository(owner: "acme", name: "shop") {pullRequest(number: 1) {commits {totalCount}}}}`:                       "You must provide a `first` or `last` value",
		`{repository(owner: "acme", name: "shop") {pullRequest(number: 1) {commits(first: 101) {totalCount}}}}`:           "out of bounds",
		`{repository(owner: "acme", name: "shop") {pullRequest(number: 99) {title}}}`:                                     "Could not resolve to a PullRequest with the number of 99.",
		`{repository(owner: "acme", name: "none") {name}}`:                                                                "Could not resolve to a Repository",
		`{repository(owner: "acme", name: "shop") {name {x}}}`:                                                            "Selections can't be made on scalars",
		`{repository(owner: "acme", name: "shop") {pullRequest(number: 1)}}`:                                              "must have selections",
		`{repository(owner: "acme", name: "shop") {pullRequest(number: 1) {reviews(first: 1, after: "?") {totalCount}}}}`: "valid cursor",
		`{repository(`: "Expected",
		`{repository(owner: "acme", name: "shop") {pullRequest(number: 1) {...F}}} fragment F on PullRequest {commits(first: 100) {nodes {commit {authors(first: 100) {nodes {user {id}}} parents(first: 100) {nodes {parents(first: 100) {totalCount}}}}}}}`: "500,000",
	} {
		a := query(t, sim, tok, text, nil)
		require.NotEmpty(t, a.Errors, text)
		require.Contains(t, a.Errors[0].Message, want)
	}
}
