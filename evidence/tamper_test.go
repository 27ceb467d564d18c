package evidence

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// update writes what came out into the stories and golden records, to be read
// and committed by whoever changed them.
var update = flag.Bool("update", false, "write golden files")

// Each story under testdata/tampering writes records, does something to the
// files, and says what the verification finds. Lines of its commands:
//
//	pull 1, approve 1, merge 1 c0    record a state of a pull request; a merge moves main from a commit
//	merge-onto 2 1                   a merge that moves main from where merge 1 has left it
//	keep                             set the log aside, and its checkpoint for the verifier
//	checkpoint                       set only the checkpoint aside
//	restore                          put the log back as it was when kept, without the newer entries
//	copy-kept FILE                   put one file of the log back as it was when kept
//	junk FILE                        overwrite a file
//	flip FILE OFFSET                 change one bit; FILE may be body:N, disclosures:N, checkpoint, or a path
//	flip-signature N                 change one bit of the signature on record N
//	delete FILE, swap FILE FILE
//	edit N OLD NEW                   change text in the statement of record N
//	resign N KEY                     sign record N again with somebody's key, and put it under its new name
//	relog KEY N…                     write the log anew from these entries, signed with somebody's log key
//	with checkpoint                  verify with the checkpoint that was kept
func TestTampering(t *testing.T) {
	files, err := filepath.Glob("testdata/tampering/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			st := newTampering(t)
			for _, line := range strings.Split(strings.TrimSpace(parts["story"]), "\n") {
				st.do(strings.Fields(line))
			}
			got := st.report()
			if *update {
				archive.Files[len(archive.Files)-1].Data = []byte(got)
				require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
				return
			}
			require.Equal(t, parts["want"], got)
		})
	}
}

// tampering is one story under way.
type tampering struct {
	t       *testing.T
	dir     string
	ledger  *Ledger
	clock   time.Time
	digests []string // of the records, by index
	options Options
	kept    []byte
}

func newTampering(t *testing.T) *tampering {
	return &tampering{t: t, dir: t.TempDir(), clock: morning, options: Options{Judge: judge}}
}

// running returns the open ledger: its ids, salts and times are the same each time.
func (s *tampering) running() *Ledger {
	if s.ledger == nil {
		config := testConfig(s.t, s.dir)
		config.Rand = &counter{n: uint64(len(s.digests)) << 20}
		config.Now = func() time.Time { s.clock = s.clock.Add(time.Second); return s.clock }
		var err error
		s.ledger, err = Open(context.Background(), config)
		require.NoError(s.t, err)
	}
	return s.ledger
}

func (s *tampering) stop() {
	if s.ledger != nil {
		shut(s.t, s.ledger)
		s.ledger = nil
	}
}

func (s *tampering) do(words []string) {
	number := func(i int) int {
		n, err := strconv.Atoi(words[i])
		require.NoError(s.t, err)
		return n
	}
	switch words[0] {
	case "pull":
		s.record(entry(pull(number(1))))
		return
	case "approve":
		s.record(entry(approved(pull(number(1)))))
		return
	case "merge":
		s.record(entry(merged(approved(pull(number(1))), sha(words[2]))))
		return
	case "merge-onto":
		s.record(entry(merged(approved(pull(number(1))), sha("landed "+string(sha("pull "+words[2]))))))
		return
	}
	s.stop()
	switch words[0] {
	case "keep":
		require.NoError(s.t, os.CopyFS(s.dir+"-kept", os.DirFS(filepath.Join(s.dir, "log"))))
		s.kept = s.read("log/checkpoint")
	case "restore":
		require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, "log")))
		require.NoError(s.t, os.CopyFS(filepath.Join(s.dir, "log"), os.DirFS(s.dir+"-kept")))
	case "copy-kept":
		data, err := os.ReadFile(filepath.Join(s.dir+"-kept", words[1]))
		require.NoError(s.t, err)
		s.write(filepath.Join("log", words[1]), data)
	case "junk":
		s.write(words[1], []byte("junk"))
	case "flip":
		flip(s.t, s.path(words[1]), number(2))
	case "flip-signature":
		s.flipSignature(number(1))
	case "checkpoint":
		s.kept = s.read("log/checkpoint")
	case "delete":
		require.NoError(s.t, os.Remove(s.path(words[1])))
	case "swap":
		a, b := s.read(words[1]), s.read(words[2])
		s.write(words[1], b)
		s.write(words[2], a)
	case "edit":
		s.edit(number(1), words[2], words[3])
	case "resign":
		s.resign(number(1), words[2])
	case "relog":
		s.relog(words[1], words[2:])
	case "with":
		s.options.Checkpoint = s.kept
	default:
		s.t.Fatalf("no such command: %q", words)
	}
}

func (s *tampering) record(e Entry) {
	s.digests = append(s.digests, record(s.t, s.running(), e).Digest)
}

