package github

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
)

// maxAnswer bounds the body of one answer, in bytes.
const maxAnswer = 32 << 20

// transport returns what every call passes through, from the outside in: one
// retry of what may be repeated, a count, a bound on the answer.
func (f *Forge) transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64 // the default of 2 would close most connections between two rounds
		t.ResponseHeaderTimeout = f.config.CallTimeout
		base = t
	}
	return retrying{counting{f.requests, bounded{base}}}
}

// sameOrigin lets a GET follow GitHub's redirect of a renamed repository and
// nothing else: the transport below would hand its token to any other host.
func sameOrigin(r *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 3 || r.Method != http.MethodGet || r.URL.Scheme != first.URL.Scheme || r.URL.Host != first.URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// retrying repeats a call once after a failure of the way, when the call only
// reads.
type retrying struct{ next http.RoundTripper }

func (t retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if !onlyReads(r) || !worthRepeating(response, err) || r.Context().Err() != nil {
		return response, err
	}
	again := r.Clone(r.Context())
	if r.GetBody != nil {
		body, bodyErr := r.GetBody()
		if bodyErr != nil {
			return response, err
		}
		again.Body = body
	} else if r.Body != nil {
		return response, err
	}
	if response != nil {
		_, _ = io.CopyN(io.Discard, response.Body, 4096) // so that the connection can be used again
		response.Body.Close()
	}
	return t.next.RoundTrip(again)
}

// onlyReads reports whether a call changes nothing. Every GraphQL document of
// this package is a query.
func onlyReads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/graphql")
}

// worthRepeating reports whether the way to GitHub failed. A gateway that names
// a time to come back is not asked earlier.
func worthRepeating(response *http.Response, err error) bool {
	if err != nil {
		return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	if _, named := retryAfter(response.Header); named {
		return false
	}
	switch response.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// counting counts what is really sent.
type counting struct {
	n    *atomic.Int64
	next http.RoundTripper
}

func (t counting) RoundTrip(r *http.Request) (*http.Response, error) {
	t.n.Add(1)
	return t.next.RoundTrip(r)
}

// bounded ends an answer with an error where it grows beyond maxAnswer.
type bounded struct{ next http.RoundTripper }

func (t bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return n, err
}
