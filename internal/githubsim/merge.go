package githubsim

import (
	"fmt"
	"slices"
	"strings"
)

// The ways to merge, in REST's words.
const (
	MethodMerge  = "merge"
	MethodSquash = "squash"
	MethodRebase = "rebase"
)

// A Merge says how to merge a pull request.
type Merge struct {
	Method string // default MethodMerge
	SHA    string // the head must still be this commit; "" does not ask
	Title  string // of the commit; default GitHub's
	Body   string // of the commit; default GitHub's
	Bypass bool   // merge without waiting for the requirements, for whom a ruleset lets
}

// Merge merges a pull request and returns the commit that the base branch is at
// then.
func (a Actor) Merge(number int, o Merge) (sha string, err error) {
	err = a.actPull("write", number, func(p *pull, by *account) error {
		if err := p.mergeable(by, o); err != nil {
			return err
		}
		sha, err = p.merge(by, o)
		return err
	})
	return sha, err
}

// mergeable refuses a merge as the merge API does.
func (p *pull) mergeable(by *account, o Merge) error {
	switch {
	case p.state != pullOpen:
		return refuse(405, "Pull Request is not mergeable")
	case p.draft:
		return refuse(405, "Pull Request is still a draft")
	case o.SHA != "" && o.SHA != p.head:
		return refuse(409, "Head branch was modified. Review and try the merge again.")
	}
	m, err := p.repo.git.merge(p.repo.branches[p.baseBranch], p.head)
	if err != nil {
		return err
	}
	if m.conflict {
		return refuse(405, "Pull Request is not mergeable")
	}
	var broken []string
	for _, s := range p.repo.active(p.baseBranch) {
		if o.Bypass && p.repo.mayBypass(s, by, true) {
			continue
		}
		if s.MergeQueue != nil {
			broken = append(broken, "Changes must be made through the merge queue")
		}
		why, err := p.unmet(s)
		if err != nil {
			return err
		}
		broken = append(broken, why...)
	}
	if len(broken) > 0 {
		return refuse(405, "Repository rule violations found\n\n%s", strings.Join(broken, "\n\n"))
	}
	return nil
}

// unmet lists what a ruleset still demands of the pull request, the merge queue
// apart.
func (p *pull) unmet(s *ruleset) ([]string, error) {
	var broken []string
	if rule := s.PullRequest; rule != nil {
		var notFrom *account
		if rule.LastPushByOther {
			notFrom = p.lastPush
		}
		count, blocked := p.approvals(notFrom)
		if blocked {
			broken = append(broken, "Changes have been requested by reviewers with write access.")
		}
		if count < rule.Approvals {
			broken = append(broken, fmt.Sprintf("At least %d approving review is required by reviewers with write access.", rule.Approvals))
		}
	}
	for _, c := range s.RequiredChecks {
		if why := p.repo.missing(c, p.head); why != "" {
			broken = append(broken, why)
		}
	}
	if s.StrictChecks {
		up, err := p.repo.git.contains(p.head, p.repo.branches[p.baseBranch])
		if err != nil {
			return nil, err
		}
		if !up {
			broken = append(broken, "This branch must not be behind the base branch.")
		}
	}
	return broken, nil
}

// ready reports whether every requirement but the merge queue is met.
func (p *pull) ready() (bool, error) {
	if p.state != pullOpen || p.draft {
		return false, nil
	}
	m, err := p.repo.git.merge(p.repo.branches[p.baseBranch], p.head)
	if err != nil || m.conflict {
		return false, err
	}
	for _, s := range p.repo.active(p.baseBranch) {
		broken, err := p.unmet(s)
		if err != nil || len(broken) > 0 {
			return false, err
		}
	}
	return true, nil
}

// merge merges what mergeable allowed.
func (p *pull) merge(by *account, o Merge) (string, error) {
	if o.Method == "" {
		o.Method = MethodMerge
	}
	r, base := p.repo, p.repo.branches[p.baseBranch]
	if err := r.leaveQueue(p, by, "MANUAL"); err != nil {
		return "", err
	}
	sha, err := p.build(by, base, o)
	if err != nil {
		return "", err
	}
	// The pull request is marked first, so that the movement does not find it
	// open and take the merge for a push.
	p.mergeMethod = o.Method
	p.markMerged(sha, by, base)
	if err := r.move(movement{branch: p.baseBranch, after: sha, actor: by, kind: movePR}); err != nil {
		return "", err
	}
	return sha, r.sim.emitPull(p, "closed", by, nil)
}

