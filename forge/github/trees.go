package github

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-dev/countersign/change"
)

// A folder is the entries of one tree by their names; git does not say of a folder
// that it is there and empty.
type folder map[string]entry

// An entry is a file, a link, a submodule or a folder: its mode and its content. The
// zero entry is none.
type entry struct {
	mode int
	oid  change.SHA
}

const folderMode = 0o040000

func (e entry) isFolder() bool { return e.mode == folderMode }

// orFolder reports whether the entry is a folder or none.
func (e entry) orFolder() bool { return e == entry{} || e.isFolder() }

// four is one path as four commits have it: two sides, where they parted, and what is
// said to be the merge of them.
type four[T any] struct{ mergeBase, from, base, merge T }

// A treeReader gives the folder that each of four trees holds; "" stands for none.
type treeReader func(ctx context.Context, ids four[change.SHA]) (four[folder], error)

// A comparer proves that a tree is the merge of two others, path by path: what one
// side changed and the other did not is as that side has it, and what both changed is
// the same on both. Where both changed one file in two ways the merge is somebody's
// work, or at least the work of a program over the lines of it, and trees do not tell
// what it must be.
//
// Two trees with one id are the same all the way down, so only folders that both sides
// changed are looked into, each with one query for all four. To read the trees whole
// would take as many requests whatever was changed, of a size that grows with the
// repository, and GitHub cuts long ones off.
type comparer struct {
	read treeReader
	left atomic.Int32 // folders that may still be read
}

// maxFolders bounds the folders that are read to prove one merge.
const maxFolders = 50

func newComparer(read treeReader) *comparer {
	c := &comparer{read: read}
	c.left.Store(maxFolders)
	return c
}

// differs says where the tree is not the merge, or why that is not known; "" says that
// it is the merge.
func (c *comparer) differs(ctx context.Context, path string, t four[entry]) (string, error) {
	want, certain := merged(t)
	switch {
	case certain && want == t.merge:
		return "", nil
	case certain:
		return fmt.Sprintf("%s is not what merging the two gives", named(path)), nil
	case !t.mergeBase.orFolder() || !t.from.orFolder() || !t.base.orFolder():
		return fmt.Sprintf("both sides changed %s", named(path)), nil
	case !t.merge.orFolder():
		return fmt.Sprintf("%s is not what merging the two gives", named(path)), nil
	case c.left.Add(-1) < 0:
		return fmt.Sprintf("both sides changed files in more than %d folders, and no more are compared", maxFolders), nil
	}
	folders, err := c.read(ctx, four[change.SHA]{t.mergeBase.oid, t.from.oid, t.base.oid, t.merge.oid})
	if err != nil {
		return "", err
	}
	return c.below(ctx, path, folders)
}

// merged returns what the path must be in the merge, where the ids tell.
func merged(t four[entry]) (want entry, certain bool) {
	switch {
	case t.from == t.base || t.base == t.mergeBase:
		return t.from, true
	case t.from == t.mergeBase:
		return t.base, true
	}
	return entry{}, false
}

// below compares the entries of a folder: first those that can be told without
// looking further.
func (c *comparer) below(ctx context.Context, path string, f four[folder]) (string, error) {
	names := slices.Sorted(maps.Keys(union(f.mergeBase, f.from, f.base, f.merge)))
	at := func(name string) four[entry] {
		return four[entry]{f.mergeBase[name], f.from[name], f.base[name], f.merge[name]}
	}
	deeper := func(name string) bool {
		t := at(name)
		_, certain := merged(t)
		return !certain && t.mergeBase.orFolder() && t.from.orFolder() && t.base.orFolder() && t.merge.orFolder()
	}
	var open []string
	for _, name := range names {
		if deeper(name) {
			open = append(open, name)
			continue
		}
		if why, err := c.differs(ctx, path+name, at(name)); why != "" || err != nil {
			return why, err
		}
	}
	answers := make([]string, len(open))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, name := range open {
		group.Go(func() (err error) {
			answers[i], err = c.differs(inner, path+name+"/", at(name))
			return err
		})
	}
	err := group.Wait()
	return cmp.Or(answers...), err
}

func union(folders ...folder) folder {
	all := folder{}
	for _, f := range folders {
		maps.Copy(all, f)
	}
	return all
}

// named returns how to call a path in a sentence.
func named(path string) string {
	if path == "" {
		return "its tree"
	}
	return change.Quote(path)
}

// A gitTree is a tree as GraphQL shows it.
type gitTree struct {
	Oid     change.SHA `json:"oid"`
	Entries []struct {
		Name string     `json:"nameRaw"` // base64
		Mode int        `json:"mode"`
		Oid  change.SHA `json:"oid"`
	} `json:"entries"`
}

// folder returns the entries of the tree that was asked for.
func (t *gitTree) folder(want change.SHA) (folder, error) {
	if want == "" {
		return folder{}, nil
	}
	if t == nil || t.Oid != want || t.Entries == nil {
		return nil, final("GitHub does not show the tree %s", want.Short())
	}
	f := make(folder, len(t.Entries))
	for _, e := range t.Entries {
		name, err := base64.StdEncoding.DecodeString(e.Name)
		if _, twice := f[string(name)]; err != nil || twice || len(name) == 0 || e.Mode == 0 || !e.Oid.Valid() {
			return nil, final("the tree %s cannot be read", want.Short())
		}
		f[string(name)] = entry{e.Mode, e.Oid}
	}
	return f, nil
}

// trees reads one folder of four trees with one query.
func (a *api) trees(repository string) treeReader {
	owner, name, _ := strings.Cut(repository, "/")
	return func(ctx context.Context, ids four[change.SHA]) (four[folder], error) {
		some := cmp.Or(ids.from, ids.base, ids.merge, ids.mergeBase) // to stand where nothing is asked
		v := map[string]any{"owner": owner, "name": name}
		for field, id := range map[string]change.SHA{"mergeBase": ids.mergeBase, "from": ids.from, "base": ids.base, "merge": ids.merge} {
			v[field], v["has"+strings.ToUpper(field[:1])+field[1:]] = cmp.Or(id, some), id != ""
		}
		var answer struct {
			Repository *struct {
				MergeBase *gitTree `json:"mergeBase"`
				From      *gitTree `json:"from"`
				Base      *gitTree `json:"base"`
				Merge     *gitTree `json:"merge"`
			} `json:"repository"`
		}
		errs, err := a.query(ctx, treesDocument, v, &answer)
		switch {
		case err != nil:
			return four[folder]{}, err
		case len(errs) > 0 || answer.Repository == nil:
			return four[folder]{}, final("GitHub answered with an error: %s", words(errs))
		}
		r, out := answer.Repository, four[folder]{}
		for _, side := range []struct {
			to   *folder
			tree *gitTree
			id   change.SHA
		}{{&out.mergeBase, r.MergeBase, ids.mergeBase}, {&out.from, r.From, ids.from}, {&out.base, r.Base, ids.base}, {&out.merge, r.Merge, ids.merge}} {
			if *side.to, err = side.tree.folder(side.id); err != nil {
				return four[folder]{}, err
			}
		}
		return out, nil
	}
}
