package gate

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/policy"
)

// GiveUp ends a change visibly after Assess has failed for the last time: it
// records that nothing could be gathered, and why, and shows that there is no
// decision, which blocks. It shows it on the head that was last seen; for a change
// that was never gathered nobody knows a head, and the record alone remains.
func (g *Gate) GiveUp(ctx context.Context, ref change.Ref, cause error) error {
	_, err := g.turns.Do(ctx, ref.Key(), func() (Assessment, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.Timeout)
		defer cancel()
		return Assessment{}, g.giveUp(ctx, ref, cause)
	})
	return err
}

func (g *Gate) giveUp(ctx context.Context, ref change.Ref, cause error) error {
	last, _, err := g.Ledger.Last(ctx, ref)
	if err != nil {
		return fmt.Errorf("giving up on %s: %w", ref, err)
	}
	facts := change.Facts{
		Ref: ref, GatheredAt: g.Now().UTC(), People: change.People{},
		Absent: map[string]string{"change": change.Quote(cause.Error())},
	}.Canonical()
	commit := ref.Commit
	if commit == "" {
		commit = last.Head
	}
	a, err := g.record(ctx, evidence.Entry{Facts: facts, Decision: policy.Judge(facts, change.PolicyFile{})})
	if err != nil {
		return fmt.Errorf("giving up on %s: recording: %w", ref, err)
	}
	g.Log.ErrorContext(ctx, "gave up", "change", ref.String(), "record", a.Receipt.Index, "err", cause)
	if commit == "" {
		return nil
	}
	err = g.Forge.Report(ctx, change.Report{Ref: ref, Commit: commit, Decision: a.Decision, People: facts.People, Receipt: a.Receipt})
	if err != nil {
		return fmt.Errorf("giving up on %s: reporting: %w", ref, err)
	}
	return nil
}
