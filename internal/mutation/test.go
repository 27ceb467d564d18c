package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/build"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	variable = "COUNTERSIGN_MUTANT"    // holds the number of the mutant that is on
	stories  = "^TestStories$"         // what catches most, and soon
	patience = 3 * time.Minute         // for one run of the tests; a mutant that never ends is noticed too
	board    = "mutant_switchboard.go" // is added to the package
)

// mutate tests every mutant of the package in a directory. It returns those that
// survived, and all.
func mutate(dir string, wanted func(mutant) bool, workers int, progress io.Writer) (survived, all []mutant, err error) {
	tmp, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return nil, nil, fmt.Errorf("making a directory: %w", err)
	}
	defer os.RemoveAll(tmp)
	all, err = overlay(dir, tmp)
	if err != nil {
		return nil, nil, err
	}
	binary := filepath.Join(tmp, "package.test")
	compile := exec.Command("go", "test", "-c", "-vet=off", "-overlay", filepath.Join(tmp, "overlay.json"), "-o", binary, ".")
	compile.Dir = dir
	if out, err := compile.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("compiling the mutants: %w\n%s", err, out)
	}
	t := tester{binary, dir}
	if out, passed := t.passes(0, "-test.short"); !passed {
		return nil, nil, fmt.Errorf("the tests fail without any mutant:\n%s", out)
	}
	all = slices.DeleteFunc(all, func(m mutant) bool { return !wanted(m) })
	survived = t.all(all, workers, progress)
	if out, passed := t.passes(0, "-test.short"); !passed {
		return nil, nil, fmt.Errorf("the tests fail without any mutant after the run, so something changed below it; run it again:\n%s", out)
	}
	return survived, all, nil
}

// overlay writes the mutated files of a package, and where they stand.
func overlay(dir, tmp string) ([]mutant, error) {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, fmt.Errorf("finding the package: %w", err)
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the package: %w", err)
	}
	var all []mutant
	replace := map[string]string{filepath.Join(root, board): filepath.Join(tmp, board)}
	texts := map[string]string{board: switchboard(pkg.Name)}
	for _, name := range pkg.GoFiles {
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, fmt.Errorf("reading the package: %w", err)
		}
		text, mutants, err := rewrite(filepath.Join(root, name), source, len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, mutants...)
		replace[filepath.Join(root, name)], texts[name] = filepath.Join(tmp, name), text
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, fmt.Errorf("writing the overlay: %w", err)
	}
	texts["overlay.json"] = string(data)
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("writing the mutants: %w", err)
		}
	}
	return all, nil
}

// A tester runs the tests of one package.
type tester struct{ binary, dir string }

// all tests mutants, several at a time, and returns those that survived, in order.
func (t tester) all(mutants []mutant, workers int, progress io.Writer) []mutant {
	alive := make([]bool, len(mutants))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				if alive[i] = t.survives(mutants[i].id); alive[i] {
					fmt.Fprintf(progress, "mutation: survived %s: %s\n", mutants[i].position, mutants[i].key)
				}
			}
		})
	}
	for i := range mutants {
		next <- i
		if i%100 == 99 {
			fmt.Fprintf(progress, "mutation: %d of %d\n", i+1, len(mutants))
		}
	}
	close(next)
	wg.Wait()
	var survived []mutant
	for i, m := range mutants {
		if alive[i] {
			survived = append(survived, m)
		}
	}
	return survived
}

// survives reports whether the tests pass with a mutant on.
func (t tester) survives(id int) bool {
	for _, args := range [][]string{{"-test.run", stories}, {"-test.skip", stories, "-test.short"}} {
		if _, passed := t.passes(id, args...); !passed {
			return false
		}
	}
	return true
}

// passes runs tests with a mutant on.
func (t tester) passes(id int, args ...string) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.binary, append(args, "-test.failfast")...)
	cmd.Dir, cmd.Env = t.dir, append(os.Environ(), variable+"="+strconv.Itoa(id))
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}
