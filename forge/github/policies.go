package github

import (
	"context"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/countersign-dev/countersign/change"
)

// policies remembers the policy file of commits. What a commit holds never changes,
// so it is remembered without a time limit. A branch, whose tip moves, is never
// looked up in it.
type policies struct {
	byCommit *lru.Cache[policyKey, *commitAt]
	byBlob   *lru.Cache[change.SHA, *policyFile] // so that commits with the same file share it
}

type policyKey struct {
	repository int64
	commit     change.SHA
}

// Bounds of that memory: how many commits, how many files, and how long a file may
// be, in bytes.
const (
	maxPolicyCommits = 2000
	maxPolicyFiles   = 200
	maxPolicyKept    = 64 << 10
)

func newPolicies(size int) (*policies, error) {
	commits, err := lru.New[policyKey, *commitAt](min(size, maxPolicyCommits))
	if err != nil {
		return nil, err
	}
	files, err := lru.New[change.SHA, *policyFile](min(size, maxPolicyFiles))
	return &policies{commits, files}, err
}

// at returns the commit with its policy file, if it is remembered.
func (m *policies) at(repo change.Repository, commit change.SHA) (*commitAt, bool) {
	return m.byCommit.Get(policyKey{repo.ID, commit})
}

// keep remembers the policy file of a commit. Of a file that was read without its
// text the id says which it is.
func (m *policies) keep(repo change.Repository, commit change.SHA, file *policyFile) {
	if !commit.Valid() {
		return
	}
	if file != nil {
		same, known := m.byBlob.Get(file.Oid)
		switch {
		case known && file.Type == same.Type:
			file = same
		case file.Type != "blob" || file.Object == nil || file.Object.ByteSize > maxPolicyKept || !file.Oid.Valid():
			return
		default:
			m.byBlob.Add(file.Oid, file)
		}
	}
	m.byCommit.Add(policyKey{repo.ID, commit}, &commitAt{Oid: commit, File: file})
}

// rememberPolicies keeps the policy of the base and, for pushes that follow, that of
// the head.
func (p *pull) rememberPolicies() {
	if at := p.policy; at != nil {
		p.forge.policies.keep(p.ref.Repository, at.Oid, at.File)
	}
	_, unread := p.absent["checks"] // an error beside the answer may have left the file out
	if head := headOf(p.pr); head != nil && head.Oid == p.pr.HeadRefOid && !unread {
		p.forge.policies.keep(p.ref.Repository, head.Oid, head.File)
	}
}

// branch answers a question about a branch and remembers the policies in the answer.
func (f *Forge) branch(ctx context.Context, a *api, q branchQuestion) (*branchAnswer, error) {
	answer, err := a.branch(ctx, q)
	if err != nil {
		return nil, err
	}
	if at := answer.PolicyAt; at != nil {
		f.policies.keep(q.repo, at.Oid, at.File)
		f.owners.keep(q.repo, at, answer.absent)
	}
	_, unread := answer.absent["checks"]
	if c := answer.Commit; c != nil && c.Oid == q.commit && !unread {
		f.policies.keep(q.repo, c.Oid, c.File)
	}
	return answer, nil
}

// Policy returns the policy by which a push is judged, with the floor, asking nothing
// for the file when it is remembered: that of the commit where the branch stood before,
// or the default branch's as it stands when the push created the branch.
func (f *Forge) Policy(ctx context.Context, ref change.Ref) (change.PolicyFile, error) {
	g := change.Gathered{Facts: change.Facts{Ref: ref, Landing: change.Known(change.Landing{Landed: true, Branch: ref.Branch})}}
	at, known := f.policies.at(ref.Repository, ref.Before)
	if !known {
		var err error
		if at, err = f.policyBefore(ctx, ref); err != nil {
			return change.PolicyFile{}, fmt.Errorf("asking for the policy that governs a push: %w", err)
		}
	}
	g.Policy = f.policyFile(ref.Repository.Name, at, reasons{})
	g, err := f.withFloor(ctx, g)
	return g.Policy, err
}

// policyBefore asks for the policy of the commit where a branch stood before a push. Of
// a branch that the push created it is the default branch's, remembered until that is
// pushed to.
func (f *Forge) policyBefore(ctx context.Context, ref change.Ref) (*commitAt, error) {
	a, err := f.installation(ctx, ref.Repository)
	if err != nil {
		return nil, err
	}
	q := branchQuestion{repo: ref.Repository, branch: ref.Branch, policyAt: string(ref.Before), commit: ref.Commit}
	if ref.Commit == "" {
		q.commit = ref.Before
	}
	ask := func(ctx context.Context) (*commitAt, error) {
		answer, err := f.branch(ctx, a, q)
		if err != nil {
			return nil, err
		}
		return answer.PolicyAt, nil
	}
	if ref.Before != "" {
		return ask(ctx)
	}
	q.policyAt = tipOf
	return remember(ctx, f.answers, fmt.Sprintf("trunk %d", ref.Repository.ID), trunkKey(ref.Repository.ID), ask)
}
