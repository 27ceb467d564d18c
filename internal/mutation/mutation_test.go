package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	scale = `package scale

import "time"

func heavy(n int) bool { return n > 10 }

func due(at, now time.Time, open bool) bool { return open && !at.After(now) }

func same(a, b string) bool { return a == b }
`
	scaleTest = `package scale

import (
	"testing"
	"time"
)

func TestStories(t *testing.T) {
	if heavy(1) || !heavy(11) {
		t.Fatal("heavy")
	}
}

func TestDue(t *testing.T) {
	now := time.Unix(0, 0)
	if !due(now, now, true) || due(now, now, false) || due(now.Add(1), now, true) || !due(now.Add(-1), now, true) {
		t.Fatal("due")
	}
}
`
)

// scales writes a package whose tests miss two mutants and returns its directory.
func scales(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module scale\n\ngo 1.26\n", "scale.go": scale, "scale_test.go": scaleTest} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

// Mutants that the tests notice are killed, the others are named, and nothing in the
// directory has changed.
func TestMutants(t *testing.T) {
	dir := scales(t)
	var out, errs bytes.Buffer
	require.Equal(t, 1, run([]string{dir}, &out, &errs), errs.String())
	require.Contains(t, out.String(), "survived  scale.go:5  scale.go heavy: n > 10: >=\n"+"survived  scale.go:9  scale.go same: a == b: !=\n7 mutants: 5 killed, 0 the same by reason, 2 survived, in ")
	text, err := os.ReadFile(filepath.Join(dir, "scale.go"))
	require.NoError(t, err)
	require.Equal(t, scale, string(text))

	earlier := filepath.Join(dir, "earlier.txt")
	require.NoError(t, os.WriteFile(earlier, out.Bytes(), 0o600))
	out.Reset()
	require.Equal(t, 1, run([]string{"-again", earlier, "-files", "scale.go", dir}, &out, &errs))
	require.Contains(t, out.String(), "2 mutants: 0 killed, 0 the same by reason, 2 survived, in ", "what survived, and nothing else")

	expected := filepath.Join(dir, "expected.txt")
	write := func(text string) { require.NoError(t, os.WriteFile(expected, []byte(text), 0o600)) }
	write("# nobody weighs\n# exactly ten\nscale.go heavy: n > 10: >=\nscale.go same: a == b: !=\n")
	out.Reset()
	require.Equal(t, 0, run([]string{"-expected", expected, dir}, &out, &errs), out.String())
	require.Contains(t, out.String(), "7 mutants: 5 killed, 2 the same by reason, 0 survived, in ")

	write("# a reason\nscale.go heavy: n > 10: >=\nscale.go same: a == b: !=\nscale.go heavy: n > 11: >=\n")
	out.Reset()
	require.Equal(t, 1, run([]string{"-expected", expected, dir}, &out, &errs))
	require.Contains(t, out.String(), "expected to survive, but it does not, or it is gone: scale.go heavy: n > 11: >=\n")

	write("scale.go heavy: n > 10: >=\n")
	require.Equal(t, 2, run([]string{"-expected", expected, dir}, &out, &errs))
	require.Contains(t, errs.String(), "expected.txt:1: no reason stands above this mutant")
}

// A package whose tests fail by themselves says nothing about mutants.
func TestTestsThatFailAnyway(t *testing.T) {
	dir := scales(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "more_test.go"), []byte("package scale\n\nimport \"testing\"\n\nfunc TestMore(t *testing.T) { t.Fail() }\n"), 0o600))
	var out, errs bytes.Buffer
	require.Equal(t, 2, run([]string{dir}, &out, &errs))
	require.Contains(t, errs.String(), "the tests fail without any mutant")
}

func TestUsage(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, 2, run(nil, &out, &errs))
	require.Contains(t, errs.String(), "usage: mutation")
}

func TestRewritten(t *testing.T) {
	text, mutants, err := rewrite("a.go", []byte("package a\n\nfunc f(a, b, c int) bool { return a < b && (b == c ||\n\t!g(a.b().Before(c))) }\n"), 7)
	require.NoError(t, err)
	require.Equal(t, "package a\n\nfunc f(a, b, c int) bool { return mutantAnd(8, mutantLess(9, a ,  b) , func() bool { return ( (mutantOr(11, ((b == c) != mutantIs(12)) , func() bool { return (\n\t((!g(mutantBefore(14, a.b(), c))) != mutantIs(13))) }))) }) }\n", text)
	require.Len(t, mutants, 8)
	require.Equal(t, mutant{9, "a.go:3", "a.go f: a < b: >="}, mutants[1])
	_, _, err = rewrite("a.go", []byte("package"), 0)
	require.ErrorContains(t, err, "parsing")
}
