package gate

import (
	"context"
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
)

// report shows the decision where the forge shows such things, and notes the
// changes whose verdicts rest on it. What has landed or was closed keeps the
// verdict that stood: the record tells what to think of it. So does a push, whose
// commit may be the head of a pull request that the shown verdict is about.
func (g *Gate) report(ctx context.Context, r round, a *Assessment) error {
	f := r.Facts
	report := change.Report{Ref: f.Ref, Commit: shownOn(f), Decision: a.Decision, People: f.People, Receipt: a.Receipt, Shown: r.Shown, Policy: r.Policy}
	if r.rules != nil {
		report.Awaited = r.rules.Awaited(f, a.Decision)
	}
	switch {
	case report.Commit == "" || r.retired || f.Ref.Kind == change.Push:
		return nil
	case f.Ref.Kind == change.MergeGroup:
		return g.Forge.Report(ctx, report)
	}
	// The lock makes reading the others' records and showing what they come to one
	// step, so that of two runs the later one has seen what the earlier recorded.
	unlock, err := g.shows.take(ctx, fmt.Sprintf("%d/%s", f.Ref.Repository.ID, report.Commit))
	if err != nil {
		return err
	}
	defer unlock()
	others, err := g.others(ctx, r)
	if err != nil {
		return err
	}
	a.touch, a.shares = r.resting(others), len(others)+len(r.Siblings.Or(nil)) > 0
	if ended(f) || f.State.Or(change.Open) == change.ClosedState || a.Decision.Ungoverned {
		return nil
	}
	report = worst(report, others)
	if n := g.unjudged(r, others); n != 0 && !report.Decision.Status.Blocks() {
		a.waits = true
		report.Decision.Status = change.Pending
		report.Decision.Reason = change.Text(fmt.Sprintf("#%d has the same head commit, shares this check and is about to be judged", n))
	}
	return g.Forge.Report(ctx, report)
}

// unjudged returns the number of a change that the forge lists with the same head
// and that was not judged at it, or 0. Assess has it judged and comes back.
func (g *Gate) unjudged(r round, others []evidence.Latest) int {
	for _, s := range r.Siblings.Or(nil) {
		judged := slices.ContainsFunc(others, func(o evidence.Latest) bool { return o.Ref.Number == s.Ref.Number })
		if !judged && !g.strangers.Contains(stranger(s.Ref, shownOn(r.Facts))) {
			return s.Ref.Number
		}
	}
	return 0
}

// stranger returns the key of a pull request at one of its heads.
func stranger(ref change.Ref, head change.SHA) string { return ref.Key() + "@" + string(head) }

// others returns the newest records of the other open changes with the same head.
// The forge shows a verdict on a commit, so they share the one that is shown.
func (g *Gate) others(ctx context.Context, r round) ([]evidence.Latest, error) {
	standing, err := g.Ledger.Standing(ctx, r.Facts.Ref.Repository, shownOn(r.Facts))
	if err != nil {
		return nil, err
	}
	var others []evidence.Latest
	for _, s := range standing {
		if s.Ref.Number != r.Facts.Ref.Number {
			others = append(others, s)
		}
	}
	return others, nil
}

// worst returns the report of whichever change with this head is held back most.
func worst(report change.Report, others []evidence.Latest) change.Report {
	for _, o := range others {
		status := report.Decision.Status
		if status.Worse(o.Decision.Status) == status {
			continue
		}
		report.Decision.Status, report.Receipt = o.Decision.Status, o.Receipt
		report.Decision.Reason = change.Text(fmt.Sprintf("#%d has the same head commit, shares this check and is not let through: see there", o.Ref.Number))
	}
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
