package github

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
	"github.com/countersign-dev/countersign/internal/githubsim/contract"
)

const simPolicy = "version: 1\nowner: platform-team\n"

// A world is a simulated GitHub with the repository acme/shop, and a Forge that
// looks at it.
type world struct {
	t     *testing.T
	sim   *githubsim.Sim
	acme  *githubsim.Organization
	shop  *githubsim.Repository
	forge *Forge
}

// newWorld starts one. Every exchange is checked against GitHub's published
// descriptions where those are installed.
func newWorld(t *testing.T) *world {
	t.Helper()
	sim, err := githubsim.Start(githubsim.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	if _, err := contract.Modules(); err == nil {
		contract.Checked(t, sim)
	} else {
		t.Log("exchanges are not checked:", err)
	}
	sim.AddUsers("root", "ada", "grace", "linus", "mallory")
	w := &world{t: t, sim: sim}
	w.acme, err = sim.AddOrganization("acme", "root")
	require.NoError(t, err)
	w.shop, err = sim.CreateRepository("acme/shop", githubsim.RepositoryOptions{
		Files:            map[string]string{".countersign.yml": simPolicy, "price.go": "package price\n"},
		Permissions:      map[string]string{"ada": "write", "grace": "maintain", "linus": "write", "mallory": "write"},
		CustomProperties: map[string]any{"areas": []string{"billing", "web"}},
	})
	require.NoError(t, err)
	w.forge = w.newForge()
	received := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(received.Close)
	sim.DeliverTo(received.URL)
	return w
}

func (w *world) newForge() *Forge {
	f, err := New(Config{BaseURL: w.sim.URL, AppID: w.sim.App.ID, PrivateKey: w.sim.App.PrivateKeyPEM, Secrets: [][]byte{w.sim.App.WebhookSecret}})
	require.NoError(w.t, err)
	return f
}

func (w *world) repository() change.Repository {
	return change.Repository{Forge: change.GitHub, Host: "127.0.0.1", ID: w.shop.ID(), Name: "acme/shop"}
}

func (w *world) pull(number int) change.Ref {
	return change.Ref{Repository: w.repository(), Kind: change.PullRequest, Number: number}
}

// open has login push a file to a branch and open a pull request.
func (w *world) open(login, branch string, commits ...githubsim.Commit) (number int, head string) {
	w.t.Helper()
	if len(commits) == 0 {
		commits = []githubsim.Commit{{Files: map[string]string{branch + ".txt": branch + "\n"}}}
	}
	head, err := w.shop.As(login).Push(branch, commits...)
	require.NoError(w.t, err)
	number, err = w.shop.As(login).Open(githubsim.PullRequest{Head: branch, Title: "Add " + branch})
	require.NoError(w.t, err)
	return number, head
}

func (w *world) gather(ref change.Ref) change.Gathered {
	w.t.Helper()
	g, err := w.forge.Gather(w.t.Context(), ref)
	require.NoError(w.t, err)
	return g
}

// logins returns what people are called.
func logins(f change.Facts, people ...change.Person) []string {
	list := []string{}
	for _, p := range people {
		list = append(list, f.People[p].Login)
	}
	return list
}

func (w *world) ok(_ any, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
}

func TestLifeOfAPullRequest(t *testing.T) {
	w := newWorld(t)
	n, head := w.open("ada", "cents", githubsim.Commit{Files: map[string]string{"price.go": "package price // cents\n"}, CoAuthors: []githubsim.Identity{w.sim.Identity("linus")}})
	w.ok(w.shop.As("grace").Approve(n))
	w.ok(w.shop.PostCheck(githubsim.CheckRun{Name: "test", Commit: head, Conclusion: "success", Workflow: ".github/workflows/test.yml"}))
	w.ok(nil, w.shop.As("ada").Label(n, "billing"))

	g := w.gather(w.pull(n))
	f := g.Facts
	require.Empty(t, f.Absent)
	require.Equal(t, []string{"ada"}, logins(f, known(t, f.Opener)))
	c := known(t, f.Commits)
	require.Len(t, c, 1)
	require.Equal(t, []string{"ada", "ada", "linus"}, logins(f, c[0].Author, c[0].Committer, c[0].CoAuthors[0]))
	require.Equal(t, []string{"ada"}, logins(f, known(t, f.Pushes)[0].By))
	r := known(t, f.Reviews)
	require.Equal(t, change.Approved, r[0].State)
	require.Equal(t, change.SHA(head), r[0].Commit)
	require.Equal(t, known(t, f.Head).Tree, r[0].Tree)
	require.True(t, known(t, r[0].CanPush))
	require.Equal(t, ".github/workflows/test.yml", known(t, f.Checks)[0].Workflow)
	require.Equal(t, int64(15368), known(t, f.Checks)[0].AppID)
	require.Equal(t, []string{"billing"}, known(t, f.Labels))
	require.Equal(t, simPolicy, g.Policy.Text)
	require.Equal(t, change.SHA(w.shop.Head("main")), g.Policy.Commit)
	require.Equal(t, known(t, f.Base).Commit, known(t, f.Base).MergeBase)
	require.Equal(t, []change.File{{Path: "price.go", Status: "modified"}}, known(t, f.Files))

	// A verdict is shown, read back, changed in place, and left alone.
	report := change.Report{Ref: f.Ref, Commit: change.SHA(head), People: f.People, Shown: g.Shown, Decision: change.Decision{
		Status: change.Pending, Results: []change.Result{{Control: "peer-review", Status: change.Pending, Reason: "1 of 2 approvals"}}}}
	w.ok(nil, w.forge.Report(t.Context(), report))
	report.Shown = w.gather(w.pull(n)).Shown
	require.Equal(t, "in_progress", known(t, report.Shown).Status)
	require.Equal(t, "Held: 1 of 2 approvals", known(t, report.Shown).Title)
	report.Decision = change.Decision{Status: change.Pass, Results: []change.Result{{Control: "peer-review", Status: change.Pass}}}
	w.ok(nil, w.forge.Report(t.Context(), report))
	before := known(t, report.Shown).ID
	report.Shown = w.gather(w.pull(n)).Shown
	require.Equal(t, before, known(t, report.Shown).ID, "one change, one run")
	require.Equal(t, "success", known(t, report.Shown).Conclusion)
	w.sim.ResetRequests()
	w.ok(nil, w.forge.Report(t.Context(), report))
	require.Empty(t, w.sim.Requests())
	require.Len(t, known(t, w.gather(w.pull(n)).Facts.Checks), 1, "our own run is no check")

	merged, err := w.shop.As("linus").Merge(n, githubsim.Merge{SHA: head})
	require.NoError(t, err)
	g = w.gather(w.pull(n))
	require.Equal(t, "success", known(t, g.Shown).Conclusion)
	f = g.Facts
	require.Empty(t, f.Absent)
	l := known(t, f.Landing)
	require.Equal(t, change.MergeCommit, l.How)
	require.Equal(t, change.SHA(merged), l.Commit)
	require.Equal(t, []string{"linus"}, logins(f, l.By))
	require.False(t, f.Shown.IsKnown(), "what was shown is for our own records to say")

	// The push that the merge was explains itself, under the policy before it.
	push := change.Ref{Repository: w.repository(), Kind: change.Push, Branch: "main", Commit: l.Commit, Before: l.Before}
	g = w.gather(push)
	require.Empty(t, g.Facts.Absent)
	require.Equal(t, []int{n}, known(t, g.Facts.Landing).Explained)
	require.Equal(t, change.MergeCommit, known(t, g.Facts.Landing).How)
	require.Equal(t, l.Before, g.Policy.Commit)
	w.sim.ResetRequests()
	w.gather(push)
	require.Equal(t, 1, w.sim.Requests().Total(), "nothing else is asked of it")
}

func TestMergeMethods(t *testing.T) {
	for method, want := range map[string]string{"merge": change.MergeCommit, "squash": change.Squash, "rebase": change.Rebase} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t)
			n, _ := w.open("ada", "two", githubsim.Commit{Files: map[string]string{"a": "1"}}, githubsim.Commit{Files: map[string]string{"b": "2"}})
			_, err := w.shop.As("root").Push("main", githubsim.Commit{Files: map[string]string{"c": "3"}})
			require.NoError(t, err)
			before := change.SHA(w.shop.Head("main"))
			merged, err := w.shop.As("grace").Merge(n, githubsim.Merge{Method: method})
			require.NoError(t, err)
			g := w.gather(w.pull(n))
			require.Empty(t, g.Facts.Absent)
			l := known(t, g.Facts.Landing)
			require.Equal(t, want, l.How)
			require.Equal(t, before, l.Before)
			require.Equal(t, before, g.Policy.Commit)
			push := w.gather(change.Ref{Repository: w.repository(), Kind: change.Push, Branch: "main", Commit: change.SHA(merged), Before: before})
			require.Equal(t, want, known(t, push.Facts.Landing).How)
			require.Equal(t, []int{n}, known(t, push.Facts.Landing).Explained)
		})
	}
}