// build makes the commits that merging puts on top of base, and returns the last.
func (p *pull) build(by *account, base string, o Merge) (string, error) {
	switch o.Method {
	case MethodMerge:
		return p.buildMerge(by, base, o)
	case MethodSquash:
		return p.buildSquash(base, o)
	case MethodRebase:
		return p.buildRebase(by, base)
	}
	return "", refuse(422, "Validation Failed: %s is not a merge method", o.Method)
}

func (p *pull) buildMerge(by *account, base string, o Merge) (string, error) {
	m, err := p.repo.git.merge(base, p.head)
	if err != nil {
		return "", err
	}
	title := o.Title
	if title == "" {
		title = fmt.Sprintf("Merge pull request #%d from %s/%s", p.number, p.repo.owner.account.login, p.headBranch)
	}
	body := o.Body
	if body == "" {
		body = p.title
	}
	c := newCommit{tree: m.tree, author: by.identity(), committer: webCommitter(), at: p.repo.sim.clock(), message: title + "\n\n" + body + "\n"}
	return p.signed(p.repo.git.commitTree(c, base, p.head))
}

func (p *pull) buildSquash(base string, o Merge) (string, error) {
	m, err := p.repo.git.merge(base, p.head)
	if err != nil {
		return "", err
	}
	message, err := p.squashMessage(base, o)
	if err != nil {
		return "", err
	}
	c := newCommit{tree: m.tree, author: p.author.identity(), committer: webCommitter(), at: p.repo.sim.clock(), message: message}
	return p.signed(p.repo.git.commitTree(c, base))
}

// squashMessage lists the squashed commits and names their other authors.
func (p *pull) squashMessage(base string, o Merge) (string, error) {
	var b strings.Builder
	b.WriteString(o.Title)
	if o.Title == "" {
		fmt.Fprintf(&b, "%s (#%d)", p.title, p.number)
	}
	b.WriteString("\n")
	if o.Body != "" {
		return b.String() + "\n" + o.Body + "\n", nil
	}
	shas, err := p.repo.git.between(base, p.head)
	if err != nil {
		return "", err
	}
	var others []Identity
	for _, sha := range shas {
		c, err := p.repo.git.commit(sha)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\n* %s\n", c.headline())
		for _, id := range c.authors() {
			if p.repo.sim.claimed(id.Email) != p.author && !slices.Contains(others, id) {
				others = append(others, id)
			}
		}
	}
	if len(others) > 0 {
		b.WriteString("\n")
	}
	for _, id := range others {
		fmt.Fprintf(&b, "Co-authored-by: %s <%s>\n", id.Name, id.Email)
	}
	return b.String(), nil
}

// buildRebase puts each commit on top of base. Authors stay; the committer is
// who merges, and GitHub signs none of them.
func (p *pull) buildRebase(by *account, base string) (string, error) {
	g := p.repo.git
	shas, err := g.between(base, p.head)
	if err != nil {
		return "", err
	}
	tip := base
	for _, sha := range shas {
		c, err := g.commit(sha)
		if err != nil {
			return "", err
		}
		if len(c.parents) != 1 {
			return "", refuse(405, "This branch can't be rebased")
		}
		m, err := g.replay(c, tip)
		if err != nil {
			return "", err
		}
		if m.conflict {
			return "", refuse(405, "This branch can't be rebased")
		}
		n := newCommit{tree: m.tree, author: c.author, authored: c.authored, committer: by.identity(), at: p.repo.sim.clock(), message: c.message}
		if tip, err = g.commitTree(n, tip); err != nil {
			return "", err
		}
		p.repo.landed(tip, p)
	}
	return tip, nil
}

// signed notes that GitHub signed a commit that it has made.
func (p *pull) signed(sha string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	p.repo.signedByGitHub(sha)
	return sha, nil
}

// trial returns the test merge commit of an open pull request, "" when it cannot
// be merged.
func (p *pull) trial() (string, error) {
	if p.state != pullOpen {
		return "", nil
	}
	base := p.repo.branches[p.baseBranch]
	key := [2]string{base, p.head}
	if sha, known := p.repo.git.trials[key]; known {
		return sha, nil
	}
	m, err := p.repo.git.merge(base, p.head)
	if err != nil || m.conflict {
		return "", err
	}
	c := newCommit{tree: m.tree, author: p.author.identity(), committer: webCommitter(), at: p.repo.sim.clock(), message: "Merge " + p.head + " into " + base + "\n"}
	sha, err := p.signed(p.repo.git.commitTree(c, base, p.head))
	if err == nil {
		p.repo.git.trials[key] = sha
	}
	return sha, err
}
