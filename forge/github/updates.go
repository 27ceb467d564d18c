package github

import (
	"context"
	"fmt"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/errgroup"

	"github.com/countersign-dev/countersign/change"
)

// maxUpdates bounds how many merges of one change are looked at, the newest ones.
const maxUpdates = 20

// proofs remembers what was found out about commits and trees. It is about objects
// that never change, so it holds for ever.
type proofs struct {
	partings  *lru.Cache[pairKey, parting]
	ancestors *lru.Cache[pairKey, bool]
	merges    *lru.Cache[mergeKey, string] // why a tree is not a merge; "" when it is
}

type pairKey struct {
	repository   int64
	older, newer change.SHA
}

type mergeKey struct {
	repository int64
	four[change.SHA]
}

// maxProofs bounds each of those memories.
const maxProofs = 5000

func newProofs(size int) (*proofs, error) {
	size = min(size, maxProofs)
	partings, err := lru.New[pairKey, parting](size)
	if err != nil {
		return nil, err
	}
	ancestors, err := lru.New[pairKey, bool](size)
	if err != nil {
		return nil, err
	}
	merges, err := lru.New[mergeKey, string](size)
	return &proofs{partings, ancestors, merges}, err
}

// A parting is where two commits parted, as a comparison tells.
type parting struct {
	mergeBase change.SHA
	tree      change.SHA // of the merge base
	baseTree  change.SHA // of the base side
	ahead     int        // commits that the change's side has and the base's has not
}

// updates answers which merges of the change only bring it up to date with its base.
func (q *inquiry) updates(ctx context.Context) (func(), error) {
	if !q.needs.Updates {
		return func() {}, nil
	}
	commits, known := q.facts.Commits.Get()
	switch {
	case !known:
		return func() { q.absent.set("updates", "the commits are not known") }, nil
	case !q.needs.Base.Valid():
		return func() { q.absent.set("updates", "it is not known at which commit the protected branch stood") }, nil
	}
	h := q.history(commits)
	list, err := h.updates(ctx)
	if err != nil && refused(err) {
		return func() { q.absent.set("updates", because("the updates from the base", err)) }, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the updates from the base: %w", err)
	}
	return func() { q.facts.Updates = change.Known(list) }, nil
}

// A history is the commits of a change, and what is known of how they and those of
// the base are related.
type history struct {
	*inquiry
	commits []change.Commit
	byID    map[change.SHA]change.Commit
	newer   map[change.SHA][]change.SHA // commits of the base that are known to descend from one
}

func (q *inquiry) history(commits []change.Commit) *history {
	h := &history{inquiry: q, commits: commits, byID: map[change.SHA]change.Commit{}, newer: map[change.SHA][]change.SHA{}}
	for _, c := range commits {
		h.byID[c.SHA] = c
	}
	if b, known := q.facts.Base.Get(); known && b.Commit == q.needs.Base && b.MergeBase.Valid() {
		h.descends(b.MergeBase, b.Commit)
	}
	return h
}

func (h *history) descends(older, newer change.SHA) {
	h.newer[older] = append(h.newer[older], newer)
}

