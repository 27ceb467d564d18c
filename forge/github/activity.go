package github

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A movement is one entry of a repository's activity: a branch moved, and the
// account that was authenticated moved it.
type movement struct {
	ID        int64      `json:"id"`
	Before    change.SHA `json:"before"`
	After     change.SHA `json:"after"`
	Ref       string     `json:"ref"`
	Timestamp time.Time  `json:"timestamp"`
	Type      string     `json:"activity_type"`
	Actor     *account   `json:"actor"`
}

// The types of movement.
const (
	typePush       = "push"
	typeForcePush  = "force_push"
	typeCreation   = "branch_creation"
	typeDeletion   = "branch_deletion"
	typePullMerge  = "pr_merge"
	typeQueueMerge = "merge_queue_merge"
)

// maxActivity bounds how many pages of 100 movements of one branch are read.
const maxActivity = 50

// An activity is what was read of a branch's movements so far, newest first.
type activity struct {
	api        *api
	repository string // owner/name
	branch     string
	moves      []movement
	after      string // cursor of the next page
	pages      int
	whole      bool
}

func (a *api) activity(repository, branch string) *activity {
	return &activity{api: a, repository: repository, branch: branch}
}

// next reads one more page.
func (l *activity) next(ctx context.Context) error {
	if l.pages++; l.pages > maxActivity {
		return final("the branch %s has moved more than %d times", change.Quote(l.branch), len(l.moves))
	}
	q := url.Values{"ref": {"refs/heads/" + l.branch}, "per_page": {"100"}}
	if l.after != "" {
		q.Set("after", l.after)
	}
	var moves []movement
	response, err := l.api.get(ctx, "repos/"+l.repository+"/activity?"+q.Encode(), &moves)
	if err != nil {
		return err
	}
	for _, m := range moves {
		if m.Ref != "refs/heads/"+l.branch {
			continue
		}
		m.Before, m.After = valid(m.Before), valid(m.After)
		l.moves = append(l.moves, m)
	}
	l.after = response.After
	l.whole = l.after == "" || len(moves) == 0
	return nil
}

// until reads on until done says that what was read is enough, or to the end.
func (l *activity) until(ctx context.Context, done func([]movement) bool) error {
	for {
		if l.pages > 0 && (l.whole || done(l.moves)) {
			return nil
		}
		if err := l.next(ctx); err != nil {
			return err
		}
	}
}

// find returns the newest movement of the branch to a commit, from the given
// one unless that is empty, reading back as far as since.
func (l *activity) find(ctx context.Context, before, after change.SHA, since time.Time) (*movement, error) {
	at := func(moves []movement) *movement {
		for i := range moves {
			if moves[i].After == after && (before == "" || moves[i].Before == before) {
				return &moves[i]
			}
		}
		return nil
	}
	err := l.until(ctx, func(moves []movement) bool {
		return at(moves) != nil || len(moves) > 0 && moves[len(moves)-1].Timestamp.Before(since)
	})
	if err != nil {
		return nil, err
	}
	return at(l.moves), nil
}

// versions returns the movements that belong to a pull request: those that made
// any version of what it proposes. It reports whether the oldest of them was
// reached; otherwise more pages are needed.
//
// A branch's name outlives the pull request. Movements are kept back to the
// newest one, older than the pull request, that created the branch; or that
// started at the merge base when the branch had come there without force: what
// came before is part of the base already. So a long-lived branch that is merged
// again and again does not make everybody who ever pushed to it a maker.
func versions(moves []movement, opened time.Time, mergeBase change.SHA) ([]movement, bool) {
	for i, m := range moves {
		if m.Timestamp.After(opened) {
			continue
		}
		if m.Type == typeCreation {
			return moves[:i+1], true
		}
		if mergeBase == "" || m.After != mergeBase {
			continue
		}
		if m.Type == typeForcePush {
			continue // something else was here, and may come back
		}
		return moves[:i], true
	}
	return moves, false
}

// untilLanding returns the movements that can have made what landed: whoever deletes
// the branch afterwards, or uses its name again, had no part in it.
func untilLanding(moves []movement, pr *pullRequest) []movement {
	if !pr.Merged {
		return moves
	}
	kept := slices.DeleteFunc(slices.Clone(moves), func(m movement) bool {
		return m.Timestamp.After(pr.MergedAt) || m.Type == typeDeletion && m.Timestamp.Equal(pr.MergedAt)
	})
	if !covers(kept, pr.HeadRefOid) {
		return moves // the times do not tell, so whoever moved the branch may have made it
	}
	return kept
}

// pushes returns every movement that made a version of the pull request.
func (l *activity) pushes(ctx context.Context, pr *pullRequest, mergeBase change.SHA) ([]movement, error) {
	err := l.until(ctx, func(moves []movement) bool {
		_, reached := versions(moves, pr.CreatedAt, mergeBase)
		return reached
	})
	if err != nil {
		return nil, err
	}
	kept, _ := versions(l.moves, pr.CreatedAt, mergeBase)
	return kept, nil
}

// covers reports whether some movement brought the branch to the head.
func covers(moves []movement, head change.SHA) bool {
	for _, m := range moves {
		if m.After == head {
			return true
		}
	}
	return false
}

// pushers returns who moved the head branch.
func pushers(m material) []change.Identity {
	var list []change.Identity
	for _, p := range m.pushes {
		list = append(list, p.Actor.identity())
	}
	events, _ := m.pr.Timeline.read()
	for _, e := range events {
		if e.Typename == "HeadRefForcePushedEvent" {
			list = append(list, e.Actor.identity())
		}
	}
	return list
}

// branchPushes returns who moved the head branch: the movements, and the forced
// ones that only the timeline still knows.
func (b *builder) branchPushes(m material) []change.BranchPush {
	list := make([]change.BranchPush, 0, len(m.pushes))
	forced := map[[2]change.SHA]bool{}
	for _, p := range m.pushes {
		list = append(list, b.branchPush(p))
		forced[[2]change.SHA{p.Before, p.After}] = true
	}
	events, _ := m.pr.Timeline.read()
	for _, e := range events {
		before, after := change.SHA(commitID(e.BeforeCommit)), change.SHA(commitID(e.AfterCommit))
		if e.Typename != "HeadRefForcePushedEvent" || forced[[2]change.SHA{before, after}] {
			continue
		}
		list = append(list, change.BranchPush{By: b.roster.Add(e.Actor.identity()), Before: before, After: after, Forced: true, At: e.CreatedAt})
	}
	return list
}

func (b *builder) branchPush(m movement) change.BranchPush {
	return change.BranchPush{
		By: b.roster.Add(m.Actor.identity()), Before: m.Before, After: m.After,
		Forced: m.Type == typeForcePush, At: m.Timestamp,
	}
}
