package github

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/codeowners"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// commit puts files on main and returns its tip.
func (w *world) commit(files map[string]string) change.SHA {
	w.t.Helper()
	tip, err := w.shop.As("root").Push("main", githubsim.Commit{Files: files})
	require.NoError(w.t, err)
	return change.SHA(tip)
}

// answer asks what a policy with those needs would.
func (w *world) answer(g change.Gathered, needs change.Needs) change.Facts {
	w.t.Helper()
	needs.Base = g.Policy.Commit
	f, err := w.forge.Answer(w.t.Context(), g.Facts, needs)
	require.NoError(w.t, err)
	return f
}

// ownedBy returns who owns each path, by what they are called.
func ownedBy(f change.Facts, o change.Ownership) map[string][]string {
	out := map[string][]string{}
	for _, p := range o.Paths {
		out[p.Path] = []string{}
		for _, team := range p.Teams {
			out[p.Path] = append(out[p.Path], string(team))
		}
		for _, who := range p.People {
			id := f.People[who]
			out[p.Path] = append(out[p.Path], string(id.Kind)+" "+id.Login+id.Email)
		}
	}
	return out
}

var askOwners = change.Needs{Owners: true}

// Who owns the touched paths is read where the change wants to go, whatever the change
// makes of the file itself.
func TestOwnersAreReadAtTheBase(t *testing.T) {
	w := newWorld(t)
	w.ok(w.acme.AddTeam("root", "pricing", ""))
	w.ok(nil, w.acme.AddMember("root", "linus"))
	w.ok(nil, w.acme.AddToTeam("root", "pricing", "linus"))
	tip := w.commit(map[string]string{
		".github/CODEOWNERS": "* @Grace\n/old.go @acme/pricing @nobody\n*.md docs@example.com\n/free.txt\n",
		"CODEOWNERS":         "* @mallory\n", "old.go": strings.Repeat("package shop // one\n", 9), "free.txt": "x\n",
	})
	n, _ := w.open("ada", "move", githubsim.Commit{
		Files:  map[string]string{".github/CODEOWNERS": "* @ada\n", "a.go": "package shop\n", "read.md": "x\n", "free.txt": "y\n"},
		Rename: map[string]string{"old.go": "new.go"},
	})
	w.ok(w.shop.As("grace").Approve(n))
	w.ok(w.shop.As("linus").RequestChanges(n, "no"))
	g := w.gather(w.pull(n))
	require.False(t, g.Facts.Owners.IsKnown(), "nobody asked yet")

	w.sim.ResetRequests()
	f := w.answer(g, askOwners)
	require.Empty(t, f.Absent)
	require.Equal(t, map[string]int{"GET /repos/{owner}/{repo}/git/blobs/{sha}": 1, "GET /orgs/{org}/teams/{slug}/members": 1}, map[string]int(w.sim.Requests()))
	o := known(t, f.Owners)
	require.Equal(t, ".github/CODEOWNERS", o.File)
	require.Equal(t, tip, o.Commit)
	require.Empty(t, o.Problems)
	require.Equal(t, map[string][]string{
		".github/CODEOWNERS": {"human grace"}, "a.go": {"human grace"}, "read.md": {"unknown docs@example.com"}, "free.txt": {},
		"new.go": {"human grace"}, "old.go": {"team:acme/pricing", "unknown nobody"},
	}, ownedBy(f, o))
	for _, p := range o.Paths {
		require.Equal(t, map[string]int{".github/CODEOWNERS": 1, "a.go": 1, "read.md": 3, "free.txt": 4, "new.go": 1, "old.go": 2}[p.Path], p.Line)
	}
	member := map[string]bool{}
	for _, m := range known(t, f.Members) {
		require.Equal(t, change.Selector("team:acme/pricing"), m.Selector)
		member[logins(f, m.Person)[0]] = m.Member
	}
	require.Equal(t, map[string]bool{"grace": false, "linus": true}, member, "whoever spoke is asked about")

	w.sim.ResetRequests()
	require.Equal(t, f, w.answer(g, askOwners), "equal answers give equal facts")
	n, _ = w.open("ada", "other")
	other := w.answer(w.gather(w.pull(n)), askOwners)
	require.Equal(t, map[string][]string{"other.txt": {"unknown Grace"}}, ownedBy(other, known(t, other.Owners)), "of somebody with no part in it only the name is known")
	require.NotContains(t, w.sim.Requests(), "GET /repos/{owner}/{repo}/git/blobs/{sha}", "a file is read once")
}