func TestWhoReallyPushed(t *testing.T) {
	w := newWorld(t)
	// Mallory writes Ada's name into a commit on Ada's branch.
	n, _ := w.open("ada", "cents")
	_, err := w.shop.As("mallory").Push("cents", githubsim.Commit{Files: map[string]string{"evil": "1"}, Author: w.sim.Identity("ada"), Committer: w.sim.Identity("ada")})
	require.NoError(t, err)
	// Ada rewrites the branch; Mallory's push is history, not forgotten.
	_, err = w.shop.As("ada").ForcePush("cents", "main", githubsim.Commit{Files: map[string]string{"evil": "1"}})
	require.NoError(t, err)
	f := w.gather(w.pull(n)).Facts
	require.Empty(t, f.Absent)
	var who []string
	forced := 0
	for _, p := range known(t, f.Pushes) {
		who = append(who, logins(f, p.By)...)
		if p.Forced {
			forced++
		}
	}
	require.ElementsMatch(t, []string{"ada", "mallory", "ada"}, who)
	require.Equal(t, 1, forced)
	require.Equal(t, change.HeadForcePushed, known(t, f.Timeline)[0].Kind)
}

func TestCommitsOfTheWebAndOfForgers(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "web")
	_, err := w.shop.As("ada").WebEdit("web", "web.txt", "edited\n", "Edit")
	require.NoError(t, err)
	gitHub := githubsim.Identity{Name: "GitHub", Email: "noreply@github.com"}
	_, err = w.shop.As("mallory").Push("web",
		githubsim.Commit{Files: map[string]string{"x": "1"}, Author: w.sim.Identity("ada"), Committer: gitHub},
		githubsim.Commit{Files: map[string]string{"x": "2"}, Author: githubsim.Identity{Name: "Ada", Email: "ada@home.example"}})
	require.NoError(t, err)
	f := w.gather(w.pull(n)).Facts
	require.Empty(t, f.Absent)
	c := known(t, f.Commits)
	require.Len(t, c, 4)
	require.True(t, c[1].ByForge)
	require.False(t, c[2].ByForge)
	require.Equal(t, change.Unknown, f.People[c[2].Committer].Kind)
	require.Equal(t, change.Identity{Kind: change.Unknown, Name: "Ada", Email: "ada@home.example"}, f.People[c[3].Author])
}

