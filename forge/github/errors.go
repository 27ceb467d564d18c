package github

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/countersign-dev/countersign/change"
)

// ErrMoved is returned by Gather when the head of a change kept moving while its
// facts were read. The push that moved it brings a delivery of its own.
var ErrMoved = errors.New("the head kept moving while its facts were read")

// A RetryError is a failure that is expected to pass by itself: a rate limit, or
// an answer of the forge that lags behind an event.
type RetryError struct {
	After time.Duration // how long to wait at least
	Err   error
}

// Error returns what failed and when to come back.
func (e *RetryError) Error() string {
	return fmt.Sprintf("%v (try again in %s)", e.Err, e.After.Round(time.Second))
}

// Unwrap returns the failure itself.
func (e *RetryError) Unwrap() error { return e.Err }

// RetryAfter returns how long to wait at least.
func (e *RetryError) RetryAfter() time.Duration { return e.After }

// The waits of failures that do not name one. GitHub asks for at least a minute
// after a secondary rate limit.
const (
	lagging      = 2 * time.Second
	outage       = 10 * time.Second
	secondaryLag = time.Minute
)

// notYet returns the error of an answer that does not show yet what must appear
// in it.
func notYet(format string, args ...any) error {
	return &RetryError{After: lagging, Err: fmt.Errorf("%w: %s", change.ErrNotYet, fmt.Sprintf(format, args...))}
}

// classify turns a rate limit into a RetryError, however GitHub wrote it.
func classify(err error, now time.Time) error {
	var primary *gh.RateLimitError
	if errors.As(err, &primary) {
		return &RetryError{After: atLeast(primary.Rate.Reset.Sub(now)), Err: err}
	}
	var secondary *gh.AbuseRateLimitError
	if errors.As(err, &secondary) {
		if secondary.RetryAfter != nil {
			return &RetryError{After: atLeast(*secondary.RetryAfter), Err: err}
		}
		return &RetryError{After: secondaryLag, Err: err}
	}
	var response *gh.ErrorResponse
	if errors.As(err, &response) && response.Response != nil {
		wait, named := retryAfter(response.Response.Header)
		switch code := response.Response.StatusCode; {
		case named && (code == http.StatusForbidden || code == http.StatusTooManyRequests || code >= 500):
			return &RetryError{After: wait, Err: err}
		case code == http.StatusTooManyRequests:
			return &RetryError{After: secondaryLag, Err: err}
		}
	}
	return err
}

func retryAfter(h http.Header) (time.Duration, bool) {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0, false
	}
	return atLeast(min(time.Duration(n)*time.Second, time.Hour)), true
}

func atLeast(d time.Duration) time.Duration { return max(d, time.Second) }

// status returns the HTTP status of an API answer's error, or 0.
func status(err error) int {
	var response *gh.ErrorResponse
	if errors.As(err, &response) && response.Response != nil {
		return response.Response.StatusCode
	}
	return 0
}

// A finalError says that a question has no answer, however often it is asked.
type finalError string

func (e finalError) Error() string { return string(e) }

func final(format string, args ...any) error { return finalError(fmt.Sprintf(format, args...)) }

// refused reports whether the forge gave a final answer that is not the one
// asked for: asking again gives the same. Only such an answer makes a fact
// absent; every other failure is worth another attempt.
func refused(err error) bool {
	var retry *RetryError
	if errors.As(err, &retry) {
		return false
	}
	var last finalError
	if errors.As(err, &last) {
		return true
	}
	code := status(err)
	return code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusUnauthorized
}

// because returns the reason that a refused call gives for an absent fact.
func because(what string, err error) string {
	var last finalError
	if errors.As(err, &last) {
		return what + ": " + last.Error()
	}
	switch code := status(err); code {
	case http.StatusForbidden:
		return fmt.Sprintf("%s: GitHub refuses this application (403): check its permissions", what)
	case http.StatusNotFound:
		return fmt.Sprintf("%s: GitHub does not show it to this application (404)", what)
	default:
		return fmt.Sprintf("%s: GitHub answered %d", what, code)
	}
}
