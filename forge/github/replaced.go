package github

import (
	"context"
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// maxReplaced bounds how many replaced versions of one branch are read.
const maxReplaced = 100

// replaced reads the commits of every version of the head branch that a force push
// took away. Whoever wrote those had a hand in the change, even where a later
// version no longer names them. A version never changes, so it is read once.
func (p *pull) replaced(ctx context.Context) error {
	versions, gone := p.replacedHeads()
	switch {
	case gone:
		p.missing("replaced", "GitHub no longer knows a commit that a force push replaced; open the change again from another branch")
		return nil
	case len(versions) > maxReplaced:
		p.missing("replaced", fmt.Sprintf("the branch was force-pushed %d times and %d are read; open the change again from another branch", len(versions), maxReplaced))
		return nil
	case len(versions) == 0:
		return nil
	}
	tip := base(material{pr: p.pr}).Commit
	list := []commit{}
	for _, before := range versions {
		commits, err := p.replacedVersion(ctx, tip, before)
		if err != nil {
			return p.optional("replaced", "the commits that force pushes replaced", err)
		}
		list = append(list, commits...)
	}
	p.m.replaced = list
	return nil
}

// replacedHeads returns the heads that force pushes took away, and whether GitHub does
// not name one of them any more.
func (p *pull) replacedHeads() (heads []change.SHA, gone bool) {
	for _, m := range p.m.pushes {
		if m.Type == typeForcePush && m.Before.Valid() {
			heads = append(heads, m.Before)
		}
	}
	if p.pr.Timeline != nil {
		for _, e := range p.pr.Timeline.Nodes {
			if e == nil || e.Typename != "HeadRefForcePushedEvent" {
				continue
			}
			if e.BeforeCommit == nil {
				gone = true
				continue
			}
			heads = append(heads, e.BeforeCommit.Oid)
		}
	}
	slices.Sort(heads)
	return slices.Compact(heads), gone
}

// replacedVersion returns the commits that one replaced head had and the base has not.
func (p *pull) replacedVersion(ctx context.Context, tip, before change.SHA) ([]commit, error) {
	key := p.ref.Key() + "@" + string(before)
	if commits, known := p.forge.replaced.Get(key); known {
		return commits, nil
	}
	s, err := p.api.span(ctx, p.ref.Repository.Name, tip, before)
	if err != nil {
		return nil, err
	}
	p.forge.replaced.Add(key, s.commits)
	return s.commits, nil
}

// replacedCommits returns the commits that are in the change no more.
func (b *builder) replacedCommits(m material) ([]change.Commit, error) {
	seen := map[change.SHA]bool{}
	if m.pr.Commits != nil {
		for _, c := range m.pr.Commits.Nodes {
			if c != nil {
				seen[c.Commit.Oid] = true
			}
		}
	}
	list := []change.Commit{}
	for _, c := range m.replaced {
		if seen[c.Oid] {
			continue
		}
		seen[c.Oid] = true
		one, err := b.commit(c)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}
