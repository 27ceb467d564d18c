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

// throughQueue reports whether the last word of the timeline on the merge queue
// is that it merged the change. Of several changes that land as one group, the
// activity names only the last commit.
func throughQueue(pr *pullRequest) bool {
	if pr.MergedBy != nil && strings.TrimSuffix(pr.MergedBy.Login, "[bot]") == queueBot {
		return true
	}
	events, _ := pr.Timeline.read()
	queued := false
	for _, e := range events {
		switch e.Typename {
		case "AddedToMergeQueueEvent":
			queued = true
		case "RemovedFromMergeQueueEvent":
			queued = strings.Contains(lower(e.Reason), "merge")
		}
	}
	return queued
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
