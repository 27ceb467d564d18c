package jirasim

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// The one service account of the site, and the one OAuth 2.0 client.
const (
	Email        = "countersign@acme.example"
	APIToken     = "ATATT3xFfGF0-api-token"
	ClientID     = "client-id"
	ClientSecret = "client-secret"
)

// A Sim is one running Jira. All methods may be called from any goroutine.
type Sim struct {
	URL string // without a trailing slash

	server *httptest.Server
	now    func() time.Time

	mu       sync.Mutex // guards everything below
	issues   map[string]*Issue
	lastID   int
	token    string // of OAuth 2.0, that is good
	fault    http.HandlerFunc
	requests map[string]int
}

// A User is an account of Atlassian.
type User struct {
	AccountID string
	Type      string // atlassian, app or customer
	Name      string
}

// An Issue is one as a story states it.
type Issue struct {
	Key         string
	Type        string
	Status      string
	Category    string // of the status: new, indeterminate or done
	Summary     string
	Description any // a document in the Atlassian Document Format; nil for none
	Reporter    *User
	Creator     *User
	Created     time.Time
	Resolved    time.Time // zero for none
	Hidden      bool      // from the service account
	OldKeys     []string  // it is found under them as well

	id      int
	history []entry
	since   time.Time // of the category
}

// entry is one change in an issue's history.
type entry struct {
	at       time.Time
	field    string
	from, to string
}

// Start starts a Jira on a free port of the loopback interface.
func Start(now func() time.Time) *Sim {
	if now == nil {
		now = time.Now
	}
	s := &Sim{now: now, issues: map[string]*Issue{}, lastID: 10000, requests: map[string]int{}}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.server.URL
	return s
}

// Close stops the server.
func (s *Sim) Close() { s.server.Close() }

// Add adds an issue. Creator is the reporter, Created now and Status "To Do" where the
// story does not say.
func (s *Sim) Add(i Issue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	i.id = s.lastID
	if i.Creator == nil {
		i.Creator = i.Reporter
	}
	if i.Created.IsZero() {
		i.Created = s.now()
	}
	if i.Status == "" {
		i.Status, i.Category = "To Do", "new"
	}
	i.since = i.Created
	for _, key := range append([]string{i.Key}, i.OldKeys...) {
		s.issues[key] = &i
	}
}

// Move brings an issue into another status.
func (s *Sim) Move(key, status, category string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[key]
	i.history = append(i.history, entry{s.now(), "status", i.Status, status})
	if i.Category != category {
		i.since = s.now()
	}
	i.Status, i.Category = status, category
	i.Resolved = time.Time{}
	if category == "done" {
		i.Resolved = s.now()
	}
}

// Note adds changes to an issue's history that are not of its status.
func (s *Sim) Note(key string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range times {
		s.issues[key].history = append(s.issues[key].history, entry{s.now(), "labels", "", fmt.Sprintf("label%d", n)})
	}
}

// Delete deletes an issue.
func (s *Sim) Delete(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.issues, key)
}

// Fail answers every call by a handler until Heal.
func (s *Sim) Fail(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = h
}

// Heal takes the fault back.
func (s *Sim) Heal() { s.Fail(nil) }

// Revoke makes the OAuth 2.0 token that was given out worthless.
func (s *Sim) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}

// Requests returns how many calls of each kind were answered.
func (s *Sim) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for k, n := range s.requests {
		out[k] = n
	}
	return out
}

// secret returns a random token.
func secret() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
