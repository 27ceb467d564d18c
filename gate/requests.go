package gate

import (
	"context"
	"fmt"
	"sync"

	"github.com/countersign-dev/countersign/change"
)

// withTickets asks trackers what the policy rests on and puts the answers among the
// facts, which are resolved. A tracker that does not answer leaves the ticket absent.
// What has landed is judged once, so that no answer from before it serves.
func (g *Gate) withTickets(ctx context.Context, r *round) error {
	ask, answers := r.rules.Lookups(r.Facts)
	if len(ask)+len(answers) == 0 {
		return nil
	}
	said := make([]change.Answer, len(ask))
	var all sync.WaitGroup
	for i, l := range ask { // no more than the policy lets be asked
		all.Go(func() { said[i] = g.tickets.answer(ctx, r.Facts.Ref, l, ended(r.Facts)) })
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("asking trackers: %w", err)
	}
	for i, l := range ask {
		g.tickets.noteSilence(r.Facts.Ref, l, said[i])
		answers[l] = said[i]
	}
	// Who asked for the change is among its people now, and the policy may know more of
	// them.
	r.Facts = r.rules.Resolve(r.Facts.WithTickets(answers), r.Description)
	return nil
}

// Linked returns the changes that are linked to a request which is not what it was,
// as far as a judgement rests on it, and forgets what a tracker said of it.
func (g *Gate) Linked(ctx context.Context, request change.RequestID) ([]change.Ref, error) {
	g.tickets.forget(request)
	refs, err := g.Ledger.Linked(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("looking for what is linked to %s: %w", change.Quote(request.Key), err)
	}
	return refs, nil
}
