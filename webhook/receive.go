package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// An answer is the body that a delivery is answered with.
type answer struct {
	Delivery string `json:"delivery,omitempty"`
	Status   string `json:"status,omitempty"` // accepted or duplicate
	Error    string `json:"error,omitempty"`
}

// maxID bounds a delivery's id, in bytes. GitHub's have 36.
const maxID = 200

// receive is POST /webhooks/github.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if !s.enter() {
		s.unavailable(w, "the server is not taking deliveries")
		return
	}
	defer s.inFlight.Done()
	d, err := s.forge.Authenticate(r)
	if err == nil && (d.ID == "" || len(d.ID) > maxID) {
		err = errNoID
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.accept(w, r, d, start)
}

// accept stores a delivery and says so. The request's own context is not used:
// what has arrived whole is stored even when the forge no longer listens.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, d change.Delivery, start time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
	defer cancel()
	log := s.config.Log.With("delivery", d.ID, "event", d.Event)
	err := s.inbox.store(ctx, d, s.config.Now())
	status := "accepted"
	switch {
	case errors.Is(err, errDuplicate):
		status = "duplicate"
	case err != nil:
		log.Error("delivery not stored", "err", err)
		s.metrics.received(d.Event, "unstored", time.Since(start))
		s.unavailable(w, "the delivery could not be stored")
		return
	}
	s.metrics.received(d.Event, status, time.Since(start))
	log.Debug("delivery stored", "status", status)
	reply(w, http.StatusAccepted, answer{Delivery: d.ID, Status: status})
}

// retrySeconds is what an unavailable server asks the sender to wait.
const retrySeconds = "10"

// unavailable answers that nothing was stored.
func (s *Server) unavailable(w http.ResponseWriter, line string) {
	w.Header().Set("Retry-After", retrySeconds)
	reply(w, http.StatusServiceUnavailable, answer{Error: line})
}

// A statusError is an error that names the HTTP status of its refusal.
type statusError interface {
	error
	StatusCode() int
}

// A badRequest is refused with 400.
type badRequest string

func (e badRequest) Error() string { return string(e) }

// StatusCode returns 400.
func (badRequest) StatusCode() int { return http.StatusBadRequest }

// errNoID says that there is nothing to know a redelivery by.
const errNoID = badRequest("the delivery has no id, or one that is too long")

// refuse answers a request that is not an authentic delivery. The answer is a
// line of our own: the error may quote what was sent, and is for the log.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if e := statusError(nil); errors.As(err, &e) && refusals(e.StatusCode()) != "" {
		status = e.StatusCode()
	}
	s.metrics.refuse(status)
	s.config.Log.Warn("delivery refused", "status", status, "remote", r.RemoteAddr, "err", err)
	if status == http.StatusServiceUnavailable {
		s.unavailable(w, refusals(status))
		return
	}
	line := refusals(status)
	if line == "" {
		line = "the delivery could not be checked"
	}
	reply(w, status, answer{Error: line})
}

// refusals returns the line that goes with a status, or "" for one that is not a
// refusal.
func refusals(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "the request is not a well-formed delivery"
	case http.StatusUnauthorized:
		return "the delivery is not signed with this server's webhook secret"
	case http.StatusMethodNotAllowed:
		return "deliveries are posted"
	case http.StatusRequestEntityTooLarge:
		return "the delivery is larger than this server accepts"
	case http.StatusServiceUnavailable:
		return "too much is being received at the moment"
	case http.StatusUnsupportedMediaType:
		return "deliveries have the content type application/json"
	}
	return ""
}

// reply writes v as JSON. A sender who has gone cannot be told so.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
