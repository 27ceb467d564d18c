package gate_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/gate"
)

const rules = `version: 1
owner: platform-team
roles:
  engineer: [team:acme/engineers]
changes:
  - branches: [main]
    peer-review: {approvals: 1, from: [engineer]}
    segregation-of-duties: {}
`

var (
	now  = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	shop = change.Repository{Forge: change.GitHub, Host: "github.com", ID: 7, Name: "acme/shop"}
)

// sha returns a made-up object id that starts with n.
func sha(n int) change.SHA { return change.SHA(fmt.Sprintf("%040d", n)) }

func pull(n int) change.Ref {
	return change.Ref{Repository: shop, Kind: change.PullRequest, Number: n}
}

// reviewed returns what the forge would say of a pull request by ada that grace
// has approved, or not.
func reviewed(ref change.Ref, approved bool) change.Gathered {
	f := change.Facts{
		Ref: ref, GatheredAt: now, Title: "add a basket", URL: "https://github.com/acme/shop/pull/1",
		People: change.People{
			"p1": {Kind: change.Human, Account: "github:1", Login: "ada"},
			"p2": {Kind: change.Human, Account: "github:2", Login: "grace"},
		},
		State:  change.Known(change.Open),
		Opener: change.Known(change.Person("p1")),
		Head:   change.Known(change.Head{Branch: "basket", Commit: sha(10), Tree: sha(11), Repository: 7}),
		Base:   change.Known(change.Base{Branch: "main", Target: "main", Commit: sha(1)}),
		Commits: change.Known([]change.Commit{{SHA: sha(10), Tree: sha(11), Parents: []change.SHA{sha(1)},
			Author: "p1", Committer: "p1", Authored: now, Committed: now}}),
		Pushes:   change.Known([]change.BranchPush{{By: "p1", After: sha(10), At: now}}),
		Files:    change.Known([]change.File{{Path: "basket.go", Status: "added"}}),
		Reviews:  change.Known[[]change.Review](nil),
		Checks:   change.Known[[]change.Check](nil),
		Timeline: change.Known[[]change.Event](nil),
		Landing:  change.Known(change.Landing{}),
		Enforced: change.Known(change.Enforcement{}),
	}
	if approved {
		f.Reviews = change.Known([]change.Review{{ID: 80, By: "p2", State: change.Approved, Commit: sha(10), Tree: sha(11), At: now, CanPush: change.Known(true)}})
	}
	return change.Gathered{
		Facts: f, Policy: change.PolicyFile{Found: true, Path: ".countersign.yml", Commit: sha(1), Text: rules},
		Siblings: change.Known[[]change.Sibling](nil),
	}
}

// A forge answers from memory.
type forge struct {
	mu       sync.Mutex
	says     map[string]change.Gathered // by Ref.Key
	gathered []string
	reports  []change.Report
	gather   func(change.Ref) error    // called in every Gather; optional
	report   func(change.Report) error // called in every Report; optional
	open     error                     // of Open; optional
}

func (f *forge) Gather(ctx context.Context, ref change.Ref) (change.Gathered, error) {
	f.mu.Lock()
	f.gathered = append(f.gathered, ref.Key())
	g, hook := f.says[ref.Key()], f.gather
	f.mu.Unlock()
	if hook != nil {
		if err := hook(ref); err != nil {
			return change.Gathered{}, err
		}
	}
	return g, ctx.Err() // as a call over the network fails whose caller has left
}

// Policy is asked of a push, and is what Gather would say.
func (f *forge) Policy(_ context.Context, ref change.Ref) (change.PolicyFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.says[ref.Key()].Policy, nil
}

// Answer says that everybody is in every team. It has to be told where the policy was
// read, because what holds there holds for the change.
func (f *forge) Answer(_ context.Context, facts change.Facts, needs change.Needs) (change.Facts, error) {
	f.mu.Lock()
	at := f.says[facts.Ref.Key()].Policy.Commit
	f.mu.Unlock()
	if needs.Base != at {
		return facts, fmt.Errorf("asked at %q and the policy was read at %q", needs.Base, at)
	}
	var answers []change.Membership
	for _, r := range facts.Reviews.Or(nil) {
		for _, s := range needs.Selectors {
			answers = append(answers, change.Membership{Selector: s, Person: r.By, Member: true})
		}
	}
	facts.Members = change.Known(answers)
	return facts, nil
}

