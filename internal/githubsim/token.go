package githubsim

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// Bounds of the credentials, as GitHub documents them.
const (
	tokenLife = time.Hour
	jwtLife   = 10 * time.Minute

	personalLimit = 5000 // calls an hour
)

// token is an installation access token.
type token struct {
	text         string
	installation *Organization
	repositories map[int64]bool // nil: all of the installation's
	permissions  map[string]string
	expires      time.Time
	rate         *rateWindow // shared by all tokens of one installation
}

// rateWindow counts calls in the current hour.
type rateWindow struct {
	limit int
	used  int
	reset time.Time
}

// take counts one call and reports whether it was within the limit.
func (w *rateWindow) take(now time.Time) bool {
	if !now.Before(w.reset) {
		w.used, w.reset = 0, now.Add(time.Hour)
	}
	if w.used >= w.limit {
		return false
	}
	w.used++
	return true
}

// tokenTable holds the tokens in force.
type tokenTable struct {
	limit  int
	tokens map[string]*token
	rates  map[int64]*rateWindow // by installation id
}

func newTokenTable(limit int) *tokenTable {
	return &tokenTable{limit: limit, tokens: map[string]*token{}, rates: map[int64]*rateWindow{}}
}

// rate returns the window of an installation; id 0 is the App itself.
func (t *tokenTable) rate(id int64) *rateWindow {
	w := t.rates[id]
	if w == nil {
		w = &rateWindow{limit: t.limit}
		t.rates[id] = w
	}
	return w
}

// issue makes a token for an installation. It has the length of GitHub's
// stateless tokens, so that nobody relies on 40 characters. The caller holds mu.
func (s *Sim) issue(o *Organization, permissions map[string]string, repositories map[int64]bool) (*token, error) {
	secret := make([]byte, 180)
	if _, err := io.ReadFull(s.rand, secret); err != nil {
		return nil, fmt.Errorf("making an installation token: %w", err)
	}
	t := &token{
		text:         fmt.Sprintf("ghs_%d_%s", s.App.ID, base64.RawURLEncoding.EncodeToString(secret)),
		installation: o, repositories: repositories, permissions: maps.Clone(permissions),
		expires: s.clock().Add(tokenLife), rate: s.tokens.rate(o.installation),
	}
	s.tokens.tokens[t.text] = t
	return t, nil
}

// PersonalToken makes a fine-grained personal access token for the repositories of an
// organisation, with the permissions that are named, such as {"contents": "read"}. It
// is good for so many calls an hour, or for as many as GitHub gives when that is 0.
func (s *Sim) PersonalToken(organization string, permissions map[string]string, calls int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.organizations[strings.ToLower(organization)]
	if o == nil {
		return "", fmt.Errorf("making a personal token: there is no organisation %s", organization)
	}
	t, err := s.issue(o, permissions, nil)
	if err != nil {
		return "", err
	}
	delete(s.tokens.tokens, t.text)
	t.text = "github_pat_" + t.text[len(t.text)-82:]
	t.rate, t.expires = &rateWindow{limit: cmp.Or(calls, personalLimit)}, s.clock().AddDate(0, 1, 0)
	s.tokens.tokens[t.text] = t
	return t.text, nil
}

// ExpireTokens makes every installation token worthless at once, as a revoked
// key or a suspended installation does.
func (s *Sim) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens.tokens = map[string]*token{}
}

// ExhaustRateLimit uses up the hour of every installation.
func (s *Sim) ExhaustRateLimit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.tokens.rates {
		w.take(s.now()) // starts the hour, if none runs
		w.used = w.limit
	}
}

// allows reports whether the token grants a permission at a level.
func (t *token) allows(permission, level string) bool {
	have := t.permissions[permission]
	return have == level || have == "write" || have == "admin"
}

// reaches reports whether the token is good for a repository.
func (t *token) reaches(r *Repository) bool {
	return t.installation.shows(r) && (t.repositories == nil || t.repositories[r.id])
}

// verifyAppJWT checks a JSON Web Token of the App the way GitHub does and
// refuses it in GitHub's words when it is not good.
func (s *Sim) verifyAppJWT(text string) error {
	var claims jwt.RegisteredClaims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	if _, err := parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return s.App.key, nil }); err != nil {
		return refuse(401, "A JSON web token could not be decoded")
	}
	now := s.now()
	switch {
	case claims.Issuer != strconv.FormatInt(s.App.ID, 10):
		return refuse(401, "'Issuer' claim ('iss') must be an Integer or a valid client ID")
	case claims.IssuedAt == nil || claims.IssuedAt.After(now.Add(time.Minute)):
		return refuse(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	case claims.ExpiresAt == nil || !claims.ExpiresAt.After(now):
		return refuse(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case claims.ExpiresAt.After(now.Add(jwtLife + time.Minute)):
		return refuse(401, "'Expiration time' claim ('exp') is too far in the future")
	}
	return nil
}
