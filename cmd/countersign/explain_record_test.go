package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/evidence"
)

// A record is explained by the policy that is named: what it says rests on the facts that
// the record holds, and not on what was decided then.
func TestExplainARecord(t *testing.T) {
	golden, err := txtar.ParseFile("../../testdata/records/pull-request-approved.golden")
	require.NoError(t, err)
	payload := bytes.TrimSuffix(golden.Files[0].Data, []byte("\n"))
	_, err = evidence.ParseStatement(payload)
	require.NoError(t, err)
	record, err := json.Marshal(map[string]any{"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []any{}})
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, data, 0o600))
		return name
	}
	envelope := write("record.dsse.json", record)
	own := write("own.yml", []byte("version: 1\nowner: a\nchanges:\n  - branches: [\"**\"]\n    required-checks: [{name: test, app: github-actions}]\n"))
	strict := write("strict.yml", []byte("version: 1\nowner: a\nchanges:\n  - branches: [\"**\"]\n    peer-review: {approvals: 9}\n"))

	out, errs, status := runCommand(t, "policy", "explain", "--policy", own, envelope)
	require.Equal(t, undecided, status, errs)
	require.Contains(t, out, "the touched files are not known")
	require.Contains(t, out, "rests on: checks/7")
	require.Contains(t, out, "names are withheld: ")
	require.NotContains(t, out, "somebody")
	out, errs, status = runCommand(t, "policy", "explain", "--policy", strict, envelope)
	require.Equal(t, undecided, status, errs)
	require.Contains(t, out, "peer-review: unknown")
	require.Contains(t, out, "p3 is a co-author of commit e6f9aeb")
	require.Contains(t, out, "whether p2's approval")

	broken := write("broken.dsse.json", []byte(`{"payload":"e30="}`))
	_, errs, status = runCommand(t, "policy", "explain", "--policy", own, broken)
	require.Equal(t, misused, status)
	require.Contains(t, errs, "not a change record")
}
