package gate

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// report shows the decision where the forge shows such things. A change that has
// ended is left as it was when that was right: touching the verdict after a merge
// would make it look as if it had been given too late.
func (g *Gate) report(ctx context.Context, r round, a Assessment) error {
	f := r.Facts
	commit := shownOn(f)
	state := f.State.Or(change.Open)
	if commit == "" || state == change.ClosedState || ended(f) && !a.Decision.Status.Blocks() {
		return nil
	}
	report := change.Report{Ref: f.Ref, Commit: commit, Decision: a.Decision, People: f.People, Receipt: a.Receipt, Shown: r.Shown}
	if f.Ref.Kind != change.PullRequest || ended(f) {
		return g.Forge.Report(ctx, report)
	}
	return g.show(ctx, r, report)
}

// show shows the verdict of an open pull request. Its commit may be the head of
// others too, and the forge shows one verdict for all of them: the worst. The lock
// makes reading the others' records and showing what they come to one step, so
// that of two runs the later one has seen what the earlier one recorded.
func (g *Gate) show(ctx context.Context, r round, report change.Report) error {
	if siblings, known := r.Siblings.Get(); known && len(siblings) == 0 {
		return g.Forge.Report(ctx, report)
	}
	unlock, err := g.shows.take(ctx, fmt.Sprintf("%d/%s", report.Ref.Repository.ID, report.Commit))
	if err != nil {
		return err
	}
	defer unlock()
	if report, err = g.worst(ctx, r, report); err != nil {
		return err
	}
	return g.Forge.Report(ctx, report)
}

// worst returns the report of whichever change with this head is held back most.
func (g *Gate) worst(ctx context.Context, r round, report change.Report) (change.Report, error) {
	siblings, known := r.Siblings.Get()
	if !known {
		return instead(report, change.Undetermined, "it is not known which other changes have this head commit; they share this check", report.Receipt), nil
	}
	status := report.Decision.Status
	for _, s := range siblings {
		last, found, err := g.Ledger.Last(ctx, s.Ref)
		if err != nil {
			return report, err
		}
		kept := found && last.Receipt.Chain == "refs/heads/"+s.Target
		if !kept && r.rules != nil && !r.rules.Governs(s.Target) {
			continue // it wants to reach a branch that is nobody's concern
		}
		other, receipt := change.Pending, report.Receipt
		if kept {
			other, receipt = last.Decision.Status, last.Receipt
		}
		if status.Worse(other) != status {
			status = other
			report = instead(report, status, fmt.Sprintf("#%d has the same head commit, shares this check and is not let through: see there", s.Ref.Number), receipt)
		}
	}
	return report, nil
}

// instead returns a report that shows another decision than the change's own.
func instead(report change.Report, status change.Status, why string, receipt change.Receipt) change.Report {
	if !status.Worse(report.Decision.Status).Blocks() {
		return report
	}
	report.Decision.Status = status.Worse(report.Decision.Status)
	report.Decision.Reason, report.Receipt = change.Text(why), receipt
	return report
}

// ended reports whether the change has reached its branch.
func ended(f change.Facts) bool {
	landing, known := f.Landing.Get()
	return known && landing.Landed
}

// shownOn returns the commit that carries the verdict.
func shownOn(f change.Facts) change.SHA {
	if f.Ref.Kind == change.Push || f.Ref.Kind == change.MergeGroup {
		return f.Ref.Commit
	}
	head, _ := f.Head.Get()
	return head.Commit
}
