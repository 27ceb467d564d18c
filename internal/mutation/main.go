package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the package comment says and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mutation", flag.ContinueOnError)
	flags.SetOutput(stderr)
	expected := flags.String("expected", "", "file that lists the mutants which may survive, each with the reason")
	only := flags.String("files", "", "mutate only these files of the package, separated by commas")
	again := flags.String("again", "", "output of an earlier run: try only what survived there")
	workers := flags.Int("workers", runtime.NumCPU(), "mutants tested at a time")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 || *workers < 1 {
		fmt.Fprintln(stderr, "mutation: usage: mutation [-expected FILE] [-files NAMES] [-again OUTPUT] [-workers N] DIR")
		return 2
	}
	may, err := expectations(*expected)
	if err != nil {
		fmt.Fprintln(stderr, "mutation: error:", err)
		return 2
	}
	start := time.Now()
	wanted, err := selection(*only, *again)
	if err != nil {
		fmt.Fprintln(stderr, "mutation: error:", err)
		return 2
	}
	survived, all, err := mutate(flags.Arg(0), wanted, *workers, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "mutation: error:", err)
		return 2
	}
	unexpected := 0
	for _, m := range survived {
		if _, expected := may[m.key]; !expected {
			unexpected++
			fmt.Fprintf(stdout, "survived  %s  %s\n", m.position, m.key)
		}
	}
	wrong := 0
	for _, key := range stale(may, survived, all, *again == "") {
		wrong++
		fmt.Fprintf(stdout, "expected to survive, but it does not, or it is gone: %s\n", key)
	}
	fmt.Fprintf(stdout, "%d mutants: %d killed, %d the same by reason, %d survived, in %s\n",
		len(all), len(all)-len(survived), len(survived)-unexpected, unexpected, time.Since(start).Round(time.Second))
	if unexpected+wrong > 0 {
		return 1
	}
	return 0
}

// selection returns which mutants are tried.
func selection(files, again string) (func(mutant) bool, error) {
	survived := map[string]bool{}
	if again != "" {
		text, err := os.ReadFile(again)
		if err != nil {
			return nil, fmt.Errorf("reading the earlier run: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			if words := strings.SplitN(strings.TrimSpace(line), "  ", 3); words[0] == "survived" && len(words) == 3 {
				survived[words[2]] = true
			}
		}
	}
	return func(m mutant) bool {
		return (files == "" || slices.Contains(strings.Split(files, ","), fileOf(m.key))) && (again == "" || survived[m.key])
	}, nil
}

// expectations reads which mutants may survive: blocks of lines that are keys, below
// lines beginning with # that give the reason.
func expectations(name string) (map[string]string, error) {
	may := map[string]string{}
	if name == "" {
		return may, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading what is expected: %w", err)
	}
	reason, before := "", ""
	for i, line := range strings.Split(string(text), "\n") {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "#") && strings.HasPrefix(before, "#"):
			reason += line[1:]
		case strings.HasPrefix(line, "#"):
			reason = line[1:]
		case line != "" && reason == "":
			return nil, fmt.Errorf("%s:%d: no reason stands above this mutant", filepath.Base(name), i+1)
		case line != "":
			may[line] = reason
		default:
			reason = ""
		}
		before = line
	}
	return may, nil
}

// stale returns the keys that are expected to survive and did not, of the mutants that
// were tried and, where every one of their files was, of those that are gone.
func stale(may map[string]string, survived, all []mutant, whole bool) []string {
	alive, tried, files := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range survived {
		alive[m.key] = true
	}
	for _, m := range all {
		tried[m.key], files[fileOf(m.key)] = true, true
	}
	var keys []string
	for key := range may {
		if !alive[key] && (tried[key] || whole && files[fileOf(key)]) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// fileOf returns the file that a key begins with.
func fileOf(key string) string {
	file, _, _ := strings.Cut(key, " ")
	return file
}
