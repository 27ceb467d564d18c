package githubsim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// newCommit is a commit about to be written.
type newCommit struct {
	parent, second    string // second is the merged parent, "" for none
	tree              string // "": the parent's
	files             map[string]string
	deleted           []string
	renamed           map[string]string
	author, committer Identity
	at                time.Time
	authored          time.Time // zero: at
	message           string
}

func (c newCommit) authorDate() time.Time {
	if c.authored.IsZero() {
		return c.at
	}
	return c.authored
}

// write makes commits one on top of the other in one run of git and returns
// their ids. The first one's parent is as it says; each other's is the one
// before it.
func (g *git) write(commits []newCommit) ([]string, error) {
	if len(commits) == 0 {
		return nil, nil
	}
	var in bytes.Buffer
	for i, c := range commits {
		writeCommit(&in, i, c)
	}
	fmt.Fprintf(&in, "reset refs/sim/written\nfrom :%d\n\n", len(commits))
	for i := range commits {
		fmt.Fprintf(&in, "get-mark :%d\n", i+1)
	}
	in.WriteString("done\n")
	out, err := g.run(in.Bytes(), "fast-import", "--quiet", "--done", "--force", "--cat-blob-fd=1")
	if err != nil {
		return nil, err
	}
	shas := strings.Fields(string(out))
	if len(shas) != len(commits) {
		return nil, fmt.Errorf("git fast-import: wrote %d of %d commits", len(shas), len(commits))
	}
	return shas, nil
}

// writeCommit appends one commit in fast-import's language.
func writeCommit(w *bytes.Buffer, i int, c newCommit) {
	fmt.Fprintf(w, "commit refs/sim/written\nmark :%d\n", i+1)
	fmt.Fprintf(w, "author %s <%s> %d +0000\n", c.author.Name, c.author.Email, c.authorDate().Unix())
	fmt.Fprintf(w, "committer %s <%s> %d +0000\n", c.committer.Name, c.committer.Email, c.at.Unix())
	fmt.Fprintf(w, "data %d\n%s\n", len(c.message), c.message)
	switch {
	case i > 0:
		fmt.Fprintf(w, "from :%d\n", i)
	case c.parent != "":
		fmt.Fprintf(w, "from %s\n", c.parent)
	}
	if c.second != "" {
		fmt.Fprintf(w, "merge %s\n", c.second)
	}
	if c.tree != "" {
		fmt.Fprintf(w, "M 040000 %s \"\"\n", c.tree)
	}
	for _, from := range slices.Sorted(maps.Keys(c.renamed)) {
		fmt.Fprintf(w, "R %s %s\n", quotePath(from), quotePath(c.renamed[from]))
	}
	for _, path := range c.deleted {
		fmt.Fprintf(w, "D %s\n", quotePath(path))
	}
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", quotePath(path), len(c.files[path]), c.files[path])
	}
	w.WriteByte('\n')
}

// quotePath writes a path as fast-import reads it.
func quotePath(p string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(p) + `"`
}

// mergeResult is what merging two commits gives.
type mergeResult struct {
	tree     string
	conflict bool // the tree holds conflict markers
}

// merge merges two commits as GitHub does (git's ort strategy).
func (g *git) merge(base, head string) (mergeResult, error) {
	key := [2]string{base, head}
	if m, known := g.merges[key]; known {
		return m, nil
	}
	if forward, err := g.contains(head, base); err != nil {
		return mergeResult{}, err
	} else if forward {
		c, err := g.commit(head)
		if err != nil {
			return mergeResult{}, err
		}
		return mergeResult{tree: c.tree}, nil
	}
	out, err := g.run(nil, "merge-tree", "--write-tree", "--allow-unrelated-histories", base, head)
	m := mergeResult{}
	if status(err) == 1 {
		e, _ := asExit(err)
		out, err, m.conflict = e.stdout, nil, true
	}
	if err != nil {
		return m, err
	}
	m.tree, _, _ = strings.Cut(string(out), "\n")
	g.merges[key] = m
	return m, nil
}

// commitTree makes a commit of a tree.
func (g *git) commitTree(c newCommit, parents ...string) (string, error) {
	args := []string{"commit-tree", c.tree, "-F", "-"}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	env := []string{
		"GIT_AUTHOR_NAME=" + c.author.Name, "GIT_AUTHOR_EMAIL=" + c.author.Email,
		"GIT_COMMITTER_NAME=" + c.committer.Name, "GIT_COMMITTER_EMAIL=" + c.committer.Email,
		fmt.Sprintf("GIT_AUTHOR_DATE=%d +0000", c.authorDate().Unix()), fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", c.at.Unix()),
	}
	out, err := g.runEnv(env, []byte(c.message), args...)
	return strings.TrimSpace(string(out)), err
}

// replay puts the change that commit made to its parent on top of onto, and
// returns the tree: git 2.39 has no merge base option for merge-tree, so a
// commit with onto's tree on the same parent stands in for onto.
func (g *git) replay(commit *commitObject, onto string) (mergeResult, error) {
	top, err := g.commit(onto)
	if err != nil {
		return mergeResult{}, err
	}
	nobody := Identity{Name: "sim", Email: "sim@localhost"}
	standIn, err := g.commitTree(newCommit{tree: top.tree, author: nobody, committer: nobody, at: commit.committed, message: "stand-in\n"}, commit.parents[:1]...)
	if err != nil {
		return mergeResult{}, err
	}
	return g.merge(standIn, commit.sha)
}
