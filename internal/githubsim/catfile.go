package githubsim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// maxObject bounds one object read from a repository.
const maxObject = 64 << 20

// searchPath returns where executables are looked for.
func searchPath() string { return os.Getenv("PATH") }

// errNoObject says that a name leads to no object.
var errNoObject = errors.New("no such object")

// catFile is one long-lived `git cat-file --batch`: an object costs a pipe round
// trip, not a process.
type catFile struct {
	git   *git
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

func newCatFile(g *git) *catFile { return &catFile{git: g} }

func (c *catFile) start() error {
	cmd := exec.Command("git", "cat-file", "--batch")
	cmd.Env = c.git.env
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	c.cmd, c.stdin, c.out = cmd, stdin, bufio.NewReader(stdout)
	return nil
}

// object is one object as git stores it.
type object struct {
	sha  string
	kind string // commit, tree or blob
	data []byte
}

// read returns the object of a revision such as a sha or "sha:path".
func (c *catFile) read(revision string) (object, error) {
	if revision == "" || strings.ContainsAny(revision, "\n\x00") {
		return object{}, errNoObject
	}
	if c.cmd == nil {
		if err := c.start(); err != nil {
			return object{}, err
		}
	}
	if _, err := io.WriteString(c.stdin, revision+"\n"); err != nil {
		return object{}, fmt.Errorf("git cat-file: %w", err)
	}
	header, err := c.out.ReadString('\n')
	if err != nil {
		return object{}, fmt.Errorf("git cat-file: %w", err)
	}
	f := strings.Fields(header)
	if len(f) != 3 {
		return object{}, errNoObject // "<name> missing" or "<name> ambiguous"
	}
	size, err := strconv.Atoi(f[2])
	if err != nil {
		return object{}, errNoObject
	}
	if size > maxObject {
		return object{}, fmt.Errorf("git cat-file: %s has %d bytes", revision, size)
	}
	data := make([]byte, size+1) // a newline follows the object
	if _, err := io.ReadFull(c.out, data); err != nil {
		return object{}, fmt.Errorf("git cat-file: %w", err)
	}
	return object{sha: f[0], kind: f[1], data: data[:size]}, nil
}

func (c *catFile) close() error {
	if c.cmd == nil {
		return nil
	}
	err := c.stdin.Close()
	if werr := c.cmd.Wait(); werr != nil {
		err = errors.Join(err, fmt.Errorf("git cat-file: %w", werr))
	}
	c.cmd = nil
	return err
}

// commitObject is a parsed commit.
type commitObject struct {
	sha, tree         string
	parents           []string
	author, committer Identity
	authored          time.Time
	committed         time.Time
	message           string
}

// commit returns a commit of the repository.
func (g *git) commit(sha string) (*commitObject, error) {
	if c := g.commits[sha]; c != nil {
		return c, nil
	}
	o, err := g.objects.read(sha)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", sha, err)
	}
	if o.kind != "commit" {
		return nil, fmt.Errorf("reading commit %s: it is a %s", sha, o.kind)
	}
	c := parseCommit(o)
	g.commits[c.sha] = c
	return c, nil
}

// parseCommit reads the form that git itself wrote.
func parseCommit(o object) *commitObject {
	c := &commitObject{sha: o.sha}
	head, message, _ := strings.Cut(string(o.data), "\n\n")
	c.message = message
	for _, line := range strings.Split(head, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			c.tree = value
		case "parent":
			c.parents = append(c.parents, value)
		case "author":
			c.author, c.authored = parseSignatureLine(value)
		case "committer":
			c.committer, c.committed = parseSignatureLine(value)
		}
	}
	return c
}

// parseSignatureLine reads "Ada <ada@example.com> 1700000000 +0000".
func parseSignatureLine(s string) (Identity, time.Time) {
	open, shut := strings.LastIndex(s, "<"), strings.LastIndex(s, ">")
	if open < 0 || shut < open {
		return Identity{}, time.Time{}
	}
	id := Identity{Name: strings.TrimSpace(s[:open]), Email: s[open+1 : shut]}
	seconds, _, _ := strings.Cut(strings.TrimSpace(s[shut+1:]), " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return id, time.Time{}
	}
	return id, time.Unix(n, 0).UTC()
}
