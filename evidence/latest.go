package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// Last returns the newest record of the change that ref names, and whether there
// is one.
func (l *Ledger) Last(ctx context.Context, ref change.Ref) (Latest, bool, error) {
	return l.newest(ctx, func() (row, bool, error) { return l.index.last(ctx, ref.Key()) })
}

// LastProposed returns the newest record of a change from before it landed, and
// whether there is one. A record that says it had not landed was gathered before
// it did, whatever any clock says; only for one that could not say so the time at
// which it landed is asked for.
func (l *Ledger) LastProposed(ctx context.Context, ref change.Ref, landed time.Time) (Latest, bool, error) {
	return l.newest(ctx, func() (row, bool, error) { return l.index.lastProposed(ctx, ref.Key(), landed) })
}

// Standing returns the newest record of every pull request of a repository that
// was last judged at the commit head and has neither landed nor been closed.
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
		if !proposal || ended || r.ref.Repository.ID != repository.ID || r.ref.Repository.Host != repository.Host {
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

// Allowed returns the changes that stand let through: neither landed nor closed,
// and not blocked by their newest record. With an owner's login it returns those
// of the owner's repositories, with "" all.
func (l *Ledger) Allowed(ctx context.Context, owner string) ([]change.Ref, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.working.Done()
	if err := l.catchUpIfBehind(ctx); err != nil {
		return nil, err
	}
	return l.index.allowed(ctx, strings.ToLower(owner))
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
