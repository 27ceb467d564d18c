package github

import (
	"context"
	"fmt"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// created notes what can be said of a branch that a push created: whether it brought
// anything at all. What it brought has no beginning that could be told.
func (f *Forge) created(ctx context.Context, a *api, r *ranged, move *movement) (err error) {
	r.absent.set("commits", "the push created the branch, so nothing says where its commits begin")
	r.absent.set("files", "the push created the branch, so there is nothing to compare with")
	if move == nil {
		return nil
	}
	if r.reachable, err = f.reachable(ctx, a, r, move); err != nil {
		if !refused(err) {
			return err
		}
		r.absent.set("landing", because("whether the default branch held the commits already", err))
	}
	return nil
}

// reachable returns the name of the repository's default branch when that branch
// held every commit of a newly created one at the moment of its creation, and
// nothing otherwise. What the default branch took in later does not count: the
// created branch was ahead of it then.
func (f *Forge) reachable(ctx context.Context, a *api, r *ranged, created *movement) (string, error) {
	trunk := r.answer.Default
	if created.Type != typeCreation || trunk == nil || trunk.Target == nil || trunk.Name == r.ref.Branch {
		return "", nil
	}
	moves := a.activity(r.ref.Repository.Name, trunk.Name)
	tip, err := moves.stood(ctx, created.Timestamp, trunk.Target.Oid)
	if err != nil {
		return "", fmt.Errorf("asking for the activity of the default branch: %w", err)
	}
	if len(moves.moves) > 0 && !covers(moves.moves, trunk.Target.Oid) && r.at.Sub(created.Timestamp) < fresh {
		return "", notYet("the activity does not show how %s came to %s", change.Quote(trunk.Name), trunk.Target.Oid.Short())
	}
	if !tip.Valid() {
		return "", nil // there was no default branch yet
	}
	c, err := a.comparePage(ctx, r.ref.Repository.Name, tip, r.ref.Commit, 1, 1)
	if err != nil {
		return "", fmt.Errorf("comparing the default branch with the created one: %w", err)
	}
	if c.TotalCommits == 0 && (c.Status == "behind" || c.Status == "identical") {
		return trunk.Name, nil
	}
	return "", nil
}

// stood returns the commit at which the branch stood at a time, or nothing when it
// did not exist. Of a branch that has not moved as far as is known, that is its tip.
// A movement within the same second counts as before, because GitHub tells no more.
func (l *activity) stood(ctx context.Context, at time.Time, tip change.SHA) (change.SHA, error) {
	err := l.until(ctx, func(moves []movement) bool {
		return len(moves) > 0 && !moves[len(moves)-1].Timestamp.After(at)
	})
	if err != nil {
		return "", err
	}
	for _, m := range l.moves {
		if !m.Timestamp.After(at) {
			return m.After, nil
		}
		tip = m.Before
	}
	return tip, nil
}
