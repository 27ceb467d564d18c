package github

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

func TestMergeGroup(t *testing.T) {
	for _, method := range []string{"MERGE", "SQUASH", "REBASE"} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t)
			w.ok(w.shop.As("root").SetRuleset(githubsim.Ruleset{
				Name: "main", RequiredChecks: []githubsim.RequiredCheck{{Context: "countersign", AppID: w.sim.App.ID}},
				MergeQueue: &githubsim.MergeQueueRule{Method: method, MinGroup: 2},
			}))
			one, _ := w.open("ada", "one", githubsim.Commit{Files: map[string]string{"one": "1"}}, githubsim.Commit{Files: map[string]string{"one": "2"}})
			two, _ := w.open("grace", "two")
			for _, n := range []int{one, two} {
				w.approveByUs(n)
				w.ok(nil, w.shop.As("linus").Enqueue(n))
			}
			require.NoError(t, w.sim.Quiesce(t.Context()))
			refs := w.groups()
			require.NotEmpty(t, refs)
			g := w.gather(refs[len(refs)-1])
			require.Empty(t, g.Facts.Absent)
			group := known(t, g.Facts.Group)
			require.Empty(t, group.Unexplained)
			require.Len(t, group.Members, 2)
			require.Equal(t, []int{one, two}, []int{group.Members[0].Ref.Number, group.Members[1].Ref.Number})
			require.True(t, group.Members[0].Head.Valid())
			require.Equal(t, simPolicy, g.Policy.Text)
			require.Equal(t, change.SHA(w.shop.Head("main")), g.Policy.Commit)
			require.Equal(t, change.Shown{}, known(t, g.Shown))

			// While a member waits, its own facts say so.
			require.True(t, known(t, w.gather(w.pull(one)).Facts.Queue).Queued)

			for _, ref := range refs {
				w.ok(nil, w.forge.Report(t.Context(), change.Report{Ref: ref, Commit: ref.Commit, Decision: change.Decision{
					Status: change.Pass, Results: []change.Result{{Control: "peer-review", Status: change.Pass}}}}))
			}
			for _, n := range []int{one, two} {
				f := w.gather(w.pull(n)).Facts
				require.Empty(t, f.Absent)
				require.Equal(t, change.MergeQueue, known(t, f.Landing).How, fmt.Sprint(n))
			}
			// The push that the queue made is explained by both.
			push := change.Ref{Repository: w.repository(), Kind: change.Push, Branch: "main", Commit: change.SHA(w.shop.Head("main")), Before: g.Policy.Commit}
			facts := w.gather(push).Facts
			require.Equal(t, change.MergeQueue, known(t, facts.Landing).How)
			require.Equal(t, []int{one, two}, known(t, facts.Landing).Explained)
		})
	}
}

// approveByUs shows a green verdict on a pull request's head.
func (w *world) approveByUs(number int) {
	w.t.Helper()
	g := w.gather(w.pull(number))
	head := known(w.t, g.Facts.Head).Commit
	w.ok(nil, w.forge.Report(w.t.Context(), change.Report{Ref: w.pull(number), Commit: head, Shown: g.Shown, Decision: change.Decision{
		Status: change.Pass, Results: []change.Result{{Control: "peer-review", Status: change.Pass}}}}))
}

// groups returns the merge groups that deliveries were about.
func (w *world) groups() []change.Ref {
	w.t.Helper()
	var refs []change.Ref
	for _, d := range w.sim.Deliveries() {
		if d.Event != "merge_group" {
			continue
		}
		h, err := w.forge.Hint(change.Delivery{ID: d.GUID, Event: d.Event, Body: d.Body})
		require.NoError(w.t, err)
		refs = append(refs, h.Refs...)
	}
	return refs
}
