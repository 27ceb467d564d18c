package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Last returns the newest record of the change that ref names, and whether there
// is one.
func (l *Ledger) Last(ctx context.Context, ref change.Ref) (Latest, bool, error) {
	return l.newest(ctx, func() (row, bool, error) { return l.index.last(ctx, ref.Key()) })
}

// LastProposed returns the newest record of a change that says it had not landed,
// and whether there is one. It was gathered before the change landed, whatever any
// clock says. Records of which nothing could be gathered are passed over: nobody
// can tell whether they came before.
func (l *Ledger) LastProposed(ctx context.Context, ref change.Ref) (Latest, bool, error) {
	return l.newest(ctx, func() (row, bool, error) { return l.index.lastProposed(ctx, ref.Key()) })
}

// Standing returns the newest record of every pull request of a repository that
// was last judged at the commit head, has neither landed nor been closed, and wants
// to reach a branch that its policy names.
func (l *Ledger) Standing(ctx context.Context, repository change.Repository, head change.SHA) ([]Latest, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.working.Done()
	if err := l.catchUpIfBehind(ctx); err != nil {
		return nil, err
	}
	rows, err := l.index.standing(ctx, string(head))
	if err != nil {
		return nil, err
	}
	var list []Latest
	for _, r := range rows {
		proposal := r.ref.Kind == change.PullRequest || r.ref.Kind == change.MergeRequest
		ended := r.state == change.LandedState || r.state == change.ClosedState
		latest, err := r.latest()
		if err != nil {
			return nil, err
		}
		if !proposal || ended || latest.Decision.Ungoverned || r.ref.Repository.ID != repository.ID || r.ref.Repository.Host != repository.Host {
			continue
		}
		list = append(list, latest)
	}
	return list, nil
}

// Open returns the newest record of every pull request that had neither landed nor
// been closed by then: of an owner's repositories, or with "" of all. Those whose
// policy spoke of their branch no more are among them.
func (l *Ledger) Open(ctx context.Context, owner string) ([]Latest, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.working.Done()
	if err := l.catchUpIfBehind(ctx); err != nil {
		return nil, err
	}
	rows, err := l.index.open(ctx, strings.ToLower(owner))
	if err != nil {
		return nil, err
	}
	var list []Latest
	for _, r := range rows {
		if r.ref.Kind != change.PullRequest && r.ref.Kind != change.MergeRequest {
			continue
		}
		latest, err := r.latest()
		if err != nil {
			return nil, err
		}
		list = append(list, latest)
	}
	return list, nil
}

func (l *Ledger) newest(ctx context.Context, ask func() (row, bool, error)) (Latest, bool, error) {
	if err := l.enter(); err != nil {
		return Latest{}, false, err
	}
	defer l.working.Done()
	if err := l.catchUpIfBehind(ctx); err != nil {
		return Latest{}, false, err
	}
	r, found, err := ask()
	if err != nil || !found {
		return Latest{}, false, err
	}
	latest, err := r.latest()
	return latest, err == nil, err
}

// latest returns a row in the words of the ledger's callers.
func (r row) latest() (Latest, error) {
	last := Latest{Ref: r.ref, Receipt: r.receipt, Fingerprint: r.fingerprint, Head: r.head, State: r.state, At: r.at}
	if err := json.Unmarshal(r.judgement, &last.Decision); err != nil {
		return Latest{}, fmt.Errorf("reading a judgement from the index: %w", err)
	}
	return last, nil
}