func TestStackLandsOnItsTrunk(t *testing.T) {
	w := newWorld(t)
	w.open("ada", "one")
	_, err := w.shop.As("ada").Push("one", githubsim.Commit{Files: map[string]string{".countersign.yml": "version: 1\nowner: nobody\n"}})
	require.NoError(t, err)
	require.NoError(t, w.shop.As("ada").CreateBranch("two", "one"))
	_, err = w.shop.As("ada").Push("two", githubsim.Commit{Files: map[string]string{"two": "2"}})
	require.NoError(t, err)
	n, err := w.shop.As("ada").Open(githubsim.PullRequest{Head: "two", Base: "one", Title: "Two", Stack: "main"})
	require.NoError(t, err)
	g := w.gather(w.pull(n))
	require.Empty(t, g.Facts.Absent)
	require.Equal(t, "one", known(t, g.Facts.Base).Branch)
	require.Equal(t, "main", known(t, g.Facts.Base).Target)
	require.Equal(t, simPolicy, g.Policy.Text, "the trunk's policy, not the feature branch's")
}

func TestRenameShowsItsOldPath(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "rename", githubsim.Commit{Rename: map[string]string{"price.go": "cents.go"}})
	f := w.gather(w.pull(n)).Facts
	require.Empty(t, f.Absent)
	require.Equal(t, []change.File{{Path: "cents.go", Previous: "price.go", Status: "renamed"}}, known(t, f.Files))
}

