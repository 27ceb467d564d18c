package githubsim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// BenchmarkPermission measures a simple request, which bounds what a benchmark
// against the simulator can show.
func BenchmarkPermission(b *testing.B) {
	benchmarkCall(b, http.MethodGet, "/repos/acme/shop/collaborators/ada/permission", "")
}

// BenchmarkPullRequest measures a pull request with its two repositories.
func BenchmarkPullRequest(b *testing.B) {
	benchmarkCall(b, http.MethodGet, "/repos/acme/shop/pulls/1", "")
}

// BenchmarkQuery measures a GraphQL query about a pull request.
func BenchmarkQuery(b *testing.B) {
	benchmarkCall(b, http.MethodPost, "/graphql", `{"query":"{repository(owner:\"acme\",name:\"shop\"){pullRequest(number:1){title headRefOid author{login ... on User{databaseId}} commits(first:100){totalCount nodes{commit{oid tree{oid} authors(first:10){nodes{name user{login}}}}}} reviews(first:100){nodes{state author{login}}}}}}"}`)
}

// BenchmarkLife measures the life of a pull request without a receiver: push,
// open, two check runs, a review and a merge commit.
func BenchmarkLife(b *testing.B) {
	_, repo := shop(b)
	for i := 0; b.Loop(); i++ {
		n, head := open(b, repo, "ada", name("branch", i))
		for _, check := range []string{"test", "lint"} {
			if _, err := repo.PostCheck(githubsim.CheckRun{Name: check, Commit: head, Conclusion: "success"}); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := repo.As("grace").Approve(n); err != nil {
			b.Fatal(err)
		}
		if _, err := repo.As("ada").Merge(n, githubsim.Merge{SHA: head}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkCall(b *testing.B, method, path, body string) {
	sim, repo := shop(b)
	open(b, repo, "ada", "feature")
	token := token(b, sim, "acme")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	for b.Loop() {
		req := httptest.NewRequest(method, sim.URL+path, strings.NewReader(body))
		req.RequestURI = ""
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
		if err := resp.Body.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
