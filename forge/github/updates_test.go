package github

import (
	"context"
	"crypto/sha1"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

var askUpdates = change.Needs{Updates: true}

// update answers what the newest merge of a change is.
func (w *world) update(number int) change.Update {
	w.t.Helper()
	f := w.answer(w.gather(w.pull(number)), askUpdates)
	list := known(w.t, f.Updates)
	require.NotEmpty(w.t, list)
	return list[len(list)-1]
}

// branchOff has ada change files on a branch and main move on, and opens the change.
func (w *world) branchOff(branch string, ours, theirs map[string]string) int {
	w.t.Helper()
	n, _ := w.open("ada", branch, githubsim.Commit{Files: ours})
	w.commit(theirs)
	return n
}

func (w *world) merge(branch, other string, c githubsim.Commit) {
	w.t.Helper()
	c.Merge = other
	w.ok(w.shop.As("ada").Push(branch, c))
}

const line = "package shop // a line that is long enough for a rename to be found again\n"

// A merge of the base is pure when its files are what merging gives, and nothing else.
func TestUpdates(t *testing.T) {
	deep := map[string]string{"src/a/x.go": line, "src/b/y.go": line, "src/c/d/z.go": line, "both.go": "1\n" + line, "gone.go": line + "gone\n"}
	for name, c := range map[string]struct {
		ours, theirs map[string]string
		commit       githubsim.Commit
		why          string
	}{
		"nothing that both changed": {map[string]string{"src/a/x.go": "ours", "src/c/d/new.go": "n"}, map[string]string{"src/b/y.go": "theirs", "src/c/d/z.go": "theirs"}, githubsim.Commit{}, ""},
		"both made the same change": {map[string]string{"both.go": "same", "a": "1"}, map[string]string{"both.go": "same", "b": "1"}, githubsim.Commit{}, ""},
		"a line put in beside": {map[string]string{"src/a/x.go": "ours"}, map[string]string{"src/b/y.go": "theirs"},
			githubsim.Commit{Files: map[string]string{"src/c/d/evil.go": "door"}}, `src/c is not what merging the two gives`},
		"a line put into a folder of both": {map[string]string{"src/a/x.go": "ours"}, map[string]string{"src/a/z.go": "theirs"},
			githubsim.Commit{Files: map[string]string{"src/a/evil.go": "door"}}, `src/a/evil.go is not what merging the two gives`},
		"the base's change taken back": {map[string]string{"src/a/x.go": "ours"}, map[string]string{"src/b/y.go": "theirs"},
			githubsim.Commit{Files: map[string]string{"src/b/y.go": line}}, `src/b is not what merging the two gives`},
		"a file of the base left out": {map[string]string{"src/a/x.go": "ours"}, map[string]string{"new.go": "theirs"},
			githubsim.Commit{Delete: []string{"new.go"}}, `new.go is not what merging the two gives`},
		"a conflict resolved": {map[string]string{"both.go": "ours"}, map[string]string{"both.go": "theirs"},
			githubsim.Commit{Files: map[string]string{"both.go": "ours and a door"}}, "both sides changed both.go"},
		"two ends of one file": {map[string]string{"both.go": "1\n" + line + "ours\n"}, map[string]string{"both.go": "0\n1\n" + line},
			githubsim.Commit{}, "both sides changed both.go"},
		"renamed by one side and changed by the other": {nil, map[string]string{"both.go": "1\n" + line + "theirs\n"}, githubsim.Commit{}, "both sides changed both.go"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.commit(deep)
			n := 0
			if c.ours == nil {
				n, _ = w.open("ada", "topic", githubsim.Commit{Rename: map[string]string{"both.go": "renamed.go"}})
				w.commit(c.theirs)
			} else {
				n = w.branchOff("topic", c.ours, c.theirs)
			}
			from := change.SHA(w.shop.Head("topic"))
			w.merge("topic", "main", c.commit)
			u := w.update(n)
			require.Equal(t, c.why, strings.ReplaceAll(u.Why, `"`, ""))
			require.Equal(t, c.why == "", u.Pure)
			require.Equal(t, change.SHA(w.shop.Head("topic")), u.Commit)
			require.Equal(t, from, u.From)
			require.Equal(t, change.SHA(w.shop.Head("main")), u.Base)
			require.True(t, u.MergeBase.Valid())
		})
	}
}

