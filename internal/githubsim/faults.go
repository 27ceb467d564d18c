package githubsim

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Fault makes the next calls of a route go wrong.
type Fault struct {
	// Route is a method and a route template as Requests counts them, such as
	// "GET /repos/{owner}/{repo}/pulls/{number}"; * stands for any text, slashes
	// included, and "" for every call.
	Route string

	Times      int           // how many calls; default 1
	Status     int           // answered instead, such as 500 or 502; 0 lets the call through
	RetryAfter time.Duration // makes a 403 or 429 a secondary rate limit
	GraphQL    string        // a GraphQL error of this type, such as RATE_LIMITED, inside a 200
	Partial    bool          // with GraphQL: the data comes along
	Hangup     bool          // closes the connection without an answer
}

// Mayhem is what becomes of deliveries, decided by a seed: of each thousand so
// many are dropped, sent twice, or sent after the next one.
type Mayhem struct {
	Seed                  uint64
	Drop, Double, Reorder int // per thousand
}

// faults holds what was asked to go wrong.
type faults struct {
	mu      sync.Mutex
	latency time.Duration
	pending []Fault
	mayhem  Mayhem
	random  *rand.Rand
	held    []outgoing
}

func newFaults() *faults { return &faults{} }

// SetLatency makes every API call take at least so long.
func (s *Sim) SetLatency(d time.Duration) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.latency = d
}

// Fail makes calls go wrong, once the faults asked for before are used up.
func (s *Sim) Fail(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	f.Times = max(f.Times, 1)
	s.faults.pending = append(s.faults.pending, f)
}

// Heal takes back every fault and the latency.
func (s *Sim) Heal() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.latency, s.faults.pending, s.faults.mayhem = 0, nil, Mayhem{}
}

// SetMayhem makes deliveries go wrong from now on.
func (s *Sim) SetMayhem(m Mayhem) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.mayhem, s.faults.random = m, rand.New(rand.NewPCG(m.Seed, m.Seed))
}

// next returns the fault that a call meets, if any, and the latency.
func (f *faults) next(route string) (Fault, bool, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.pending {
		if !matchRoute(f.pending[i].Route, route) {
			continue
		}
		fault := f.pending[i]
		if f.pending[i].Times--; f.pending[i].Times == 0 {
			f.pending = append(f.pending[:i:i], f.pending[i+1:]...)
		}
		return fault, true, f.latency
	}
	return Fault{}, false, f.latency
}

// matchRoute reports whether a route fits a pattern in which * is any text.
func matchRoute(pattern, route string) bool {
	if pattern == "" {
		return true
	}
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(route, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, middle := range parts[1 : len(parts)-1] {
		if _, rest, ok = strings.Cut(rest, middle); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// FaultsLeft returns how many calls are still to go wrong. A test that expects
// its faults to have struck asks for 0.
func (s *Sim) FaultsLeft() int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	n := 0
	for _, f := range s.faults.pending {
		n += f.Times
	}
	return n
}

// deal returns what is sent for one payload: nothing, it, it twice, or it and
// one that was held back before.
func (f *faults) deal(m outgoing) []outgoing {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random == nil || f.mayhem == (Mayhem{}) {
		return f.withHeld(m)
	}
	switch n := f.random.IntN(1000); {
	case n < f.mayhem.Drop:
		return nil
	case n < f.mayhem.Drop+f.mayhem.Double:
		return f.withHeld(m, m)
	case n < f.mayhem.Drop+f.mayhem.Double+f.mayhem.Reorder:
		f.held = append(f.held, m)
		return nil
	}
	return f.withHeld(m)
}

func (f *faults) withHeld(m ...outgoing) []outgoing {
	m = append(m, f.held...)
	f.held = nil
	return m
}

// release gives up what is still held back.
func (f *faults) release() []outgoing {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.withHeld()
}

// strike answers a call with a fault and reports whether it is done with it.
func (f Fault) strike(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case f.Hangup:
		panic(http.ErrAbortHandler)
	case f.GraphQL != "" && !f.Partial:
		answer(w, r, http.StatusOK, record{"data": nil, "errors": []record{f.graphQLError()}})
		return true
	case f.RetryAfter > 0:
		w.Header().Set("Retry-After", itoa(int64(f.RetryAfter/time.Second)))
		status := f.Status
		if status == 0 {
			status = http.StatusForbidden
		}
		fail(w, r, status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
		return true
	case f.Status != 0:
		message := http.StatusText(f.Status)
		if f.Status == http.StatusInternalServerError {
			message = "Server Error"
		}
		fail(w, r, f.Status, message)
		return true
	}
	return false
}

// graphQLError is the error that a GraphQL fault puts into the answer.
func (f Fault) graphQLError() record {
	message := "Something went wrong while executing your query."
	if strings.Contains(f.GraphQL, "RATE_LIMIT") {
		message = "API rate limit exceeded for installation."
	}
	return record{"type": f.GraphQL, "message": message}
}
