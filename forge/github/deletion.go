package github

import (
	"context"
	"fmt"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// gatherDeletion gathers the end of a branch. What there is to judge is that it
// happened and who did it; the policy is read where the branch last stood.
func (f *Forge) gatherDeletion(ctx context.Context, a *api, ref change.Ref) (change.Gathered, error) {
	none := change.Gathered{}
	at := f.config.Now()
	answer, err := f.branch(ctx, a, branchQuestion{repo: ref.Repository, branch: ref.Branch, policyAt: string(ref.Before), commit: ref.Before})
	if err != nil {
		return none, fmt.Errorf("asking for the last commit of the branch: %w", err)
	}
	ref.Repository.Name = answer.NameWithOwner
	move, err := a.activity(ref.Repository.Name, ref.Branch).find(ctx, ref.Before, "", time.Time{})
	if err != nil && !refused(err) {
		return none, fmt.Errorf("asking for the activity of the branch: %w", err)
	}
	if err == nil && move == nil {
		return none, notYet("the activity does not show the deletion of %s", change.Quote(ref.Branch))
	}
	absent := answer.absent
	if err != nil {
		absent.set("landing", because("the activity of the branch", err))
	}
	b := f.builder(absent)
	facts := change.Facts{
		Ref: ref, GatheredAt: at.UTC(), State: change.Known(change.LandedState),
		URL:  fmt.Sprintf("%s/%s/activity?ref=%s", f.web, ref.Repository.Name, ref.Branch),
		Base: change.Known(change.Base{Branch: ref.Branch, Target: ref.Branch, Commit: ref.Before}),
	}
	if move != nil {
		p := b.branchPush(*move)
		facts.Opener, facts.Opened = change.Known(p.By), move.Timestamp
		facts.Pushes = change.Known([]change.BranchPush{p})
		facts.Landing = change.Known(change.Landing{
			Landed: true, By: p.By, How: change.Deletion, Branch: ref.Branch, Before: ref.Before, At: move.Timestamp,
		})
	}
	policy := f.policyFile(ref.Repository.Name, answer.PolicyAt, absent)
	facts.People, facts.Absent = b.roster.People(), absent.table()
	return change.Gathered{Facts: facts, Policy: policy}, nil
}
