package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Affected returns the open changes that stand let through in the repositories of
// an owner, or in all with "". What let them through may not hold any more when
// somebody's role has changed, or after a time in which nobody was looking.
func (g *Gate) Affected(ctx context.Context, owner string) ([]change.Ref, error) {
	refs, err := g.Ledger.Allowed(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("looking for what stands let through: %w", err)
	}
	return refs, nil
}

// repoliced returns the open changes that stand let through in a repository whose
// policy a landed change has touched, or may have: they are to be judged by the
// policy as it is now.
func (g *Gate) repoliced(ctx context.Context, r round) ([]change.Ref, error) {
	files, known := r.Facts.Files.Get()
	touches := slices.ContainsFunc(files, func(f change.File) bool { return f.Path == r.Policy.Path || f.Previous == r.Policy.Path })
	if !ended(r.Facts) || known && !touches {
		return nil, nil
	}
	owner, _, _ := strings.Cut(r.Facts.Ref.Repository.Name, "/")
	all, err := g.Affected(ctx, owner)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(ref change.Ref) bool {
		return ref.Repository.ID != r.Facts.Ref.Repository.ID || ref.Key() == r.Facts.Ref.Key()
	}), nil
}
