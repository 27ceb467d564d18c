package evidence

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/mod/sumdb/note"
)

// Keys are the two private keys of a ledger. They are separate because they
// prove different things: one that a record is ours, the other that the log is
// one log.
type Keys struct {
	record *ecdsa.PrivateKey
	log    ed25519.PrivateKey
	public Public
}

// NewKeys returns the keys of a ledger whose log is called origin, a host name.
func NewKeys(record *ecdsa.PrivateKey, log ed25519.PrivateKey, origin string) (Keys, error) {
	if record == nil || len(log) != ed25519.PrivateKeySize {
		return Keys{}, errors.New("a ledger needs an ECDSA P-256 key and an Ed25519 key")
	}
	public, err := NewPublic(&record.PublicKey, log.Public().(ed25519.PublicKey), origin)
	if err != nil {
		return Keys{}, err
	}
	return Keys{record: record, log: log, public: public}, nil
}

// Public returns the public half.
func (k Keys) Public() Public { return k.public }

// Sign signs the pre-authentication encoding of an envelope.
func (k Keys) Sign(_ context.Context, pae []byte) ([]byte, error) {
	digest := sha256.Sum256(pae)
	return ecdsa.SignASN1(rand.Reader, k.record, digest[:])
}

// KeyID returns the id of the key that signs records.
func (k Keys) KeyID() (string, error) { return k.public.KeyID(), nil }

var _ dsse.Signer = Keys{}

// noteSigner returns the signer of the log's checkpoints.
func (k Keys) noteSigner() (note.Signer, error) {
	name, hash, _ := strings.Cut(k.public.logKey, "+")
	hash, _, _ = strings.Cut(hash, "+")
	secret := append([]byte{algEd25519}, k.log.Seed()...)
	s, err := note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + base64.StdEncoding.EncodeToString(secret))
	if err != nil {
		return nil, fmt.Errorf("making the signer of checkpoints: %w", err)
	}
	return s, nil
}

// algEd25519 is the signature type of Ed25519 in C2SP signed notes.
const algEd25519 = 1

// Public is what a verifier needs: the public keys and the name of the log.
type Public struct {
	record *ecdsa.PublicKey
	spki   []byte // DER of record
	keyID  string
	log    ed25519.PublicKey
	logKey string // C2SP note verifier key of log
	origin string
}

// NewPublic returns the public keys of a ledger whose log is called origin.
func NewPublic(record *ecdsa.PublicKey, log ed25519.PublicKey, origin string) (Public, error) {
	if err := checkOrigin(origin); err != nil {
		return Public{}, err
	}
	// Every verifier and every KMS takes P-256; no other curve is so widely known.
	if record == nil || record.Curve != elliptic.P256() {
		return Public{}, errors.New("the key of the records is not an ECDSA P-256 key")
	}
	spki, err := x509.MarshalPKIXPublicKey(record)
	if err != nil {
		return Public{}, fmt.Errorf("encoding the key of the records: %w", err)
	}
	keyID, err := dsse.SHA256KeyID(record)
	if err != nil {
		return Public{}, fmt.Errorf("naming the key of the records: %w", err)
	}
	logKey, err := note.NewEd25519VerifierKey(origin, log)
	if err != nil {
		return Public{}, fmt.Errorf("naming the key of the log: %w", err)
	}
	return Public{record: record, spki: spki, keyID: keyID, log: log, logKey: logKey, origin: origin}, nil
}

// ParsePublic reads the public key of the records (PKIX PEM) and the verifier
// key of the log.
func ParsePublic(recordPEM, logKey []byte) (Public, error) {
	block, rest := pem.Decode(recordPEM)
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) != 0 {
		return Public{}, errors.New("the key of the records is not one PEM block PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Public{}, fmt.Errorf("reading the key of the records: %w", err)
	}
	record, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return Public{}, errors.New("the key of the records is not an ECDSA key")
	}
	line := strings.TrimSuffix(string(logKey), "\n")
	if _, err := note.NewVerifier(line); err != nil {
		return Public{}, fmt.Errorf("reading the key of the log: %w", err)
	}
	fields := strings.SplitN(line, "+", 3) // NewVerifier has seen all three
	raw, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algEd25519 {
		return Public{}, errors.New("the key of the log is not an Ed25519 verifier key")
	}
	return NewPublic(record, ed25519.PublicKey(raw[1:]), fields[0])
}

// KeyID returns the id of the key of the records: its SSH fingerprint, which
// "ssh-keygen -lf" prints. Sigstore verifiers accept no other form.
func (p Public) KeyID() string { return p.keyID }

// Origin returns the name of the log.
func (p Public) Origin() string { return p.origin }

// LogKey returns the C2SP note verifier key of the log.
func (p Public) LogKey() string { return p.logKey }

// RecordPEM returns the public key of the records as PKIX PEM.
func (p Public) RecordPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: p.spki})
}

// RecordKey returns the public key of the records.
func (p Public) RecordKey() crypto.PublicKey { return p.record }

// logID returns the untruncated C2SP key id of the log, by which Sigstore
// bundles name it.
func (p Public) logID() []byte {
	h := sha256.New()
	h.Write([]byte(p.origin + "\n"))
	h.Write([]byte{algEd25519})
	h.Write(p.log)
	return h.Sum(nil)
}

// verifies reports whether sig is our signature over digest, the SHA-256 of a
// pre-authentication encoding.
func (p Public) verifies(digest [sha256.Size]byte, sig []byte) bool {
	return ecdsa.VerifyASN1(p.record, digest[:], sig)
}

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// checkOrigin holds origins to host names: Sigstore verifiers compare the origin
// with the host of the log's address, and take an origin that ends in
// " - <digits>" for a log of an older kind.
func checkOrigin(origin string) error {
	if len(origin) > 253 || !hostName.MatchString(origin) {
		return fmt.Errorf("the origin %q of the log is not a host name in lower case, such as log.example.com", origin)
	}
	return nil
}
