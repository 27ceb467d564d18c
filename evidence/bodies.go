package evidence

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"sync"
)

// bodies keeps the envelopes and the disclosures, each under the digest of its
// record.
type bodies struct {
	dir string

	mu   sync.Mutex
	made map[string]bool // directories known to be durable
}

func newBodies(dir string) *bodies { return &bodies{dir: dir, made: map[string]bool{}} }

// digestOf reads a digest in hexadecimal, in its one form.
func digestOf(name string) ([32]byte, error) {
	raw, err := hex.DecodeString(name)
	if err != nil || len(raw) != 32 || hex.EncodeToString(raw) != name {
		return [32]byte{}, fmt.Errorf("%q is not the digest of a record", name)
	}
	return [32]byte(raw), nil
}

// hexOf writes a digest as records are named.
func hexOf(digest [32]byte) string { return hex.EncodeToString(digest[:]) }

func (b *bodies) envelopePath(digest string) string {
	return filepath.Join(b.dir, "records", digest[:2], digest+".dsse.json")
}

func (b *bodies) disclosuresPath(digest string) string {
	return filepath.Join(b.dir, "disclosures", digest[:2], digest+".json")
}

// ensure makes directories, in order from the outside. It holds the lock while
// it does, so that nobody writes into a directory that a crash could still take.
func (b *bodies) ensure(dirs ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, dir := range dirs {
		if b.made[dir] {
			continue
		}
		if err := makeDir(dir); err != nil {
			return err
		}
		b.made[dir] = true
	}
	return nil
}

// envelope returns the envelope with the given digest, which it checks.
func (b *bodies) envelope(digest string) (Envelope, error) {
	if _, err := digestOf(digest); err != nil {
		return Envelope{}, err
	}
	data, err := readPlaced(b.envelopePath(digest), MaxEnvelope)
	if err != nil {
		return Envelope{}, fmt.Errorf("reading record %s: %w", digest, err)
	}
	e, err := ParseEnvelope(data)
	if err != nil {
		return Envelope{}, fmt.Errorf("record %s: %w", digest, err)
	}
	if e.Digest() != digest {
		return Envelope{}, fmt.Errorf("record %s was changed: its content has the digest %s", digest, e.Digest())
	}
	return e, nil
}

// disclosures returns the disclosures of a record. When they were erased, the
// error is fs.ErrNotExist.
func (b *bodies) disclosures(digest string) (Disclosures, error) {
	if _, err := digestOf(digest); err != nil {
		return nil, err
	}
	data, err := readPlaced(b.disclosuresPath(digest), maxDisclosures)
	if err != nil {
		return nil, fmt.Errorf("reading the disclosures of record %s: %w", digest, err)
	}
	return ParseDisclosures(data)
}
