package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/countersign-dev/countersign/change"
)

// A testForge takes deliveries whose body says which changes they are about.
type testForge struct {
	hints  atomic.Int64 // how many were asked for
	before func()       // called in every Hint; optional

	mu        sync.Mutex
	forgotten []string
}

// A testBody is the body of a testForge's deliveries.
type testBody struct {
	Changes []int    `json:"changes"`
	Forget  []string `json:"forget,omitempty"`
	Owners  []string `json:"owners,omitempty"`
	Scopes  []string `json:"scopes,omitempty"`
	Issue   string   `json:"issue,omitempty"`
	Filler  string   `json:"filler,omitempty"`
	Check   string   `json:"check,omitempty"`
}

// A refusal is an error with an HTTP status.
type refusal int

func (r refusal) Error() string   { return fmt.Sprintf("refused with %d", int(r)) }
func (r refusal) StatusCode() int { return int(r) }

func (f *testForge) Authenticate(r *http.Request) (change.Delivery, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20+1))
	switch {
	case err != nil:
		return change.Delivery{}, refusal(http.StatusBadRequest)
	case r.Header.Get("X-Secret") == "internal":
		return change.Delivery{}, errors.New("the secret store is away")
	case r.Header.Get("X-Secret") == "teapot":
		return change.Delivery{}, refusal(http.StatusTeapot)
	case r.Header.Get("X-Secret") != "right":
		return change.Delivery{}, refusal(http.StatusUnauthorized)
	case r.Header.Get("Content-Type") != "application/json":
		return change.Delivery{}, refusal(http.StatusUnsupportedMediaType)
	case len(body) > 1<<20:
		return change.Delivery{}, refusal(http.StatusRequestEntityTooLarge)
	}
	return change.Delivery{ID: r.Header.Get("X-Delivery"), Event: cmp.Or(r.Header.Get("X-Event"), "pull_request"), Body: body}, nil
}

func (f *testForge) Hint(d change.Delivery) (change.Hint, error) {
	f.hints.Add(1)
	if f.before != nil {
		f.before()
	}
	if string(d.Body) == "panic" {
		panic("no such field")
	}
	var b testBody
	err := json.Unmarshal(d.Body, &b)
	if err != nil {
		err = fmt.Errorf("reading the delivery: %w", err)
	}
	hint := change.Hint{Forget: b.Forget, Owners: b.Owners, Topic: change.Topic{Check: b.Check}}
	if b.Issue != "" {
		hint.Requests = []change.RequestID{{Tracker: change.GitHubIssues, Key: "acme/shop#3", ID: b.Issue}}
	}
	for _, n := range b.Changes {
		hint.Refs = append(hint.Refs, testRef(n))
	}
	for _, owner := range b.Scopes {
		hint.Scopes = append(hint.Scopes, change.Scope{Owner: owner, Unseen: true})
	}
	return hint, err
}

func (f *testForge) Forget(keys []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgotten = append(f.forgotten, keys...)
}

func testRef(n int) change.Ref {
	return change.Ref{
		Repository: change.Repository{Forge: change.GitHub, Host: "github.com", ID: 7, Name: "acme/shop"},
		Kind:       change.PullRequest, Number: n,
	}
}

// A testAssessor counts the runs of each change, and answers what it is told to.
type testAssessor struct {
	assess func(ctx context.Context, ref change.Ref) error // nil: succeeds
	giveUp func(ref change.Ref, cause error) error         // nil: succeeds
	within func(scope change.Scope) (change.Hint, error)   // nil: nothing

	urgency func(ref change.Ref, t change.Topic) change.Urgency // nil: always now

	mu      sync.Mutex
	runs    map[int]int // by number, of the change
	givenUp map[int]int
}

func (a *testAssessor) Assess(ctx context.Context, ref change.Ref) error {
	a.mu.Lock()
	if a.runs == nil {
		a.runs = map[int]int{}
	}
	a.runs[ref.Number]++
	a.mu.Unlock()
	if a.assess == nil {
		return nil
	}
	return a.assess(ctx, ref)
}

func (a *testAssessor) Urgency(ref change.Ref, t change.Topic) change.Urgency {
	if a.urgency == nil {
		return change.Now
	}
	return a.urgency(ref, t)
}

// Affected says that change 8 stands let through, whoever owns it.
func (a *testAssessor) Affected(context.Context, string) ([]change.Ref, error) {
	return []change.Ref{testRef(8)}, nil
}

func (a *testAssessor) Within(_ context.Context, scope change.Scope) (change.Hint, error) {
	if a.within == nil {
		return change.Hint{}, nil
	}
	return a.within(scope)
}

// Linked says that change 9 is linked to the request with the id 7, and no other.
func (a *testAssessor) Linked(_ context.Context, request change.RequestID) ([]change.Ref, error) {
	if request.ID != "7" {
		return nil, nil
	}
	return []change.Ref{testRef(9)}, nil
}

func (a *testAssessor) GiveUp(_ context.Context, ref change.Ref, cause error) error {
	a.mu.Lock()
	if a.givenUp == nil {
		a.givenUp = map[int]int{}
	}
	a.givenUp[ref.Number]++
	a.mu.Unlock()
	if a.giveUp == nil {
		return nil
	}
	return a.giveUp(ref, cause)
}

func (a *testAssessor) count(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs[n]
}
