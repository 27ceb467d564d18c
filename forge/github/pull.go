package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-dev/countersign/change"
)

// pullREST is what GraphQL does not tell of a pull request. The stack's base is
// the branch that the whole stack lands on. It is asked only where the base branch
// is itself the head of a pull request that has not been merged, as in the middle of
// a stack it is, or is gone.
type pullREST struct {
	Head struct {
		SHA change.SHA `json:"sha"`
	} `json:"head"`
	Stack *struct {
		Base struct {
			Ref string `json:"ref"`
		} `json:"base"`
	} `json:"stack"`
}

// A pull is one attempt to gather one pull request.
type pull struct {
	forge *Forge
	api   *api
	ref   change.Ref
	at    time.Time
	repo  *repositoryAnswer
	pr    *pullRequest
	rest  *pullREST // nil where nothing says that it is part of a stack

	target  string
	policy  *commitAt
	again   bool // more than one moment was read: look at the head once more
	mu      sync.Mutex
	absent  reasons
	m       material
	heads   *activity // of the head branch
	found   memory    // for the next gather
	targets *activity // of the protected branch
	past    *Past     // what landed is looked at from afar, by another policy than its own; nil for a live gather
}

func (f *Forge) gatherPull(ctx context.Context, a *api, ref change.Ref) (change.Gathered, error) {
	p := &pull{forge: f, api: a, ref: ref, at: f.config.Now(), absent: reasons{}}
	return p.gather(ctx)
}

func (p *pull) gather(ctx context.Context) (change.Gathered, error) {
	f := p.forge
	if err := p.first(ctx); err != nil {
		return change.Gathered{}, err
	}
	if err := p.pages(ctx); err != nil {
		return change.Gathered{}, err
	}
	if err := p.second(ctx); err != nil {
		return change.Gathered{}, err
	}
	if err := p.unmoved(ctx); err != nil {
		return change.Gathered{}, err
	}
	p.remember()
	p.m.ref, p.m.at, p.m.pr, p.m.target, p.m.absent = p.ref, p.at, p.pr, p.target, p.absent
	policy := change.PolicyFile{}
	if p.past == nil {
		policy = f.policyFile(p.repo.NameWithOwner, p.policy, p.absent)
	}
	facts, ours := f.builder(p.absent).pullRequest(p.m)
	return change.Gathered{Facts: facts, Policy: policy, Description: clip(p.pr.Body), Shown: ours, Groups: p.groups(), Siblings: p.siblings()}, nil
}

// siblings returns the other open pull requests with the same head commit, as many
// as GitHub lists. They add to what the gate's own records say of the commit, so
// that a list which is not whole is worth what it holds; without any list they are
// not known.
func (p *pull) siblings() change.Fact[[]change.Sibling] {
	head := headOf(p.pr)
	if head == nil || head.PullRequests == nil {
		return change.Fact[[]change.Sibling]{}
	}
	var list []change.Sibling
	for _, pr := range head.PullRequests.Nodes {
		if pr == nil || pr.State != "OPEN" || pr.Number == p.ref.Number || pr.HeadRefOid != p.pr.HeadRefOid ||
			pr.BaseRepository == nil || pr.BaseRepository.DatabaseID != p.ref.Repository.ID {
			continue
		}
		list = append(list, change.Sibling{
			Ref:    change.Ref{Repository: p.ref.Repository, Kind: change.PullRequest, Number: pr.Number},
			Target: pr.BaseRefName,
		})
	}
	return change.Known(list)
}

// groups returns the merge groups that hold the pull request: its own, and those
// of the entries behind it, which stand on it.
func (p *pull) groups() []change.Ref {
	e := p.pr.QueueEntry
	if e == nil || e.MergeQueue == nil || e.MergeQueue.Entries == nil {
		return nil
	}
	var refs []change.Ref
	for _, g := range e.MergeQueue.Entries.Nodes {
		if g == nil || g.HeadCommit == nil || g.BaseCommit == nil || g.Position < e.Position {
			continue
		}
		refs = append(refs, change.Ref{Repository: p.ref.Repository, Kind: change.MergeGroup, Branch: p.target, Commit: g.HeadCommit.Oid, Before: g.BaseCommit.Oid})
	}
	return refs
}