// What is asked is asked once, and about as little as can be.
func TestUpdatesCostLittle(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"a/x": "1", "b/y": "1"})
	n := w.branchOff("topic", map[string]string{"a/x": "2"}, map[string]string{"b/y": "2"})
	w.ok(w.shop.As("ada").UpdateBranch(n, nil))
	g := w.gather(w.pull(n))
	w.sim.ResetRequests()
	f := w.answer(g, change.Needs{})
	require.False(t, f.Updates.IsKnown(), "nobody asked")
	require.Empty(t, w.sim.Requests())
	f = w.answer(g, askUpdates)
	require.True(t, known(t, f.Updates)[0].Pure)
	require.Equal(t, map[string]int{"GET /repos/{owner}/{repo}/compare/{basehead...}": 1, "POST /graphql": 1}, map[string]int(w.sim.Requests()), "one folder was changed by both: the root")
	w.sim.ResetRequests()
	require.Equal(t, f, w.answer(g, askUpdates))
	require.Empty(t, w.sim.Requests())

	// A second update starts where the first one ended.
	w.commit(map[string]string{"b/y": "3"})
	w.ok(w.shop.As("ada").UpdateBranch(n, nil))
	w.commit(map[string]string{"b/y": "4"})
	g = w.gather(w.pull(n))
	w.sim.ResetRequests()
	f = w.answer(g, askUpdates)
	list := known(t, f.Updates)
	require.Len(t, list, 2)
	require.True(t, list[0].Pure && list[1].Pure)
	require.Equal(t, list[0].Base, list[1].MergeBase)
	require.Equal(t, map[string]int{"GET /repos/{owner}/{repo}/compare/{basehead...}": 1, "POST /graphql": 1}, map[string]int(w.sim.Requests()))
}

// Who made it and how says nothing: the parents may stand in either order.
func TestUpdateTheOtherWayRound(t *testing.T) {
	w := newWorld(t)
	n := w.branchOff("topic", map[string]string{"a": "1"}, map[string]string{"b": "1"})
	w.ok(w.shop.As("ada").ForcePush("topic", "main", githubsim.Commit{Merge: w.shop.Head("topic")}))
	u := w.update(n)
	require.True(t, u.Pure, u.Why)
	require.Equal(t, change.SHA(w.shop.Head("main")), u.Base)
}

// Merges of anything but the base are no updates from it.
func TestMergesThatAreNoUpdates(t *testing.T) {
	t.Run("a branch that is not on main", func(t *testing.T) {
		w := newWorld(t)
		n := w.branchOff("topic", map[string]string{"a": "1"}, map[string]string{"b": "1"})
		w.ok(w.shop.As("mallory").Push("side", githubsim.Commit{Files: map[string]string{"door": "1"}}))
		w.merge("topic", "side", githubsim.Commit{})
		require.Equal(t, "it merges another line of the change itself", w.update(n).Why)
	})
	t.Run("the branch below in a stack", func(t *testing.T) {
		w := newWorld(t)
		w.open("ada", "one")
		w.ok(nil, w.shop.As("ada").CreateBranch("two", "one"))
		w.ok(w.shop.As("ada").Push("two", githubsim.Commit{Files: map[string]string{"two": "2"}}))
		n, err := w.shop.As("ada").Open(githubsim.PullRequest{Head: "two", Base: "one", Title: "Two", Stack: "main"})
		require.NoError(t, err)
		w.ok(w.shop.As("ada").Push("one", githubsim.Commit{Files: map[string]string{"three": "3"}}))
		w.merge("two", "one", githubsim.Commit{})
		require.Contains(t, w.update(n).Why, "which is not on the protected branch")
	})
	t.Run("sides that parted twice", func(t *testing.T) {
		w := newWorld(t)
		old := w.shop.Head("main")
		w.ok(nil, w.shop.As("ada").CreateBranch("side", old))
		w.ok(w.shop.As("ada").Push("side", githubsim.Commit{Files: map[string]string{"s": "1"}}))
		side := w.shop.Head("side")
		w.commit(map[string]string{"m": "1"})
		n, _ := w.open("ada", "topic")
		w.merge("topic", side, githubsim.Commit{})
		w.ok(w.shop.As("root").Push("main", githubsim.Commit{Merge: side}))
		w.merge("topic", "main", githubsim.Commit{})
		u := w.update(n)
		require.False(t, u.Pure)
		require.Contains(t, u.Why, "its two sides parted at more than one commit")
	})
	t.Run("what has left main again", func(t *testing.T) {
		w := newWorld(t)
		old := w.shop.Head("main")
		n := w.branchOff("topic", map[string]string{"a": "1"}, map[string]string{"b": "1"})
		w.merge("topic", "main", githubsim.Commit{})
		w.ok(w.shop.As("root").ForcePush("main", old, githubsim.Commit{Files: map[string]string{"c": "1"}}))
		require.False(t, w.update(n).Pure)
	})
}

