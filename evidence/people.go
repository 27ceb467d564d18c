package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// saltSize is what RFC 9901 §9.3 recommends: 128 bits, fresh for each disclosure.
const saltSize = 16

// maxDisclosures bounds a file of disclosures, in bytes.
const maxDisclosures = 16 << 20

// disclosed is the value of a disclosure: the personal data of an identity.
type disclosed struct {
	Account change.AccountID `json:"account,omitempty"`
	Login   string           `json:"login,omitempty"`
	Name    string           `json:"name,omitempty"`
	Email   string           `json:"email,omitempty"`
}

// Disclosures open the people of one record: to each reference the disclosure
// that its digest is of, base64url of the JSON array [salt, reference, value]
// (RFC 9901 §4.2.1). A reference without one was erased.
type Disclosures map[change.Person]string

// withhold replaces every identity by a digest and returns the disclosures that
// open them.
func withhold(people change.People, salts io.Reader) (change.People, Disclosures, error) {
	withheld, opened := change.People{}, Disclosures{}
	for _, p := range sorted(people) {
		id := people[p]
		salt := make([]byte, saltSize)
		if _, err := io.ReadFull(salts, salt); err != nil {
			return nil, nil, fmt.Errorf("drawing a salt: %w", err)
		}
		text, err := encode([]any{
			base64.RawURLEncoding.EncodeToString(salt), p,
			disclosed{Account: id.Account, Login: id.Login, Name: id.Name, Email: id.Email},
		})
		if err != nil {
			return nil, nil, fmt.Errorf("writing a disclosure: %w", err)
		}
		opened[p] = base64.RawURLEncoding.EncodeToString(text)
		withheld[p] = id.Withhold(disclosureDigest(opened[p]))
	}
	return withheld, opened, nil
}

func sorted(people change.People) []change.Person {
	list := make([]change.Person, 0, len(people))
	for p := range people {
		list = append(list, p)
	}
	slices.SortFunc(list, byNumber)
	return list
}

// disclosureDigest is taken over the text of the disclosure as it travels
// (RFC 9901 §4.2.3).
func disclosureDigest(disclosure string) string {
	sum := sha256.Sum256([]byte(disclosure))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// open returns the identity that p had, from the withheld one and its disclosure.
func (d Disclosures) open(p change.Person, withheld change.Identity) (change.Identity, error) {
	text := d[p]
	if disclosureDigest(text) != withheld.Digest {
		return change.Identity{}, fmt.Errorf("the disclosure of %s is not the one that the record was signed with", p)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return change.Identity{}, fmt.Errorf("reading the disclosure of %s: %w", p, err)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) != 3 {
		return change.Identity{}, fmt.Errorf("the disclosure of %s is not an array of salt, name and value", p)
	}
	var name change.Person
	if err := json.Unmarshal(parts[1], &name); err != nil || name != p {
		return change.Identity{}, fmt.Errorf("the disclosure of %s is of somebody else", p)
	}
	var v disclosed
	if err := decodeStrict(parts[2], &v); err != nil {
		return change.Identity{}, fmt.Errorf("reading the disclosure of %s: %w", p, err)
	}
	return change.Identity{Kind: withheld.Kind, SameAs: withheld.SameAs, Joined: withheld.Joined, Account: v.Account, Login: v.Login, Name: v.Name, Email: v.Email}, nil
}

// Open returns the people of a record as far as they were not erased, and
// whether all were there. A disclosure that does not belong is an error.
func (d Disclosures) Open(withheld change.People) (people change.People, whole bool, err error) {
	for p := range d {
		if _, known := withheld[p]; !known {
			return nil, false, fmt.Errorf("there is a disclosure of %s, whom the record does not name", change.Quote(string(p)))
		}
	}
	people, whole = change.People{}, true
	for _, p := range sorted(withheld) {
		id := withheld[p]
		if _, there := d[p]; !there {
			people[p], whole = id, false
			continue
		}
		if people[p], err = d.open(p, id); err != nil {
			return nil, false, err
		}
	}
	return people, whole, nil
}

// ParseDisclosures reads the file of one record's disclosures.
func ParseDisclosures(data []byte) (Disclosures, error) {
	if len(data) > maxDisclosures {
		return nil, fmt.Errorf("reading disclosures: more than %d bytes", maxDisclosures)
	}
	var file struct {
		Disclosures Disclosures `json:"disclosures"`
	}
	if err := decodeStrict(data, &file); err != nil {
		return nil, fmt.Errorf("reading disclosures: %w", err)
	}
	return file.Disclosures, nil
}

// encodeFile returns the form that ParseDisclosures reads.
func (d Disclosures) encodeFile() ([]byte, error) {
	return encode(map[string]Disclosures{"disclosures": d})
}

// decodeStrict reads exactly one JSON value without unknown fields.
func decodeStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the value")
	}
	return nil
}
