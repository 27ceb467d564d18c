package gate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// queued returns what the forge would say of a merge group of these members.
func queued(members ...int) change.Gathered {
	ref := change.Ref{Repository: shop, Kind: change.MergeGroup, Branch: "main", Commit: sha(50), Before: sha(1)}
	var group change.Group
	for _, n := range members {
		group.Members = append(group.Members, change.Member{Ref: pull(n), Head: sha(10)})
	}
	g := reviewed(ref, false)
	g.Facts = change.Facts{Ref: ref, GatheredAt: now, People: change.People{}, Group: change.Known(group),
		Base:   change.Known(change.Base{Branch: "main", Target: "main", Commit: sha(1)}),
		Head:   change.Known(change.Head{Branch: "gh-readonly-queue/main/pr-2", Commit: sha(50), Tree: sha(51), Repository: 7}),
		Checks: change.Known[[]change.Check](nil), Landing: change.Known(change.Landing{})}
	return g
}

func TestEveryMemberOfAGroupIsJudgedAgain(t *testing.T) {
	g, f, l := setUp(t, reviewed(pull(1), true), reviewed(pull(2), false), queued(1, 2))
	ref := queued().Facts.Ref
	require.NoError(t, g.Assess(t.Context(), ref))
	require.Len(t, l.entries, 3, "two members and the group")
	group := f.reports[2]
	require.Equal(t, ref.Key(), group.Ref.Key())
	require.Equal(t, sha(50), group.Commit)
	require.Equal(t, change.Deny, group.Decision.Verdict())
	require.Contains(t, string(group.Decision.Results[0].Reason), "#2")
	made := group.Decision.Results[1].Reason.Render(func(p change.Person) string { return group.People[p].Label() })
	require.Contains(t, made, "made by ada", "people keep their names in the group")

	f.says[pull(2).Key()] = reviewed(pull(2), true)
	require.NoError(t, g.Assess(t.Context(), ref))
	require.Equal(t, change.Allow, f.reports[len(f.reports)-1].Decision.Verdict())
	members := l.entries[len(l.entries)-1].Facts.Group.Or(change.Group{}).Members
	require.NotEmpty(t, members[0].Record, "the group's record names its members' records")
}

// A review is withdrawn while the change waits: the group it waits in hears of it
// without any delivery of its own.
func TestAGroupFollowsItsMembers(t *testing.T) {
	waiting := reviewed(pull(1), true)
	waiting.Groups = []change.Ref{queued().Facts.Ref}
	g, f, l := setUp(t, waiting, queued(1))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.MergeGroup, l.entries[len(l.entries)-1].Facts.Ref.Kind)
	require.Equal(t, change.Allow, f.reports[len(f.reports)-1].Decision.Verdict())

	withdrawn := reviewed(pull(1), false)
	withdrawn.Groups = waiting.Groups
	f.says[pull(1).Key()] = withdrawn
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	last := f.reports[len(f.reports)-1]
	require.Equal(t, change.MergeGroup, last.Ref.Kind)
	require.Equal(t, change.Deny, last.Decision.Verdict())
}

func pushed(explained ...int) change.Gathered {
	ref := change.Ref{Repository: shop, Kind: change.Push, Branch: "main", Commit: sha(60), Before: sha(1)}
	g := reviewed(ref, false)
	g.Facts = change.Facts{Ref: ref, GatheredAt: now, People: g.Facts.People,
		Base:    change.Known(change.Base{Branch: "main", Target: "main", Commit: sha(1)}),
		Landing: change.Known(change.Landing{Landed: true, By: "p1", How: change.DirectPush, Branch: "main", Before: sha(1), Commit: sha(60), At: now, Explained: explained})}
	return g
}

func TestADirectPushLeavesARecordOfItsOwn(t *testing.T) {
	g, f, l := setUp(t, pushed())
	require.NoError(t, g.Assess(t.Context(), pushed().Facts.Ref))
	require.Equal(t, change.Fail, l.entries[0].Decision.Status)
	require.Empty(t, f.reports, "its commit may be the head of a pull request, whose verdict is another")
}

func TestAMergedPullRequestExplainsThePush(t *testing.T) {
	g, f, l := setUp(t, pushed(1), reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), pushed().Facts.Ref))
	require.Len(t, l.entries, 1)
	require.Equal(t, pull(1).Key(), l.entries[0].Facts.Ref.Key())
	require.Contains(t, f.gathered, pull(1).Key())
}

// Main is set back to an older merge: every commit came by a pull request, and yet
// no pull request did this.
func TestAForcePushIsExplainedByNothing(t *testing.T) {
	said := pushed(1)
	landing, _ := said.Facts.Landing.Get()
	landing.How = change.ForcePush
	said.Facts.Landing = change.Known(landing)
	g, _, l := setUp(t, said, reviewed(pull(1), true))
	require.NoError(t, g.Assess(t.Context(), said.Facts.Ref))
	require.Equal(t, change.Push, l.entries[0].Facts.Ref.Kind)
	require.Equal(t, change.Fail, l.entries[0].Decision.Status)
	require.Len(t, l.entries, 2, "which files it changed is not known, so it may have changed the policy of what is open")
	require.Equal(t, pull(1), l.entries[1].Facts.Ref)
}

// Taking the policy away must not take the branch out of sight.
func TestABranchWithRecordsStaysInSightWithoutItsPolicy(t *testing.T) {
	bare := pushed()
	bare.Policy = change.PolicyFile{}
	g, f, l := setUp(t, bare)
	require.NoError(t, g.Assess(t.Context(), bare.Facts.Ref))
	require.Empty(t, l.entries, "a branch nobody ever governed")

	f.says[pull(1).Key()] = reviewed(pull(1), true)
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.NoError(t, g.Assess(t.Context(), bare.Facts.Ref))
	require.Len(t, l.entries, 2)
	require.Equal(t, change.Undetermined, l.entries[1].Decision.Status)
}