func TestDismissalKeepsWhatWasSaid(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "cents")
	id, err := w.shop.As("grace").RequestChanges(n, "no")
	require.NoError(t, err)
	require.NoError(t, w.shop.As("linus").Dismiss(n, id, "stale"))
	f := w.gather(w.pull(n)).Facts
	r := known(t, f.Reviews)[0]
	require.Equal(t, change.Dismissed, r.State)
	require.Equal(t, change.ChangesRequested, r.Dismissal.Was)
	require.Equal(t, []string{"linus"}, logins(f, r.Dismissal.By))
}

func TestDirectPush(t *testing.T) {
	w := newWorld(t)
	before := change.SHA(w.shop.Head("main"))
	after, err := w.shop.As("root").Push("main", githubsim.Commit{Files: map[string]string{".countersign.yml": "version: 1\nowner: root\n", "x": "1"}})
	require.NoError(t, err)
	g := w.gather(change.Ref{Repository: w.repository(), Kind: change.Push, Branch: "main", Commit: change.SHA(after), Before: before})
	require.Empty(t, g.Facts.Absent)
	l := known(t, g.Facts.Landing)
	require.Equal(t, change.DirectPush, l.How)
	require.Empty(t, l.Explained)
	require.Equal(t, []string{"root"}, logins(g.Facts, l.By))
	require.Equal(t, simPolicy, g.Policy.Text, "a push is judged by the policy before it")
	require.Len(t, known(t, g.Facts.Files), 2)

	forced, err := w.shop.As("root").ForcePush("main", string(before), githubsim.Commit{Files: map[string]string{"y": "1"}})
	require.NoError(t, err)
	g = w.gather(change.Ref{Repository: w.repository(), Kind: change.Push, Branch: "main", Commit: change.SHA(forced), Before: change.SHA(after)})
	require.Equal(t, change.ForcePush, known(t, g.Facts.Landing).How)
	require.Len(t, known(t, g.Facts.Commits), 1)
}

