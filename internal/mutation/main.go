package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
	workers := flags.Int("workers", runtime.NumCPU(), "mutants tested at a time")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 || *workers < 1 {
		fmt.Fprintln(stderr, "mutation: usage: mutation [-expected FILE] [-files NAMES] [-workers N] DIR")
		return 2
	}
	may, err := expectations(*expected)
	if err != nil {
		fmt.Fprintln(stderr, "mutation: error:", err)
		return 2
	}
	start := time.Now()
	survived, all, err := mutate(flags.Arg(0), *only, *workers, stderr)
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
	for _, key := range stale(may, survived, all) {
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

// stale returns the keys that are expected to survive and did not, of the files that
// were mutated.
func stale(may map[string]string, survived, all []mutant) []string {
	alive, files := map[string]bool{}, map[string]bool{}
	for _, m := range survived {
		alive[m.key] = true
	}
	for _, m := range all {
		files[fileOf(m.key)] = true
	}
	var keys []string
	for key := range may {
		if !alive[key] && files[fileOf(key)] {
			keys = append(keys, key)
		}
	}
	return keys
}

// fileOf returns the file that a key begins with.
func fileOf(key string) string {
	file, _, _ := strings.Cut(key, " ")
	return file
}
