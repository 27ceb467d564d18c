package github

import (
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// queueBot is the login under which GitHub's merge queue merges.
const queueBot = "github-merge-queue"

// landing returns how the pull request reached its branch, or that it did not.
func (b *builder) landing(m material) (change.Landing, error) {
	pr := m.pr
	if !pr.Merged {
		return change.Landing{}, nil
	}
	c := pr.MergeCommit
	if c == nil || !c.Oid.Valid() || !c.Tree.Oid.Valid() {
		return change.Landing{}, fmt.Errorf("GitHub does not show the commit that the merge made")
	}
	l := change.Landing{
		Landed: true, By: b.roster.Add(pr.MergedBy.identity()), How: how(m),
		Branch: pr.BaseRefName, Commit: c.Oid, Tree: c.Tree.Oid, At: pr.MergedAt,
	}
	switch {
	case m.merge != nil:
		l.Before = m.merge.Before
	case l.How != change.Rebase && len(c.Parents.Nodes) > 0 && c.Parents.Nodes[0] != nil:
		l.Before = c.Parents.Nodes[0].Oid // a queue moves the branch over several merges at once
	}
	return l, nil
}

// how returns the way a merged pull request landed. What the branch's activity
// says goes first: a push can make GitHub mark a pull request as merged.
func how(m material) string {
	if m.merge != nil {
		switch m.merge.Type {
		case typePush:
			return change.DirectPush
		case typeForcePush:
			return change.ForcePush
		case typeCreation:
			return change.Creation
		case typeQueueMerge:
			return change.MergeQueue
		}
	} else if throughQueue(m.pr) {
		return change.MergeQueue
	}
	return method(m)
}

// throughQueue reports whether the merge queue merged the change, as far as
// anything says: it was in the queue last, and nothing took it out but its merge.
// Of several changes that land as one group, the activity names only the last
// commit.
func throughQueue(pr *pullRequest) bool {
	return mergedByQueue(pr) || queueWord(pr) == queued
}

// mergedByQueue reports whether GitHub says that the merge queue merged the
// change. That it was queued is not enough: who merges past the queue leaves an
// event that may be listed late.
func mergedByQueue(pr *pullRequest) bool {
	bot := pr.MergedBy != nil && pr.MergedBy.Typename == "Bot" && strings.TrimSuffix(pr.MergedBy.Login, "[bot]") == queueBot
	return bot || queueWord(pr) == dequeuedMerged
}

// The last words of a timeline on the merge queue.
const (
	neverQueued    = ""
	queued         = "queued"
	dequeued       = "dequeued"
	dequeuedMerged = "dequeued, merged"
)

// queueWord returns the timeline's last word on the merge queue. GitHub's schema
// leaves the reason of a removal open: its timelines say "merged", and its
// deliveries of the same event "MERGE". Every other reason says why the queue did
// not merge, those included that hold the word, such as MERGE_CONFLICT.
func queueWord(pr *pullRequest) string {
	events, _ := pr.Timeline.read()
	word := neverQueued
	for _, e := range events {
		switch e.Typename {
		case "AddedToMergeQueueEvent":
			word = queued
		case "RemovedFromMergeQueueEvent":
			word = dequeued
			if reason := lower(e.Reason); reason == "merged" || reason == "merge" {
				word = dequeuedMerged
			}
		}
	}
	return word
}

// method tells the merge methods apart. A squash leaves one commit on the branch
// as it was before, a rebase as many as the change has; of a single one, a rebase
// keeps the date at which it was written and a squash writes a new one.
func method(m material) string {
	merge := m.pr.MergeCommit
	if len(merge.Parents.Nodes) > 1 {
		return change.MergeCommit
	}
	commits, err := m.pr.Commits.read()
	if err != nil || len(commits) == 0 {
		return change.Squash
	}
	if m.merge != nil && m.merge.Before != "" && len(commits) > 1 && len(merge.Parents.Nodes) == 1 && merge.Parents.Nodes[0] != nil {
		if merge.Parents.Nodes[0].Oid == m.merge.Before {
			return change.Squash
		}
		return change.Rebase
	}
	if commits[len(commits)-1].Commit.AuthoredDate.Equal(merge.AuthoredDate) {
		return change.Rebase
	}
	return change.Squash
}
