package github

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAuthenticate(t *testing.T) {
	f := newForge(t, "")
	body := []byte(`{"action":"opened"}`)
	d, err := f.Authenticate(delivery(t, "pull_request", body))
	require.NoError(t, err)
	require.Equal(t, "pull_request", d.Event)
	require.Equal(t, "72d3162e-cc78-11e3-81ab-4c9367dc0958", d.ID)
	require.Equal(t, body, d.Body)

	r := delivery(t, "pull_request", body)
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum(oldSecret, body)))
	_, err = f.Authenticate(r)
	require.NoError(t, err, "the previous secret still serves")
}

func sum(secret string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// broken is a body that ends in the middle.
type broken struct{ io.Reader }

func (c broken) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
func (broken) Close() error { return nil }

func TestAuthenticateRefuses(t *testing.T) {
	body := []byte(`{"action":"opened"}`)
	sha1Of := func() string {
		mac := hmac.New(sha1.New, []byte(testSecret))
		mac.Write(body)
		return "sha1=" + hex.EncodeToString(mac.Sum(nil))
	}
	for name, c := range map[string]struct {
		spoil  func(*http.Request)
		status int
	}{
		"GET":               {func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"a form":            {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415},
		"no content type":   {func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"no event":          {func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, 400},
		"no delivery id":    {func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, 400},
		"a strange id":      {func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", "1\n2") }, 400},
		"a long id":         {func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", strings.Repeat("1", 65)) }, 400},
		"a strange event":   {func(r *http.Request) { r.Header.Set("X-GitHub-Event", "../push") }, 400},
		"unsigned":          {func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401},
		"SHA-1 only":        {func(r *http.Request) { r.Header.Del("X-Hub-Signature-256"); r.Header.Set("X-Hub-Signature", sha1Of()) }, 401},
		"SHA-1 in disguise": {func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sha1Of()) }, 401},
		"two signatures":    {func(r *http.Request) { r.Header.Add("X-Hub-Signature-256", r.Header.Get("X-Hub-Signature-256")) }, 401},
		"half a signature":  {func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", r.Header.Get("X-Hub-Signature-256")[:40]) }, 401},
		"another secret": {func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("another-secret-of-length", body)))
		}, 401},
		"the empty secret": {func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("", body)))
		}, 401},
		"another body":       {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"action":"closed"}`)) }, 401},
		"announced too big":  {func(r *http.Request) { r.ContentLength = MaxDelivery + 1; r.Body = unreadable{t} }, 413},
		"silently too big":   {func(r *http.Request) { r.ContentLength = -1; r.Body = io.NopCloser(zeros{}) }, 413},
		"truncated":          {func(r *http.Request) { r.Body = broken{bytes.NewReader(body[:5])} }, 400},
		"signed, not JSON":   {resign(`action=opened`), 400},
		"signed, a list":     {resign(`[{}]`), 400},
		"signed, a string":   {resign(`"{}"`), 400},
		"signed, half":       {resign(`{"action":`), 400},
		"signed, nothing":    {resign(``), 400},
		"signed, two bodies": {resign(`{} {}`), 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := delivery(t, "pull_request", body)
			c.spoil(r)
			d, err := newForge(t, "").Authenticate(r)
			var refusal *Refusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, c.status, refusal.StatusCode())
			require.NotEmpty(t, refusal.Reason)
			require.NotContains(t, refusal.Reason, testSecret)
			require.Empty(t, d.Body)
		})
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// unreadable fails the test when a byte is read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }
func (unreadable) Close() error               { return nil }

func resign(body string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum(testSecret, []byte(body))))
	}
}

// FuzzAuthenticate looks for a delivery that is accepted without a signature
// under a configured secret, and for one that makes Hint panic.
func FuzzAuthenticate(f *testing.F) {
	body := []byte(`{"action":"opened","number":1}`)
	good := "sha256=" + hex.EncodeToString(sum(testSecret, body))
	f.Add("POST", "application/json", "pull_request", "id-1", good, body)
	f.Add("POST", "application/json; charset=utf-8", "push", "id-1", "sha1=00", body)
	f.Add("GET", "", "", "", "", []byte{})
	forge := newForge(f, "")
	f.Fuzz(func(t *testing.T, method, media, event, id, signature string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/webhooks/github", bytes.NewReader(body))
		r.Method = method
		r.Header["Content-Type"], r.Header["X-Github-Event"] = []string{media}, []string{event}
		r.Header["X-Github-Delivery"], r.Header["X-Hub-Signature-256"] = []string{id}, []string{signature}
		d, err := forge.Authenticate(r)
		if err != nil {
			var refusal *Refusal
			require.ErrorAs(t, err, &refusal)
			require.Contains(t, []int{400, 401, 405, 413, 415}, refusal.Status)
			return
		}
		given := strings.ToLower(strings.TrimPrefix(signature, "sha256="))
		require.Contains(t, []string{hex.EncodeToString(sum(testSecret, body)), hex.EncodeToString(sum(oldSecret, body))}, given)
		require.Equal(t, body, d.Body)
	})
}
