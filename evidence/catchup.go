package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// catchUpIfBehind reads into the index what is in the log and not in it, when
// something went wrong since the last time.
func (l *Ledger) catchUpIfBehind(ctx context.Context) error {
	if !l.behind.Load() {
		return nil
	}
	return l.catchUp(ctx)
}

// catchUp reads into the index every leaf of the log that it does not have. It
// may run while chains are written: a row that appears meanwhile is the same row.
func (l *Ledger) catchUp(ctx context.Context) error {
	l.catching.Lock()
	defer l.catching.Unlock()
	// Cleared first: what fails from here on sets it again.
	l.behind.Store(false)
	if err := l.project(ctx); err != nil {
		l.behind.Store(true)
		return fmt.Errorf("catching up with the log: %w", err)
	}
	return nil
}

func (l *Ledger) project(ctx context.Context) error {
	tree, _, err := l.tiles.treeState()
	if err != nil {
		return err
	}
	from, err := l.index.firstMissing(ctx)
	if err != nil {
		return err
	}
	if from < tree.N {
		l.config.Log.InfoContext(ctx, "catching up with the log", "from", from, "to", tree.N)
	}
	for from < tree.N {
		bundle := from / tileWidth
		leaves, err := l.tiles.entries(bundle, widthOf(bundle, tree.N))
		if err != nil {
			return err
		}
		var rows []row
		for _, data := range leaves[from%tileWidth:] {
			r, err := l.rowAt(uint64(from), data)
			if err != nil {
				return err
			}
			rows = append(rows, r)
			from++
		}
		if err := l.index.insert(ctx, rows...); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	l.grow(uint64(tree.N))
	return nil
}

// rowAt reads the record of the leaf at index.
func (l *Ledger) rowAt(index uint64, data []byte) (row, error) {
	entry, err := parseLeaf(data)
	if err != nil {
		return row{}, fmt.Errorf("entry %d of the log: %w", index, err)
	}
	e, err := l.bodies.envelope(hexOf(entry.digest))
	if err != nil {
		return row{}, fmt.Errorf("entry %d of the log: %w", index, err)
	}
	s, err := ParseStatement(e.Payload)
	if err != nil {
		return row{}, fmt.Errorf("entry %d of the log: %w", index, err)
	}
	fingerprint, err := l.fingerprint(e.Digest(), s)
	if err != nil {
		return row{}, fmt.Errorf("entry %d of the log: %w", index, err)
	}
	return rowOf(receiptOf(index, e.Digest(), s), s, fingerprint)
}

// fingerprint computes the fingerprint of a record from its statement and
// disclosures, and returns an empty one when people were erased.
func (l *Ledger) fingerprint(digest string, s Statement) (string, error) {
	opened, err := l.bodies.disclosures(digest)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	c := contentOf(s)
	people, whole, err := opened.Open(c.facts.People)
	if err != nil || !whole {
		return "", err
	}
	c.facts.People = people
	return Fingerprint(Entry{Facts: c.facts, Policy: c.policy, Decision: c.judgement}), nil
}
