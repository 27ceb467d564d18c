package github

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// fresh is how long after an event GitHub's own lists may not show it yet.
const fresh = time.Minute

// recent reports whether something happened so lately that a list may lag.
func (p *pull) recent(at time.Time) bool { return p.at.Sub(at) < fresh }

// authors reads the further authors of commits that name more than a page of
// them.
func (p *pull) authors(ctx context.Context) error {
	if p.pr.Commits == nil {
		return nil
	}
	for _, c := range p.pr.Commits.Nodes {
		if c == nil || !c.Commit.Authors.PageInfo.HasNextPage {
			continue
		}
		if err := p.api.moreAuthors(ctx, p.ref.Repository.Name, &c.Commit); err != nil {
			return err
		}
	}
	return nil
}

// moreAuthors reads the authors of one commit to their end.
func (a *api) moreAuthors(ctx context.Context, repository string, c *commit) error {
	owner, name, _ := strings.Cut(repository, "/")
	for range 10 { // a thousand authors; more stay unread and make the commits absent
		after, more := c.Authors.more()
		if !more || after == "" {
			return nil
		}
		var answer struct {
			Repository *struct {
				Object *struct {
					Authors page[gitActor] `json:"authors"`
				} `json:"object"`
			} `json:"repository"`
		}
		v := map[string]any{"owner": owner, "name": name, "commit": c.Oid, "after": after}
		errs, err := a.query(ctx, authorsDocument, v, &answer)
		if err != nil {
			return fmt.Errorf("asking for the authors of %s: %w", c.Oid.Short(), err)
		}
		if len(errs) > 0 || answer.Repository == nil || answer.Repository.Object == nil {
			return nil // the page stays open, which makes the commits absent
		}
		c.Authors.add(&answer.Repository.Object.Authors)
	}
	return nil
}

// renamed reads the files over REST when some have an old path.
func (p *pull) renamed(ctx context.Context) error {
	if !renames(p.pr) {
		return nil
	}
	if p.m.files = p.recalled("").files; p.m.files != nil {
		p.noteFiles(p.m.files)
		return nil
	}
	p.mu.Lock()
	p.again = true
	p.mu.Unlock()
	list, err := p.api.restFiles(ctx, p.ref, p.pr.ChangedFiles)
	if err != nil {
		return p.optional("files", "the files", err)
	}
	if len(list) != p.pr.ChangedFiles {
		p.missing("files", fmt.Sprintf("the change touches %d files and GitHub lists %d", p.pr.ChangedFiles, len(list)))
		return nil
	}
	p.m.files = list
	p.noteFiles(list)
	return nil
}

// rules reads what GitHub enforces on the protected branch.
func (p *pull) rules(ctx context.Context) (err error) {
	if p.past != nil {
		p.missing("enforced", "what GitHub enforces today says nothing about the day on which the change landed")
		return nil
	}
	p.m.enforced, err = p.forge.enforced(ctx, p.api, p.ref.Repository, p.target)
	return p.optional("enforced", "the rules of the branch", err)
}

// landed reads how the protected branch moved when the change landed, and the
// policy as it was before: a landed change may have changed the policy itself.
func (p *pull) landed(ctx context.Context) error {
	pr := p.pr
	if !pr.Merged || pr.MergeCommit == nil {
		return nil
	}
	if p.past != nil {
		move, err := p.past.movement(ctx, pr.BaseRefName, pr.MergeCommit.Oid, pr.MergedAt)
		p.m.merge = move
		return p.optional("landing", "the activity of "+pr.BaseRefName, err)
	}
	if p.targets == nil || p.targets.branch != pr.BaseRefName {
		p.targets = p.api.activity(p.ref.Repository.Name, pr.BaseRefName)
	}
	move, err := p.targets.find(ctx, "", pr.MergeCommit.Oid, pr.MergedAt.Add(-time.Hour))
	if err != nil {
		return p.optional("landing", "the activity of "+pr.BaseRefName, err)
	}
	if move == nil && p.recent(pr.MergedAt) && !mergedByQueue(pr) {
		return notYet("the activity does not show the merge")
	}
	p.m.merge = move
	before := pr.BaseRefOid
	if move != nil && move.Before != "" {
		before = move.Before
	}
	if p.target != pr.BaseRefName {
		return nil // the policy is that of the stack's trunk
	}
	if at, known := p.forge.policies.at(p.ref.Repository, before); known {
		p.policy = at
		return nil
	}
	answer, err := p.forge.branch(ctx, p.api, branchQuestion{repo: p.ref.Repository, branch: pr.BaseRefName, policyAt: string(before), commit: pr.MergeCommit.Oid})
	if err != nil {
		return fmt.Errorf("asking for the policy before the merge: %w", err)
	}
	p.policy = answer.PolicyAt
	return nil
}

