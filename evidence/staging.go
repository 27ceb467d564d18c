package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// stagingDir is the directory, beside the places of the envelopes and again beside
// those of the disclosures, into which they are written first, under the same
// names. There one flush of one directory makes a whole group durable. Bodies are
// put in their places when the log has their leaves; a body that stays behind
// belongs to a record that was never finished, or whose process ended just then,
// which the next Open finds out.
const stagingDir = ".staged"

// flushes bounds how many files are flushed at once: enough for the file system to
// put them into one commit of its journal.
const flushes = 32

// stage makes the bodies of drafts durable, in staging.
func (b *bodies) stage(drafts []*draft) error {
	var g errgroup.Group
	g.SetLimit(flushes)
	dirs := map[string]bool{}
	for _, d := range drafts {
		envelope, disclosures := stagedPath(b.envelopePath(d.receipt.Digest)), stagedPath(b.disclosuresPath(d.receipt.Digest))
		for _, dir := range []string{filepath.Dir(envelope), filepath.Dir(disclosures)} {
			if dirs[dir] {
				continue
			}
			if err := b.ensure(filepath.Dir(dir), dir); err != nil {
				return fmt.Errorf("making a directory for records: %w", err)
			}
			dirs[dir] = true
		}
		g.Go(func() error {
			data, err := d.opened.encodeFile()
			if err != nil {
				return fmt.Errorf("encoding disclosures: %w", err)
			}
			if err := create(disclosures, data); err != nil {
				return fmt.Errorf("writing disclosures: %w", err)
			}
			return nil
		})
		g.Go(func() error {
			data, err := d.envelope.Encode()
			if err != nil {
				return fmt.Errorf("encoding a record: %w", err)
			}
			if len(data) > MaxEnvelope {
				return fmt.Errorf("a record of %d bytes, more than the %d that it can have", len(data), MaxEnvelope)
			}
			if err := create(envelope, data); err != nil {
				return fmt.Errorf("writing a record: %w", err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for dir := range dirs {
		g.Go(func() error { return syncDir(dir) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("writing records: %w", err)
	}
	return nil
}

// create writes a file that must not exist yet and flushes it, but not its
// directory.
func create(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return writeSynced(f, data)
}

// settle puts the bodies of drafts, whose leaves the log has, in their places. It
// flushes nothing: whichever of its two places a crash leaves a body in, it is
// read from there. For the same reason a body that cannot be moved is no failure.
func (b *bodies) settle(drafts []*draft, log *slog.Logger) {
	for _, d := range drafts {
		if err := b.place(d.receipt.Digest); err != nil {
			log.Warn("a record stays in staging until the ledger is opened again", "record", d.receipt.Digest, "err", err)
		}
	}
}

// place moves the bodies of a record from staging to their places, as far as they
// are not there.
func (b *bodies) place(digest string) error {
	for _, path := range b.paths(digest) {
		dir := filepath.Dir(path)
		if err := b.ensure(filepath.Dir(dir), dir); err != nil {
			return err
		}
		if err := os.Rename(stagedPath(path), path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// drop removes the bodies of a record from staging.
func (b *bodies) drop(digest string) error {
	for _, path := range b.paths(digest) {
		if err := os.Remove(stagedPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// staged returns the digests of the records with a body in staging.
func (b *bodies) staged() ([]string, error) {
	var digests []string
	for _, path := range b.paths(strings.Repeat("0", 64)) {
		files, err := os.ReadDir(filepath.Dir(stagedPath(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("listing unfinished records: %w", err)
		}
		for _, f := range files {
			digest, _, _ := strings.Cut(f.Name(), ".")
			if _, err := digestOf(digest); err == nil {
				digests = append(digests, digest)
			}
		}
	}
	slices.Sort(digests)
	return slices.Compact(digests), nil
}

// paths returns the places of a record's envelope and disclosures.
func (b *bodies) paths(digest string) []string {
	return []string{b.envelopePath(digest), b.disclosuresPath(digest)}
}

// stagedPath returns where a body lies before it is in its place.
func stagedPath(place string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(place)), stagingDir, filepath.Base(place))
}

// readPlaced reads a body in its place or in staging. It looks again in its place,
// because it may have come there in between.
func readPlaced(place string, most int64) (data []byte, err error) {
	for _, path := range []string{place, stagedPath(place), place} {
		if data, err = readBounded(path, most); !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, err
}