// GitHub looks in three places and takes the first file that it finds.
func TestOwnersPlaces(t *testing.T) {
	require.Equal(t, []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}, codeowners.Locations())
	w := newWorld(t)
	n, _ := w.open("ada", "a")
	f := w.answer(w.gather(w.pull(n)), askOwners)
	require.Equal(t, change.Ownership{Commit: change.SHA(w.shop.Head("main")), Paths: []change.OwnedPath{{Path: "a.txt"}}}, known(t, f.Owners), "there is none")
	for _, place := range []string{"docs/CODEOWNERS", "CODEOWNERS", ".github/CODEOWNERS"} {
		tip := w.commit(map[string]string{place: "* @linus\n!a @linus\n# " + place + "\n"})
		f := w.answer(w.gather(w.pull(n)), askOwners)
		o := known(t, f.Owners)
		require.Equal(t, place, o.File)
		require.Equal(t, tip, o.Commit)
		require.Equal(t, []string{"line 2: a pattern cannot be negated with !"}, o.Problems)
	}
	w.commit(map[string]string{".github/CODEOWNERS/x": "a folder"})
	f = w.answer(w.gather(w.pull(n)), askOwners)
	require.False(t, f.Owners.IsKnown())
	require.Equal(t, "the code owners: .github/CODEOWNERS is not a file", f.Absent["owners"])
}

// For a stack it is the trunk's file that holds, and for a change that has landed the
// one from before.
func TestOwnersOfAStackAndOfALandedChange(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"CODEOWNERS": "* @linus\n"})
	w.open("ada", "one", githubsim.Commit{Files: map[string]string{"CODEOWNERS": "* @ada\n"}})
	w.ok(nil, w.shop.As("ada").CreateBranch("two", "one"))
	w.ok(w.shop.As("ada").Push("two", githubsim.Commit{Files: map[string]string{"two": "2"}}))
	n, err := w.shop.As("ada").Open(githubsim.PullRequest{Head: "two", Base: "one", Title: "Two", Stack: "main"})
	require.NoError(t, err)
	g := w.gather(w.pull(n))
	f := w.answer(g, askOwners)
	require.Equal(t, map[string][]string{"two": {"unknown linus"}}, ownedBy(f, known(t, f.Owners)))
	f, err = w.forge.Answer(t.Context(), g.Facts, askOwners)
	require.NoError(t, err)
	require.Contains(t, f.Absent["owners"], "it is not known at which commit", "the facts alone do not tell")

	n, _ = w.open("ada", "three", githubsim.Commit{Files: map[string]string{"CODEOWNERS": "* @ada\n"}})
	before := w.shop.Head("main")
	w.ok(w.shop.As("grace").Merge(n, githubsim.Merge{}))
	w.forge = w.newForge() // with nothing remembered
	g = w.gather(w.pull(n))
	f, err = w.forge.Answer(t.Context(), g.Facts, askOwners)
	require.NoError(t, err)
	require.Equal(t, change.SHA(before), known(t, f.Owners).Commit)
	require.Equal(t, map[string][]string{"CODEOWNERS": {"unknown linus"}}, ownedBy(f, known(t, f.Owners)))
}

// ownersStub is a GitHub whose main has a code owners file.
func ownersStub(t *testing.T, text string) *stub {
	s := newStub(t)
	data := []byte(text)
	s.pull["baseRef"].(obj)["target"].(obj)["ownersAtRoot"] = obj{"type": "blob", "mode": 0o100644, "oid": sha(0xc0), "size": len(data)}
	s.override["GET /repos/acme/shop/git/blobs/"+sha(0xc0)] = func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, obj{"sha": sha(0xc0), "size": len(data), "encoding": "base64", "content": base64.StdEncoding.EncodeToString(data) + "\n"})
	}
	return s
}

