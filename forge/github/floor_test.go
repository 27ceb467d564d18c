package github

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

const simFloor = "version: 1\nowner: security\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 2}\n"

// withFloor makes the repository that keeps the floor, and a Forge that knows it.
func (w *world) withFloor(files map[string]string, path string) *githubsim.Repository {
	w.t.Helper()
	keeper, err := w.sim.CreateRepository("acme/governance", githubsim.RepositoryOptions{Files: files, Permissions: map[string]string{"ada": "admin"}})
	require.NoError(w.t, err)
	w.forge.config.Floors, w.forge.config.FloorPath = []string{"acme/governance"}, path
	return keeper
}

// The floor comes with what is gathered. It is asked for once, and again after a
// push to the default branch of the repository that keeps it.
func TestFloorIsReadOnceAPush(t *testing.T) {
	w := newWorld(t)
	keeper := w.withFloor(map[string]string{PolicyPath: simFloor}, PolicyPath)
	n, _ := w.open("ada", "cents")
	g := w.gather(w.pull(n))
	require.Empty(t, g.Facts.Absent)
	require.Equal(t, &change.PolicyFile{
		Found: true, Path: PolicyPath, Commit: change.SHA(keeper.Head("main")), Text: simFloor,
		URI: w.forge.web + "/acme/governance/blob/" + keeper.Head("main") + "/.countersign.yml",
	}, g.Policy.Floor)

	before := w.forge.Requests()
	w.gather(w.pull(n))
	plain := w.newForge()
	_, err := plain.Gather(t.Context(), w.pull(n))
	require.NoError(t, err)
	warm := plain.Requests()
	_, err = plain.Gather(t.Context(), w.pull(n))
	require.NoError(t, err)
	require.Equal(t, plain.Requests()-warm, w.forge.Requests()-before, "a floor costs no request")

	stricter := simFloor + "    segregation-of-duties: {}\n"
	w.ok(keeper.As("ada").Push("main", githubsim.Commit{Files: map[string]string{PolicyPath: stricter}}))
	h, err := w.forge.Hint(w.delivery("push", "acme/governance"))
	require.NoError(t, err)
	require.Contains(t, h.Scopes, change.Scope{Owner: "acme", Unseen: true}, "what is open there is judged again")
	w.forge.Forget(h.Forget)
	require.Equal(t, stricter, w.gather(w.pull(n)).Policy.Floor.Text)
}

// delivery returns the last delivery of an event about a repository.
func (w *world) delivery(event, repository string) change.Delivery {
	w.t.Helper()
	require.NoError(w.t, w.sim.Quiesce(w.t.Context()))
	for _, d := range w.sim.Deliveries() {
		if p, err := readPayload(d.Body); d.Event == event && err == nil && p.Repository.FullName == repository {
			return change.Delivery{ID: d.GUID, Event: d.Event, Body: d.Body}
		}
	}
	w.t.Fatalf("no %s delivery of %s", event, repository)
	return change.Delivery{}
}

