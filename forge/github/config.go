package github

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	gh "github.com/google/go-github/v60/github"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/countersign-dev/countersign/change"
)

// PolicyPath is where a repository keeps its policy.
const PolicyPath = ".countersign.yml"

// Config is how a Forge reaches GitHub and what it trusts. Fields without a
// default are required.
type Config struct {
	// BaseURL is the REST API's address: https://api.github.com by default, or
	// https://HOST/api/v3/ on GitHub Enterprise Server. Plain http is accepted
	// for loopback addresses only.
	BaseURL string

	// AppID is the numeric id of the GitHub App, and PrivateKey its RSA key in
	// PEM (PKCS #1 or PKCS #8).
	AppID      int64
	PrivateKey []byte

	// Secrets are the webhook secrets, the current one first. A second one lets
	// a secret be replaced without losing deliveries. Each has at least
	// MinSecret bytes.
	Secrets [][]byte

	// CheckName is the name of the check run, "countersign" by default.
	CheckName string

	// Floors are the repositories, as owner/name, that keep the policy which every
	// repository of the same owner can only tighten, at most one an owner. The App has
	// to be installed on them. Optional.
	Floors []string

	// FloorPath is where they keep it: PolicyPath by default.
	FloorPath string

	// DetailsURL is where the check run's "Details" leads. Optional.
	DetailsURL string

	// Transport carries every call. Optional.
	Transport http.RoundTripper

	// Log and Now default to discarding and to time.Now.
	Log *slog.Logger
	Now func() time.Time

	// CacheSize bounds each cache in entries (10,000 by default) and CacheTTL
	// the age of an answer about rules, teams and permissions (5 minutes by
	// default). A lost membership event is harmless after that time.
	CacheSize int
	CacheTTL  time.Duration

	// CallTimeout bounds one API call, its retry included: 30 s by default.
	CallTimeout time.Duration
}

// MinSecret is the least length of a webhook secret, in bytes.
const MinSecret = 16

// A Forge is one GitHub, seen by one GitHub App. It is safe for concurrent use.
type Forge struct {
	config Config
	base   *url.URL // with a trailing slash
	host   string   // what change.Repository.Host says
	web    string   // where people browse, without a trailing slash

	large    chan struct{} // has room for the large bodies that are read at once
	apps     *ghinstallation.AppsTransport
	app      *api // as the application itself
	reader   *api // as whoever a token belongs to; nil of an application
	requests *atomic.Int64

	answers *cache                      // rules, teams, permissions, installations
	apis    *lru.Cache[int64, *api]     // by installation
	guesses *lru.Cache[string, guess]   // by change.Ref.Key
	heads   *lru.Cache[headKey, []int]  // pull requests by head
	texts   *lru.Cache[int64, [32]byte] // digest of what a check run says

	memory   *lru.Cache[string, memory] // by change.Ref.Key
	policies *policies
	owners   *ownersMemory
	proofs   *proofs
	attempts *lru.Cache[string, map[int64]int] // of workflow runs, by the checks on a commit
	runs     *lru.Cache[string, []workflowRun] // by repository and moments
	seenRuns *lru.Cache[string, []workflowRun] // by change.Ref.Key: those that were at work
	replaced *lru.Cache[string, []commit]      // by change.Ref.Key and the head that a force push took away
}

// headKey names a commit that is the head of some pull request.
type headKey struct {
	repository int64
	commit     change.SHA
}

// New returns a Forge. It refuses a configuration that could not keep a secret
// or would accept deliveries from anybody.
func New(config Config) (*Forge, error) {
	if config.AppID <= 0 {
		return nil, errors.New("github: the application id is missing")
	}
	if err := checkSecrets(config.Secrets); err != nil {
		return nil, err
	}
	f, err := config.forge()
	if err != nil {
		return nil, err
	}
	if f.apps, err = ghinstallation.NewAppsTransport(f.transport(f.config.Transport), config.AppID, config.PrivateKey); err != nil {
		return nil, fmt.Errorf("github: reading the application's private key: %w", err)
	}
	f.apps.BaseURL = strings.TrimSuffix(f.base.String(), "/")
	f.app = f.newAPI(f.apps)
	return f, nil
}

