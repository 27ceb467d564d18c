package evidence

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// exampleStatement returns the bytes of a statement of ours.
func exampleStatement(t testing.TB) []byte {
	s, _, err := compose(entry(approved(pull(1))), 1, "", morning, &counter{})
	require.NoError(t, err)
	data, err := encode(s)
	require.NoError(t, err)
	return data
}

func FuzzParseEnvelope(f *testing.F) {
	e, err := sign(f.Context(), testKeys(f, "a"), exampleStatement(f))
	require.NoError(f, err)
	data, err := e.Encode()
	require.NoError(f, err)
	f.Add(data)
	for _, name := range []string{"p256.sigstore.json", "p256-tampered.sigstore.json"} {
		data, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(`{"payload":"e30=","payloadType":"t","signatures":[{"sig":"AQ=="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEnvelope(data)
		if err != nil {
			return
		}
		again, err := e.Encode()
		require.NoError(t, err)
		same, err := ParseEnvelope(again)
		require.NoError(t, err)
		require.Equal(t, e, same)
		require.Equal(t, e.Digest(), same.Digest())
	})
}

func FuzzParseStatement(f *testing.F) {
	f.Add(exampleStatement(f))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"` + ChangeRecord + `","predicate":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseStatement(data)
		if err != nil {
			return
		}
		again, err := encode(s)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, again))
		// A verifier does this with whatever a statement says.
		follows(data, contentOf(s).statement())
	})
}

func FuzzParseLeaf(f *testing.F) {
	f.Add(leaf{signature: []byte("signature"), spki: []byte("key")}.encode())
	f.Add([]byte(`{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseLeaf(data)
		if err != nil {
			return
		}
		require.Equal(t, string(data), string(l.encode()))
	})
}

func FuzzParseDisclosures(f *testing.F) {
	withheld, opened, err := withhold(pull(1).People, &counter{})
	require.NoError(f, err)
	data, err := opened.encodeFile()
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte(`{"disclosures":{"p1":""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDisclosures(data)
		if err != nil {
			return
		}
		people, whole, err := d.Open(withheld)
		if err == nil && whole {
			// Nothing but the disclosures that were signed opens the digests.
			require.Equal(t, pull(1).People, people)
		}
	})
}

func FuzzSplitBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 0}, 2)
	f.Fuzz(func(t *testing.T, data []byte, width int) {
		if width < 0 || width > tileWidth {
			return
		}
		entries, err := splitBundle(data, width)
		if err == nil {
			require.Len(t, entries, width)
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("log.example\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCheckpoint(text)
		if err == nil {
			require.GreaterOrEqual(t, c.tree.N, int64(0))
		}
	})
}

func TestParseStatementIsStrict(t *testing.T) {
	good := exampleStatement(t)
	_, err := ParseStatement(good)
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"unknown field":  {`"recordId"`, `"x":1,"recordId"`},
		"field twice":    {`"recordId"`, `"recordId":"a","recordId"`},
		"other spelling": {`"recordId"`, `"RecordID"`},
		"white space":    {`"recordId":`, `"recordId": `},
		"another type":   {"change-record/v1", "change-record/v2"},
		"an escape":      {`"peer-review"`, `"peer\u002dreview"`},
	} {
		bad := bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1)
		require.NotEqual(t, good, bad, name)
		_, err := ParseStatement(bad)
		require.Error(t, err, name)
	}
	_, err = ParseStatement(append(good, '\n'))
	require.Error(t, err)
}

func TestTimesKeepTheirSource(t *testing.T) {
	f := merged(approved(pull(1)), sha("c0"))
	times := timesOf(f, morning.Add(time.Hour))
	require.Equal(t, f.GatheredAt, times.ObservedAt)
	require.Equal(t, f.GatheredAt, times.ForgeMergedAt)
	require.Equal(t, map[string]string{"observedAt": "server clock", "recordedAt": "server clock", "forgeMergedAt": "github, github.com"}, times.Sources)
}