// path returns the path of what a story calls a file.
func (s *tampering) path(name string) string {
	kind, n, ok := strings.Cut(name, ":")
	if !ok {
		return filepath.Join(s.dir, name)
	}
	i, err := strconv.Atoi(n)
	require.NoError(s.t, err)
	if kind == "disclosures" {
		return newBodies(s.dir).disclosuresPath(s.digests[i])
	}
	return newBodies(s.dir).envelopePath(s.digests[i])
}

func (s *tampering) read(name string) []byte {
	data, err := os.ReadFile(s.path(name))
	require.NoError(s.t, err)
	return data
}

func (s *tampering) write(name string, data []byte) {
	require.NoError(s.t, os.WriteFile(s.path(name), data, 0o600))
}

// flipSignature changes one bit of the signature in the envelope of record n.
func (s *tampering) flipSignature(n int) {
	name := fmt.Sprint("body:", n)
	e, err := ParseEnvelope(s.read(name))
	require.NoError(s.t, err)
	e.Signature[10] ^= 1
	body, err := e.Encode()
	require.NoError(s.t, err)
	s.write(name, body)
}

// edit changes the statement of record n and leaves its signature.
func (s *tampering) edit(n int, old, replacement string) {
	name := fmt.Sprint("body:", n)
	e, err := ParseEnvelope(s.read(name))
	require.NoError(s.t, err)
	require.Contains(s.t, string(e.Payload), old)
	e.Payload = bytes.ReplaceAll(e.Payload, []byte(old), []byte(replacement))
	body, err := e.Encode()
	require.NoError(s.t, err)
	s.write(name, body)
}

// resign signs the statement of record n with somebody's key and moves the
// record to the name that it has then.
func (s *tampering) resign(n int, seed string) {
	from := s.path(fmt.Sprint("body:", n))
	e, err := ParseEnvelope(s.read(fmt.Sprint("body:", n)))
	require.NoError(s.t, err)
	e, err = sign(context.Background(), testKeys(s.t, seed), e.Payload)
	require.NoError(s.t, err)
	body, err := e.Encode()
	require.NoError(s.t, err)
	require.NoError(s.t, os.Remove(from))
	was := newBodies(s.dir).disclosuresPath(s.digests[n])
	s.digests[n] = e.Digest()
	for _, path := range []string{s.path(fmt.Sprint("body:", n)), s.path(fmt.Sprint("disclosures:", n))} {
		require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	}
	require.NoError(s.t, os.Rename(was, s.path(fmt.Sprint("disclosures:", n))))
	s.write(fmt.Sprint("body:", n), body)
}

// relog writes the log anew from the records named, as who holds a log key can.
func (s *tampering) relog(seed string, records []string) {
	require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, "log")))
	var tree frontier
	var bundle, hashes []byte
	for _, name := range records {
		e, err := ParseEnvelope(s.read("body:" + name))
		require.NoError(s.t, err)
		signer := "a"
		if e.KeyID != testKeys(s.t, "a").public.keyID {
			signer = "mallory"
		}
		data := leafOf(e, testKeys(s.t, signer).public.spki).encode()
		bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(data))), data...)
		h := tlog.RecordHash(data)
		hashes = append(hashes, h[:]...)
		tree.add(h)
	}
	signer, err := testKeys(s.t, seed).noteSigner()
	require.NoError(s.t, err)
	root := tree.root()
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", origin, tree.n, root)}, signer)
	require.NoError(s.t, err)
	for path, data := range map[string][]byte{
		fmt.Sprintf("log/tile/entries/000.p/%d", tree.n): bundle,
		fmt.Sprintf("log/tile/0/000.p/%d", tree.n):       hashes,
		"log/checkpoint": signed,
	} {
		require.NoError(s.t, os.MkdirAll(filepath.Dir(s.path(path)), 0o700))
		s.write(path, data)
	}
}

var (
	digestInText  = regexp.MustCompile(`[0-9a-f]{12}…|[0-9a-f]{64}`)
	keyInText     = regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}`)
	offsetsInText = regexp.MustCompile(`/tmp/\S*/001`)
)

// report verifies and says what was found.
func (s *tampering) report() string {
	s.stop()
	v, err := Verify(context.Background(), s.dir, s.options)
	require.NoError(s.t, err)
	require.Equal(s.t, len(v.Findings) == 0, v.OK())
	_, err = json.Marshal(v)
	require.NoError(s.t, err)
	var b strings.Builder
	fmt.Fprintf(&b, "ok: %t, records: %d, judged again: %d\n", v.OK(), v.Records, v.Replayed)
	for _, list := range []struct {
		name string
		of   []Finding
	}{{"finding", v.Findings}, {"gap", v.Gaps}, {"note", v.Notes}} {
		for _, f := range list.of {
			what := keyInText.ReplaceAllString(digestInText.ReplaceAllString(f.What, "DIGEST"), "KEY")
			fmt.Fprintf(&b, "%s at %d: %s\n", list.name, f.Index, offsetsInText.ReplaceAllString(what, "DIR"))
		}
	}
	return b.String()
}