// forge returns a Forge that cannot ask anything yet, because nothing says as whom.
func (c Config) forge() (*Forge, error) {
	c = c.withDefaults()
	base, err := baseURL(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := checkFloors(c.Floors, c.FloorPath); err != nil {
		return nil, err
	}
	f := &Forge{config: c, base: base, requests: new(atomic.Int64), large: make(chan struct{}, largeAtOnce)}
	f.host, f.web = hostAndWeb(base)
	return f, f.makeCaches()
}

func (c Config) withDefaults() Config {
	if c.BaseURL == "" {
		c.BaseURL = "https://api.github.com"
	}
	if c.CheckName == "" {
		c.CheckName = "countersign"
	}
	if c.FloorPath == "" {
		c.FloorPath = PolicyPath
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.CacheSize <= 0 {
		c.CacheSize = 10_000
	}
	if c.CacheTTL <= 0 {
		c.CacheTTL = 5 * time.Minute
	}
	if c.CallTimeout <= 0 {
		c.CallTimeout = 30 * time.Second
	}
	return c
}

func (f *Forge) makeCaches() (err error) {
	size := f.config.CacheSize
	if f.answers, err = newCache(size, f.config.CacheTTL, f.config.Now); err != nil {
		return err
	}
	if f.apis, err = lru.New[int64, *api](min(size, 1000)); err != nil {
		return err
	}
	if f.guesses, err = lru.New[string, guess](size); err != nil {
		return err
	}
	if f.replaced, err = lru.New[string, []commit](min(size, 1000)); err != nil {
		return err
	}
	if f.heads, err = lru.New[headKey, []int](size); err != nil {
		return err
	}
	if f.texts, err = lru.New[int64, [32]byte](size); err != nil {
		return err
	}
	if f.memory, err = lru.New[string, memory](min(size, 2000)); err != nil {
		return err
	}
	if f.attempts, err = lru.New[string, map[int64]int](min(size, 1000)); err != nil {
		return err
	}
	if f.seenRuns, err = lru.New[string, []workflowRun](min(size, 1000)); err != nil {
		return err
	}
	if f.runs, err = lru.New[string, []workflowRun](min(size, 1000)); err != nil {
		return err
	}
	if f.proofs, err = newProofs(size); err != nil {
		return err
	}
	if f.owners, err = newOwnersMemory(size); err != nil {
		return err
	}
	f.policies, err = newPolicies(size)
	return err
}

// Requests returns how many API requests have been sent since New, retries and
// token requests included.
func (f *Forge) Requests() int64 { return f.requests.Load() }

func checkSecrets(secrets [][]byte) error {
	if len(secrets) == 0 {
		return errors.New("github: no webhook secret: anybody could send deliveries")
	}
	for i, s := range secrets {
		if len(bytes.TrimSpace(s)) < MinSecret {
			return fmt.Errorf("github: webhook secret %d has fewer than %d bytes", i+1, MinSecret)
		}
	}
	return nil
}

func baseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("github: reading the base URL: %w", err)
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("github: base URL %q is not a plain address such as https://api.github.com", u.Redacted())
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("github: base URL %q is not https: the application's tokens would travel in clear", u.Redacted())
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// hostAndWeb returns the forge's name and the address that people browse.
func hostAndWeb(base *url.URL) (host, web string) {
	if base.Host == "api.github.com" {
		return "github.com", "https://github.com"
	}
	return base.Hostname(), base.Scheme + "://" + base.Host
}

// graphqlPath is relative to the base URL: Enterprise Server answers GraphQL
// beside /api/v3/, github.com below the root.
func (f *Forge) graphqlPath() string {
	if strings.HasSuffix(f.base.Path, "/api/v3/") {
		return "../graphql"
	}
	return "graphql"
}

// newAPI returns an API that authenticates through transport.
func (f *Forge) newAPI(transport http.RoundTripper) *api {
	rest := gh.NewClient(&http.Client{Transport: transport, CheckRedirect: sameOrigin})
	rest.BaseURL = f.base
	rest.UserAgent = "countersign"
	return &api{rest: rest, graphqlPath: f.graphqlPath(), timeout: f.config.CallTimeout, now: f.config.Now, log: f.config.Log}
}
