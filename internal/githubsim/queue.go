package githubsim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// mergeQueue is the queue of one branch. Each entry has a branch of its own,
// made of the entry in front of it and its own merge on top, so that the entries
// are tested together before any of them lands.
type mergeQueue struct {
	repo    *Repository
	branch  string
	entries []*queueEntry
}

// queueEntry is a pull request in a queue.
type queueEntry struct {
	id       int64
	pull     *pull
	by       *account
	at       time.Time
	base     string // commit that its group head stands on
	head     string // group head
	ref      string // short name of the queue's branch
	expected string // head of the pull request when it was queued
}

// Enqueue puts a pull request into the merge queue of its base branch.
func (a Actor) Enqueue(number int) error {
	return a.actPull("write", number, func(p *pull, by *account) error {
		ready, err := p.ready()
		switch {
		case err != nil:
			return err
		case p.repo.mergeQueueRule(p.baseBranch) == nil:
			return refuse(422, "Merge queue is not enabled for this branch")
		case p.queued() != nil:
			return refuse(422, "Pull request is already in the queue")
		case !ready:
			return refuse(422, "Pull request is not in a mergeable state: its requirements are not met")
		}
		return p.enqueue(by)
	})
}

// Dequeue takes a pull request out of the queue by hand.
func (a Actor) Dequeue(number int) error {
	return a.actPull("write", number, func(p *pull, by *account) error {
		if p.queued() == nil {
			return refuse(422, "Pull request is not in the queue")
		}
		return p.repo.leaveQueue(p, by, "MANUAL")
	})
}

// queued returns the pull request's entry, nil when it is not in a queue.
func (p *pull) queued() *queueEntry {
	q := p.repo.queues[p.baseBranch]
	if q == nil {
		return nil
	}
	if i := q.index(p); i >= 0 {
		return q.entries[i]
	}
	return nil
}

func (q *mergeQueue) index(p *pull) int {
	return slices.IndexFunc(q.entries, func(e *queueEntry) bool { return e.pull == p })
}

func (p *pull) enqueue(by *account) error {
	r := p.repo
	q := r.queues[p.baseBranch]
	if q == nil {
		q = &mergeQueue{repo: r, branch: p.baseBranch}
		r.queues[p.baseBranch] = q
	}
	e := &queueEntry{id: r.sim.nextID(), pull: p, by: by, at: r.sim.clock(), expected: p.head}
	q.entries = append(q.entries, e)
	p.record(event{kind: "AddedToMergeQueueEvent", actor: by})
	if err := r.sim.emitPull(p, "enqueued", by, nil); err != nil {
		return err
	}
	if err := q.build(len(q.entries) - 1); err != nil {
		return err
	}
	return r.advanceQueues()
}

// build makes the group heads of the entries from i on, and asks for their
// checks. An entry that conflicts with those in front of it leaves.
func (q *mergeQueue) build(i int) error {
	r := q.repo
	bot := r.sim.accounts[queueLogin]
	for i < len(q.entries) {
		e := q.entries[i]
		base := r.branches[q.branch]
		if i > 0 {
			base = q.entries[i-1].head
		}
		if e.head != "" && e.base == base {
			i++
			continue
		}
		if err := q.destroy(e, "invalidated"); err != nil {
			return err
		}
		m, err := r.git.merge(base, e.pull.head)
		if err != nil {
			return err
		}
		if m.conflict {
			if err := q.remove(e, bot, "MERGE_CONFLICT"); err != nil {
				return err
			}
			continue
		}
		method := strings.ToLower(q.rule().Method)
		e.pull.mergeMethod = method
		if e.head, err = e.pull.build(e.by, base, Merge{Method: method}); err != nil {
			return err
		}
		e.base, e.ref = base, fmt.Sprintf("%s%s/pr-%d-%s", queuePrefix, q.branch, e.pull.number, base)
		if err := r.move(movement{branch: e.ref, after: e.head, actor: bot}); err != nil {
			return err
		}
		if err := r.sim.emitMergeGroup(q, e, "checks_requested", ""); err != nil {
			return err
		}
		i++
	}
	return nil
}

// rule returns the queue's rule; a queue whose rule was taken away goes on as
// the default rule says.
func (q *mergeQueue) rule() MergeQueueRule {
	if rule := q.repo.mergeQueueRule(q.branch); rule != nil {
		return *rule
	}
	return MergeQueueRule{Method: "MERGE", MinGroup: 1, MaxGroup: 5}
}