// More merges than are looked at are listed, and are not pure.
func TestManyUpdates(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "topic")
	for i := range maxUpdates + 2 {
		w.commit(map[string]string{"m": fmt.Sprint(i)})
		w.merge("topic", "main", githubsim.Commit{})
	}
	list := known(t, w.answer(w.gather(w.pull(n)), askUpdates).Updates)
	require.Len(t, list, maxUpdates+2)
	for i, u := range list {
		require.Equal(t, i >= 2, u.Pure, u.Why)
	}
	require.Equal(t, "the change has 22 merges, and the newest 20 are looked at", list[0].Why)
}

// What GitHub refuses to show is not known, and what may pass is an error.
func TestUpdatesThatCannotBeRead(t *testing.T) {
	s := newStub(t)
	merge := commitOfAda(0xa2, 0xa1)
	merge["parents"] = whole(obj{"oid": sha(0xa1)}, obj{"oid": sha(0xb0)})
	s.head, s.lists["commits"] = sha(0xa2), []any{obj{"commit": commitOfAda(0xa1, 0xb2)}, obj{"commit": merge}}
	s.moves["acme/shop refs/heads/cents"][0]["after"] = sha(0xa2)
	f := newForge(t, s.URL)
	g, err := f.Gather(t.Context(), pull7)
	require.NoError(t, err)
	needs := change.Needs{Updates: true, Base: g.Policy.Commit}
	for status, absent := range map[int]string{403: "the updates from the base: GitHub refuses this application (403): check its permissions", 500: ""} {
		s.override["GET /repos/acme/shop/compare/"+sha(0xb0)+"..."+sha(0xa1)] = func(w http.ResponseWriter, _ *http.Request) { answer(w, status, obj{}) }
		facts, err := f.Answer(t.Context(), g.Facts, needs)
		require.Equal(t, absent == "", err != nil, "%v", err)
		require.Equal(t, absent, facts.Absent["updates"])
		require.False(t, facts.Updates.IsKnown())
	}
	g.Facts.Commits = change.Fact[[]change.Commit]{}
	facts, err := f.Answer(t.Context(), g.Facts, needs)
	require.NoError(t, err)
	require.Equal(t, "the commits are not known", facts.Absent["updates"])
}

// store is trees by their ids, as git names them in all that matters here.
type store struct {
	mu    sync.Mutex
	trees map[change.SHA]folder
}

// put stores a tree of files and returns its id.
func (s *store) put(files map[string]string) change.SHA {
	top := folder{}
	below := map[string]map[string]string{}
	for name, content := range files {
		first, rest, deep := strings.Cut(name, "/")
		if !deep {
			top[first] = entry{0o100644, change.SHA(fmt.Sprintf("%x", sha1.Sum([]byte(content))))}
			continue
		}
		if below[first] == nil {
			below[first] = map[string]string{}
		}
		below[first][rest] = content
	}
	for name, files := range below {
		top[name] = entry{folderMode, s.put(files)}
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(top)) {
		fmt.Fprintf(&text, "%o %q %s\n", top[name].mode, name, top[name].oid)
	}
	id := change.SHA(fmt.Sprintf("%x", sha1.Sum([]byte("tree"+text.String()))))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trees[id] = top
	return id
}

func (s *store) read(_ context.Context, ids four[change.SHA]) (four[folder], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return four[folder]{s.trees[ids.mergeBase], s.trees[ids.from], s.trees[ids.base], s.trees[ids.merge]}, nil
}

// FuzzMerge holds the comparison of trees against one of files that knows nothing of
// folders. Each byte gives one of a few paths a content on each of the four sides.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0x00, 0x1b, 0x55, 0xe4, 0xff, 0x41, 0x14, 0x05, 0x50})
	f.Add([]byte{1, 4, 16, 64, 5, 17, 65, 20, 68, 80})
	paths := []string{"a", "b/c", "b/d", "b/e/f", "b/e/g", "h/i/j", "h/i/k", "h/l", "b/e/m", "n", "o/p", "q/r/s/t"}
	f.Fuzz(func(t *testing.T, data []byte) {
		sides := [4]map[string]string{{}, {}, {}, {}}
		for i, b := range data[:min(len(data), len(paths))] {
			for side := range sides {
				if v := b >> (2 * side) & 3; v != 0 {
					sides[side][paths[i]] = strings.Repeat("x", int(v))
				}
			}
		}
		pure := true
		for _, p := range paths {
			old, ours, theirs, merge := sides[0][p], sides[1][p], sides[2][p], sides[3][p]
			switch {
			case ours == theirs || theirs == old:
				pure = pure && merge == ours
			case ours == old:
				pure = pure && merge == theirs
			default:
				pure = false
			}
		}
		s := &store{trees: map[change.SHA]folder{}}
		var roots [4]entry
		for i, files := range sides {
			roots[i] = entry{folderMode, s.put(files)}
		}
		why, err := newComparer(s.read).differs(t.Context(), "", four[entry]{roots[0], roots[1], roots[2], roots[3]})
		require.NoError(t, err)
		require.Equal(t, pure, why == "", "%s: %v", why, sides)
	})
}