// trunk reads the policy of the branch that a stack lands on.
func (p *pull) trunk(ctx context.Context) error {
	if p.target == p.pr.BaseRefName || p.past != nil {
		return nil
	}
	answer, err := p.forge.branch(ctx, p.api, branchQuestion{
		repo: p.ref.Repository, branch: p.target, policyAt: "refs/heads/" + p.target, commit: p.pr.HeadRefOid,
	})
	if err != nil {
		return fmt.Errorf("asking for the policy of the stack's trunk: %w", err)
	}
	p.policy = answer.PolicyAt
	return nil
}

// history reads who made each version of the head branch, and who wrote those that
// are gone.
func (p *pull) history(ctx context.Context) error {
	if err := p.whoPushed(ctx); err != nil {
		return err
	}
	return p.replaced(ctx)
}

// whoPushed reads the movements of the head branch. They need the merge base to
// know how far back to go.
func (p *pull) whoPushed(ctx context.Context) error {
	if err := p.findMergeBase(ctx); err != nil {
		return err
	}
	pr := p.pr
	if pr.HeadRepository == nil || !validName(pr.HeadRepository.NameWithOwner) {
		p.missing("pushes", "the repository that the change comes from is gone, and with it who pushed")
		return nil
	}
	if was := p.recalled(p.m.mergeBase); was.pushes != nil {
		p.m.pushes = was.pushes
		p.notePushes(was.pushes)
		return nil
	}
	if l := p.heads; l == nil || l.repository != pr.HeadRepository.NameWithOwner || l.branch != pr.HeadRefName || l.pages == 0 {
		p.heads = p.api.activity(pr.HeadRepository.NameWithOwner, pr.HeadRefName)
	}
	moves, err := p.heads.pushes(ctx, pr, p.m.mergeBase)
	if err != nil {
		return p.optional("pushes", "who pushed to "+pr.HeadRepository.NameWithOwner, err)
	}
	if !covers(moves, pr.HeadRefOid) {
		if p.recent(pr.UpdatedAt) {
			return notYet("the activity does not show who pushed %s", pr.HeadRefOid.Short())
		}
		p.missing("pushes", fmt.Sprintf("GitHub's activity does not say who pushed %s", pr.HeadRefOid.Short()))
		return nil
	}
	moves = untilLanding(moves, pr)
	p.m.pushes = moves
	if p.heads.settled(pr) {
		p.notePushes(moves)
	}
	return nil
}

// findMergeBase works the merge base out of the commits, or asks for it when
// they do not tell.
func (p *pull) findMergeBase(ctx context.Context) error {
	if p.m.mergeBase = mergeBaseOf(p.pr); p.m.mergeBase != "" {
		return nil
	}
	tip := base(material{pr: p.pr}).Commit
	if !tip.Valid() {
		return nil
	}
	repo, head := p.ref.Repository, p.pr.HeadRefOid
	key := fmt.Sprintf("merge base %d %s...%s", repo.ID, tip, head) // of two commits, so it never changes
	sha, err := remember(ctx, p.forge.answers, key, "", func(ctx context.Context) (change.SHA, error) {
		c, err := p.api.comparePage(ctx, repo.Name, tip, head, 1, 1)
		if err != nil {
			return "", err
		}
		return c.MergeBase.SHA, nil
	})
	switch {
	case err == nil:
		p.m.mergeBase = sha
	case !refused(err): // a final refusal leaves it unasked, as its comment says
		return fmt.Errorf("asking for the merge base: %w", err)
	}
	return nil
}
