package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
		g.views.drop(ref)
		last, _, err := g.Ledger.Last(ctx, ref)
		if err == nil {
			err = g.blank(ctx, ref, last)
		}
		if err != nil {
			return Assessment{}, fmt.Errorf("giving up on %s: %w", ref, err)
		}
		g.Log.ErrorContext(ctx, "gave up", "change", ref.String(), "err", cause)
		return Assessment{}, nil
	})
	return err
}

// withdraw takes back a verdict that lets a change through while the change cannot
// be looked at: whatever made us look may be what must stop it. That the forge's
// answers merely lag behind the event is no such case, since they are on their way.
func (g *Gate) withdraw(ctx context.Context, ref change.Ref, cause *blindError) error {
	if errors.Is(cause, change.ErrNotYet) {
		return nil
	}
	last, found, err := g.Ledger.Last(ctx, ref)
	if err != nil {
		return fmt.Errorf("looking for a verdict to withdraw: %w", err)
	}
	ended := last.State == change.LandedState || last.State == change.ClosedState
	again := last.State == "" // withdrawn before, and showing that may be what failed
	if !found || ended || last.Decision.Status.Blocks() && !again {
		return nil
	}
	if err := g.blank(ctx, ref, last); err != nil {
		return fmt.Errorf("withdrawing the verdict: %w", err)
	}
	g.Log.WarnContext(ctx, "verdict withdrawn", "change", ref.String(), "err", cause)
	return nil
}

// notGathered is what a record says of a change that could not be looked at. The
// error itself is for the log: it may name people, and records are signed.
const notGathered = "the forge did not answer what has to be asked; the server's log says why"

// blank records, and shows on what was last the head, that nothing is known of a
// change. What has ended keeps the verdict that stood, and of pushes only those to
// branches that records are kept of are anybody's concern. It is an error when
// there is no head to show it on: then somebody has to try again.
func (g *Gate) blank(ctx context.Context, ref change.Ref, last evidence.Latest) error {
	if ref.Kind == change.Push {
		if kept, err := g.Ledger.Keeps(ctx, ref); err != nil || !kept {
			return err
		}
	}
	if isSettled(last) {
		return nil
	}
	if ref.Commit == "" {
		ref.Commit = last.Head
	}
	if branch, ok := strings.CutPrefix(last.Receipt.Chain, "refs/heads/"); ok && ref.Branch == "" {
		ref.Branch = branch
	}
	facts := change.Facts{
		Ref: ref, GatheredAt: g.Now().UTC(), People: change.People{},
		Absent: map[string]string{"change": notGathered},
	}.Canonical()
	a, err := g.record(ctx, evidence.Entry{Facts: facts, Decision: policy.Judge(facts, change.PolicyFile{})})
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	if last.State == change.LandedState || last.State == change.ClosedState || ref.Kind == change.Push {
		return nil
	}
	if ref.Commit == "" {
		return errors.New("no head is known to show it on")
	}
	err = g.Forge.Report(ctx, change.Report{Ref: ref, Commit: ref.Commit, Decision: a.Decision, People: facts.People, Receipt: a.Receipt})
	if err != nil {
		return fmt.Errorf("reporting: %w", err)
	}
	return nil
}
