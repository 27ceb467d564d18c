package github

import (
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

func lower(s string) string { return strings.ToLower(s) }

// pullCommits returns every commit of a pull request, in the order of history.
func (b *builder) pullCommits(pr *pullRequest) ([]change.Commit, error) {
	all, err := pr.Commits.all()
	if err != nil {
		return nil, err
	}
	list := make([]change.Commit, 0, len(all))
	for _, c := range all {
		one, err := b.commit(c.Commit)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// commit returns one commit. The first of its authors is its author, the others
// are co-authors, as GitHub resolved the trailers.
func (b *builder) commit(c commit) (change.Commit, error) {
	none := change.Commit{}
	if !c.Oid.Valid() || !c.Tree.Oid.Valid() {
		return none, fmt.Errorf("GitHub left out an object id of a commit")
	}
	parents, err := c.Parents.all()
	if err != nil {
		return none, fmt.Errorf("parents of %s: %w", c.Oid.Short(), err)
	}
	authors, err := c.Authors.all()
	if err != nil {
		return none, fmt.Errorf("authors of %s: %w", c.Oid.Short(), err)
	}
	out := change.Commit{SHA: c.Oid, Tree: c.Tree.Oid, Parents: []change.SHA{}, Authored: c.AuthoredDate, Committed: c.CommittedDate}
	for _, p := range parents {
		out.Parents = append(out.Parents, p.Oid)
	}
	out.Author = b.roster.Add(b.bots.named(c.Author))
	for _, a := range authors {
		if p := b.roster.Add(b.bots.named(&a)); p != out.Author && !has(out.CoAuthors, p) {
			out.CoAuthors = append(out.CoAuthors, p)
		}
	}
	if out.ByForge = b.byForge(c); !out.ByForge {
		out.Committer = b.roster.Add(b.committer(c))
	}
	out.Signature = change.Known(b.signature(c.Signature))
	return out, nil
}

// byForge reports whether GitHub itself committed. Anybody can write GitHub's
// address into a commit, so only GitHub's own valid signature proves it.
func (b *builder) byForge(c commit) bool {
	return c.Committer != nil && b.noreply[c.Committer.Email] &&
		c.Signature != nil && c.Signature.IsValid && c.Signature.WasSignedByGitHub
}

// committer returns whom a commit names as its committer. One that claims to be
// GitHub without proof is nobody we know, whichever account the address maps to.
func (b *builder) committer(c commit) change.Identity {
	if c.Committer != nil && b.noreply[c.Committer.Email] {
		return change.Identity{Kind: change.Unknown, Name: c.Committer.Name, Email: c.Committer.Email}
	}
	return b.bots.named(c.Committer)
}

func (b *builder) signature(s *signatureState) change.Signature {
	if s == nil {
		return change.Signature{}
	}
	out := change.Signature{Signed: true, Valid: s.IsValid, State: s.State}
	if s.Signer != nil {
		out.Signer = b.roster.Add(s.Signer.identity())
	}
	return out
}

func has(list []change.Person, p change.Person) bool {
	for _, q := range list {
		if p == q {
			return true
		}
	}
	return false
}

// mergeBaseOf returns the merge base of a range when the commits themselves tell
// it: of a range base..head, a parent that is not in the range is reachable from
// base, and when there is just one such parent, every common ancestor is
// reachable from it.
func mergeBaseOf(pr *pullRequest) change.SHA {
	commits, err := pr.Commits.all()
	if err != nil {
		return ""
	}
	in := map[change.SHA]bool{}
	for _, c := range commits {
		in[c.Commit.Oid] = true
	}
	var found change.SHA
	for _, c := range commits {
		parents, err := c.Commit.Parents.all()
		if err != nil {
			return ""
		}
		for _, p := range parents {
			if in[p.Oid] || p.Oid == found {
				continue
			}
			if found != "" {
				return ""
			}
			found = p.Oid
		}
	}
	return found
}
