package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// approvedChange returns an open change by p1, an account of which the forge says
// kind, that p2 has approved.
func approvedChange(kind change.ActorKind) change.Facts {
	return change.Facts{
		Ref: change.Ref{Kind: change.PullRequest, Number: 1},
		People: change.People{
			"p1": {Kind: kind, Account: "github:301", Login: "release-bot"},
			"p2": {Kind: change.Human, Account: "github:102", Login: "grace"},
		},
		Opener: change.Known(change.Person("p1")), Base: change.Known(change.Base{Branch: "main", Target: "main"}),
		Head:    change.Known(change.Head{Branch: "topic", Commit: commitID(1), Tree: treeID(1)}),
		Commits: change.Known([]change.Commit{{SHA: commitID(1), Tree: treeID(1), Author: "p1", Committer: "p1"}}),
		Pushes:  change.Known([]change.BranchPush{{By: "p1", After: commitID(1), At: start()}}),
		Files:   change.Known([]change.File{{Path: "go.mod"}}), Timeline: change.Known([]change.Event{}),
		Landing: change.Known(change.Landing{}), Enforced: change.Known(change.Enforcement{}),
		Reviews: change.Known([]change.Review{{ID: 80, By: "p2", State: change.Approved, Commit: commitID(1), Tree: treeID(1), At: start(), CanPush: change.Known(true)}}),
	}
}

// What a repository registers lets nothing through that the floor holds, and what the
// floor registers holds for the repository too, each for the paths it names.
func TestAutomationsOfAFloor(t *testing.T) {
	const (
		registered = "automations: [{account: \"github:301\", accountable: \"github:101\"}]\n"
		elsewhere  = "automations: [{account: \"github:301\", accountable: \"github:101\", paths: [docs/]}]\n"
	)
	for _, c := range []struct {
		name, floor, own string
		kind             change.ActorKind
		want             change.Status
	}{
		{"registered by nobody", narrow, narrow, change.Bot, change.Undetermined},
		{"by the repository alone", narrow, narrow + registered, change.Bot, change.Undetermined},
		{"by the floor alone", narrow + registered, narrow, change.Bot, change.Pass},
		{"by both", narrow + registered, narrow + registered, change.Bot, change.Pass},
		{"by the floor for other paths", narrow + elsewhere, narrow + registered, change.Bot, change.Undetermined},
		{"by the repository for other paths", narrow + registered, narrow + elsewhere, change.Bot, change.Undetermined},
		{"a machine user by the repository alone", narrow, narrow + registered, change.Human, change.Undetermined},
		{"a machine user by the floor", narrow + registered, narrow, change.Human, change.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := mustRead(t, c.own, c.floor)
			f := set.Resolve(approvedChange(c.kind), "")
			d := set.Evaluate(f)
			require.Equal(t, c.want, d.Status, "%s", wireOf(d))
			require.Equal(t, wireOf(f), wireOf(set.Resolve(f, "")), "resolved again")
			for p, id := range f.People {
				f.People[p] = id.Withhold("withheld")
			}
			require.Equal(t, wireOf(d), wireOf(set.Evaluate(f)), "replayed")
			require.Equal(t, wireOf(f), wireOf(set.Resolve(f, "")), "resolved from a record")
		})
	}
}

// A repository that calls a reviewer an automation takes no objection away from the
// floor.
func TestRepositoryCannotSilenceAnObjector(t *testing.T) {
	set := mustRead(t, narrow+"automations: [{account: \"github:102\", accountable: \"github:101\"}]\n", narrow)
	f := approvedChange(change.Human)
	f.People["p3"] = change.Identity{Kind: change.Human, Account: "github:103"}
	f.Reviews = change.Known([]change.Review{
		{ID: 80, By: "p2", State: change.ChangesRequested, Commit: commitID(1), At: start(), CanPush: change.Known(true)},
		{ID: 81, By: "p3", State: change.Approved, Commit: commitID(1), At: start(), CanPush: change.Known(true)},
	})
	require.Equal(t, change.Fail, set.Evaluate(set.Resolve(f, "")).Status)
}
