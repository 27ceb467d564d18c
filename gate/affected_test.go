package gate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/policy"
)

// recorded puts the record of an open pull request with a decision into a ledger.
func recorded(t *testing.T, l *ledger, n int, d change.Decision) {
	t.Helper()
	_, err := l.Record(t.Context(), evidence.Entry{Facts: reviewed(pull(n), false).Facts, Decision: d})
	require.NoError(t, err)
}

// decided returns a decision in which one control came to a result.
func decided(r change.Result) change.Decision {
	return change.Decision{Status: r.Status, Results: []change.Result{{Control: policy.NoBypassID, Status: change.NotApplicable}, r}}
}

// When people change roles everything is looked at again whose verdict a role can
// change, what stands let through first, and nothing else.
func TestAffected(t *testing.T) {
	g, _, l := setUp(t)
	recorded(t, l, 1, decided(change.Result{Control: policy.PeerReviewID, Status: change.Pending}))
	recorded(t, l, 2, decided(change.Result{Control: policy.PeerReviewID, Status: change.Pending, Uncounted: []change.Uncounted{{Review: 80}}}))
	recorded(t, l, 3, decided(change.Result{Control: policy.RequiredChecksID, Status: change.Fail, Facts: []string{"checks/test"}}))
	recorded(t, l, 4, decided(change.Result{Control: policy.PeerReviewID, Status: change.Fail, Facts: []string{"reviews/80"}}))
	recorded(t, l, 5, decided(change.Result{Control: policy.RequiredChecksID, Status: change.Undetermined}))
	recorded(t, l, 6, decided(change.Result{Control: "a-control-of-tomorrow", Status: change.Pending}))
	recorded(t, l, 7, change.Decision{Status: change.Undetermined, Reason: "no policy"})
	recorded(t, l, 8, decided(change.Result{Control: policy.PeerReviewID, Status: change.Pass, Facts: []string{"reviews/80"}}))
	refs, err := g.Affected(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, []int{8, 2, 4, 5, 6, 7}, numbers(refs))

	refs, err = g.Affected(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []int{8}, numbers(refs), "after a time in which nobody was looking, what may be wrongly green")

	h, err := g.Within(t.Context(), change.Scope{Repository: shop})
	require.NoError(t, err)
	require.Equal(t, []int{8, 1, 2, 3, 4, 5, 6, 7}, numbers(h.Refs))
	h, err = g.Within(t.Context(), change.Scope{Owner: "acme", Allowed: true})
	require.NoError(t, err)
	require.Equal(t, []int{8}, numbers(h.Refs))
	h, err = g.Within(t.Context(), change.Scope{Repository: change.Repository{ID: 8, Name: "acme/other"}})
	require.NoError(t, err)
	require.Empty(t, h.Refs)
	h, err = g.Within(t.Context(), change.Scope{Repository: shop, Branch: "release"})
	require.NoError(t, err)
	require.Empty(t, h.Refs)
}

func numbers(refs []change.Ref) (list []int) {
	for _, r := range refs {
		list = append(list, r.Number)
	}
	return list
}

// After a lost delivery only what no record is of is looked at.
func TestMissedChanges(t *testing.T) {
	said := reviewed(pull(1), true)
	moved := reviewed(pull(2), true)
	g, f, _ := setUp(t, said, moved, reviewed(pull(3), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	head, _ := moved.Facts.Head.Get()
	head.Commit = sha(99)
	moved.Facts.Head = change.Known(head)
	f.says[pull(2).Key()] = moved
	scope := change.Scope{Repository: shop, Branch: "main", Unseen: true}
	h, err := g.Within(t.Context(), scope)
	require.NoError(t, err)
	require.ElementsMatch(t, []int{1, 2, 3}, numbers(h.Refs))
	scope.Missed = true
	h, err = g.Within(t.Context(), scope)
	require.NoError(t, err)
	require.ElementsMatch(t, []int{2, 3}, numbers(h.Refs))
	require.Empty(t, h.Refs[0].Commit, "what was listed names no change")
}

// A policy that changes is put before everything that wants to reach its branch: in
// the run where there is no queue, in the queue where there is.
func TestAChangedPolicyIsPutBeforeWhatIsHeld(t *testing.T) {
	landed := reviewed(pull(9), true)
	landed.Facts.State = change.Known(change.ClosedState)
	landed.Facts.Landing = change.Known(change.Landing{Landed: true, How: change.Squash, Branch: "main", Commit: sha(20), At: now, By: "p2"})
	landed.Facts.Files = change.Known([]change.File{{Path: ".countersign.yml", Status: "modified"}})
	g, _, l := setUp(t, landed, reviewed(pull(1), false))
	require.NoError(t, g.Assess(t.Context(), pull(9)))
	require.Equal(t, pull(1), l.entries[len(l.entries)-1].Facts.Ref, "although it was never let through, or seen")

	var later []change.Scope
	g, _, _ = setUp(t, landed, reviewed(pull(1), false))
	g.Later = func(_ context.Context, h change.Hint) error { later = append(later, h.Scopes...); return nil }
	require.NoError(t, g.Assess(t.Context(), pull(9)))
	require.Equal(t, []change.Scope{{Repository: shop, Branch: "main", Unseen: true}}, later)
}

// A list that cannot be had does not keep what is on record from being looked at.
func TestWhatIsOnRecordNeedsNoList(t *testing.T) {
	stacked := reviewed(pull(1), true)
	stacked.Facts.Base = change.Known(change.Base{Branch: "below", Target: "main", Commit: sha(30)})
	g, f, _ := setUp(t, stacked, reviewed(pull(2), true))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.NoError(t, g.Assess(t.Context(), pull(2)))
	f.open = errors.New("502")
	h, err := g.Within(t.Context(), change.Scope{Repository: shop, Branch: "main", Unseen: true})
	require.EqualError(t, err, "502")
	require.ElementsMatch(t, []int{1, 2}, numbers(h.Refs))
}
