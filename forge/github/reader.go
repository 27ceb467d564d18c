package github

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// NewReader returns a Forge that asks with a token, personal or of an installation,
// and not as an application. It only reads: it knows no webhook secret, so that it
// accepts no delivery, and a call that would change something is refused before it
// is sent. What the token may not see is absent. Of the configuration it needs
// neither AppID, PrivateKey nor Secrets.
func NewReader(config Config, token string) (*Forge, error) {
	token = strings.TrimSpace(token)
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r > unicode.MaxASCII }) {
		return nil, errors.New("github: this is no token: it is empty, or holds what no token holds")
	}
	config.Secrets = nil
	f, err := config.forge()
	if err != nil {
		return nil, err
	}
	f.reader = f.newAPI(bearing{token, reading{f.transport(f.config.Transport)}})
	return f, nil
}

// bearing adds a token to every call. Calls go to one host only: see sameOrigin.
type bearing struct {
	token string
	next  http.RoundTripper
}

func (t bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+t.token)
	return t.next.RoundTrip(r)
}

// reading refuses what could change something.
type reading struct{ next http.RoundTripper }

func (t reading) RoundTrip(r *http.Request) (*http.Response, error) {
	if !onlyReads(r) {
		return nil, fmt.Errorf("not sent: a %s could change something, and this only reads", r.Method)
	}
	return t.next.RoundTrip(r)
}
