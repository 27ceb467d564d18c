package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/story"
)

// maxStories bounds how many stories one directory can hold.
const maxStories = 10_000

// A storyRun is how stories are chosen, played and told about.
type storyRun struct {
	*command
	policyFile string
	floorFile  string         // empty for none
	only       *regexp.Regexp // nil for every story
	asJSON     bool

	ownFloor  *string // the text of floorFile, once a story needed it
	ownPolicy *string // the text of policyFile, once a story needed it
	counts    struct{ passed, failed, broken int }
}

func (c *command) policyTest() *cobra.Command {
	r := &storyRun{command: c}
	var pattern string
	test := &cobra.Command{
		Use:   "test DIR",
		Short: "play stories, and see whether a policy decides as they want",
		Long: "Test plays every story (*.txtar) below a directory: what happened to a change, line by line,\n" +
			"and what the policy must decide of it. The language is in docs/policy-stories.md. It exits with\n" +
			"0 when every story comes out as it wants, 1 when one does not and 2 when one cannot be played.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if pattern != "" {
				var err error
				if r.only, err = regexp.Compile(pattern); err != nil {
					return exit(misused, "reading --run: %w", err)
				}
			}
			return r.directory(args[0])
		},
	}
	test.Flags().StringVar(&r.policyFile, "policy", policyFile, "the policy of the stories that bring none")
	floorFlag(test, &r.floorFile)
	test.Flags().StringVar(&pattern, "run", "", "play only stories whose name matches this regular expression")
	test.Flags().BoolVar(&r.asJSON, "json", false, "print one JSON object a story")
	return test
}

// directory plays the stories below a directory, in the order of their names.
func (r *storyRun) directory(dir string) error {
	files, err := storyFiles(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		name := storyName(dir, file)
		if r.only != nil && !r.only.MatchString(name) {
			continue
		}
		if err := r.one(name, file); err != nil {
			return err
		}
	}
	return r.conclude(dir)
}

// storyFiles returns the stories below a directory.
func storyFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".txtar" {
			return err
		}
		if files = append(files, name); len(files) > maxStories {
			return fmt.Errorf("more than %d stories", maxStories)
		}
		return nil
	})
	if err != nil {
		return nil, exit(misused, "looking for stories: %w", err)
	}
	return files, nil
}

// storyName returns what to call a story: its path below the directory.
func storyName(dir, file string) string {
	name, err := filepath.Rel(dir, file)
	if err != nil || name == "." {
		name = filepath.Base(file)
	}
	return strings.TrimSuffix(filepath.ToSlash(name), ".txtar")
}

// A storyResult is what came of one story, as JSON has it.
type storyResult struct {
	Story       string             `json:"story"`
	File        string             `json:"file"`
	About       string             `json:"about,omitempty"`
	Result      string             `json:"result"` // pass, fail or error
	Differences []story.Difference `json:"differences,omitempty"`
	Errors      []string           `json:"errors,omitempty"`
}

// one plays one story and tells what came of it. Its error ends the run: nothing
// can be played without a policy.
func (r *storyRun) one(name, file string) error {
	out := storyResult{Story: name, File: file, Result: "pass"}
	s, played, err := r.play(file)
	var problems story.Problems
	switch {
	case errors.As(err, &problems):
		r.counts.broken++
		out.Result, out.Errors = "error", strings.Split(problems.Error(), "\n")
		return r.tell(out)
	case err != nil:
		return err
	}
	out.About = s.About
	r.counts.passed++
	if out.Differences = s.Differences(played); len(out.Differences) > 0 {
		r.counts.passed, r.counts.failed = r.counts.passed-1, r.counts.failed+1
		out.Result = "fail"
	}
	return r.tell(out)
}

// play reads and plays one story.
func (r *storyRun) play(file string) (*story.Story, story.Played, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, story.Played{}, exit(misused, "reading a story: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, story.MaxBytes+1))
	if err != nil {
		return nil, story.Played{}, exit(undecided, "reading a story: %w", err)
	}
	s, err := story.Parse(file, data)
	if err != nil {
		return nil, story.Played{}, err
	}
	text := s.Policy
	if text == "" {
		if text, err = r.policyText(); err != nil {
			return nil, story.Played{}, err
		}
	}
	if s.Floor == "" && r.floorFile != "" {
		if s.Floor, err = r.floorText(); err != nil {
			return nil, story.Played{}, err
		}
	}
	played, err := s.Play(text)
	return s, played, err
}

// policyText returns the policy of the stories that bring none. It must be valid,
// because every one of them would fail by it in the same way.
func (r *storyRun) policyText() (string, error) {
	if r.ownPolicy == nil {
		data, err := readPolicy(r.policyFile)
		if err != nil {
			return "", err
		}
		if _, err := policy.Parse(r.policyFile, data); err != nil {
			return "", &exitError{status: misused, err: err}
		}
		text := string(data)
		r.ownPolicy = &text
	}
	return *r.ownPolicy, nil
}

// floorText returns the floor of the stories that bring none, which must be valid.
func (r *storyRun) floorText() (string, error) {
	if r.ownFloor == nil {
		data, err := readPolicy(r.floorFile)
		if err != nil {
			return "", err
		}
		if _, err := policy.Parse(r.floorFile, data); err != nil {
			return "", &exitError{status: misused, err: err}
		}
		text := string(data)
		r.ownFloor = &text
	}
	return *r.ownFloor, nil
}

// tell prints what came of one story.
func (r *storyRun) tell(s storyResult) error {
	if r.asJSON {
		return json.NewEncoder(r.out).Encode(s)
	}
	if s.Result == "error" {
		errs := lines{w: r.err}
		for _, e := range s.Errors {
			errs.print("countersign: error: %s", visible(e))
		}
		return errs.err
	}
	out := lines{w: r.out}
	out.print("%s  %s", s.Result, visible(s.Story))
	if s.Result == "pass" {
		return out.err
	}
	for about := range strings.SplitSeq(s.About, "\n") {
		out.print("      %s", visible(about))
	}
	for _, d := range s.Differences {
		out.print("  %s:%d: %s", visible(s.File), d.Line, d.About)
		out.print("    want  %s", visible(d.Want))
		out.print("    got   %s", visible(d.Got))
	}
	return out.err
}

// conclude says how many stories came out as they want, and returns the error with
// the exit status of the run.
func (r *storyRun) conclude(dir string) error {
	n := r.counts
	total := n.passed + n.failed + n.broken
	if total == 0 {
		if r.only != nil {
			return exit(misused, "no story below %s has a name that matches %s", dir, r.only)
		}
		return exit(misused, "there is no story (*.txtar) below %s", dir)
	}
	if !r.asJSON {
		out := lines{w: r.out}
		out.print("\n%s: %d as wanted, %d otherwise, %d not playable", plural(total, "story"), n.passed, n.failed, n.broken)
		if out.err != nil {
			return out.err
		}
	}
	switch {
	case n.broken > 0:
		return &exitError{status: misused}
	case n.failed > 0:
		return &exitError{status: denied}
	}
	return nil
}
