package githubsim

import (
	"fmt"
	"strconv"
	"strings"
)

// fileDiff is one path that two trees differ in.
type fileDiff struct {
	path, previous string
	status         string // added, modified, removed, renamed, copied, changed
	sha            string // of the new blob, or of the old one when it is gone
	added, deleted int
}

// zeroSHA is how a ref that does not exist is written.
const zeroSHA = "0000000000000000000000000000000000000000"

// diff returns the paths in which two commits or trees differ, renames found.
func (g *git) diff(from, to string) ([]fileDiff, error) {
	key := [2]string{from, to}
	if d, known := g.diffs[key]; known {
		return d, nil
	}
	if from == "" {
		from = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" // the empty tree
	}
	out, err := g.run(nil, "diff-tree", "-r", "-z", "-M", "--raw", "--numstat", "--no-commit-id", from, to)
	if err != nil {
		return nil, err
	}
	d, err := parseDiff(strings.Split(string(out), "\x00"))
	if err != nil {
		return nil, err
	}
	g.diffs[key] = d
	return d, nil
}

// parseDiff reads the fields of `diff-tree -z --raw --numstat`: raw records come
// first, then the line counts in the same order.
func parseDiff(fields []string) ([]fileDiff, error) {
	var files []fileDiff
	i := 0
	for ; i < len(fields) && strings.HasPrefix(fields[i], ":"); i++ {
		f := strings.Fields(fields[i]) // :mode mode sha sha status
		if len(f) != 5 || i+1 >= len(fields) {
			return nil, fmt.Errorf("git diff-tree: unexpected record %q", fields[i])
		}
		d := fileDiff{sha: f[3], status: diffStatus(f[4])}
		if d.sha == zeroSHA {
			d.sha = f[2]
		}
		i++
		d.path = fields[i]
		if d.status == "renamed" || d.status == "copied" {
			i++
			d.previous, d.path = d.path, fields[i]
		}
		files = append(files, d)
	}
	for n := 0; n < len(files) && i < len(fields); n++ {
		counts := strings.SplitN(fields[i], "\t", 3)
		if len(counts) != 3 {
			return nil, fmt.Errorf("git diff-tree: unexpected counts %q", fields[i])
		}
		files[n].added, _ = strconv.Atoi(counts[0]) // "-" for a binary file counts as no lines
		files[n].deleted, _ = strconv.Atoi(counts[1])
		i++
		if counts[2] == "" {
			i += 2 // a rename's two paths follow in fields of their own
		}
	}
	return files, nil
}

func diffStatus(letter string) string {
	switch letter[0] {
	case 'A':
		return "added"
	case 'D':
		return "removed"
	case 'R':
		return "renamed"
	case 'C':
		return "copied"
	case 'T':
		return "changed"
	}
	return "modified"
}
