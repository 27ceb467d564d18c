package evidence

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// Keeps reports whether there are records of the branch that ref names, so that
// a branch which was ever governed is not lost from sight with its policy.
func (l *Ledger) Keeps(ctx context.Context, ref change.Ref) (bool, error) {
	if err := l.enter(); err != nil {
		return false, err
	}
	defer l.working.Done()
	if err := l.catchUpIfBehind(ctx); err != nil {
		return false, err
	}
	_, digest, err := l.index.head(ctx, chainName(ref.Repository, "refs/heads/"+ref.Branch))
	if err != nil {
		return false, fmt.Errorf("looking for records of a branch: %w", err)
	}
	return digest != "", nil
}
