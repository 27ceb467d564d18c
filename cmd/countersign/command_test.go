package main

import (
	"bytes"
	"strings"
	"testing"
)

// runCommand runs the program in this process and returns what it printed and its
// exit status.
func runCommand(t *testing.T, args ...string) (out, errs string, status int) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	var stdout, stderr bytes.Buffer
	c := &command{in: strings.NewReader(""), out: &stdout, err: &stderr, env: func(string) string { return "" }}
	status = c.run(t.Context(), args)
	return stdout.String(), stderr.String(), status
}
