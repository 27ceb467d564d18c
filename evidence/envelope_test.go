package evidence

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
)

// vector is a bundle that stock cosign has judged: see testdata.
type vector struct {
	Envelope json.RawMessage `json:"dsseEnvelope"`
	Material struct {
		Entries []struct {
			Body  []byte `json:"canonicalizedBody"`
			Proof struct {
				Hashes   [][]byte `json:"hashes"`
				LogIndex string   `json:"logIndex"`
				RootHash []byte   `json:"rootHash"`
				TreeSize string   `json:"treeSize"`
			} `json:"inclusionProof"`
			LogID struct {
				KeyID []byte `json:"keyId"`
			} `json:"logId"`
		} `json:"tlogEntries"`
	} `json:"verificationMaterial"`
}

func readVector(t *testing.T, name string) vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	var v vector
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}

// cosign accepts p256.sigstore.json and refuses p256-tampered.sigstore.json,
// whose inclusion proof was changed. So do our own parts.
func TestVectorsThatCosignJudged(t *testing.T) {
	pub, err := os.ReadFile("testdata/p256.pub")
	require.NoError(t, err)
	block, _ := pem.Decode(pub)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	require.NoError(t, err)

	for name, holds := range map[string]bool{"p256.sigstore.json": true, "p256-tampered.sigstore.json": false} {
		v := readVector(t, name)
		e, err := ParseEnvelope(v.Envelope)
		require.NoError(t, err)
		digest := e.digest()
		require.True(t, ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest[:], e.Signature))

		body, err := parseLeaf(v.Material.Entries[0].Body)
		require.NoError(t, err)
		require.Equal(t, leafOf(e, block.Bytes), body)
		require.Equal(t, string(v.Material.Entries[0].Body), string(body.encode()))

		proof := v.Material.Entries[0].Proof
		var hashes tlog.RecordProof
		for _, h := range proof.Hashes {
			hashes = append(hashes, tlog.Hash(h))
		}
		size, err := strconv.ParseInt(proof.TreeSize, 10, 64)
		require.NoError(t, err)
		index, err := strconv.ParseInt(proof.LogIndex, 10, 64)
		require.NoError(t, err)
		err = tlog.CheckRecord(hashes, size, tlog.Hash(proof.RootHash), index, tlog.RecordHash(body.encode()))
		require.Equal(t, holds, err == nil)
	}
}

func TestParseEnvelopeIsStrict(t *testing.T) {
	const good = `{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"k","sig":"AQ=="}]}`
	_, err := ParseEnvelope([]byte(good))
	require.NoError(t, err)
	for name, bad := range map[string]string{
		"two signatures":    strings.Replace(good, `"sig":"AQ=="}`, `"sig":"AQ=="},{"sig":"AQ=="}`, 1),
		"no signature":      strings.Replace(good, `{"keyid":"k","sig":"AQ=="}`, ``, 1),
		"unknown field":     strings.Replace(good, `{"payload"`, `{"x":1,"payload"`, 1),
		"field twice":       strings.Replace(good, `{"payload"`, `{"payload":"e30=","payload"`, 1),
		"other spelling":    strings.Replace(good, `"payloadType"`, `"PayloadType"`, 1),
		"keyid twice":       strings.Replace(good, `"keyid":"k"`, `"keyid":"k","keyid":"l"`, 1),
		"url base64":        strings.Replace(good, `"e30="`, `"-_-_"`, 1),
		"base64 line break": strings.Replace(good, `"e30="`, `"e3\n0="`, 1),
		"padding bits":      strings.Replace(good, `"e30="`, `"e31="`, 1),
		"something follows": good + "{}",
		"an array":          "[" + good + "]",
		"cut off":           good[:len(good)-1],
		"empty payload":     strings.Replace(good, `"e30="`, `""`, 1),
		"null payload":      strings.Replace(good, `"e30="`, `null`, 1),
	} {
		_, err := ParseEnvelope([]byte(bad))
		require.Error(t, err, name)
	}
}

// tool returns the path of a program, or skips the test when it is not there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed, so its opinion cannot be asked: %v", name, err)
	}
	return path
}

func TestOpenSSLVerifiesARecord(t *testing.T) {
	openssl := tool(t, "openssl")
	l := open(t, t.TempDir())
	r := record(t, l, entry(approved(pull(1))))
	e, err := l.bodies.envelope(r.Digest)
	require.NoError(t, err)

	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	// The encoding is made here as DSSE's protocol page gives it, not by our code.
	pae := "DSSEv1 " + strconv.Itoa(len(PayloadType)) + " " + PayloadType + " " + strconv.Itoa(len(e.Payload)) + " " + string(e.Payload)
	args := []string{"dgst", "-sha256", "-verify", filepath.Join(l.config.Dir, "keys", "record.pub"), "-signature", write("sig", e.Signature)}
	out, err := exec.Command(openssl, append(args, write("pae", []byte(pae)))...).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "Verified OK")

	out, err = exec.Command(openssl, append(args, write("other", []byte(pae+" ")))...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "Verification failure")
}

func TestKeyIDIsTheFingerprintThatSSHPrints(t *testing.T) {
	keygen := tool(t, "ssh-keygen")
	public := testKeys(t, "a").Public()
	path := filepath.Join(t.TempDir(), "record.pub")
	require.NoError(t, os.WriteFile(path, public.RecordPEM(), 0o600))
	ssh, err := exec.Command(keygen, "-i", "-m", "PKCS8", "-f", path).Output()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, ssh, 0o600))
	out, err := exec.Command(keygen, "-lf", path).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), " "+public.KeyID()+" ")
}

func TestLibraryVerifiesARecord(t *testing.T) {
	l := open(t, t.TempDir())
	r := record(t, l, entry(pull(1)))
	data, err := os.ReadFile(l.bodies.envelopePath(r.Digest))
	require.NoError(t, err)
	var e dsse.Envelope
	require.NoError(t, json.Unmarshal(data, &e))
	verifier, err := dsse.NewEnvelopeVerifier(dsseVerifier{l.Public()})
	require.NoError(t, err)
	accepted, err := verifier.Verify(t.Context(), &e)
	require.NoError(t, err)
	require.Equal(t, l.Public().KeyID(), accepted[0].KeyID)

	e.Payload = base64.StdEncoding.EncodeToString([]byte("{}"))
	_, err = verifier.Verify(t.Context(), &e)
	require.Error(t, err)
}
