package githubsim

import "time"

// event is one entry of a pull request's timeline. Its kind is the GraphQL type.
type event struct {
	id            int64
	kind          string
	actor         *account
	at            time.Time
	before, after string // commits, branches or titles
	detail        string // label, reason or message
	review        *review
	was           string // the state a dismissed review had
}

// record adds an event, now.
func (p *pull) record(e event) {
	e.id, e.at = p.repo.sim.nextID(), p.repo.sim.clock()
	p.timeline = append(p.timeline, &e)
	p.updated = e.at
}

// headMovedTo takes over a movement of its own branch.
func (p *pull) headMovedTo(m *movement) {
	p.head, p.lastPush, p.updated = m.after, m.actor, m.at
	p.versions = append(p.versions, m.after)
	if m.kind == moveForce {
		p.record(event{kind: "HeadRefForcePushedEvent", actor: m.actor, before: m.before, after: m.after})
	}
}

// headMoved tells of a movement of a pull request's own branch: new commits take
// it out of the queue, a deleted branch closes it.
func (r *Repository) headMoved(p *pull, m *movement) error {
	if m.kind == moveDelete {
		p.record(event{kind: "HeadRefDeletedEvent", actor: m.actor, detail: m.branch})
		return p.close(m.actor)
	}
	if m.kind == moveCreate {
		return nil
	}
	if err := r.leaveQueue(p, m.actor, "INVALID_MERGE_COMMIT"); err != nil {
		return err
	}
	p.headMovedTo(m)
	if err := r.sim.emitPull(p, "synchronize", m.actor, record{"before": m.before, "after": m.after}); err != nil {
		return err
	}
	return p.dismissStale(m.actor)
}

// baseMoved tells of a movement of the branch that a pull request goes to.
// Whatever brings the head itself, a push or the merge of another pull request,
// marks this one as merged by the same account.
func (r *Repository) baseMoved(p *pull, m *movement) error {
	switch m.kind {
	case moveDelete:
		p.baseWhenDone = m.before
		return p.close(m.actor)
	case moveForce:
		p.record(event{kind: "BaseRefForcePushedEvent", actor: m.actor, before: m.before, after: m.after})
	case movePush, movePR, moveQueue:
		in, err := r.git.contains(m.after, p.head)
		if err != nil || !in {
			return err
		}
		p.mergeMethod = MethodMerge
		return p.finish(m.after, m.actor, m.before)
	}
	return nil
}

// finish marks a pull request as merged by somebody into commit, on top of base,
// and tells of it.
func (p *pull) finish(commit string, by *account, base string) error {
	p.markMerged(commit, by, base)
	return p.repo.sim.emitPull(p, "closed", by, nil)
}

// markMerged does so without telling.
func (p *pull) markMerged(commit string, by *account, base string) {
	now := p.repo.sim.clock()
	p.state, p.closed, p.merged, p.mergedBy, p.mergeCommit, p.baseWhenDone = pullClosed, now, now, by, commit, base
	p.auto = nil
	p.repo.landed(commit, p)
	p.record(event{kind: "MergedEvent", actor: by, after: commit, detail: p.baseBranch})
	p.record(event{kind: "ClosedEvent", actor: by})
	p.closeIssues(by)
}
