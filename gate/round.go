package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/policy"
)

// A round is what one run has gathered.
type round struct {
	change.Gathered
	rules   *policy.Set // nil when there is no policy, or none that can be read
	begun   uint64      // the round of views in which it began
	retired bool        // the policy names the branch no more, and records of it were kept
}

// A blindError says that a change could not be looked at.
type blindError struct{ err error }

func (b *blindError) Error() string { return b.err.Error() }
func (b *blindError) Unwrap() error { return b.err }

// gather asks the forge and reads the policy that it gave.
func (g *Gate) gather(ctx context.Context, ref change.Ref) (round, error) {
	gathered, err := g.Forge.Gather(ctx, ref)
	if err != nil {
		return round{}, &blindError{fmt.Errorf("gathering: %w", err)}
	}
	r := round{Gathered: gathered}
	// A policy with mistakes is none; Judge says what they are.
	if rules, err := policy.Read(gathered.Policy); err == nil {
		r.rules = rules
	}
	return r, nil
}

// governed reports whether the change wants to reach, or has moved, a branch that
// the policy speaks of. A policy that is missing or cannot be read governs: not
// knowing the rules is no reason to let a change through. Pushes are the
// exception, because every branch of every repository is pushed to. What moves a
// branch that records have been kept of is recorded in any case: taking the branch
// out of the policy must not take it out of sight.
func (g *Gate) governed(ctx context.Context, r *round) (bool, error) {
	target, landed := Target(r.Facts), ended(r.Facts)
	push := r.Facts.Ref.Kind == change.Push
	switch {
	case r.rules == nil && !push:
		return true, nil
	case r.rules != nil && (target == "" || r.rules.Governs(target)):
		return true, nil
	case !push && !landed:
		// It may have wanted to reach a governed branch before: then a record has to
		// say that it does not any more.
		last, found, err := g.Ledger.Last(ctx, r.Facts.Ref)
		return found && !last.Decision.Ungoverned, err
	}
	r.retired = r.rules != nil
	return g.Ledger.Keeps(ctx, change.Ref{Repository: r.Facts.Ref.Repository, Branch: target})
}

// Target returns the short name of the protected branch that some facts are
// about, or "" when they do not say.
func Target(f change.Facts) string {
	if base, known := f.Base.Get(); known && base.Target != "" {
		return base.Target
	}
	if landing, known := f.Landing.Get(); known && landing.Branch != "" {
		return landing.Branch
	}
	return f.Ref.Branch
}

// complete adds what the policy needs to the facts and puts them in order.
func (g *Gate) complete(ctx context.Context, r *round) (err error) {
	if r.rules == nil {
		r.Facts = r.Facts.Canonical()
		return nil
	}
	if r.Facts, err = g.members(ctx, r.Facts); err != nil {
		return err
	}
	needs := r.rules.Needs(r.Facts)
	needs.Base = r.Policy.Commit
	if r.Facts, err = g.Forge.Answer(ctx, r.Facts, needs); err != nil {
		return &blindError{fmt.Errorf("answering the policy: %w", err)}
	}
	r.Facts = r.rules.Resolve(r.Facts, r.Description)
	if err = g.withTickets(ctx, r); err != nil {
		return err
	}
	r.Facts = r.Facts.Canonical()
	return nil
}

// resting returns the changes whose verdicts rest on this one's: the groups that
// hold it, and those that share its head, by the forge's list and by our records.
func (r round) resting(standing []evidence.Latest) []change.Ref {
	refs := slices.Clone(r.Groups)
	for _, s := range r.Siblings.Or(nil) {
		refs = append(refs, s.Ref)
	}
	for _, s := range standing {
		refs = append(refs, s.Ref)
	}
	slices.SortFunc(refs, func(a, b change.Ref) int { return strings.Compare(a.Key(), b.Key()) })
	return slices.CompactFunc(refs, func(a, b change.Ref) bool { return a.Key() == b.Key() })
}