// verdict of a group head.
type verdict int

const (
	verdictPending verdict = iota
	verdictPassed
	verdictFailed
)

// judge says whether the required checks pass on a group head.
func (q *mergeQueue) judge(e *queueEntry) verdict {
	v := verdictPassed
	for _, s := range q.repo.active(q.branch) {
		for _, c := range s.RequiredChecks {
			switch why := q.repo.missing(c, e.head); {
			case strings.HasSuffix(why, "is failing.") || strings.HasSuffix(why, "is error."):
				return verdictFailed
			case why != "":
				v = verdictPending
			}
		}
	}
	return v
}

// advanceQueues merges what can be merged and drops what failed.
func (r *Repository) advanceQueues() error {
	for _, branch := range slices.Sorted(maps.Keys(r.queues)) {
		q := r.queues[branch]
		for again := true; again; {
			var err error
			if again, err = q.advance(); err != nil {
				return err
			}
		}
	}
	return nil
}

// advance does one thing and reports whether there may be more to do.
func (q *mergeQueue) advance() (bool, error) {
	rule := q.rule()
	green := 0 // entries that can merge together
	for i, e := range q.entries {
		if i == rule.MaxGroup {
			break
		}
		switch v := q.judge(e); {
		case v == verdictPassed && (rule.HeadOnly || green == i):
			green = i + 1
		case v == verdictFailed && (!rule.HeadOnly || i == len(q.entries)-1 || i == rule.MaxGroup-1):
			return true, q.fail(e)
		}
	}
	if green == 0 || green < min(rule.MinGroup, rule.MaxGroup) {
		return false, nil
	}
	return true, q.land(green)
}

// fail drops an entry whose checks failed; those behind it are built anew.
func (q *mergeQueue) fail(e *queueEntry) error {
	if err := q.remove(e, q.repo.sim.accounts[queueLogin], "CI_FAILURE"); err != nil {
		return err
	}
	return q.build(0)
}

// land merges the first n entries: the base branch moves to the last one's group
// head in one step.
func (q *mergeQueue) land(n int) error {
	r := q.repo
	bot := r.sim.accounts[queueLogin]
	group := slices.Clone(q.entries[:n])
	q.entries = slices.Delete(q.entries, 0, n)
	for _, e := range group {
		e.pull.record(event{kind: "RemovedFromMergeQueueEvent", actor: bot, before: e.head, detail: "MERGE"})
		e.pull.markMerged(e.head, bot, e.base)
	}
	if err := r.move(movement{branch: q.branch, after: group[n-1].head, actor: bot, kind: moveQueue}); err != nil {
		return err
	}
	for _, e := range group {
		if err := r.sim.emitPull(e.pull, "dequeued", bot, record{"reason": "MERGE"}); err != nil {
			return err
		}
		if err := r.sim.emitPull(e.pull, "closed", bot, nil); err != nil {
			return err
		}
		if err := q.destroy(e, "merged"); err != nil {
			return err
		}
	}
	return q.build(0)
}

// leaveQueue takes a pull request out of its queue, if it is in one.
func (r *Repository) leaveQueue(p *pull, by *account, reason string) error {
	e := p.queued()
	if e == nil {
		return nil
	}
	q := r.queues[p.baseBranch]
	if err := q.remove(e, by, reason); err != nil {
		return err
	}
	return q.build(0)
}

// remove takes an entry out.
func (q *mergeQueue) remove(e *queueEntry, by *account, reason string) error {
	i := q.index(e.pull)
	q.entries = slices.Delete(q.entries, i, i+1)
	e.pull.record(event{kind: "RemovedFromMergeQueueEvent", actor: by, before: e.head, detail: reason})
	if err := q.repo.sim.emitPull(e.pull, "dequeued", by, record{"reason": reason}); err != nil {
		return err
	}
	return q.destroy(e, "dequeued")
}

// destroy takes away an entry's group head, if it has one.
func (q *mergeQueue) destroy(e *queueEntry, reason string) error {
	if e.head == "" {
		return nil
	}
	if err := q.repo.sim.emitMergeGroup(q, e, "destroyed", reason); err != nil {
		return err
	}
	ref := e.ref
	e.head, e.base, e.ref = "", "", ""
	return q.repo.move(movement{branch: ref, actor: q.repo.sim.accounts[queueLogin], kind: moveDelete})
}
