package gate

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
)

// report shows the decision where the forge shows such things, and returns the
// changes whose verdicts rest on it. What has landed or was closed keeps the
// verdict that stood: the record tells what to think of it.
func (g *Gate) report(ctx context.Context, r round, a Assessment, first bool) ([]change.Ref, error) {
	f := r.Facts
	report := change.Report{Ref: f.Ref, Commit: shownOn(f), Decision: a.Decision, People: f.People, Receipt: a.Receipt, Shown: r.Shown}
	switch {
	case report.Commit == "" || r.retired:
		return nil, nil
	case f.Ref.Kind != change.PullRequest && f.Ref.Kind != change.MergeRequest:
		return nil, g.Forge.Report(ctx, report)
	case ended(f) || f.State.Or(change.Open) == change.ClosedState:
		others, err := g.others(ctx, r)
		return r.resting(others), err
	}
	strangers, err := g.acquaint(ctx, r, first)
	if err != nil {
		return nil, err
	}
	// The lock makes reading the others' records and showing what they come to one
	// step, so that of two runs the later one has seen what the earlier recorded.
	unlock, err := g.shows.take(ctx, fmt.Sprintf("%d/%s", f.Ref.Repository.ID, report.Commit))
	if err != nil {
		return nil, err
	}
	defer unlock()
	others, err := g.others(ctx, r)
	if err != nil {
		return nil, err
	}
	return r.resting(others), g.Forge.Report(ctx, worst(report, others, strangers))
}

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

// acquaint has the changes with the same head assessed of which the records may
// not tell how they stand: those that the forge lists and we have no record of,
// and those whose records speak of another branch than the forge does, or which it
// does not list. It returns those that turn out to be nobody's concern.
func (g *Gate) acquaint(ctx context.Context, r round, first bool) (strangers map[int]bool, err error) {
	if !first {
		return nil, nil
	}
	others, err := g.others(ctx, r)
	if err != nil {
		return nil, err
	}
	doubtful := map[int]bool{}
	for _, o := range others {
		doubtful[o.Ref.Number] = true
	}
	for _, s := range r.Siblings.Or(nil) {
		doubtful[s.Ref.Number] = true
		for _, o := range others {
			if o.Ref.Number == s.Ref.Number && o.Receipt.Chain == "refs/heads/"+s.Target {
				delete(doubtful, o.Ref.Number)
			}
		}
	}
	strangers = map[int]bool{}
	for n := range doubtful {
		a, err := g.assess(ctx, r.numbered(n), false)
		if err != nil {
			return nil, fmt.Errorf("assessing what shares the head commit: %w", err)
		}
		strangers[n] = !a.Governed
	}
	return strangers, nil
}

// worst returns the report of whichever change with this head is held back most.
func worst(report change.Report, others []evidence.Latest, strangers map[int]bool) change.Report {
	for _, o := range others {
		status := report.Decision.Status
		if strangers[o.Ref.Number] || status.Worse(o.Decision.Status) == status {
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
