package evidence

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/countersign-dev/countersign/change"
	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"
)

// Verify checks the ledger in dir from its files alone, without writing there
// and without a network: signatures, entries, the tree and its checkpoint, the
// chains, the disclosures, and that every decision follows from the recorded
// facts and policy. It may run while the ledger is in use. What is wrong with
// the evidence is in the Verification; an error means that it could not be
// verified.
func Verify(ctx context.Context, dir string, o Options) (Verification, error) {
	r := &run{options: o, tiles: tiles{dir: filepath.Join(dir, "log")}, bodies: newBodies(dir), links: map[string]*links{}, damaged: map[string]bool{}}
	if o.Public != nil {
		r.public = *o.Public
	} else {
		public, err := ReadPublic(filepath.Join(dir, "keys"))
		if err != nil {
			return Verification{}, fmt.Errorf("verifying %s: %w", dir, err)
		}
		r.public = public
	}
	r.v = Verification{Origin: r.public.origin, KeyID: r.public.keyID, LogKey: r.public.logKey, Verdicts: map[change.Verdict]int{},
		Chains: []ChainSummary{}, Findings: []Finding{}, Gaps: []Finding{}, Notes: []Finding{}}
	if err := r.log(ctx); err != nil {
		return Verification{}, fmt.Errorf("verifying %s: %w", dir, err)
	}
	r.finishChains()
	if err := r.orphans(ctx); err != nil {
		return Verification{}, fmt.Errorf("verifying %s: %w", dir, err)
	}
	if o.Judge == nil {
		r.v.remark(-1, "", "the decisions were not judged again")
	}
	r.v.sort()
	return r.v, nil
}

// run is one verification under way.
type run struct {
	options Options
	public  Public
	tiles   tiles
	bodies  *bodies
	v       Verification

	roots []expectation
	size  int64 // entries to read
	found int   // envelopes that were there
	links map[string]*links
	// damaged are records in the log whose place in a chain cannot be read.
	damaged map[string]bool
}

// An expectation is a root that somebody vouches for.
type expectation struct {
	tree  tlog.Tree
	wrong string // what to say when the entries hash to another
}

// maxUnreadable is how many bundles of entries may be unreadable before the rest
// is given up: the size of a log can be forged, the number of files cannot.
const maxUnreadable = 100

// log reads the whole log and checks every entry.
func (r *run) log(ctx context.Context) error {
	if err := r.expect(); err != nil {
		return err
	}
	var tree frontier
	check := tileCheck{tiles: r.tiles}
	whole, unreadable := true, 0
	r.compareRoots(&tree)
	for n := int64(0); n*tileWidth < r.size; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		leaves, err := r.tiles.entries(n, widthOf(n, r.size))
		if err != nil {
			whole = false
			r.v.find(n*tileWidth, "", err.Error())
			if unreadable++; unreadable == maxUnreadable {
				r.v.find(n*tileWidth, "", "too much of the log cannot be read: the rest was not checked")
				break
			}
			continue
		}
		for _, c := range r.checkAll(n*tileWidth, leaves) {
			r.take(c)
		}
		for _, data := range leaves {
			if !whole {
				break
			}
			h := tlog.RecordHash(data)
			tree.add(h)
			for _, wrong := range check.add(h) {
				r.v.find(tree.n-1, "", wrong)
			}
			r.compareRoots(&tree)
		}
		if r.options.Progress != nil {
			r.options.Progress(int(n*tileWidth)+len(leaves), int(r.size))
		}
	}
	if !whole {
		return nil // no root can be computed, and that was said
	}
	for _, wrong := range check.finish() {
		r.v.find(-1, "", wrong)
	}
	return nil
}

// compareRoots compares the tree with every root that is vouched for at its size.
func (r *run) compareRoots(tree *frontier) {
	for _, e := range r.roots {
		if e.tree.N == tree.n && e.tree.Hash != tree.root() {
			r.v.find(-1, "", e.wrong)
		}
	}
}

// expect reads what the log says of itself, and what the verifier has kept.
func (r *run) expect() error {
	signed, err := r.tiles.checkpoint() // before the state: a log in use only grows
	if err != nil {
		return err
	}
	state, hasState, err := r.tiles.treeState()
	if err != nil {
		r.v.find(-1, "", err.Error())
	}
	if hasState {
		r.size = state.N
		r.roots = append(r.roots, expectation{state, "the entries of the log do not hash to the root in its state: entries were changed, dropped, inserted or moved"})
	}
	switch c, err := openCheckpoint(signed, r.public); {
	case signed == nil:
		r.v.find(-1, "", "the log has no checkpoint, so nobody vouches for its entries")
	case err != nil:
		r.v.find(-1, "", fmt.Sprintf("the checkpoint of the log does not hold: %v", err))
		if n, err := sizeOf(signed); err == nil && !hasState {
			r.size = int64(n) // only to look at the entries; nobody vouches for it
		}
	default:
		r.v.Size = c.tree.N
		if hasState && state.N < c.tree.N {
			r.v.find(-1, "", fmt.Sprintf("the log has gone back to %d entries, its checkpoint covers %d", state.N, c.tree.N))
		}
		r.size = max(r.size, c.tree.N)
		r.roots = append(r.roots, expectation{c.tree, "the entries of the log do not hash to the root that its checkpoint signs: entries were changed, dropped, inserted or moved"})
	}
	if r.v.Unsigned = r.size - r.v.Size; r.v.Unsigned > 0 {
		r.v.remark(r.v.Size, "", fmt.Sprintf("the last %d entries are under no signed checkpoint yet", r.v.Unsigned))
	}
	r.expectKept()
	return nil
}

// expectKept compares the log with the checkpoint of an earlier visit.
func (r *run) expectKept() {
	if r.options.Checkpoint == nil {
		return
	}
	kept, err := openCheckpoint(r.options.Checkpoint, r.public)
	if err != nil {
		r.v.find(-1, "", fmt.Sprintf("the checkpoint that was kept does not hold: %v", err))
		return
	}
	if kept.tree.N > r.size {
		r.v.find(-1, "", fmt.Sprintf("the log has gone back: the checkpoint that was kept covers %d entries, the log has %d", kept.tree.N, r.size))
	}
	r.roots = append(r.roots, expectation{kept.tree, fmt.Sprintf("the log was written anew: its first %d entries are not those of the checkpoint that was kept", kept.tree.N)})
}

// checkAll checks the entries from index first on, with every processor.
func (r *run) checkAll(first int64, leaves [][]byte) []checked {
	results := make([]checked, len(leaves))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, data := range leaves {
		g.Go(func() error {
			results[i] = r.check(first+int64(i), data)
			return nil
		})
	}
	_ = g.Wait() // what is wrong with a record is in its result
	return results
}

// take adds up what was found out about one entry. Entries are taken in the
// order of the log.
func (r *run) take(c checked) {
	r.v.Records++
	for _, p := range c.problems {
		r.v.find(c.index, c.record, p)
	}
	if c.body {
		r.found++
	}
	if !c.readable {
		if c.record != "" && len(r.damaged) < maxFindings {
			r.damaged[c.record] = true
		}
		return
	}
	r.v.Verdicts[c.verdict]++
	if c.replayed {
		r.v.Replayed++
	}
	if c.erased {
		r.v.Erased++
	}
	r.link(c)
}