func (f *forge) Report(_ context.Context, r change.Report) error {
	if f.report != nil {
		if err := f.report(r); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports = append(f.reports, r)
	return nil
}

// Open lists the open pull requests of a repository.
func (f *forge) Open(_ context.Context, scope change.Scope) (h change.Hint, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.says {
		head, _ := g.Facts.Head.Get()
		if g.Facts.Ref.Kind == change.PullRequest && g.Facts.State.Or("") == change.Open && gate.Target(g.Facts) == scope.Branch {
			ref := g.Facts.Ref
			ref.Commit = head.Commit
			h.Refs = append(h.Refs, ref)
		}
	}
	if f.open != nil {
		return change.Hint{}, f.open
	}
	return h, nil
}

// A ledger keeps entries in memory.
type ledger struct {
	mu      sync.Mutex
	entries []evidence.Entry
	fail    error
}

func (l *ledger) Record(_ context.Context, e evidence.Entry) (change.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return change.Receipt{}, l.fail
	}
	l.entries = append(l.entries, e)
	return receipt(len(l.entries) - 1), nil
}

// receipt returns the receipt of the entry at an index.
func receipt(i int) change.Receipt {
	n := uint64(i) + 1
	return change.Receipt{Index: uint64(i), Digest: fmt.Sprintf("%064d", n), Chain: "refs/heads/main", N: n}
}

func (l *ledger) Last(_ context.Context, ref change.Ref) (evidence.Latest, bool, error) {
	return l.newest(ref, func(evidence.Latest) bool { return true })
}

func (l *ledger) LastProposed(_ context.Context, ref change.Ref) (evidence.Latest, bool, error) {
	return l.newest(ref, func(e evidence.Latest) bool { return e.State != change.LandedState && e.State != "" })
}

func (l *ledger) newest(ref change.Ref, meant func(evidence.Latest) bool) (evidence.Latest, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.entries) - 1; i >= 0; i-- {
		if e := l.latest(i); l.entries[i].Facts.Ref.Key() == ref.Key() && meant(e) {
			return e, true, nil
		}
	}
	return evidence.Latest{}, false, nil
}

func (l *ledger) Standing(_ context.Context, repo change.Repository, head change.SHA) ([]evidence.Latest, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := map[string]evidence.Latest{}
	for i, e := range l.entries {
		if e.Facts.Ref.Kind == change.PullRequest && e.Facts.Ref.Repository.ID == repo.ID {
			newest[e.Facts.Ref.Key()] = l.latest(i)
		}
	}
	var list []evidence.Latest
	for _, e := range newest {
		if e.Head == head && !e.Decision.Ungoverned && e.State != change.ClosedState && e.State != change.LandedState {
			list = append(list, e)
		}
	}
	return list, nil
}

// Linked returns the changes whose newest entries know a ticket of that key.
func (l *ledger) Linked(_ context.Context, request change.RequestID) ([]change.Ref, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := map[string]evidence.Entry{}
	for _, e := range l.entries {
		newest[e.Facts.Ref.Key()] = e
	}
	var refs []change.Ref
	for _, e := range newest {
		for _, q := range e.Facts.Requests.Or(nil) {
			if q.Key == request.Key {
				refs = append(refs, e.Facts.Ref)
			}
		}
	}
	return refs, nil
}

func (l *ledger) Open(context.Context, string) ([]evidence.Latest, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []evidence.Latest
	for i, e := range l.entries {
		list = slices.DeleteFunc(list, func(old evidence.Latest) bool { return old.Ref.Key() == e.Facts.Ref.Key() })
		list = append(list, l.latest(i))
	}
	return slices.DeleteFunc(list, func(e evidence.Latest) bool {
		return e.Ref.Kind != change.PullRequest || e.State != change.Open && e.State != change.Draft && e.State != ""
	}), nil
}

// latest returns an entry as the ledger tells of it.
func (l *ledger) latest(i int) evidence.Latest {
	e := l.entries[i]
	head := e.Facts.Ref.Commit
	if h, known := e.Facts.Head.Get(); known {
		head = h.Commit
	}
	state := e.Facts.State.Or("")
	if landing, _ := e.Facts.Landing.Get(); landing.Landed {
		state = change.LandedState
	}
	r := receipt(i)
	r.Chain = "refs/heads/" + gate.Target(e.Facts)
	return evidence.Latest{Receipt: r, Fingerprint: evidence.Fingerprint(e), Decision: e.Decision, Head: head, State: state,
		Ref: e.Facts.Ref, At: e.Facts.GatheredAt}
}

func (l *ledger) Keeps(_ context.Context, ref change.Ref) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.Facts.Ref.Repository.ID == ref.Repository.ID && gate.Target(e.Facts) == ref.Branch {
			return true, nil
		}
	}
	return false, nil
}

// set up returns a gate over a forge that says the given things.
func setUp(t *testing.T, says ...change.Gathered) (*gate.Gate, *forge, *ledger) {
	t.Helper()
	f, l := &forge{says: map[string]change.Gathered{}}, &ledger{}
	for _, g := range says {
		f.says[g.Facts.Ref.Key()] = g
	}
	g := gate.New(gate.Config{Forge: f, Ledger: l, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return now }})
	require.NotNil(t, g)
	return g, f, l
}