// Folders that both sides changed are read up to a bound.
func TestTooManyFolders(t *testing.T) {
	s := &store{trees: map[change.SHA]folder{}}
	sides := [4]map[string]string{{}, {}, {}, {}}
	for i := range maxFolders {
		dir := fmt.Sprintf("dir%d", i)
		sides[0][path.Join(dir, "x")], sides[1][path.Join(dir, "x")], sides[2][path.Join(dir, "x")], sides[3][path.Join(dir, "x")] = "1", "2", "1", "2"
		sides[0][path.Join(dir, "y")], sides[1][path.Join(dir, "y")], sides[2][path.Join(dir, "y")], sides[3][path.Join(dir, "y")] = "1", "1", "2", "2"
	}
	var roots [4]entry
	for i, files := range sides {
		roots[i] = entry{folderMode, s.put(files)}
	}
	why, err := newComparer(s.read).differs(t.Context(), "", four[entry]{roots[0], roots[1], roots[2], roots[3]})
	require.NoError(t, err)
	require.Contains(t, why, "more than 50 folders")
}

// A file in the place of a folder, or the other way round, is nobody's merge unless one
// side alone put it there.
func TestFilesAndFolders(t *testing.T) {
	s := &store{trees: map[change.SHA]folder{}}
	tree := func(files map[string]string) entry { return entry{folderMode, s.put(files)} }
	file, dir, none := tree(map[string]string{"a": "1"}), tree(map[string]string{"a/b": "1"}), tree(map[string]string{"z": "1"})
	for name, c := range map[string]struct {
		sides four[entry]
		why   string
	}{
		"one side":                 {four[entry]{file, dir, file, dir}, ""},
		"both sides":               {four[entry]{none, dir, file, dir}, `both sides changed`},
		"the merge":                {four[entry]{tree(map[string]string{"a/b": "1", "a/c": "1"}), tree(map[string]string{"a/b": "2", "a/c": "1"}), tree(map[string]string{"a/b": "1", "a/c": "2"}), file}, "not what merging the two gives"},
		"a folder that both leave": {four[entry]{tree(map[string]string{"a/b": "1", "a/c": "1", "z": "1"}), tree(map[string]string{"a/b": "1", "z": "1"}), tree(map[string]string{"a/c": "1", "z": "1"}), none}, ""},
		"a mode that nobody gave":  {four[entry]{entry{folderMode, "x"}, entry{folderMode, "x"}, entry{folderMode, "x"}, entry{0o100644, "x"}}, "its tree is not what"},
	} {
		why, err := newComparer(s.read).differs(t.Context(), "", c.sides)
		require.NoError(t, err)
		require.Contains(t, why, c.why, name)
		require.Equal(t, c.why == "", why == "", name)
	}
}

// A tree that is not the one that was asked for, or not whole, is not believed.
func TestTreesThatCannotBeRead(t *testing.T) {
	good := obj{"nameRaw": "YQ==", "mode": 0o100644, "oid": sha(9)}
	for name, tree := range map[string]any{
		"none":           nil,
		"another":        obj{"oid": sha(2), "entries": []obj{good}},
		"no entries":     obj{"oid": sha(1)},
		"a name twice":   obj{"oid": sha(1), "entries": []obj{good, good}},
		"no base64":      obj{"oid": sha(1), "entries": []obj{{"nameRaw": "%", "mode": 1, "oid": sha(9)}}},
		"an entry blank": obj{"oid": sha(1), "entries": []obj{{}}},
	} {
		s := newStub(t)
		s.override["POST /graphql"] = func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, obj{"data": obj{"repository": obj{"from": tree}}})
		}
		a := newForge(t, s.URL).app
		_, err := a.trees("acme/shop")(t.Context(), four[change.SHA]{from: change.SHA(sha(1))})
		require.Error(t, err, name)
		require.True(t, refused(err), name)
	}
}