// updates judges every merge. The comparisons are asked all at once; as a rule they
// tell everything about how the commits are related, because each update starts from
// where the one before it ended.
func (h *history) updates(ctx context.Context) ([]change.Update, error) {
	list := []change.Update{}
	for _, c := range h.commits {
		if len(c.Parents) > 1 {
			list = append(list, h.sides(c))
		}
	}
	looked := list[max(0, len(list)-maxUpdates):]
	for i := range list[:len(list)-len(looked)] {
		list[i].Why = fmt.Sprintf("the change has %d merges, and the newest %d are looked at", len(list), maxUpdates)
	}
	partings := make([]parting, len(looked))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, u := range looked {
		if u.Why == "" {
			group.Go(func() (err error) {
				partings[i], err = h.parting(inner, u)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := range looked {
		if u := &looked[i]; u.Why == "" {
			u.MergeBase = partings[i].mergeBase
			h.descends(u.MergeBase, u.Base)
		}
	}
	for i := range looked {
		u := &looked[i]
		if u.Why != "" {
			continue
		}
		var err error
		if u.Why, err = h.impure(ctx, *u, partings[i]); err != nil {
			return nil, err
		}
		u.Pure = u.Why == ""
	}
	return list, nil
}

// sides says which parent of a merge is the change's own and which is the base's.
func (h *history) sides(c change.Commit) change.Update {
	u := change.Update{Commit: c.SHA, From: c.Parents[0], Base: c.Parents[1]}
	if !h.own(u.From) && h.own(u.Base) {
		u.From, u.Base = u.Base, u.From
	}
	switch {
	case len(c.Parents) > 2:
		u.Why = fmt.Sprintf("it merges %d commits at once", len(c.Parents))
	case !h.own(u.From):
		u.Why = "neither of its parents is a commit of the change"
	case h.own(u.Base):
		u.Why = "it merges another line of the change itself"
	}
	return u
}

func (h *history) own(id change.SHA) bool {
	_, own := h.byID[id]
	return own
}

// impure says why a merge is not known to be a pure update; "" says that it is one.
func (h *history) impure(ctx context.Context, u change.Update, p parting) (string, error) {
	onBase, err := h.ancestor(ctx, u.Base, h.needs.Base)
	if err != nil {
		return "", err
	}
	if !onBase {
		return fmt.Sprintf("it merges %s, which is not on the protected branch", u.Base.Short()), nil
	}
	if why, err := h.parted(ctx, u, p); why != "" || err != nil {
		return why, err
	}
	trees := four[change.SHA]{mergeBase: p.tree, from: h.byID[u.From].Tree, base: p.baseTree, merge: h.byID[u.Commit].Tree}
	for _, id := range []change.SHA{trees.mergeBase, trees.from, trees.base, trees.merge} {
		if !id.Valid() {
			return "the trees of its parents are not known", nil
		}
	}
	return h.merge(ctx, trees)
}

// parted says why it is not proved that the two sides of a merge parted at one commit
// only; "" says that it is. A criss-cross history has several, and what git makes of
// them is no merge of three trees.
//
// The base's side holds no commit of the change, which the number of commits that it
// lacks confirms. So the two have in common what the commits have in common where the
// change's side leaves the change, and one of those is the only parting when it
// descends from all others.
func (h *history) parted(ctx context.Context, u change.Update, p parting) (string, error) {
	if p.mergeBase == u.Base {
		return "", nil // which its own side holds already
	}
	own, exits := h.leaves(u.From)
	if !slices.Contains(exits, p.mergeBase) || own != p.ahead {
		return "it cannot be told where its two sides parted", nil
	}
	for _, e := range exits {
		older, err := h.ancestor(ctx, e, p.mergeBase)
		if err != nil {
			return "", err
		}
		if !older {
			return fmt.Sprintf("its two sides parted at more than one commit, such as %s and %s", p.mergeBase.Short(), e.Short()), nil
		}
	}
	return "", nil
}

// leaves returns how many commits of the change a commit stands on, itself included,
// and the commits of the base that those stand on.
func (h *history) leaves(from change.SHA) (own int, exits []change.SHA) {
	seen, next := map[change.SHA]bool{from: true}, []change.SHA{from}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		c, here := h.byID[at]
		if !here {
			exits = append(exits, at)
			continue
		}
		own++
		for _, p := range c.Parents {
			if !seen[p] {
				seen[p] = true
				next = append(next, p)
			}
		}
	}
	slices.Sort(exits)
	return own, exits
}

// ancestor reports whether a commit of the base is another one or an ancestor of it,
// by what is known of them already or else by a comparison.
func (h *history) ancestor(ctx context.Context, older, newer change.SHA) (bool, error) {
	seen, next := map[change.SHA]bool{older: true}, []change.SHA{older}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		if at == newer {
			return true, nil
		}
		for _, n := range h.newer[at] {
			if !seen[n] {
				seen[n] = true
				next = append(next, n)
			}
		}
	}
	repo, kept := h.facts.Ref.Repository, h.forge.proofs.ancestors
	key := pairKey{repo.ID, older, newer}
	if yes, known := kept.Get(key); known {
		return yes, nil
	}
	c, err := h.api.comparePage(ctx, repo.Name, newer, older, 1, 1)
	if err != nil {
		return false, err
	}
	var yes bool
	switch c.Status {
	case "behind", "identical":
		yes = true
		h.descends(older, newer)
	case "ahead", "diverged":
	default:
		return false, final("GitHub compares two commits as %s, which this version does not know", change.Quote(c.Status))
	}
	kept.Add(key, yes)
	return yes, nil
}

// parting compares the sides of a merge.
func (h *history) parting(ctx context.Context, u change.Update) (parting, error) {
	repo, kept := h.facts.Ref.Repository, h.forge.proofs.partings
	key := pairKey{repo.ID, u.Base, u.From}
	if p, known := kept.Get(key); known {
		return p, nil
	}
	c, err := h.api.comparePage(ctx, repo.Name, u.Base, u.From, 1, 1)
	if err != nil {
		return parting{}, err
	}
	p := parting{mergeBase: c.MergeBase.SHA, tree: c.MergeBase.tree(), baseTree: c.Base.tree(), ahead: c.TotalCommits}
	if c.Base.SHA != u.Base || !p.mergeBase.Valid() {
		return parting{}, final("GitHub compares other commits than the sides of a merge")
	}
	kept.Add(key, p)
	return p, nil
}

// merge says where a tree is not the merge of two others.
func (h *history) merge(ctx context.Context, trees four[change.SHA]) (string, error) {
	repo, kept := h.facts.Ref.Repository, h.forge.proofs.merges
	key := mergeKey{repo.ID, trees}
	if why, known := kept.Get(key); known {
		return why, nil
	}
	root := func(id change.SHA) entry { return entry{folderMode, id} }
	c := newComparer(h.api.trees(repo.Name))
	why, err := c.differs(ctx, "", four[entry]{root(trees.mergeBase), root(trees.from), root(trees.base), root(trees.merge)})
	if err == nil {
		kept.Add(key, why)
	}
	return why, err
}
