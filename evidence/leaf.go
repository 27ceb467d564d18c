package evidence

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// maxLeaf bounds a leaf, in bytes. Ours have about 450.
const maxLeaf = 4 << 10

// The constants of a leaf; see leaf.encode.
const (
	leafKind    = "hashedrekord"
	leafVersion = "0.0.2"
	leafKeyKind = "PKIX_ECDSA_P256_SHA_256"
)

// A leaf is one entry of the log: a Rekor v2 hashedrekord 0.0.2 body. It binds a
// record to its signature and key and holds no personal data.
type leaf struct {
	digest    [sha256.Size]byte // of the record's pre-authentication encoding
	signature []byte
	spki      []byte // public key, PKIX DER
}

// encode returns the body in its canonical form (RFC 8785), which is what the
// log holds. Every value is base64 or constant, so nothing needs escaping.
func (l leaf) encode() []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `{"apiVersion":"%s","kind":"%s","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"%s"},`+
		`"signature":{"content":"%s","verifier":{"keyDetails":"%s","publicKey":{"rawBytes":"%s"}}}}}}`,
		leafVersion, leafKind, b64(l.digest[:]), b64(l.signature), leafKeyKind, b64(l.spki))
}

// parseLeaf reads a body that encode wrote, and nothing else.
func parseLeaf(data []byte) (leaf, error) {
	if len(data) > maxLeaf {
		return leaf{}, fmt.Errorf("an entry of %d bytes, more than the %d that it can have", len(data), maxLeaf)
	}
	var body struct {
		Spec struct {
			V002 struct {
				Data struct {
					Digest []byte `json:"digest"`
				} `json:"data"`
				Signature struct {
					Content  []byte `json:"content"`
					Verifier struct {
						PublicKey struct {
							RawBytes []byte `json:"rawBytes"`
						} `json:"publicKey"`
					} `json:"verifier"`
				} `json:"signature"`
			} `json:"hashedRekordV002"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return leaf{}, fmt.Errorf("not the body of a record: %w", err)
	}
	v := body.Spec.V002
	if len(v.Data.Digest) != sha256.Size {
		return leaf{}, errors.New("not the body of a record: no SHA-256 digest")
	}
	l := leaf{digest: [sha256.Size]byte(v.Data.Digest), signature: v.Signature.Content, spki: v.Signature.Verifier.PublicKey.RawBytes}
	if string(l.encode()) != string(data) {
		return leaf{}, errors.New("not the body of a record in its one canonical form")
	}
	return l, nil
}

// leafOf returns the leaf of an envelope signed with the key that spki is of.
func leafOf(e Envelope, spki []byte) leaf {
	return leaf{digest: e.digest(), signature: e.Signature, spki: spki}
}
