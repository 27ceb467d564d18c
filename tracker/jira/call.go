package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// maxAnswer bounds the body of one answer, in bytes.
const maxAnswer = 16 << 20

// hush is how long to leave Jira alone when it does not say how long.
const hush = time.Minute

// errMissing is what a 404 of Jira's own becomes: no such issue, or none that our
// account may see, or nothing at all for somebody it does not know.
var errMissing = errors.New("answered 404 by Jira")

// get sends a GET to a path below the base URL and decodes its answer.
func (t *Tracker) get(ctx context.Context, path string, out any) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base.String()+path, nil)
	if err != nil {
		return nil, untold("cannot be asked", err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "countersign")
	if err := t.authorize(ctx, r); err != nil {
		return nil, untold("cannot be asked: the server's credentials for it cannot be had", err)
	}
	response, err := t.client.Do(r)
	if err != nil {
		return nil, untold("cannot be reached", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case response.StatusCode != http.StatusOK:
		return response.Header, t.refusal(response, body)
	case err != nil:
		return nil, untold("broke off its answer", err)
	case len(body) > maxAnswer:
		return nil, untold(fmt.Sprintf("gave an answer of more than %d bytes", maxAnswer), nil)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return nil, untold("gave an answer that cannot be read", err)
	}
	return response.Header, nil
}

// refusal returns what an answer other than 200 means.
func (t *Tracker) refusal(response *http.Response, body []byte) error {
	code := response.StatusCode
	switch {
	case code == http.StatusUnauthorized:
		t.refused()
		return untold("does not accept this server's credentials (401)", nil)
	case code == http.StatusForbidden:
		return untold("refuses this server's account (403); check what it may see", nil)
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
		return &change.UnansweredError{Why: fmt.Sprintf("Jira asks to be left alone for a while (%d)", code), After: retryAfter(response.Header)}
	case code == http.StatusNotFound && isJira(body):
		return errMissing
	case code == http.StatusNotFound:
		return untold("is not what answers at its address (404); check the base URL", nil)
	case code >= 300 && code < 400:
		return untold(fmt.Sprintf("answered %d, and no redirect is followed; check the base URL", code), nil)
	}
	return untold(fmt.Sprintf("answered %d", code), nil)
}

// isJira reports whether the body of a 404 may be Jira's, and is no web page.
func isJira(body []byte) bool {
	text := strings.TrimSpace(string(body[:min(len(body), maxAnswer)]))
	return text == "" || json.Valid([]byte(text))
}

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 1 {
		return hush
	}
	return time.Duration(min(n, 3600)) * time.Second
}

// untold says for a record why Jira did not tell. What happened is for the log.
func untold(why string, err error) error {
	return &change.UnansweredError{Why: "Jira " + why, Err: err}
}
