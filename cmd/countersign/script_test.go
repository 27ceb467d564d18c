package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// TestMain lets scripts run the program as the command countersign.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"countersign": func() {
			c := &command{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}
			os.Exit(c.run(context.Background(), os.Args[1:]))
		},
	})
}

// The command line is told in scripts, see testdata/script. Beside the usual
// commands they have "exits N countersign …", which runs the program and asks for
// an exit status.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"flip":   flip,
			"github": simulated,
		},
	})
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// flip changes one bit in the middle of the file that a pattern names.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(name, data, 0o600))
}

// Help lists every flag and every key of the configuration.
func TestHelpIsWhole(t *testing.T) {
	out, _, status := runCommand(t, "serve", "--help")
	require.Equal(t, allowed, status)
	for _, k := range configKeys() {
		require.Contains(t, out, k.name)
		require.NotEmpty(t, k.doc, k.name)
		require.Contains(t, out, k.doc)
	}
}
