package evidence

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
)

func TestBundleProvesARecord(t *testing.T) {
	l := open(t, t.TempDir())
	for i := range 5 {
		record(t, l, entry(pull(i)))
	}
	r := record(t, l, entry(approved(pull(1))))
	data, err := l.Bundle(t.Context(), r.Digest)
	require.NoError(t, err)

	var b bundle
	require.NoError(t, json.Unmarshal(data, &b))
	e, err := ParseEnvelope(b.Envelope)
	require.NoError(t, err)
	require.Equal(t, r.Digest, e.Digest())
	require.Equal(t, e.KeyID, b.Material.PublicKey.Hint)
	entry := b.Material.Entries[0]
	c, err := openCheckpoint([]byte(entry.Proof.Checkpoint.Envelope), l.Public())
	require.NoError(t, err)
	require.Equal(t, c.tree.Hash[:], entry.Proof.RootHash)
	require.Equal(t, strconv.FormatInt(c.tree.N, 10), entry.Proof.TreeSize)
	var proof tlog.RecordProof
	for _, h := range entry.Proof.Hashes {
		proof = append(proof, tlog.Hash(h))
	}
	require.NoError(t, tlog.CheckRecord(proof, c.tree.N, c.tree.Hash, int64(r.Index), tlog.RecordHash(entry.Body)))

	_, err = l.Bundle(t.Context(), e.KeyID)
	require.ErrorContains(t, err, "is not the digest of a record")
	_, err = l.Bundle(t.Context(), "00000000000000000000000000000000000000000000000000000000000000ff")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// shape returns every path in a JSON value with the kind of what stands there.
func shape(v any, at string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			shape(member, at+"."+name, into)
		}
	case []any:
		for _, element := range v {
			shape(element, at+"[]", into)
		}
	case string:
		into[at+" string"] = true
	default:
		into[at+" other"] = true
	}
}

func shapeOf(t *testing.T, data []byte) map[string]bool {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(data, &v))
	into := map[string]bool{}
	shape(v, "", into)
	return into
}

// Bundle and trusted root have the members of those that stock cosign accepts.
func TestBundleHasTheShapeThatCosignAccepts(t *testing.T) {
	l := open(t, t.TempDir())
	record(t, l, entry(pull(1)))
	data, err := l.Bundle(context.Background(), record(t, l, entry(pull(2))).Digest)
	require.NoError(t, err)
	vector, err := os.ReadFile("testdata/p256.sigstore.json")
	require.NoError(t, err)
	want := shapeOf(t, vector)
	delete(want, ".verificationMaterial.timestampVerificationData.rfc3161Timestamps[].signedTimestamp string") // optional
	want[".dsseEnvelope.signatures[].keyid string"] = true                                                     // optional in the vector
	require.Equal(t, want, shapeOf(t, data))

	root, err := l.Public().TrustedRoot(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	vector, err = os.ReadFile("testdata/trusted_root.json")
	require.NoError(t, err)
	var other map[string]any
	require.NoError(t, json.Unmarshal(vector, &other))
	delete(other, "timestampAuthorities") // we have none
	vector, err = json.Marshal(other)
	require.NoError(t, err)
	require.Equal(t, shapeOf(t, vector), shapeOf(t, root))
}

// The key id of the log in the vectors, which cosign accepts, is computed as ours.
func TestLogIDIsTheOneThatCosignExpects(t *testing.T) {
	var root struct {
		Tlogs []struct {
			PublicKey struct {
				RawBytes []byte `json:"rawBytes"`
			} `json:"publicKey"`
			LogID struct {
				KeyID []byte `json:"keyId"`
			} `json:"logId"`
		} `json:"tlogs"`
	}
	data, err := os.ReadFile("testdata/trusted_root.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &root))
	raw := root.Tlogs[0].PublicKey.RawBytes
	public, err := NewPublic(testKeys(t, "a").public.record, raw[len(raw)-32:], "log.changegate.example.com")
	require.NoError(t, err)
	require.Equal(t, root.Tlogs[0].LogID.KeyID, public.logID())

	// Their checkpoint opens with their key, and with no other.
	v := readVector(t, "p256.sigstore.json")
	require.Equal(t, root.Tlogs[0].LogID.KeyID, v.Material.Entries[0].LogID.KeyID)
	var b bundle
	data, err = os.ReadFile("testdata/p256.sigstore.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &b))
	signed := []byte(b.Material.Entries[0].Proof.Checkpoint.Envelope)
	c, err := openCheckpoint(signed, public)
	require.NoError(t, err)
	require.EqualValues(t, 13, c.tree.N)
	_, err = openCheckpoint(signed, testKeys(t, "a").public)
	require.ErrorContains(t, err, "not signed with the key of the log")
}
