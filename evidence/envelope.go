package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// MaxEnvelope bounds an envelope, in bytes: the largest payload in base64, the
// signature, and room for the names.
const MaxEnvelope = MaxPayload/3*4 + 64<<10

// maxSignature bounds a signature, in bytes. An ECDSA P-256 one has at most 72.
const maxSignature = 1 << 10

// An Envelope is a DSSE envelope with its one signature.
type Envelope struct {
	PayloadType string
	Payload     []byte
	KeyID       string // SSH fingerprint of the key; empty when the signer did not name it
	Signature   []byte
}

// ParseEnvelope reads a DSSE envelope. Unknown and repeated fields, a number of
// signatures other than one, and base64 in another form than the standard one
// are errors. It does not check the signature.
func ParseEnvelope(data []byte) (Envelope, error) {
	if len(data) > MaxEnvelope {
		return Envelope{}, fmt.Errorf("reading an envelope: %d bytes, more than the %d that it can have", len(data), MaxEnvelope)
	}
	fields, err := members(data, "payload", "payloadType", "signatures")
	if err != nil {
		return Envelope{}, fmt.Errorf("reading an envelope: %w", err)
	}
	var e Envelope
	var payload string
	var signatures []json.RawMessage
	if err := errors.Join(decodeStrict(fields["payload"], &payload), decodeStrict(fields["payloadType"], &e.PayloadType),
		decodeStrict(fields["signatures"], &signatures)); err != nil {
		return Envelope{}, fmt.Errorf("reading an envelope: %w", err)
	}
	if len(signatures) != 1 {
		return Envelope{}, fmt.Errorf("reading an envelope: %d signatures, not exactly one", len(signatures))
	}
	signature, err := members(signatures[0], "keyid", "sig")
	if err != nil {
		return Envelope{}, fmt.Errorf("reading the signature of an envelope: %w", err)
	}
	var sig string
	if err := decodeStrict(signature["sig"], &sig); err != nil {
		return Envelope{}, fmt.Errorf("reading the signature of an envelope: %w", err)
	}
	if keyID, there := signature["keyid"]; there {
		if err := decodeStrict(keyID, &e.KeyID); err != nil {
			return Envelope{}, fmt.Errorf("reading the key id of an envelope: %w", err)
		}
	}
	if e.Payload, err = decodeBase64(payload); err != nil {
		return Envelope{}, fmt.Errorf("reading the payload of an envelope: %w", err)
	}
	if e.Signature, err = decodeBase64(sig); err != nil {
		return Envelope{}, fmt.Errorf("reading the signature of an envelope: %w", err)
	}
	if e.PayloadType == "" || len(e.Payload) == 0 || len(e.Signature) == 0 || len(e.Signature) > maxSignature {
		return Envelope{}, errors.New("reading an envelope: payload, its type or the signature is missing or too long")
	}
	return e, nil
}

// decodeBase64 refuses line breaks and set padding bits, so that one value has
// one form.
func decodeBase64(s string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	if base64.StdEncoding.EncodedLen(len(data)) != len(s) {
		return nil, errors.New("base64 with line breaks")
	}
	return data, nil
}

// PAE returns the pre-authentication encoding, which is what is signed.
func (e Envelope) PAE() []byte { return dsse.PAE(e.PayloadType, e.Payload) }

// digest returns the SHA-256 of the pre-authentication encoding.
func (e Envelope) digest() [sha256.Size]byte { return sha256.Sum256(e.PAE()) }

// Digest returns the name of the record: the SHA-256 of the pre-authentication
// encoding, in hexadecimal.
func (e Envelope) Digest() string {
	return hexOf(e.digest())
}

// Encode returns the JSON form.
func (e Envelope) Encode() ([]byte, error) {
	return encode(dsse.Envelope{
		PayloadType: e.PayloadType, Payload: base64.StdEncoding.EncodeToString(e.Payload),
		Signatures: []dsse.Signature{{KeyID: e.KeyID, Sig: base64.StdEncoding.EncodeToString(e.Signature)}},
	})
}

// sign returns the envelope of a statement, signed.
func sign(ctx context.Context, keys Keys, payload []byte) (Envelope, error) {
	e := Envelope{PayloadType: PayloadType, Payload: payload, KeyID: keys.public.keyID}
	var err error
	if e.Signature, err = keys.Sign(ctx, e.PAE()); err != nil {
		return Envelope{}, fmt.Errorf("signing a record: %w", err)
	}
	return e, nil
}