// What cannot be read is not known, and says why.
func TestOwnersThatCannotBeRead(t *testing.T) {
	place := func(s *stub) obj { return s.pull["baseRef"].(obj)["target"].(obj)["ownersAtRoot"].(obj) }
	blob := "GET /repos/acme/shop/git/blobs/" + sha(0xc0)
	for name, c := range map[string]struct {
		text  string
		spoil func(*stub)
		why   string
	}{
		"nothing is wrong": {"* @grace\n", func(*stub) {}, ""},
		"a symbolic link":  {"docs/OWNERS", func(s *stub) { place(s)["mode"] = 0o120000 }, "CODEOWNERS is not a file"},
		"a submodule":      {"", func(s *stub) { place(s)["type"] = "commit" }, "CODEOWNERS is not a file"},
		"too long":         {"", func(s *stub) { place(s)["size"] = 3<<20 + 1 }, "has 3145729 bytes, and GitHub reads 3145728 at most"},
		"not a text":       {"a\x00b", func(*stub) {}, "CODEOWNERS is not a text"},
		"not UTF-8":        {"* @gr\xe4ce\n", func(*stub) {}, "CODEOWNERS is not UTF-8"},
		"hidden": {"", func(s *stub) {
			s.override[blob] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 403, obj{"message": "no"}) }
		}, "GitHub refuses this application (403)"},
		"cut off": {"* @grace\n", func(s *stub) {
			s.override[blob] = func(w http.ResponseWriter, _ *http.Request) {
				answer(w, 200, obj{"sha": sha(0xc0), "size": 9, "encoding": "base64", "content": "KiBAZ3I="})
			}
		}, "GitHub does not show the whole of it"},
		"another file": {"* @grace\n", func(s *stub) {
			s.override[blob] = func(w http.ResponseWriter, _ *http.Request) {
				answer(w, 200, obj{"sha": sha(0xc1), "size": 0, "encoding": "base64", "content": ""})
			}
		}, "GitHub does not show the whole of it"},
		"the files are not known": {"* @grace\n", func(s *stub) { s.pull["changedFiles"] = 2 }, "the touched files are not known"},
		"more than can be done":   {strings.Repeat("a\n", maxOwnersWork/3000+1), func(*stub) {}, "than are held against each other"},
		"an error in its place, and again": {"", func(s *stub) {
			s.errors = []obj{{"type": "FORBIDDEN", "message": "no", "path": []any{"repository", "pullRequest", "baseRef", "target", "ownersAtRoot"}}}
		}, "GitHub answered with an error"},
	} {
		t.Run(name, func(t *testing.T) {
			s := ownersStub(t, c.text)
			c.spoil(s)
			f := newForge(t, s.URL)
			g, err := f.Gather(t.Context(), pull7)
			require.NoError(t, err)
			if strings.Contains(c.why, "held against") {
				many := make([]change.File, 3000)
				for i := range many {
					many[i].Path = "b" + strings.Repeat("x", i)
				}
				g.Facts.Files = change.Known(many)
			}
			facts, err := f.Answer(t.Context(), g.Facts, change.Needs{Owners: true, Base: g.Policy.Commit})
			require.NoError(t, err)
			require.Contains(t, facts.Absent["owners"], c.why)
			require.Equal(t, c.why == "", facts.Owners.IsKnown())
		})
	}
}

// Trouble that may pass is an error and not an absent fact.
func TestOwnersAreAskedAgain(t *testing.T) {
	s := ownersStub(t, "* @grace\n")
	s.override["GET /repos/acme/shop/git/blobs/"+sha(0xc0)] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, obj{}) }
	f := newForge(t, s.URL)
	g, err := f.Gather(t.Context(), pull7)
	require.NoError(t, err)
	_, err = f.Answer(t.Context(), g.Facts, askOwners)
	require.ErrorContains(t, err, "asking for the code owners")
}

// A login is a label: it names the account that goes by it now, in whatever case, and
// nobody where two accounts of the change seem to go by it.
func TestOwnersNames(t *testing.T) {
	f := newForge(t, "https://github.example/api/v3/")
	people := change.People{
		"p1": {Kind: change.Human, Account: "github:101", Login: "Ada"},
		"p2": {Kind: change.Human, Account: "github:202", Login: "twin"},
		"p3": {Kind: change.Human, Account: "github:303", Login: "Twin"},
		"p4": {Kind: change.Unknown, Login: "grace"}, // a mannequin
	}
	roster := change.NewRoster(people)
	names := f.ownerNames(people, roster)
	for owner, want := range map[codeowners.Owner]change.Identity{
		{Login: "aDa"}:   people["p1"],
		{Login: "twin"}:  {Kind: change.Unknown, Login: "twin"},
		{Login: "grace"}: people["p4"],
		{Email: "101+ada@users.noreply.github.com"}:     people["p1"],
		{Email: "101+ada@users.noreply.github.example"}: people["p1"],
		{Email: "101+ada@users.noreply.other.example"}:  {Kind: change.Unknown, Email: "101+ada@users.noreply.other.example"},
		{Email: "999+ada@users.noreply.github.com"}:     {Kind: change.Unknown, Email: "999+ada@users.noreply.github.com"},
		{Email: "ada@users.noreply.github.com"}:         {Kind: change.Unknown, Email: "ada@users.noreply.github.com"},
	} {
		require.Equal(t, want, roster.People()[names.person(owner)], owner)
	}
	require.Equal(t, names.person(codeowners.Owner{Login: "who"}), names.person(codeowners.Owner{Login: "who"}))
}

// More teams than can be asked for are not asked for at all.
func TestTooManyOwningTeams(t *testing.T) {
	var o change.Ownership
	for i := range maxOwningTeams + 1 {
		o.Paths = append(o.Paths, change.OwnedPath{Path: "a", Teams: []change.Selector{change.Selector("team:acme/" + strings.Repeat("t", i+1))}})
	}
	_, err := owningTeams(o)
	require.ErrorContains(t, err, "101 teams own the touched paths")
	o.Paths = append(o.Paths[1:], o.Paths[1])
	teams, err := owningTeams(o)
	require.NoError(t, err)
	require.Len(t, teams, maxOwningTeams)
}
