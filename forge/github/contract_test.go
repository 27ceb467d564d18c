package github

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/countersign-dev/countersign/internal/githubsim/contract"
)

func TestQueriesAreValid(t *testing.T) {
	schema := contract.Schema(t)
	for name, document := range map[string]string{
		"pull_request": pullRequestDocument, "branch": branchDocument, "commits": commitsDocument, "authors": authorsDocument,
		"owners": ownersDocument, "trees": treesDocument,
	} {
		t.Run(name, func(t *testing.T) {
			_, errs := gqlparser.LoadQueryWithRules(schema, document, rules.NewDefaultRules())
			require.Empty(t, errs)
			_, errs = gqlparser.LoadQueryWithRules(schema, regexp.MustCompile(`\boid\b`).ReplaceAllString(document, "oidd"), rules.NewDefaultRules())
			if name != "authors" {
				require.NotEmpty(t, errs, "the schema would notice a misspelt field")
			}
		})
	}
}

// TestPublishedDeliveries sends every example body that GitHub publishes.
func TestPublishedDeliveries(t *testing.T) {
	f := newForge(t, "http://127.0.0.1:1")
	examples, about := contract.Examples(t), map[string]int{}
	for _, e := range examples {
		d, err := f.Authenticate(delivery(t, e.Event, e.Body))
		require.NoError(t, err, e.Event)
		require.Equal(t, e.Event, d.Event)
		h, err := f.Hint(d)
		require.NoError(t, err, "%s: %s", e.Event, e.Body)
		for _, r := range h.Refs {
			require.Positive(t, r.Repository.ID)
			about[e.Event+" "+string(r.Kind)]++
		}
	}
	require.Greater(t, len(examples), 300)
	for _, want := range []string{"pull_request pull_request", "pull_request_review pull_request", "push push", "merge_group merge_group"} {
		require.Positive(t, about[want], want)
	}
	for event := range about {
		require.Regexp(t, `^(pull_request|pull_request_review|push|merge_group|check_run|check_suite|workflow_run|status) `, event)
	}
}

// delivery returns a request as GitHub sends it, signed with the current secret.
func delivery(t testing.TB, event string, body []byte) *http.Request {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write(body)
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return r
}
