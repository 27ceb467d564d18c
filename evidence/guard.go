package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// guardLog refuses a log that must not be continued, and returns the tree that
// Tessera will continue. A log that has lost its end, or the state beside its
// tiles, would silently fork: two histories, both signed by us. seen is how many
// entries the index has seen.
func guardLog(t tiles, public Public, seen int64) (tlog.Tree, error) {
	state, hasState, err := t.treeState()
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := t.checkpoint()
	if err != nil {
		return tlog.Tree{}, err
	}
	if !hasState {
		what, err := t.remains(signed)
		if err != nil {
			return tlog.Tree{}, err
		}
		if what != "" {
			return tlog.Tree{}, fmt.Errorf("the log in %s has %s but no .state: restore the missing directory, do not continue, because the log would start again from nothing", t.dir, what)
		}
	}
	if signed != nil {
		c, err := openCheckpoint(signed, public)
		if err != nil {
			return tlog.Tree{}, fmt.Errorf("the log in %s was not written with these keys for %s: %w", t.dir, public.origin, err)
		}
		if state.N < c.tree.N {
			return tlog.Tree{}, fmt.Errorf("the log has gone back to %d, its checkpoint says %d: restore the missing files, do not continue", state.N, c.tree.N)
		}
		if err := t.agrees(c.tree); err != nil {
			return tlog.Tree{}, err
		}
	}
	if state.N < seen {
		return tlog.Tree{}, fmt.Errorf("the log has gone back to %d, the index has seen %d: restore the missing files, do not continue", state.N, seen)
	}
	if err := t.agrees(state); err != nil {
		return tlog.Tree{}, err
	}
	return state, nil
}

// remains names what lies there of a log, nothing when there never was one.
func (t tiles) remains(signed []byte) (string, error) {
	if signed != nil {
		return "a checkpoint", nil
	}
	_, err := os.Lstat(filepath.Join(t.dir, "tile"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking at the log: %w", err)
	}
	return "tiles", nil
}

// checkPublic reports whether the directory knows its public keys, and refuses
// one that belongs to other keys.
func checkPublic(dir string, public Public) (known bool, err error) {
	there, err := ReadPublic(filepath.Join(dir, "keys"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !there.equal(public) {
		return false, fmt.Errorf("%s holds the records of the log %s with key %s, not of %s with key %s", dir, there.origin, there.keyID, public.origin, public.keyID)
	}
	return true, nil
}

// writePublic puts the public keys where a verifier finds them.
func writePublic(dir string, public Public) error {
	keys := filepath.Join(dir, "keys")
	if err := makeDir(keys); err != nil {
		return fmt.Errorf("keeping the public keys: %w", err)
	}
	if err := replaceDurably(filepath.Join(keys, RecordPublicFile), public.RecordPEM(), 0o644); err != nil {
		return fmt.Errorf("keeping the public keys: %w", err)
	}
	if err := replaceDurably(filepath.Join(keys, LogPublicFile), []byte(public.logKey+"\n"), 0o644); err != nil {
		return fmt.Errorf("keeping the public keys: %w", err)
	}
	return nil
}
