package github

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// land makes the stub's pull request a merged one.
func (s *stub) land(parents int, authored string) {
	nodes := []obj{{"oid": sha(0xb1)}, {"oid": s.head}}[:parents]
	s.pull["merged"], s.pull["state"], s.pull["mergedAt"], s.pull["mergedBy"] = true, "MERGED", "2026-03-01T10:00:00Z", user(202, "grace")
	s.pull["mergeCommit"] = obj{"oid": sha(0xc1), "authoredDate": authored, "tree": obj{"oid": sha(0xc2)}, "parents": whole(nodes...)}
	s.branch = obj{"policyAt": obj{"oid": sha(0xb1), "file": obj{"type": "blob", "object": obj{"text": "version: 1 # before\n"}}}}
}

func TestLandingTellsTheMethod(t *testing.T) {
	const written, later = "2026-03-01T08:58:00Z", "2026-03-01T10:00:00Z"
	for name, c := range map[string]struct {
		parents  int
		authored string
		kind     string // of the activity entry; empty for none
		timeline []any
		want     string
	}{
		"merge":          {2, later, "pr_merge", nil, change.MergeCommit},
		"squash":         {1, later, "pr_merge", nil, change.Squash},
		"rebase":         {1, written, "pr_merge", nil, change.Rebase},
		"queue":          {2, later, "merge_queue_merge", nil, change.MergeQueue},
		"pushed by hand": {2, later, "push", nil, change.DirectPush},
		"forced by hand": {2, later, "force_push", nil, change.ForcePush},
		"inside a queue's group": {2, later, "", []any{
			obj{"__typename": "AddedToMergeQueueEvent", "createdAt": later, "actor": user(202, "grace")}}, change.MergeQueue},
		"merged past the queue": {2, later, "", []any{
			obj{"__typename": "AddedToMergeQueueEvent", "createdAt": written, "actor": user(202, "grace")},
			obj{"__typename": "RemovedFromMergeQueueEvent", "createdAt": later, "actor": user(202, "grace"), "reason": "DEQUEUED"}}, change.MergeCommit},
		"dropped for a conflict, then merged": {2, later, "", []any{
			obj{"__typename": "AddedToMergeQueueEvent", "createdAt": written, "actor": user(202, "grace")},
			obj{"__typename": "RemovedFromMergeQueueEvent", "createdAt": later, "actor": user(202, "grace"), "reason": "MERGE_CONFLICT"}}, change.MergeCommit},
		"merged while it waited": {2, later, "", []any{
			obj{"__typename": "AddedToMergeQueueEvent", "createdAt": written, "actor": user(202, "grace")},
			obj{"__typename": "RemovedFromMergeQueueEvent", "createdAt": later, "actor": user(202, "grace"), "reason": "already_merged"}}, change.MergeCommit},
		"merged by the queue": {2, later, "", []any{
			obj{"__typename": "AddedToMergeQueueEvent", "createdAt": written, "actor": user(202, "grace")},
			obj{"__typename": "RemovedFromMergeQueueEvent", "createdAt": later, "actor": user(202, "grace"), "reason": "merged"}}, change.MergeQueue},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.land(c.parents, c.authored)
			if c.timeline != nil {
				s.lists["timelineItems"] = c.timeline
			}
			if c.kind != "" {
				s.moves["acme/shop refs/heads/main"] = []obj{
					move(9, "push", sha(0xc1), sha(0xd1), 303, "linus", "2026-03-01T11:00:00Z", "refs/heads/main"),
					move(8, c.kind, sha(0xb7), sha(0xc1), 202, "grace", "2026-03-01T10:00:00Z", "refs/heads/main")}
			}
			g := s.gather(t)
			require.Empty(t, g.Facts.Absent)
			l := known(t, g.Facts.Landing)
			require.Equal(t, c.want, l.How)
			require.True(t, l.Landed)
			require.Equal(t, change.AccountID("github:202"), g.Facts.People[l.By].Account)
			require.Equal(t, change.SHA(sha(0xc2)), l.Tree)
			switch {
			case c.kind != "":
				require.Equal(t, change.SHA(sha(0xb7)), l.Before, "the activity knows")
			case c.want != change.Rebase:
				require.Equal(t, change.SHA(sha(0xb1)), l.Before)
			}
			require.Equal(t, change.Shown{}, known(t, g.Shown), "we showed nothing, and that is known")
			require.False(t, g.Facts.Shown.IsKnown(), "what was shown is for our own records to say")
			require.Equal(t, "version: 1 # before\n", g.Policy.Text, "a landed change does not choose its own policy")
			require.Equal(t, change.LandedState, known(t, g.Facts.State))
		})
	}
}

func TestLandingWaitsForTheActivity(t *testing.T) {
	s := newStub(t)
	s.land(2, "2026-03-02T11:59:50Z")
	s.pull["mergedAt"] = "2026-03-02T11:59:50Z" // ten seconds ago
	_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	var retry *RetryError
	require.ErrorAs(t, err, &retry)
	require.Equal(t, lagging, retry.RetryAfter())
	require.ErrorIs(t, err, change.ErrNotYet)
}

// The activity names only the last change of a queue's group, so the others wait
// for nothing; one that was merely queued may have been merged past the queue.
func TestLandingOfAQueueWaitsForItsWord(t *testing.T) {
	for reason, wait := range map[string]bool{"merged": false, "MERGE": false, "MERGE_CONFLICT": true, "INVALID_MERGE_COMMIT": true, "": true} {
		s := newStub(t)
		s.land(2, "2026-03-02T11:59:50Z")
		s.pull["mergedAt"] = "2026-03-02T11:59:50Z"
		s.lists["timelineItems"] = []any{obj{"__typename": "AddedToMergeQueueEvent", "createdAt": "2026-03-02T11:50:00Z", "actor": user(202, "grace")}}
		if reason != "" {
			s.lists["timelineItems"] = append(s.lists["timelineItems"],
				obj{"__typename": "RemovedFromMergeQueueEvent", "createdAt": "2026-03-02T11:59:50Z", "actor": user(202, "grace"), "reason": reason})
		}
		g, err := newForge(t, s.URL).Gather(t.Context(), pull7)
		if wait {
			require.ErrorIs(t, err, change.ErrNotYet, reason)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, change.MergeQueue, known(t, g.Facts.Landing).How)
	}
}

func TestLandingWithoutItsCommitIsAbsent(t *testing.T) {
	s := newStub(t)
	s.land(2, "2026-03-01T10:00:00Z")
	s.pull["mergeCommit"] = nil
	g := s.gather(t)
	require.False(t, g.Facts.Landing.IsKnown())
	require.NotEmpty(t, g.Facts.Absent["landing"])
}

func TestPushersLagging(t *testing.T) {
	s := newStub(t)
	s.moves = nil
	s.pull["updatedAt"] = "2026-03-02T11:59:59Z"
	_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	var retry *RetryError
	require.ErrorAs(t, err, &retry)
	require.ErrorIs(t, err, change.ErrNotYet)
}
