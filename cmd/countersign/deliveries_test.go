package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim/contract"
)

// sign returns the header that proves a body with a secret, as GitHub writes it.
func sign(prefix string, h func() hash.Hash, secret, body []byte) string {
	mac := hmac.New(h, secret)
	mac.Write(body)
	return prefix + hex.EncodeToString(mac.Sum(nil))
}

// post sends a delivery and returns the status of the answer.
func (s *stage) post(t *testing.T, id, event string, body []byte, edit func(*http.Request)) int {
	t.Helper()
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.server.url+webhookPath, bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", id)
	r.Header.Set("X-Hub-Signature-256", sign("sha256=", sha256.New, s.sim.App.WebhookSecret, body))
	if edit != nil {
		edit(r)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// Every delivery that GitHub publishes as an example is accepted, and none of them
// records or shows anything: they speak of repositories that we are not installed on.
func TestPublishedDeliveriesChangeNothing(t *testing.T) {
	examples := contract.Examples(t)
	require.Greater(t, len(examples), 300)
	s := newStage(t)
	s.try(s.quiet)
	require.NoError(t, s.err)
	records := s.server.ledger.Size()
	s.sim.ResetRequests()
	for i, e := range examples {
		require.Equal(t, http.StatusAccepted, s.post(t, fmt.Sprintf("example-%d", i), e.Event, e.Body, nil), e.Event)
	}
	require.NoError(t, s.server.hooks.Idle(s.ctx))
	require.Equal(t, records, s.server.ledger.Size())
	require.Empty(t, s.sim.Requests().Writes())
}

// What GitHub did not send is refused, each with its status, and leaves no job.
func TestForgedDeliveriesAreRefused(t *testing.T) {
	s := newStage(t)
	s.try(s.quiet)
	require.NoError(t, s.err)
	s.sim.ResetRequests()
	body := []byte(fmt.Sprintf(`{"action":"opened","number":1,"repository":{"id":%d,"full_name":"acme/shop"}}`, s.repo.ID()))
	big := append(append([]byte(`{"a":"`), bytes.Repeat([]byte("x"), 25<<20)...), `"}`...)
	for _, c := range []struct {
		name string
		body []byte
		want int
		edit func(*http.Request)
	}{
		{"unsigned", body, http.StatusUnauthorized, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }},
		{"signed with another secret", body, http.StatusUnauthorized, func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign("sha256=", sha256.New, []byte("another secret!!"), body))
		}},
		{"signed with SHA-1 only", body, http.StatusUnauthorized, func(r *http.Request) {
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", sign("sha1=", sha1.New, s.sim.App.WebhookSecret, body))
		}},
		{"SHA-1 in the place of SHA-256", body, http.StatusUnauthorized, func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign("sha1=", sha1.New, s.sim.App.WebhookSecret, body))
		}},
		{"a byte changed after signing", bytes.Replace(body, []byte("opened"), []byte("closed"), 1), http.StatusUnauthorized, func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign("sha256=", sha256.New, s.sim.App.WebhookSecret, body))
		}},
		{"too large", big, http.StatusRequestEntityTooLarge, nil},
		{"too large, length not told", big, http.StatusRequestEntityTooLarge, func(r *http.Request) { r.ContentLength = -1 }},
		{"cut short", body[:len(body)-5], http.StatusBadRequest, nil},
		{"not JSON", []byte("payload=%7B%7D"), http.StatusBadRequest, nil},
		{"JSON, but no object", []byte("[]"), http.StatusBadRequest, nil},
		{"a form", body, http.StatusUnsupportedMediaType, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }},
		{"without an event", body, http.StatusBadRequest, func(r *http.Request) { r.Header.Del("X-GitHub-Event") }},
		{"without an id", body, http.StatusBadRequest, func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }},
		{"with an id that is no id", body, http.StatusBadRequest, func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", strings.Repeat("x", 5000)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, s.post(t, "forged", "pull_request", c.body, c.edit))
		})
	}
	require.NoError(t, s.server.hooks.Idle(s.ctx))
	require.Zero(t, s.sim.Requests().Total(), "nothing was looked at")
	require.Equal(t, http.StatusAccepted, s.post(t, "forged", "pull_request", body, nil), "the id was not used up")
	require.NoError(t, s.server.hooks.Idle(s.ctx))
}

// A delivery that lies about everything but the repository changes no verdict: it
// only makes us look.
func TestAPoisonedDeliveryOnlyMakesUsLook(t *testing.T) {
	s := newStage(t)
	n := s.propose("mallory", "Skip the review", file("skip.go", "package shop\n"))
	before := s.verdict(t, n)
	body := []byte(fmt.Sprintf(`{"action":"submitted","repository":{"id":%d,"full_name":"acme/shop","custom_properties":{"teams":["a","b"]}},
		"pull_request":{"number":%d,"user":{"id":1},"head":{"sha":"%040d"},"merged":true},
		"review":{"state":"approved","user":{"id":1001,"login":"grace"},"commit_id":"%040d"}}`, s.repo.ID(), n, 1, 1))
	require.Equal(t, http.StatusAccepted, s.post(t, "poison", "pull_request_review", body, nil))
	require.Equal(t, before, s.verdict(t, n))
}
