package evidence

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

// The files of a key directory.
const (
	RecordKeyFile    = "record.key" // P-256, encrypted
	RecordPublicFile = "record.pub" // PKIX PEM
	LogKeyFile       = "log.key"    // Ed25519, encrypted
	LogPublicFile    = "log.pub"    // C2SP note verifier key
)

// sealedKey is the PEM type of cosign's key files: PKCS #8, sealed with NaCl
// secretbox under a key that scrypt (N 65536, r 8, p 1) makes of the passphrase.
const sealedKey = "ENCRYPTED SIGSTORE PRIVATE KEY"

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 64 << 10

// GenerateKeys makes both keys of a ledger whose log is called origin, and
// writes them to dir. It never overwrites a key.
func GenerateKeys(dir string, passphrase []byte, origin string) error {
	if err := checkOrigin(origin); err != nil {
		return err
	}
	for _, name := range []string{RecordKeyFile, RecordPublicFile, LogKeyFile, LogPublicFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s exists already: a key is never overwritten, because its records could not be verified any more", filepath.Join(dir, name))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("looking for existing keys: %w", err)
		}
	}
	record, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the key of the records: %w", err)
	}
	_, log, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making the key of the log: %w", err)
	}
	keys, err := NewKeys(record, log, origin)
	if err != nil {
		return err
	}
	return keys.write(dir, passphrase)
}

// write lays the keys down under dir, the private ones sealed.
func (k Keys) write(dir string, passphrase []byte) error {
	recordKey, err := seal(k.record, passphrase)
	if err != nil {
		return err
	}
	logKey, err := seal(k.log, passphrase)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the key directory: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
		mode fs.FileMode
	}{
		{RecordKeyFile, recordKey, 0o600},
		{LogKeyFile, logKey, 0o600},
		{RecordPublicFile, k.public.RecordPEM(), 0o644},
		{LogPublicFile, []byte(k.public.logKey + "\n"), 0o644},
	} {
		if err := createDurably(filepath.Join(dir, f.name), f.data, f.mode); err != nil {
			return fmt.Errorf("writing a key: %w", err)
		}
	}
	return nil
}

// LoadKeys reads the keys that GenerateKeys wrote, or that cosign wrote with
// another name, and checks that the public files belong to them.
func LoadKeys(dir string, passphrase []byte) (Keys, error) {
	public, err := ReadPublic(dir)
	if err != nil {
		return Keys{}, err
	}
	key, err := unseal(filepath.Join(dir, RecordKeyFile), passphrase)
	if err != nil {
		return Keys{}, err
	}
	record, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return Keys{}, fmt.Errorf("%s holds a %T and not an ECDSA P-256 key", RecordKeyFile, key)
	}
	key, err = unseal(filepath.Join(dir, LogKeyFile), passphrase)
	if err != nil {
		return Keys{}, err
	}
	log, ok := key.(ed25519.PrivateKey)
	if !ok {
		return Keys{}, fmt.Errorf("%s holds a %T and not an Ed25519 key", LogKeyFile, key)
	}
	keys, err := NewKeys(record, log, public.origin)
	if err != nil {
		return Keys{}, err
	}
	if !keys.public.equal(public) {
		return Keys{}, fmt.Errorf("the public keys in %s do not belong to the private keys beside them", dir)
	}
	return keys, nil
}

// ReadPublic reads the public files of a key directory.
func ReadPublic(dir string) (Public, error) {
	recordPEM, err := readBounded(filepath.Join(dir, RecordPublicFile), maxKeyFile)
	if err != nil {
		return Public{}, fmt.Errorf("reading the key of the records: %w", err)
	}
	logKey, err := readBounded(filepath.Join(dir, LogPublicFile), maxKeyFile)
	if err != nil {
		return Public{}, fmt.Errorf("reading the key of the log: %w", err)
	}
	return ParsePublic(recordPEM, logKey)
}

func (p Public) equal(other Public) bool {
	return bytes.Equal(p.spki, other.spki) && p.logKey == other.logKey
}

// seal returns key in cosign's encrypted form.
func seal(key any, passphrase []byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a private key: %w", err)
	}
	box, err := encrypted.Encrypt(der, passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypting a private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: sealedKey, Bytes: box}), nil
}

// unseal reads a key file in cosign's encrypted form.
func unseal(path string, passphrase []byte) (any, error) {
	data, err := readBounded(path, maxKeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading a private key: %w", err)
	}
	block, rest := pem.Decode(data)
	// The second name is the one cosign used before version 2.
	if block == nil || (block.Type != sealedKey && block.Type != "ENCRYPTED COSIGN PRIVATE KEY") || len(bytes.TrimSpace(rest)) != 0 {
		return nil, fmt.Errorf("%s is not one PEM block %s", path, sealedKey)
	}
	der, err := encrypted.Decrypt(block.Bytes, passphrase)
	if err != nil {
		return nil, fmt.Errorf("decrypting %s: wrong passphrase, or a damaged file: %w", path, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("decoding %s: %w", path, err)
	}
	return key, nil
}