// Only what moves the floor makes it old.
func TestHintsAboutFloors(t *testing.T) {
	f := newForge(t, "https://api.github.com")
	f.config.Floors = []string{"acme/governance"}
	repo := func(name string) string {
		return `"repository":{"id":1,"full_name":"` + name + `","default_branch":"main"}`
	}
	moved := []string{floorKey("acme")}
	for name, c := range map[string]struct {
		event, body string
		moves       bool
	}{
		"its default branch":     {"push", `{"ref":"refs/heads/main",` + repo("acme/Governance") + `}`, true},
		"another branch of it":   {"push", `{"ref":"refs/heads/topic",` + repo("acme/governance") + `}`, false},
		"another repository":     {"push", `{"ref":"refs/heads/main",` + repo("acme/shop") + `}`, false},
		"another owner":          {"push", `{"ref":"refs/heads/main",` + repo("other/governance") + `}`, false},
		"another default branch": {"repository", `{"action":"edited",` + repo("acme/governance") + `}`, true},
		"installed":              {"installation_repositories", `{"installation":{"account":{"login":"acme"}}}`, true},
		"a comment":              {"issue_comment", `{` + repo("acme/governance") + `}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := f.Hint(change.Delivery{Event: c.event, Body: []byte(c.body)})
			require.NoError(t, err)
			if c.moves {
				require.Subset(t, h.Forget, moved)
				require.Contains(t, h.Scopes, change.Scope{Owner: "acme", Unseen: true}, "every open change is looked at again")
			} else {
				require.NotContains(t, h.Forget, moved[0])
			}
		})
	}
}

// A floor that is configured and cannot be read is an absent fact with a reason.
func TestFloorThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "cents")
	w.forge.config.Floors = []string{"acme/nowhere"}
	g := w.gather(w.pull(n))
	require.Contains(t, g.Facts.Absent["floor"], "acme/nowhere: ")
	require.False(t, g.Policy.Floor.Found)

	w.withFloor(map[string]string{"README.md": "nothing yet\n"}, PolicyPath)
	w.forge.Forget([]string{floorKey("acme")})
	g = w.gather(w.pull(n))
	require.Empty(t, g.Facts.Absent["floor"])
	require.False(t, g.Policy.Floor.Found, "the file is missing")
	require.Equal(t, PolicyPath, g.Policy.Floor.Path)
}

// That GitHub has trouble is no answer: the change is gathered again later.
func TestFloorDuringAnOutage(t *testing.T) {
	w := newWorld(t)
	w.withFloor(map[string]string{PolicyPath: simFloor}, PolicyPath)
	n, _ := w.open("ada", "cents")
	w.gather(w.pull(n))
	w.forge.Forget([]string{floorKey("acme"), installationKey("acme")})
	w.sim.Fail(githubsim.Fault{Route: "GET /repos/{owner}/{repo}/installation", Status: 502, Times: 20})
	_, err := w.forge.Gather(t.Context(), w.pull(n))
	require.Error(t, err)
}

// A change of the floor itself is judged, once it has landed, by the floor from
// before it, wherever the floor is kept.
func TestFloorOfAChangeToTheFloor(t *testing.T) {
	for _, path := range []string{PolicyPath, "policies/floor.yml"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t)
			keeper := w.withFloor(map[string]string{PolicyPath: simPolicy, path: simFloor}, path)
			w.gather(w.pull(func() int { n, _ := w.open("ada", "cents"); return n }()))
			before := keeper.Head("main")
			w.ok(keeper.As("ada").Push("loose", githubsim.Commit{Files: map[string]string{path: "version: 1\nowner: nobody\n"}}))
			n, err := keeper.As("ada").Open(githubsim.PullRequest{Head: "loose", Title: "Loosen the floor"})
			require.NoError(t, err)
			w.ok(keeper.As("ada").Merge(n, githubsim.Merge{}))
			w.forge.Forget([]string{floorKey("acme")})
			ref := change.Ref{Repository: change.Repository{Forge: change.GitHub, Host: "127.0.0.1", ID: keeper.ID(), Name: "acme/governance"}, Kind: change.PullRequest, Number: n}
			g := w.gather(ref)
			require.Equal(t, simFloor, g.Policy.Floor.Text)
			require.Equal(t, change.SHA(before), g.Policy.Floor.Commit)
		})
	}
}

// One floor an owner, in a repository of the owner, at a path inside it.
func TestFloorsAreChecked(t *testing.T) {
	for _, c := range []struct {
		floors []string
		path   string
		want   string
	}{
		{[]string{"governance"}, "", "write owner/name"},
		{[]string{"acme/a", "ACME/b"}, "", "would both keep the floor of acme"},
		{[]string{"acme/a"}, "../floor.yml", "not a file's path"},
		{[]string{"acme/a"}, "/floor.yml", "not a file's path"},
		{[]string{"acme/a", "other/a"}, "org/floor.yml", ""},
	} {
		path := c.path
		if path == "" {
			path = PolicyPath
		}
		err := checkFloors(c.floors, path)
		if c.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.want)
	}
}
