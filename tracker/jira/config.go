package jira

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// DefaultTokenURL is where Atlassian gives out OAuth 2.0 tokens.
const DefaultTokenURL = "https://auth.atlassian.com/oauth/token"

// Config says where Jira is and as whom it is asked: with Email and Token by an API
// token, with Token alone by a bearer token of OAuth 2.0 that somebody else renews, and
// with ClientID and ClientSecret by tokens that are fetched.
type Config struct {
	// BaseURL is the site, such as https://acme.atlassian.net, or for OAuth 2.0
	// https://api.atlassian.com/ex/jira/CLOUD-ID. Plain http is accepted for loopback
	// addresses only.
	BaseURL string

	// Email is of the account that the API token belongs to. Optional.
	Email string

	// Token returns the API or bearer token. It is called for every question, so that a
	// token can be replaced while the server runs.
	Token func() ([]byte, error)

	// ClientID and ClientSecret are of an OAuth 2.0 client, TokenURL is where it gets
	// its tokens: DefaultTokenURL by default.
	ClientID     string
	ClientSecret string
	TokenURL     string

	// Transport carries every call. Optional.
	Transport http.RoundTripper

	// CallTimeout bounds one call: 5 s by default.
	CallTimeout time.Duration
}

// A Tracker is one Jira. It is safe for concurrent use.
type Tracker struct {
	config Config
	base   *url.URL // without a trailing slash
	client *http.Client

	mu     sync.Mutex
	source oauth2.TokenSource // of a client; nil until it is needed
}

// New returns a Tracker. It refuses a configuration that could not keep a secret.
func New(c Config) (*Tracker, error) {
	base, err := plainURL("base URL", c.BaseURL)
	if err != nil {
		return nil, err
	}
	if c.TokenURL == "" {
		c.TokenURL = DefaultTokenURL
	}
	if c.CallTimeout <= 0 {
		c.CallTimeout = 5 * time.Second
	}
	client := c.ClientID != "" || c.ClientSecret != ""
	switch {
	case client && (c.ClientID == "" || c.ClientSecret == ""):
		return nil, errors.New("jira: a client needs both an id and a secret")
	case client && (c.Token != nil || c.Email != ""):
		return nil, errors.New("jira: both a token and a client are configured; leave one of them out")
	case !client && c.Token == nil:
		return nil, errors.New("jira: neither a token nor a client is configured")
	}
	if _, err := plainURL("token URL", c.TokenURL); err != nil {
		return nil, err
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = c.CallTimeout
		c.Transport = t
	}
	return &Tracker{config: c, base: base, client: &http.Client{Transport: c.Transport, Timeout: c.CallTimeout, CheckRedirect: stay}}, nil
}

// stay follows no redirect: it could lead credentials anywhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func plainURL(what, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("jira: the %s is not an address", what)
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("jira: the %s %q is not a plain address such as https://acme.atlassian.net", what, u.Redacted())
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return nil, fmt.Errorf("jira: the %s %q is not https: secrets would travel in clear", what, u.Redacted())
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

// authorize adds the credentials to a call.
func (t *Tracker) authorize(ctx context.Context, r *http.Request) error {
	if t.config.Token == nil {
		token, err := t.tokens(ctx).Token()
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token.AccessToken)
		return nil
	}
	secret, err := t.config.Token()
	if err != nil {
		return err
	}
	token := strings.TrimSpace(string(secret))
	if t.config.Email == "" {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(t.config.Email+":"+token)))
	return nil
}

// tokens returns where the client's tokens come from; one that is still good serves
// again.
func (t *Tracker) tokens(ctx context.Context) oauth2.TokenSource {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.source == nil {
		c := clientcredentials.Config{
			ClientID: t.config.ClientID, ClientSecret: t.config.ClientSecret, TokenURL: t.config.TokenURL, AuthStyle: oauth2.AuthStyleInParams,
		}
		t.source = c.TokenSource(context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, t.client))
	}
	return t.source
}

// refused notes that Jira does not take our token any more: the next one is fetched.
func (t *Tracker) refused() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.source = nil
}

// bears reports whether we come with bearer tokens, with which nobody is taken for a
// stranger.
func (t *Tracker) bears() bool { return t.config.Email == "" }
