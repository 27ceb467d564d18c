package evidence

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// dsseVerifier lets the DSSE library verify with our key.
type dsseVerifier struct{ public Public }

func (v dsseVerifier) Verify(_ context.Context, data, sig []byte) error {
	if !v.public.verifies(sha256.Sum256(data), sig) {
		return errors.New("not our signature")
	}
	return nil
}
func (v dsseVerifier) KeyID() (string, error)   { return v.public.KeyID(), nil }
func (v dsseVerifier) Public() crypto.PublicKey { return v.public.RecordKey() }

func TestKeyFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, GenerateKeys(dir, []byte("correct horse"), origin))
	for name, mode := range map[string]os.FileMode{RecordKeyFile: 0o600, LogKeyFile: 0o600, RecordPublicFile: 0o644, LogPublicFile: 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	keys, err := LoadKeys(dir, []byte("correct horse"))
	require.NoError(t, err)
	require.Equal(t, origin, keys.Public().Origin())
	public, err := ReadPublic(dir)
	require.NoError(t, err)
	require.True(t, public.equal(keys.Public()))

	_, err = LoadKeys(dir, []byte("battery staple"))
	require.ErrorContains(t, err, "wrong passphrase")
	require.ErrorContains(t, GenerateKeys(dir, nil, origin), "exists already")

	// The form is cosign's: its name, its key derivation and its cipher.
	data, err := os.ReadFile(filepath.Join(dir, RecordKeyFile))
	require.NoError(t, err)
	block, _ := pem.Decode(data)
	require.Equal(t, "ENCRYPTED SIGSTORE PRIVATE KEY", block.Type)
	var box struct {
		KDF struct {
			Name   string `json:"name"`
			Params struct{ N, R, P int }
		} `json:"kdf"`
		Cipher struct {
			Name string `json:"name"`
		} `json:"cipher"`
	}
	require.NoError(t, json.Unmarshal(block.Bytes, &box))
	require.Equal(t, "scrypt", box.KDF.Name)
	require.Equal(t, struct{ N, R, P int }{65536, 8, 1}, box.KDF.Params)
	require.Equal(t, "nacl/secretbox", box.Cipher.Name)
}

func TestMixedUpKeyFilesAreRefused(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	require.NoError(t, testKeys(t, "a").write(a, nil))
	require.NoError(t, testKeys(t, "b").write(b, nil))
	swap := func(name string) {
		data, err := os.ReadFile(filepath.Join(b, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(a, name), data, 0o600))
	}
	swap(RecordPublicFile)
	_, err := LoadKeys(a, nil)
	require.ErrorContains(t, err, "do not belong to the private keys")
	swap(RecordKeyFile)
	_, err = LoadKeys(a, nil)
	require.NoError(t, err)
	swap(LogPublicFile)
	_, err = LoadKeys(a, nil)
	require.ErrorContains(t, err, "do not belong to the private keys")
	require.NoError(t, os.Rename(filepath.Join(a, LogKeyFile), filepath.Join(a, RecordKeyFile)))
	_, err = LoadKeys(a, nil)
	require.ErrorContains(t, err, "not an ECDSA P-256 key")
}

func TestOriginIsAHostName(t *testing.T) {
	for _, bad := range []string{"", "log example", "Log.example.com", "log.example.com/x", "log.example.com - 12", "a+b", "-a.example", "https://log.example.com"} {
		require.Error(t, GenerateKeys(t.TempDir(), nil, bad), bad)
	}
}
