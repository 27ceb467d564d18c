package githubsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// gitTimeout bounds one run of git. A simulated repository is small: whatever
// takes longer hangs.
const gitTimeout = 30 * time.Second

// git is one bare repository. It is used under the simulator's mutex only.
type git struct {
	dir     string
	env     []string
	objects *catFile
	commits map[string]*commitObject  // immutable objects, kept for ever
	ranges  map[[2]string][]string    // base, head: commits of head that base lacks, oldest first
	bases   map[[2]string]string      // merge bases
	diffs   map[[2]string][]fileDiff  // tree-ish to tree-ish
	merges  map[[2]string]mergeResult // base, head: merged tree
	trials  map[[2]string]string      // base, head: test merge commit
}

// newGit makes an empty bare repository in dir.
func newGit(dir string) (*git, error) {
	g := &git{
		dir: dir,
		// No configuration of the machine or the user may change what is written.
		env: []string{
			"PATH=" + searchPath(), "HOME=" + dir, "LC_ALL=C", "TZ=UTC", "GIT_DIR=" + dir,
			"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_ATTR_NOSYSTEM=1",
		},
		commits: map[string]*commitObject{}, ranges: map[[2]string][]string{}, bases: map[[2]string]string{},
		diffs: map[[2]string][]fileDiff{}, merges: map[[2]string]mergeResult{}, trials: map[[2]string]string{},
	}
	if _, err := g.run(nil, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", dir); err != nil {
		return nil, err
	}
	g.objects = newCatFile(g)
	return g, nil
}

// exitError is a run of git that ended with a status other than 0.
type exitError struct {
	status int
	stdout []byte
	stderr string
}

func asExit(err error) (*exitError, bool) {
	var e *exitError
	ok := errors.As(err, &e)
	return e, ok
}

func (e *exitError) Error() string { return fmt.Sprintf("exit status %d: %s", e.status, e.stderr) }

// status returns the exit status behind an error of run: 0 for none, -1 for an
// error that is not git's answer.
func status(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := asExit(err); ok {
		return e.status
	}
	return -1
}

// run runs git and returns what it wrote to standard output.
func (g *git) run(stdin []byte, args ...string) ([]byte, error) { return g.runEnv(nil, stdin, args...) }

func (g *git) runEnv(env []string, stdin []byte, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(append([]string(nil), g.env...), env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = &exitError{status: exit.ExitCode(), stdout: out, stderr: strings.TrimSpace(stderr.String())}
	}
	return nil, fmt.Errorf("git %s: %w", args[0], err)
}

// line runs git and returns its one line of output.
func (g *git) line(args ...string) (string, error) {
	out, err := g.run(nil, args...)
	return strings.TrimSpace(string(out)), err
}

// setRef moves a ref; an empty commit deletes it.
func (g *git) setRef(ref, commit string) error {
	if commit == "" {
		_, err := g.run(nil, "update-ref", "-d", ref)
		return err
	}
	_, err := g.run(nil, "update-ref", ref, commit)
	return err
}

func (g *git) close() error { return g.objects.close() }
