package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// An Entry is what one record is made of.
type Entry struct {
	Facts    change.Facts
	Policy   change.PolicyFile
	Decision change.Decision

	// Print is the Fingerprint of the entry where the caller has it already. Optional.
	Print string
}

// Fingerprint returns a name for what an entry says, hexadecimal SHA-256: two
// entries with the same fingerprint differ at most in when the facts were
// gathered and in the commit at which the same policy was read, and the second
// need not be recorded.
func Fingerprint(e Entry) string {
	facts := e.Facts.Canonical()
	facts.GatheredAt = time.Time{}
	if facts.People == nil {
		facts.People = change.People{}
	}
	data, err := encode(struct {
		Facts    change.Facts    `json:"facts"`
		Found    bool            `json:"found"`
		Path     string          `json:"path"`
		Text     string          `json:"text"`
		Decision change.Decision `json:"decision"`
		Floor    *floorPrint     `json:"floor,omitempty"`
	}{facts, e.Policy.Found, e.Policy.Path, e.Policy.Text, e.Decision, floorPrintOf(e.Policy.Floor)})
	if err != nil {
		// Facts are plain values: only a time outside the years 0 to 9999 cannot be
		// written, and such an entry cannot be recorded either. Equal to nothing.
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// A floorPrint is what of a floor tells two entries apart.
type floorPrint struct {
	Found bool   `json:"found"`
	URI   string `json:"uri"` // without the commit it was read at
	Text  string `json:"text"`
}

// floorPrintOf returns what of a floor tells two entries apart, nil for no floor.
func floorPrintOf(f *change.PolicyFile) *floorPrint {
	if f == nil {
		return nil
	}
	return &floorPrint{f.Found, strings.ReplaceAll(f.URI, string(f.Commit), ""), f.Text}
}
