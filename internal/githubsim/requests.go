package githubsim

import (
	"maps"
	"strings"
	"sync"
)

// requestLog counts API calls by route.
type requestLog struct {
	mu     sync.Mutex
	counts map[string]int
}

func newRequestLog() *requestLog { return &requestLog{counts: map[string]int{}} }

func (l *requestLog) add(route string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[route]++
}

// Counts are API calls by "METHOD route-template".
type Counts map[string]int

// Total returns the number of all calls.
func (c Counts) Total() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// Writes returns the calls that are not reads. A GraphQL query is a read.
func (c Counts) Writes() Counts {
	writes := Counts{}
	for route, n := range c {
		if !strings.HasPrefix(route, "GET ") && route != "POST /graphql" {
			writes[route] = n
		}
	}
	return writes
}

// Requests returns the calls answered so far.
func (s *Sim) Requests() Counts {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	return Counts(maps.Clone(s.requests.counts))
}

// ResetRequests starts the count again and returns what it was.
func (s *Sim) ResetRequests() Counts {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	before := s.requests.counts
	s.requests.counts = map[string]int{}
	return Counts(before)
}
