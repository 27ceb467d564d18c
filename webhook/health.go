package webhook

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// health is GET /healthz: the process answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, readiness{Status: "ok"})
}

// A readiness is the body of /healthz and /readyz.
type readiness struct {
	Status   string   `json:"status"`             // ok, ready or unready
	Problems []string `json:"problems,omitempty"` // what is not ready
}

// probeTimeout bounds all probes of one request together.
const probeTimeout = 5 * time.Second

// ready is GET /readyz: deliveries can be stored and worked.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	var problems []string
	for _, probe := range append([]func(context.Context) error{s.started, s.writable}, s.config.Ready...) {
		if err := probe(ctx); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if len(problems) > 0 {
		w.Header().Set("Retry-After", retrySeconds)
		reply(w, http.StatusServiceUnavailable, readiness{Status: "unready", Problems: problems})
		return
	}
	reply(w, http.StatusOK, readiness{Status: "ready"})
}

// started returns an error unless the server takes deliveries and works them.
func (s *Server) started(context.Context) error {
	switch s.phase() {
	case created:
		return errors.New("the queue is not started")
	case stopped:
		return errors.New("the server is stopping")
	}
	return nil
}

// A lastProbe remembers what a probe found, so that asking often costs little.
type lastProbe struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// probeEvery is how long the answer of the last write to the database holds.
const probeEvery = time.Second

// writable returns an error when the database could not be written to.
func (s *Server) writable(ctx context.Context) error {
	p := &s.lastWrite
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := s.config.Now(); p.at.IsZero() || now.Sub(p.at) >= probeEvery || now.Before(p.at) {
		p.err, p.at = s.inbox.probe(ctx), now
	}
	return p.err
}
