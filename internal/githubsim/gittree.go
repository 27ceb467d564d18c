package githubsim

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
)

// treeEntry is one entry of a tree as git stores it.
type treeEntry struct {
	name string
	mode int
	sha  string
}

// kind is what the entry is: a blob, which a symbolic link is too, a tree, or the
// commit of a submodule.
func (e treeEntry) kind() string {
	switch e.mode &^ 0o7777 {
	case 0o040000:
		return "tree"
	case 0o160000:
		return "commit"
	}
	return "blob"
}

// tree returns the entries of a tree, of "sha" or "sha:path".
func (g *git) tree(revision string) ([]treeEntry, error) {
	o, err := g.objects.read(revision)
	if err != nil {
		return nil, err
	}
	if o.kind != "tree" {
		return nil, fmt.Errorf("reading tree %s: it is a %s", revision, o.kind)
	}
	var list []treeEntry
	for data := o.data; len(data) > 0; {
		head, rest, ok := bytes.Cut(data, []byte{0})
		mode, name, spaced := bytes.Cut(head, []byte{' '})
		bits, err := strconv.ParseInt(string(mode), 8, 32)
		if !ok || !spaced || err != nil || len(rest) < 20 {
			return nil, fmt.Errorf("reading tree %s: it is cut off", revision)
		}
		list = append(list, treeEntry{string(name), int(bits), hex.EncodeToString(rest[:20])})
		data = rest[20:]
	}
	return list, nil
}

// treeNode is a Tree.
func (r *Repository) treeNode(sha string) graphNode {
	return plain{"Tree", record{
		"id": nodeID("Tree", r.id) + sha, "oid": sha, "repository": repositoryNode{r},
		"entries": func() (any, error) {
			entries, err := r.git.tree(sha)
			list := make([]graphNode, 0, len(entries))
			for _, e := range entries {
				list = append(list, r.entryNode("", e))
			}
			return list, err
		},
	}}
}

// entryNode is a TreeEntry of the folder.
func (r *Repository) entryNode(folder string, e treeEntry) graphNode {
	path := e.name
	if folder != "" {
		path = folder + "/" + e.name
	}
	return plain{"TreeEntry", record{
		"name": e.name, "nameRaw": base64.StdEncoding.EncodeToString([]byte(e.name)), "path": path, "type": e.kind(), "mode": e.mode, "oid": e.sha,
		"size": func() (any, error) {
			o, err := r.git.objects.read(e.sha)
			if e.kind() != "blob" {
				return 0, nil
			}
			return len(o.data), err
		},
		"object": func() (any, error) {
			o, err := r.git.objects.read(e.sha)
			if err != nil {
				return nil, nil // the commit of a submodule is in another repository
			}
			return r.objectNode(o)
		},
	}}
}
