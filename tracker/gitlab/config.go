package gitlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	gl "github.com/xanzy/go-gitlab"
)

// DefaultBaseURL is GitLab's own site.
const DefaultBaseURL = "https://gitlab.com"

// Config says where GitLab is and as whom it is asked.
type Config struct {
	// BaseURL is the site, DefaultBaseURL by default. Plain http is accepted for
	// loopback addresses only.
	BaseURL string

	// Token returns an access token with the scope read_api. It is called for every
	// question, so that a token can be replaced while the server runs.
	Token func() ([]byte, error)

	// Transport carries every call. Optional.
	Transport http.RoundTripper

	// CallTimeout bounds one call: 5 s by default.
	CallTimeout time.Duration
}

// A Tracker is the issues of one GitLab. It is safe for concurrent use.
type Tracker struct {
	config Config
	host   string
	//lint:ignore SA1019 the project chose this client, whose last release is pinned.
	client *gl.Client
}

// New returns a Tracker. It refuses a configuration that could not keep a secret.
func New(c Config) (*Tracker, error) {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, errors.New("gitlab: the base URL is not an address")
	}
	ip := net.ParseIP(u.Hostname())
	switch {
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("gitlab: the base URL %q is not a plain address such as https://gitlab.com", u.Redacted())
	case u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())):
		return nil, fmt.Errorf("gitlab: the base URL %q is not https: the token would travel in clear", u.Redacted())
	case c.Token == nil:
		return nil, errors.New("gitlab: no token is configured")
	}
	if c.CallTimeout <= 0 {
		c.CallTimeout = 5 * time.Second
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = c.CallTimeout
		c.Transport = t
	}
	//lint:ignore SA1019 as above.
	client, err := gl.NewClient("", gl.WithBaseURL(c.BaseURL), gl.WithoutRetries(), gl.WithCustomLimiter(unlimited{}),
		gl.WithHTTPClient(&http.Client{Transport: bounded{c.Transport}, Timeout: c.CallTimeout, CheckRedirect: sameOrigin}))
	if err != nil {
		return nil, fmt.Errorf("gitlab: %w", err)
	}
	client.UserAgent = "countersign"
	return &Tracker{config: c, host: strings.ToLower(u.Host), client: client}, nil
}

// sameOrigin lets a call follow the redirect of a renamed project and nothing else: the
// token would go with it.
func sameOrigin(r *http.Request, via []*http.Request) error {
	if len(via) > 3 || r.URL.Scheme != via[0].URL.Scheme || r.URL.Host != via[0].URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// unlimited lets every call go at once: who asks bounds how often.
type unlimited struct{}

// Wait returns at once.
func (unlimited) Wait(context.Context) error { return nil }

// maxAnswer bounds the body of one answer, in bytes.
const maxAnswer = 8 << 20

// bounded ends an answer where it grows beyond maxAnswer, and notes what one says that
// something is not there: the client library keeps nothing of it.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return response, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxAnswer), response.Body}
	if missing, ok := r.Context().Value(missingKey{}).(*string); ok && response.StatusCode == http.StatusNotFound {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4096)) // a broken answer says nothing
		*missing = string(text)
	}
	return response, nil
}

// missingKey finds in a context where to note what a 404 says.
type missingKey struct{}
