package main

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// readsAll is what a token of the scripts may read.
func readsAll() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "read", "statuses": "read", "actions": "read", "members": "read",
	}
}

// A scriptedGitHub is a simulated GitHub with a past, at which a script looks with a
// token.
type scriptedGitHub struct {
	ts    *testscript.TestScript
	sim   *githubsim.Sim
	shop  *githubsim.Repository
	clock atomic.Int64
}

// simulated is the command of scripts "github": it starts a simulated GitHub with
// the repository acme/shop and a fortnight of August 2026, puts its address into API
// and writes tokens into the files token, blind, which may not read contents, and
// poor, which is good for nine calls an hour. At the end of the script nothing may
// have written.
func simulated(ts *testscript.TestScript, _ bool, _ []string) {
	g := &scriptedGitHub{ts: ts}
	g.day(1)
	var err error
	g.sim, err = githubsim.Start(githubsim.Options{Dir: ts.MkAbs("github"), Now: func() time.Time { return time.Unix(g.clock.Load(), 0).UTC() }})
	ts.Check(err)
	ts.Defer(func() { ts.Check(g.sim.Close()) })
	g.past()
	less := readsAll()
	delete(less, "contents")
	g.token("token", readsAll(), 0)
	g.token("blind", less, 0)
	g.token("poor", readsAll(), 9)
	ts.Setenv("API", g.sim.URL)
	g.sim.ResetRequests()
	ts.Defer(func() {
		if writes := g.sim.Requests().Writes(); len(writes) > 0 {
			ts.Fatalf("a command that only reads wrote to GitHub: %v", writes)
		}
	})
}

// token makes a token and writes it into a file.
func (g *scriptedGitHub) token(file string, permissions map[string]string, calls int) {
	token, err := g.sim.PersonalToken("acme", permissions, calls)
	g.ts.Check(err)
	g.ts.Check(os.WriteFile(g.ts.MkAbs(file), []byte(token+"\n"), 0o600))
}

// day moves the clock to a morning of August 2026.
func (g *scriptedGitHub) day(n int) {
	g.clock.Store(time.Date(2026, time.August, n, 9, 0, 0, 0, time.UTC).Unix())
}

// minutes lets time pass.
func (g *scriptedGitHub) minutes(n int64) { g.clock.Add(60 * n) }

// past is what has happened in the repository.
func (g *scriptedGitHub) past() {
	g.sim.AddUsers("root", "ada", "grace", "linus", "margaret")
	acme, err := g.sim.AddOrganization("acme", "root")
	g.ts.Check(err)
	for _, login := range []string{"ada", "grace", "linus"} {
		g.ts.Check(acme.AddMember("root", login))
	}
	_, err = acme.AddTeam("root", "engineers", "")
	g.ts.Check(err)
	for _, login := range []string{"ada", "grace", "linus"} {
		g.ts.Check(acme.AddToTeam("root", "engineers", login))
	}
	_, err = acme.AddTeam("root", "release-managers", "")
	g.ts.Check(err)
	g.shop, err = g.sim.CreateRepository("acme/shop", githubsim.RepositoryOptions{
		Files:       map[string]string{"price.go": "package price\n", ".github/workflows/ci.yml": "on: pull_request\n"},
		Permissions: map[string]string{"ada": "write", "grace": "write", "linus": "write", "margaret": "admin"},
	})
	g.ts.Check(err)
	g.ts.Check(g.shop.As("root").CreateBranch("docs", "main"))

	g.day(3) // reviewed and tested; grace tidies the branch up
	n := g.propose("ada", "cents", "main", "Price in cents")
	g.approve("grace", n)
	g.merge("ada", n)
	g.ts.Check(g.shop.As("grace").DeleteBranch("cents"))
	g.minutes(60) // and uses its name again
	g.ts.Check(g.shop.As("grace").CreateBranch("cents", "main"))

	g.day(4) // reviewed by nobody
	n = g.propose("linus", "quick", "main", "A quick fix")
	g.merge("linus", n)

	g.day(5) // approved, then changed
	n = g.propose("ada", "tax", "main", "Add the tax")
	g.approve("grace", n)
	g.push("ada", "tax", githubsim.Commit{Files: map[string]string{"tax.go": "package tax\n"}})
	g.test("tax")
	g.merge("ada", n)

	g.day(6) // to a branch that no rule names
	n = g.propose("linus", "words", "docs", "Better words")
	g.merge("linus", n)

	g.day(7) // past every review
	g.push("margaret", "main", githubsim.Commit{Files: map[string]string{"hot.go": "package hot\n"}})

	g.day(10) // by whoever wrote under an address that no account claims
	n = g.propose("ada", "borrowed", "main", "Borrowed code for SHOP-1, #1", githubsim.Commit{
		Files: map[string]string{"borrowed.go": "package borrowed\n"}, Author: githubsim.Identity{Name: "Nobody", Email: "nobody@example.com"}})
	g.approve("grace", n)
	g.merge("ada", n)
	g.day(15)
}

func (g *scriptedGitHub) push(login, branch string, commits ...githubsim.Commit) {
	g.minutes(1)
	_, err := g.shop.As(login).Push(branch, commits...)
	g.ts.Check(err)
}

func (g *scriptedGitHub) test(branch string) {
	g.minutes(1)
	_, err := g.shop.PostCheck(githubsim.CheckRun{App: "github-actions", Name: "test", Commit: g.shop.Head(branch), Conclusion: "success", Workflow: ".github/workflows/ci.yml"})
	g.ts.Check(err)
}

// propose has somebody push a branch and open a pull request, whose test passes.
func (g *scriptedGitHub) propose(login, branch, base, title string, commits ...githubsim.Commit) int {
	g.ts.Check(g.shop.As(login).CreateBranch(branch, base))
	if len(commits) == 0 {
		commits = []githubsim.Commit{{Files: map[string]string{branch + ".txt": branch + "\n"}}}
	}
	g.push(login, branch, commits...)
	g.minutes(1)
	n, err := g.shop.As(login).Open(githubsim.PullRequest{Title: title, Head: branch, Base: base})
	g.ts.Check(err)
	g.test(branch)
	return n
}

func (g *scriptedGitHub) approve(login string, number int) {
	g.minutes(1)
	_, err := g.shop.As(login).Approve(number)
	g.ts.Check(err)
}

func (g *scriptedGitHub) merge(login string, number int) {
	g.minutes(1)
	_, err := g.shop.As(login).Merge(number, githubsim.Merge{})
	g.ts.Check(err)
}
