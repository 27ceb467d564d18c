package github

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// MaxDelivery bounds the body of a delivery, in bytes. GitHub sends none larger.
const MaxDelivery = 25 << 20

// A Refusal says why a delivery was not accepted, and with which HTTP status.
type Refusal struct {
	Status int
	Reason string
}

// Error returns the reason.
func (r *Refusal) Error() string { return r.Reason }

// StatusCode returns the HTTP status to answer with.
func (r *Refusal) StatusCode() int { return r.Status }

func refuse(status int, format string, args ...any) error {
	return &Refusal{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// Authenticate reads one webhook delivery and returns it when GitHub sent it:
// its body carries a SHA-256 signature under one of the configured secrets. The
// SHA-1 signature that GitHub sends beside it is not looked at. Its errors are of
// type *Refusal.
func (f *Forge) Authenticate(r *http.Request) (change.Delivery, error) {
	none := change.Delivery{}
	if r.Method != http.MethodPost {
		return none, refuse(http.StatusMethodNotAllowed, "a delivery is a POST")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return none, refuse(http.StatusUnsupportedMediaType, "set the webhook's content type to application/json")
	}
	d := change.Delivery{ID: r.Header.Get("X-GitHub-Delivery"), Event: r.Header.Get("X-GitHub-Event")}
	if !token(d.ID, 64) || !token(d.Event, 64) {
		return none, refuse(http.StatusBadRequest, "X-GitHub-Delivery or X-GitHub-Event is missing or malformed")
	}
	given, err := signature(r.Header)
	if err != nil {
		return none, err
	}
	if d.Body, err = f.readBody(r); err != nil {
		return none, err
	}
	if !f.signed(d.Body, given) {
		return none, refuse(http.StatusUnauthorized, "the signature does not match: check the webhook secret")
	}
	if !json.Valid(d.Body) || !bytes.HasPrefix(bytes.TrimLeft(d.Body, " \t\r\n"), []byte("{")) {
		return none, refuse(http.StatusBadRequest, "the body is not a JSON object")
	}
	return d, nil
}

// token reports whether s is 1 to most characters that an event's name or a
// delivery's id is made of, so that both can be logged and stored as they are.
func token(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// signature returns the bytes of the SHA-256 signature header.
func signature(h http.Header) ([]byte, error) {
	values := h.Values("X-Hub-Signature-256")
	if len(values) != 1 {
		return nil, refuse(http.StatusUnauthorized, "one X-Hub-Signature-256 header is required")
	}
	digits, ok := strings.CutPrefix(values[0], "sha256=")
	mac, err := hex.DecodeString(digits)
	if !ok || err != nil || len(mac) != sha256.Size {
		return nil, refuse(http.StatusUnauthorized, "X-Hub-Signature-256 is not a SHA-256 signature")
	}
	return mac, nil
}

// What is large is read by a few at a time: whoever sends it has proved nothing
// yet, and must not be able to fill the memory. Ordinary deliveries have some 20 KB
// and never wait.
const (
	modest      = 1 << 20
	largeAtOnce = 4
	largeWait   = 10 * time.Second
)

// readBody reads the body whole. What announces too much is refused before a
// byte of it is held.
func (f *Forge) readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxDelivery {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", MaxDelivery)
	}
	bounded := http.MaxBytesReader(nil, r.Body, MaxDelivery)
	body, err := io.ReadAll(io.LimitReader(bounded, modest))
	if err == nil && len(body) == modest {
		select {
		case f.large <- struct{}{}:
			defer func() { <-f.large }()
		case <-time.After(largeWait):
			return nil, refuse(http.StatusServiceUnavailable, "too many large deliveries at once")
		}
		var rest []byte
		rest, err = io.ReadAll(bounded)
		body = append(body, rest...)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", MaxDelivery)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body was cut short")
	}
	return body, nil
}

// signed reports whether any secret gives the signature. Every secret is tried,
// so that the time taken does not tell which one matched.
func (f *Forge) signed(body, given []byte) bool {
	ok := false
	for _, secret := range f.config.Secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), given) {
			ok = true
		}
	}
	return ok
}
