package githubsim

import "time"

// autoMerge is an armed auto-merge.
type autoMerge struct {
	by     *account
	at     time.Time
	method string // merge, squash or rebase
}

// EnableAutoMerge arms auto-merge: GitHub merges in this person's name as soon as
// the requirements are met. It is refused where they are met already.
func (a Actor) EnableAutoMerge(number int, method string) error {
	return a.actPull("write", number, func(p *pull, by *account) error {
		ready, err := p.ready()
		switch {
		case err != nil:
			return err
		case p.state != pullOpen || p.draft:
			return refuse(422, "Pull request is in draft state or closed")
		case ready && p.repo.mergeQueueRule(p.baseBranch) == nil:
			return refuse(422, "Pull request is in clean status")
		}
		kind := map[string]string{"": "AutoMergeEnabledEvent", MethodMerge: "AutoMergeEnabledEvent", MethodSquash: "AutoSquashEnabledEvent", MethodRebase: "AutoRebaseEnabledEvent"}[method]
		if kind == "" {
			return refuse(422, "%s is not a merge method", method)
		}
		if method == "" {
			method = MethodMerge
		}
		p.auto = &autoMerge{by: by, at: p.repo.sim.clock(), method: method}
		p.record(event{kind: kind, actor: by, detail: method})
		if err := p.repo.sim.emitPull(p, "auto_merge_enabled", by, nil); err != nil {
			return err
		}
		return p.settle()
	})
}

// DisableAutoMerge disarms auto-merge.
func (a Actor) DisableAutoMerge(number int) error {
	return a.actPull("write", number, func(p *pull, by *account) error {
		if p.auto == nil {
			return refuse(422, "Can't disable auto-merge for this pull request.")
		}
		p.auto = nil
		p.record(event{kind: "AutoMergeDisabledEvent", actor: by, detail: "manual"})
		return p.repo.sim.emitPull(p, "auto_merge_disabled", by, record{"reason": "manual"})
	})
}

// settle merges, or queues, an armed pull request whose requirements are met.
func (p *pull) settle() error {
	if p.auto == nil || p.state != pullOpen {
		return nil
	}
	ready, err := p.ready()
	if err != nil || !ready {
		return err
	}
	auto := p.auto
	if p.repo.mergeQueueRule(p.baseBranch) != nil {
		if p.queued() != nil {
			return nil
		}
		p.auto = nil
		return p.enqueue(auto.by)
	}
	_, err = p.merge(auto.by, Merge{Method: auto.method})
	return err
}
