package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// orphans looks for envelopes that the log does not have. A crash between writing
// envelopes and their leaves leaves them in staging. Ledgers that did not stage left
// at most one in its place for each chain, whose predecessor is in the log. An
// orphan in its place that follows an orphan shows that the log once had more than
// it has.
func (r *run) orphans(ctx context.Context) error {
	names, staged, err := r.envelopes(ctx)
	if err != nil {
		return err
	}
	if len(names) == r.found {
		return nil // all that lie there were found by the log
	}
	logged, err := r.logged(ctx)
	if err != nil {
		return err
	}
	for _, digest := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := digestOf(digest)
		if err != nil {
			r.v.remark(-1, "", fmt.Sprintf("the file %q among the records is not named like a record", digest))
			continue
		}
		switch {
		case logged[raw]:
		case staged[digest]:
			r.v.remark(-1, digest, "it was being written and never came into the log: a crash leaves such a record, and the ledger removes it when it is opened")
		default:
			r.orphan(digest, logged)
		}
	}
	return nil
}

// orphan judges one envelope that the log does not have.
func (r *run) orphan(digest string, logged map[[32]byte]bool) {
	e, err := r.bodies.envelope(digest)
	if err != nil {
		r.v.remark(-1, digest, "a file among the records is no record and not in the log: "+err.Error())
		return
	}
	s, err := ParseStatement(e.Payload)
	if err != nil || !r.public.verifies(e.digest(), e.Signature) {
		r.v.remark(-1, digest, "a file among the records is not signed with this key and not in the log")
		return
	}
	q := s.Predicate.Sequence
	if prev, err := digestOf(q.Prev["sha256"]); q.N > 1 && (err != nil || !logged[prev]) {
		r.v.find(-1, digest, fmt.Sprintf("it is a signed record, number %d of %s, and follows a record that the log does not have: the log has lost entries or gone back", q.N, q.Ref))
		return
	}
	r.v.remark(-1, digest, fmt.Sprintf("it is a signed record, number %d of %s, that never came into the log, or was the newest when the log went back: a crash leaves such a record, but compare the log with a checkpoint that was kept", q.N, q.Ref))
}

// envelopes lists the digests that the files of the records are named by, and
// which of them lie in staging.
func (r *run) envelopes(ctx context.Context) (names []string, staged map[string]bool, err error) {
	root := filepath.Join(r.bodies.dir, "records")
	dirs, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listing the records: %w", err)
	}
	staged = map[string]bool{}
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if !dir.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(root, dir.Name()))
		if err != nil {
			return nil, nil, fmt.Errorf("listing the records: %w", err)
		}
		for _, f := range files {
			if strings.HasPrefix(f.Name(), temporary) {
				continue // a crash while writing; never a record
			}
			digest := strings.TrimSuffix(f.Name(), ".dsse.json")
			names = append(names, digest)
			if dir.Name() == stagingDir {
				staged[digest] = true
			}
		}
	}
	return names, staged, nil
}

// logged returns the digests that the log has now. The files were listed before,
// so a record that is being written meanwhile is at most the next of its chain.
func (r *run) logged(ctx context.Context) (map[[32]byte]bool, error) {
	size := r.size
	if state, there, err := r.tiles.treeState(); err == nil && there {
		size = max(size, state.N)
	}
	digests := map[[32]byte]bool{}
	for n, unreadable := int64(0), 0; n*tileWidth < size && unreadable < maxUnreadable; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		leaves, err := r.tiles.entries(n, widthOf(n, size))
		if err != nil {
			unreadable++ // it was found before
			continue
		}
		for _, data := range leaves {
			if entry, err := parseLeaf(data); err == nil {
				digests[entry.digest] = true
			}
		}
	}
	return digests, nil
}
