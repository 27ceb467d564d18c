package gate

import (
	"context"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
)

// landed sees to a pull request that has reached its branch. It is judged once:
// what becomes of teams, rules, checks and branches afterwards says nothing about
// how it landed, so a judgement that came to a result is settled and is returned.
// Otherwise the verdict that stood when it landed is put among the facts. It comes
// from our own records, because what the forge shows by now may be another.
func (g *Gate) landed(ctx context.Context, r *round) (a Assessment, settled bool, err error) {
	if r.Facts.Ref.Kind == change.Push || !ended(r.Facts) {
		return a, false, nil
	}
	last, found, err := g.Ledger.Last(ctx, r.Facts.Ref)
	if err != nil {
		return a, false, fmt.Errorf("looking for the verdict that stood: %w", err)
	}
	if found && isSettled(last) {
		a = Assessment{Decision: last.Decision, Receipt: last.Receipt, head: last.Head, touch: r.resting(nil), settled: true}
		repoliced, err := g.repoliced(ctx, *r) // an earlier attempt may have failed on the way
		a.touch = append(a.touch, repoliced...)
		return a, true, err
	}
	stood, found, err := g.Ledger.LastProposed(ctx, r.Facts.Ref)
	if err != nil {
		return a, false, fmt.Errorf("looking for the verdict that stood: %w", err)
	}
	r.Facts.Shown = change.Known(change.Shown{})
	if found {
		conclusion := change.Success
		if stood.Decision.Status.Blocks() {
			conclusion = string(stood.Decision.Status)
		}
		r.Facts.Shown = change.Known(change.Shown{
			ID: int64(stood.Receipt.N), Commit: stood.Head, Status: "completed", Conclusion: conclusion, Completed: stood.At,
			Branch: strings.TrimPrefix(stood.Receipt.Chain, "refs/heads/"),
		})
	}
	return a, false, nil
}

// isSettled reports whether a change was judged after it landed, with a result.
func isSettled(last evidence.Latest) bool {
	return last.State == change.LandedState && last.Decision.Status != change.Undetermined
}