// first asks everything that can be asked at once: the query and, where the last
// answer or a delivery lets us guess them, the stack, the branches' activity and
// rules. A failure of a guessed question is met again in the second round.
func (p *pull) first(ctx context.Context) error {
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return p.query(inner, flags{all: true}) })
	if g, ok := p.forge.guesses.Get(p.ref.Key()); ok {
		if g.stacked {
			group.Go(func() error { return p.stack(inner) })
		}
		if was, _ := p.forge.memory.Get(p.ref.Key()); was.head != g.head || g.head == "" {
			p.heads = p.api.activity(g.headRepository, g.headBranch)
			group.Go(func() error { _ = p.heads.next(inner); return nil })
		}
		group.Go(func() error { _, _ = p.forge.enforced(inner, p.api, p.ref.Repository, g.target); return nil })
		if g.merged {
			p.targets = p.api.activity(p.ref.Repository.Name, g.target)
			group.Go(func() error { _ = p.targets.next(inner); return nil })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if p.rest == nil && p.mayBeStacked() {
		if err := p.stack(ctx); err != nil {
			return err
		}
	}
	return p.check()
}

// mayBeStacked reports whether the base branch may belong to a stack.
func (p *pull) mayBeStacked() bool {
	return p.pr.BaseRef == nil || p.pr.BaseRef.Heads == nil || p.pr.BaseRef.Heads.TotalCount > 0
}

// stack asks which branch the pull request's stack lands on.
func (p *pull) stack(ctx context.Context) error {
	var rest pullREST
	if _, err := p.api.get(ctx, fmt.Sprintf("repos/%s/pulls/%d", p.ref.Repository.Name, p.ref.Number), &rest); err != nil {
		return fmt.Errorf("asking for the stack: %w", err)
	}
	p.rest = &rest
	return nil
}

// check compares the first answers with each other and with what was asked.
func (p *pull) check() error {
	if p.repo.DatabaseID != p.ref.Repository.ID {
		return fmt.Errorf("%s is now another repository (%d, not %d)", p.ref.Repository.Name, p.repo.DatabaseID, p.ref.Repository.ID)
	}
	if p.pr.Number != p.ref.Number || !p.pr.HeadRefOid.Valid() || p.pr.BaseRefName == "" {
		return errors.New("the answer is not about this pull request")
	}
	if p.rest != nil && p.rest.Head.SHA != p.pr.HeadRefOid {
		return errMoved
	}
	p.ref.Repository.Name = p.repo.NameWithOwner
	p.target = p.pr.BaseRefName
	if p.pr.BaseRef != nil {
		p.policy = p.pr.BaseRef.Target
		p.forge.owners.keep(p.ref.Repository, p.policy, p.absent)
	}
	if p.rest != nil && p.rest.Stack != nil && p.rest.Stack.Base.Ref != "" {
		p.target = p.rest.Stack.Base.Ref
	}
	return nil
}

// flags says which connections a request asks for.
type flags struct {
	all    bool
	cursor map[string]string // connection to the cursor its next page follows
}

// connections are the names of the query's flags.
var connections = []string{"commits", "reviews", "files", "contexts", "timeline"}

func (p *pull) variables(ask flags) map[string]any {
	owner, name, _ := strings.Cut(p.ref.Repository.Name, "/")
	v := map[string]any{"owner": owner, "name": name, "number": p.ref.Number, "policy": PolicyPath, "all": ask.all}
	for _, c := range connections {
		cursor, more := ask.cursor[c]
		v[c] = ask.all || more
		if more {
			v[c+"After"] = cursor
		}
	}
	return v
}

// query sends the query and adds its answer to what was read.
func (p *pull) query(ctx context.Context, ask flags) error {
	var answer pullRequestAnswer
	errs, err := p.api.query(ctx, pullRequestDocument, p.variables(ask), &answer)
	if err != nil {
		return fmt.Errorf("asking for the pull request: %w", err)
	}
	repo, err := answer.shown()
	if err != nil && len(errs) > 0 {
		return fmt.Errorf("asking for the pull request: %s", words(errs))
	} else if err != nil {
		return fmt.Errorf("asking for the pull request: %w", err)
	}
	if fatal := p.absent.blame(errs, "repository", "pullRequest"); len(fatal) > 0 {
		return fmt.Errorf("asking for the policy: %s", words(fatal))
	}
	if ask.all {
		p.repo, p.pr = repo, repo.PullRequest
		return nil
	}
	next := repo.PullRequest
	if next.HeadRefOid != p.pr.HeadRefOid || repo.DatabaseID != p.repo.DatabaseID {
		return errMoved
	}
	p.pr.Commits.add(next.Commits)
	p.pr.Reviews.add(next.Reviews)
	p.pr.Files.add(next.Files)
	p.pr.Timeline.add(next.Timeline)
	contextsOf(p.pr).add(contextsOf(next))
	return nil
}

func contextsOf(pr *pullRequest) *page[statusContext] {
	if c := headOf(pr); c != nil && c.Rollup != nil {
		return c.Rollup.Contexts
	}
	return nil
}

// maxPages bounds the pages of 100 entries that are read of one connection. What
// has more stays unread, and its fact absent.
const maxPages = 100

// pages reads every connection to its end.
func (p *pull) pages(ctx context.Context) error {
	for range maxPages - 1 {
		cursor := map[string]string{}
		next := func(name string, after string, more bool) {
			if more && after != "" {
				cursor[name] = after
			}
		}
		note(next, "commits", p.pr.Commits)
		note(next, "reviews", p.pr.Reviews)
		note(next, "files", p.pr.Files)
		note(next, "timeline", p.pr.Timeline)
		note(next, "contexts", contextsOf(p.pr))
		for name := range cursor {
			if _, unreadable := p.absent[name]; unreadable {
				delete(cursor, name) // its page failed and would be asked for ever
			}
		}
		if _, unreadable := p.absent["checks"]; unreadable {
			delete(cursor, "contexts")
		}
		if len(cursor) == 0 {
			return nil
		}
		p.again = true
		if err := p.query(ctx, flags{cursor: cursor}); err != nil {
			return err
		}
	}
	return nil
}

func note[T any](next func(string, string, bool), name string, p *page[T]) {
	after, more := p.more()
	next(name, after, more)
}

// second asks what the first answers showed to be missing, all at once.
func (p *pull) second(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, step := range []func(context.Context) error{p.authors, p.renamed, p.rules, p.landed, p.trunk, p.history} {
		group.Go(func() error { return step(ctx) })
	}
	return group.Wait()
}

// optional turns the error of a question into the reason of an absent fact when
// the answer is final.
func (p *pull) optional(fact, what string, err error) error {
	if err == nil {
		return nil
	}
	if !refused(err) {
		return fmt.Errorf("asking for %s: %w", what, err)
	}
	p.missing(fact, because(what, err))
	return nil
}

// missing notes why a fact is absent. The questions of the second round run at
// the same time.
func (p *pull) missing(fact, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.absent.set(fact, why)
}

// unmoved looks at the head once more when reading took more than one moment.
func (p *pull) unmoved(ctx context.Context) error {
	if !p.again {
		return nil
	}
	return p.query(ctx, flags{})
}

// remember keeps what lets the next gather ask less, and everything at once.
func (p *pull) remember() {
	p.forge.headIs(p.ref.Repository, p.ref.Number, p.pr.HeadRefOid)
	if p.pr.HeadRepository != nil && validName(p.pr.HeadRepository.NameWithOwner) {
		p.forge.guesses.Add(p.ref.Key(), guess{
			headRepository: p.pr.HeadRepository.NameWithOwner, headBranch: p.pr.HeadRefName, head: p.pr.HeadRefOid,
			target: p.target, merged: p.pr.Merged, stacked: p.rest != nil,
		})
	}
	found := p.version(p.m.mergeBase)
	found.pushes, found.files = p.found.pushes, p.found.files
	p.forge.memory.Add(p.ref.Key(), found)
	p.rememberPolicies()
}