func TestTeamsAreForgottenOnTheirEvents(t *testing.T) {
	w := newWorld(t)
	w.ok(w.acme.AddTeam("root", "engineers", ""))
	w.ok(w.acme.AddTeam("root", "billing", "engineers"))
	for _, login := range []string{"grace", "linus"} {
		w.ok(nil, w.acme.AddMember("root", login))
	}
	w.ok(nil, w.acme.AddToTeam("root", "billing", "grace"))
	n, _ := w.open("ada", "cents")
	w.ok(w.shop.As("grace").Approve(n))
	w.ok(w.shop.As("linus").Approve(n))
	facts := w.gather(w.pull(n)).Facts
	needs := change.Needs{Selectors: []change.Selector{"team:acme/engineers", "permission:maintain"}}
	member := func() map[string]bool {
		f, err := w.forge.Answer(t.Context(), facts, needs)
		require.NoError(t, err)
		require.Empty(t, f.Absent)
		out := map[string]bool{}
		for _, m := range known(t, f.Members) {
			out[logins(f, m.Person)[0]+" "+string(m.Selector)] = m.Member
		}
		return out
	}
	require.Equal(t, map[string]bool{
		"grace team:acme/engineers": true, "linus team:acme/engineers": false, // child teams count
		"grace permission:maintain": true, "linus permission:maintain": false,
	}, member())

	w.sim.ResetRequests()
	member()
	require.Empty(t, w.sim.Requests(), "cached")
	w.ok(nil, w.acme.AddToTeam("root", "engineers", "linus"))
	require.False(t, member()["linus team:acme/engineers"], "still cached")
	require.NoError(t, w.sim.Quiesce(t.Context()))
	for _, d := range w.sim.Deliveries() {
		h, err := w.forge.Hint(change.Delivery{ID: d.GUID, Event: d.Event, Body: d.Body})
		require.NoError(t, err)
		w.forge.Forget(h.Forget)
	}
	require.True(t, member()["linus team:acme/engineers"])
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "cents")
	w.gather(w.pull(n))

	w.sim.Fail(githubsim.Fault{Route: "POST /graphql", Status: 502})
	w.gather(w.pull(n)) // once is a hiccup

	w.sim.Fail(githubsim.Fault{Route: "POST /graphql", Status: 502, Times: 2})
	_, err := w.forge.Gather(t.Context(), w.pull(n))
	require.Error(t, err)
	w.sim.Heal()

	w.sim.Fail(githubsim.Fault{Route: "POST /graphql", GraphQL: "RATE_LIMITED"})
	_, err = w.forge.Gather(t.Context(), w.pull(n))
	var retry *RetryError
	require.ErrorAs(t, err, &retry)
	require.Positive(t, retry.RetryAfter())
	w.sim.Heal()

	w.sim.Fail(githubsim.Fault{Route: "POST /graphql", GraphQL: "SERVICE_UNAVAILABLE", Partial: true})
	_, err = w.forge.Gather(t.Context(), w.pull(n))
	require.ErrorAs(t, err, &retry, "an error in a 200 is never 'no reviews'")
	w.sim.Heal()

	w.sim.ExpireTokens()
	_, err = w.forge.Gather(t.Context(), w.pull(n))
	require.Error(t, err, "a revoked token is an error, not an absent fact")
	w.gather(w.pull(n)) // with a new one

	w.sim.Fail(githubsim.Fault{Route: "GET /repos/{owner}/{repo}/activity", Status: 403, RetryAfter: 7 * time.Second, Times: 5})
	w.ok(w.shop.As("ada").Push("cents", githubsim.Commit{Files: map[string]string{"more.txt": "more\n"}}))
	_, err = w.forge.Gather(t.Context(), w.pull(n))
	require.ErrorAs(t, err, &retry)
	require.LessOrEqual(t, retry.RetryAfter(), 7*time.Second)
	require.Greater(t, retry.RetryAfter(), 4*time.Second)
}

func TestGatherHonoursItsContext(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "cents")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.forge.Gather(ctx, w.pull(n))
	require.ErrorIs(t, err, context.Canceled)
}

func TestRerunButton(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "cents")
	w.approveByUs(n)
	id := known(t, w.gather(w.pull(n)).Shown).ID
	w.ok(nil, w.shop.As("ada").RequestAction(id, Reevaluate))
	w.ok(nil, w.shop.As("ada").Rerequest(id))
	require.NoError(t, w.sim.Quiesce(t.Context()))
	asked := 0
	for _, d := range w.sim.Deliveries() {
		h, err := w.newForge().Hint(change.Delivery{ID: d.GUID, Event: d.Event, Body: d.Body}) // remembers nothing
		require.NoError(t, err)
		if d.Event == "check_run" && len(h.Refs) > 0 {
			require.Equal(t, n, h.Refs[0].Number)
			asked++
		}
	}
	require.Equal(t, 2, asked, "our own created and completed runs ask for nothing")
}
