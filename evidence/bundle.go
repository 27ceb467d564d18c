package evidence

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// The media types of Sigstore's formats that we write.
const (
	bundleType      = "application/vnd.dev.sigstore.bundle.v0.3+json"
	trustedRootType = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
)

// bundle is a Sigstore bundle v0.3 with a key, in the JSON form of its protocol
// buffers: numbers of 64 bits are strings.
type bundle struct {
	MediaType string          `json:"mediaType"`
	Material  bundleMaterial  `json:"verificationMaterial"`
	Envelope  json.RawMessage `json:"dsseEnvelope"`
}

type bundleMaterial struct {
	PublicKey struct {
		Hint string `json:"hint"` // has to be the envelope's keyid
	} `json:"publicKey"`
	Entries []bundleEntry `json:"tlogEntries"`
}

type bundleEntry struct {
	LogIndex string `json:"logIndex"`
	LogID    struct {
		KeyID []byte `json:"keyId"`
	} `json:"logId"`
	KindVersion struct {
		Kind    string `json:"kind"`
		Version string `json:"version"`
	} `json:"kindVersion"`
	Proof inclusionProof `json:"inclusionProof"`
	Body  []byte         `json:"canonicalizedBody"`
}

type inclusionProof struct {
	LogIndex   string   `json:"logIndex"`
	RootHash   []byte   `json:"rootHash"`
	TreeSize   string   `json:"treeSize"`
	Hashes     [][]byte `json:"hashes"`
	Checkpoint struct {
		Envelope string `json:"envelope"`
	} `json:"checkpoint"`
}

// Bundle returns the record with the given digest as a Sigstore bundle: its
// envelope, the proof that the log holds it, and the checkpoint that the proof
// leads to. It waits for a checkpoint that covers the record.
func (l *Ledger) Bundle(ctx context.Context, digest string) ([]byte, error) {
	if err := l.enter(); err != nil {
		return nil, fmt.Errorf("bundling record %s: %w", digest, err)
	}
	defer l.working.Done()
	data, err := l.bundle(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("bundling record %s: %w", digest, err)
	}
	return data, nil
}

func (l *Ledger) bundle(ctx context.Context, digest string) ([]byte, error) {
	e, err := l.bodies.envelope(digest)
	if err != nil {
		return nil, err
	}
	r, found, err := l.index.byDigest(ctx, digest)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errors.New("the log does not have it")
	}
	index := int64(r.receipt.Index)
	signed, c, err := l.covering(ctx, index)
	if err != nil {
		return nil, err
	}
	body := leafOf(e, l.config.Keys.public.spki).encode()
	proof, err := l.tiles.prove(c.tree, index, body)
	if err != nil {
		return nil, err
	}
	envelope, err := e.Encode()
	if err != nil {
		return nil, err
	}
	b := bundle{MediaType: bundleType, Envelope: envelope, Material: bundleMaterial{Entries: []bundleEntry{{
		LogIndex: strconv.FormatInt(index, 10), Body: body, Proof: inclusionProof{
			LogIndex: strconv.FormatInt(index, 10), RootHash: c.tree.Hash[:], TreeSize: strconv.FormatInt(c.tree.N, 10), Hashes: proof,
		},
	}}}}
	entry := &b.Material.Entries[0]
	b.Material.PublicKey.Hint = e.KeyID
	entry.LogID.KeyID = l.config.Keys.public.logID()
	entry.KindVersion.Kind, entry.KindVersion.Version = leafKind, leafVersion
	entry.Proof.Checkpoint.Envelope = string(signed)
	return encode(b)
}

// covering returns a checkpoint that covers the entry at index.
func (l *Ledger) covering(ctx context.Context, index int64) ([]byte, checkpoint, error) {
	tick := time.NewTicker(l.config.CheckpointInterval / 4)
	defer tick.Stop()
	for {
		signed, err := l.tiles.checkpoint()
		if err != nil {
			return nil, checkpoint{}, err
		}
		if signed != nil {
			c, err := openCheckpoint(signed, l.config.Keys.public)
			if err != nil {
				return nil, checkpoint{}, err
			}
			if c.tree.N > index {
				return signed, c, nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, checkpoint{}, fmt.Errorf("waiting for a checkpoint: %w", ctx.Err())
		}
	}
}

// prove returns the proof that tree holds body at index, and checks it.
func (t tiles) prove(tree tlog.Tree, index int64, body []byte) ([][]byte, error) {
	// TileHashReader compares every tile that it reads with the root.
	proof, err := tlog.ProveRecord(tree.N, index, tlog.TileHashReader(tree, t))
	if err != nil {
		return nil, fmt.Errorf("proving inclusion: %w", err)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(body)); err != nil {
		return nil, fmt.Errorf("proving inclusion: %w", err)
	}
	hashes := make([][]byte, len(proof))
	for i := range proof {
		hashes[i] = proof[i][:]
	}
	return hashes, nil
}

// TrustedRoot returns what Sigstore verifiers need to trust the log: its key,
// valid from since on, and its address, https:// and the origin.
func (p Public) TrustedRoot(since time.Time) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(p.log)
	if err != nil {
		return nil, fmt.Errorf("encoding the key of the log: %w", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return encode(map[string]any{
		"mediaType": trustedRootType,
		"tlogs": []any{map[string]any{
			"baseUrl": "https://" + p.origin, "hashAlgorithm": "SHA2_256",
			"publicKey": map[string]any{
				"rawBytes": b64(spki), "keyDetails": "PKIX_ED25519",
				"validFor": map[string]string{"start": since.UTC().Format(time.RFC3339)},
			},
			"logId": map[string]string{"keyId": b64(p.logID())},
		}},
	})
}
