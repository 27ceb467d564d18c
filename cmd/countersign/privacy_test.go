package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A whole day's signed bytes, and the log, name nobody: people stand there as salted
// digests. The names of branches are free text, which the people themselves chose.
func TestTheSignedBytesOfADayNameNobody(t *testing.T) {
	s, err := openStage(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s.teller = teller{out: io.Discard}
	require.NoError(t, s.playDay(t.Context()))
	require.NoError(t, s.close(t.Context()))

	branch := regexp.MustCompile(`"branch":"[^"]*"`)
	person := regexp.MustCompile(`\b(ada|grace|linus|mallory|barbara|margaret)\b|@example\.com|"(login|account|email)":`)
	seen := 0
	err = filepath.WalkDir(filepath.Join(s.data(), evidenceDir), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(name, "disclosures") || strings.Contains(name, "index.sqlite") {
			return err
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, ".dsse.json") {
			var envelope struct{ Payload string }
			require.NoError(t, json.Unmarshal(text, &envelope))
			text, err = base64.StdEncoding.DecodeString(envelope.Payload)
			require.NoError(t, err)
			text = branch.ReplaceAll(text, nil)
			seen++
		}
		require.Empty(t, person.FindAllString(strings.ToLower(string(text)), -1), name)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, seen, 20)
}
