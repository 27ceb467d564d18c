package evidence

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxCheckpoint bounds a checkpoint with its signatures, in bytes.
const maxCheckpoint = 64 << 10

// A checkpoint is what the log signs: its size and the root of its tree, as
// C2SP tlog-checkpoint lays them out.
type checkpoint struct {
	origin string
	tree   tlog.Tree
}

// openCheckpoint checks the log's signature on a checkpoint and reads it. A
// checkpoint of another log, or of this one under another key, is an error.
func openCheckpoint(signed []byte, public Public) (checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return checkpoint{}, fmt.Errorf("reading a checkpoint: more than %d bytes", maxCheckpoint)
	}
	verifier, err := note.NewVerifier(public.logKey)
	if err != nil {
		return checkpoint{}, fmt.Errorf("reading a checkpoint: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	var unsigned *note.UnverifiedNoteError
	if errors.As(err, &unsigned) {
		return checkpoint{}, errors.New("it is not signed with the key of the log")
	}
	if err != nil {
		return checkpoint{}, fmt.Errorf("checking the signature of a checkpoint: %w", err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return checkpoint{}, err
	}
	if c.origin != public.origin {
		return checkpoint{}, fmt.Errorf("the checkpoint is of the log %q and not of %q", c.origin, public.origin)
	}
	return c, nil
}

// sizeOf reads the size off a checkpoint of our own making, whose signature is
// not checked.
func sizeOf(signed []byte) (uint64, error) {
	c, err := parseCheckpoint(string(signed))
	return uint64(c.tree.N), err
}

// parseCheckpoint reads the text of a checkpoint: origin, size, root and any
// number of lines that mean nothing here.
func parseCheckpoint(text string) (checkpoint, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || lines[0] == "" {
		return checkpoint{}, errors.New("reading a checkpoint: fewer than three lines")
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil || strconv.FormatUint(size, 10) != lines[1] || size > math.MaxInt64/2 {
		return checkpoint{}, fmt.Errorf("reading a checkpoint: %q is not a size", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return checkpoint{}, fmt.Errorf("reading a checkpoint: %q is not a root hash", lines[2])
	}
	return checkpoint{origin: lines[0], tree: tlog.Tree{N: int64(size), Hash: tlog.Hash(root)}}, nil
}
