package main

import (
	"context"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// demoPolicy is the policy of the day.
const demoPolicy = `version: 1
owner: platform-team
roles: {engineer: [team:acme/engineers], platform: [team:acme/platform]}
changes:
  - branches: [main]
    peer-review: {approvals: 1, from: [engineer]}
    segregation-of-duties: {}
    required-checks: [{name: test, app: github-actions, class: test}]
    protected-paths: [{paths: [".github/workflows/**", .countersign.yml], from: [platform]}]
`

// A scene is one story of the day.
type scene struct {
	name string
	repo string
	play func(*stage)
}

// day is what happens, in order.
var day = []scene{
	{"a clean change", "acme/shop", cleanChange},
	{"the author tries to approve", "acme/shop", authorApproves},
	{"approved, then pushed again", "acme/shop", pushAfterApproval},
	{"a contributor approves", "acme/shop", contributorApproves},
	{"a forged author, found by who pushed", "acme/shop", forgedAuthor},
	{"the required check from another app", "acme/shop", wrongApp},
	{"a workflow file is touched", "acme/shop", workflowTouched},
	{"a change request after the approval", "acme/shop", secondThoughts},
	{"a merge queue with one unapproved member", "acme/pay", unapprovedMember},
	{"an administrator merges around the gate", "acme/shop", bypassMerge},
	{"an administrator pushes to main", "acme/shop", directPush},
}

// playDay sets the stage and plays every scene.
func (s *stage) playDay(ctx context.Context) error {
	s.ctx, s.scene = ctx, "setting up"
	if s.try(s.begin); s.err != nil {
		return s.err
	}
	for _, sc := range day {
		s.scene, s.repo = sc.name, s.sim.Repository(sc.repo)
		sc.play(s)
	}
	return s.err
}

// begin founds everything, and from then on GitHub tells the server what happens.
func (s *stage) begin() error {
	if err := s.found(); err != nil {
		return err
	}
	s.sim.DeliverTo(s.server.url + webhookPath)
	return nil
}

// found makes the organisation, its people and its repositories.
func (s *stage) found() error {
	s.sim.AddUsers("ada", "grace", "linus", "mallory", "barbara", "margaret")
	s.sim.AddApp("other-ci", 31337)
	org, err := s.sim.AddOrganization("acme", "margaret")
	if err != nil {
		return err
	}
	for _, team := range []string{"engineers", "platform"} {
		if _, err := org.AddTeam("margaret", team, ""); err != nil {
			return err
		}
	}
	for login, team := range map[string]string{"ada": "engineers", "grace": "engineers", "linus": "engineers", "mallory": "engineers", "barbara": "platform"} {
		if err := org.AddToTeam("margaret", team, login); err != nil {
			return err
		}
	}
	if err := s.foundRepository("acme/shop", githubsim.Ruleset{}); err != nil {
		return err
	}
	return s.foundRepository("acme/pay", githubsim.Ruleset{MergeQueue: &githubsim.MergeQueueRule{MinGroup: 2}})
}

// foundRepository makes a repository on whose main branch GitHub demands our check,
// from our App and no other. Administrators may bypass that, as many may.
func (s *stage) foundRepository(name string, rules githubsim.Ruleset) error {
	repo, err := s.sim.CreateRepository(name, githubsim.RepositoryOptions{
		Files: map[string]string{"README.md": "# " + name + "\n", policyFile: demoPolicy, ".github/workflows/ci.yml": "on: pull_request\n"},
		Teams: map[string]string{"engineers": "write", "platform": "write"},
	})
	if err != nil {
		return err
	}
	rules.Name = "main is protected"
	rules.PullRequest = &githubsim.PullRequestRule{}
	rules.RequiredChecks = []githubsim.RequiredCheck{{Context: "countersign", AppID: s.sim.App.ID}}
	rules.Bypass = []githubsim.BypassActor{{Type: githubsim.BypassOrganizationAdmin}}
	_, err = repo.As("margaret").SetRuleset(rules)
	return err
}

func file(path, content string) githubsim.Commit {
	return githubsim.Commit{Files: map[string]string{path: content}}
}

func cleanChange(s *stage) {
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.tell(n, "ada opens it and its test passes")
	s.refused(s.name(n), "ada merges it all the same", func() error {
		_, err := s.as("ada").Merge(n, githubsim.Merge{})
		return err
	})
	s.approve("grace", n)
	s.tell(n, "grace approves")
	s.try(func() error {
		_, err := s.as("ada").Merge(n, githubsim.Merge{Method: githubsim.MethodSquash})
		return err
	})
	s.tell(n, "ada merges")
}

func authorApproves(s *stage) {
	n := s.propose("linus", "Speed up search", file("search.go", "package shop\n"))
	s.refused(s.name(n), "linus approves his own change", func() error { _, err := s.as("linus").Approve(n); return err })
	s.tell(n, "so nobody has approved")
}

func pushAfterApproval(s *stage) {
	n := s.propose("ada", "Round prices", file("price.go", "package shop\n"))
	s.approve("grace", n)
	s.tell(n, "grace approves")
	s.push("ada", s.head(n), file("price.go", "package shop // rounded down\n"))
	s.passTest(s.head(n))
	s.tell(n, "ada pushes once more")
}

func contributorApproves(s *stage) {
	n := s.propose("ada", "Send invoices", file("invoice.go", "package shop\n"))
	s.push("grace", s.head(n), file("invoice_test.go", "package shop\n"))
	s.passTest(s.head(n))
	s.approve("grace", n)
	s.tell(n, "grace adds a commit of her own and approves")
	s.approve("linus", n)
	s.tell(n, "linus, who had no part in it, approves")
}

func forgedAuthor(s *stage) {
	n := s.propose("ada", "Log in with a key", file("login.go", "package shop\n"))
	forged := file("login.go", "package shop // back door\n")
	forged.Author, forged.Committer = s.sim.Identity("ada"), s.sim.Identity("ada")
	s.push("mallory", s.head(n), forged)
	s.passTest(s.head(n))
	s.approve("mallory", n)
	s.tell(n, "mallory pushes a commit in ada's name and approves")
}

func wrongApp(s *stage) {
	branch := "linus/unchecked"
	s.try(func() error { return s.as("linus").CreateBranch(branch, "main") })
	s.push("linus", branch, file("stock.go", "package shop\n"))
	var n int
	s.try(func() (err error) {
		n, err = s.as("linus").Open(githubsim.PullRequest{Title: "Count the stock", Head: branch})
		return err
	})
	s.try(func() error {
		_, err := s.repo.PostCheck(githubsim.CheckRun{App: "other-ci", Name: "test", Commit: s.repo.Head(branch), Conclusion: "success"})
		return err
	})
	s.approve("ada", n)
	s.tell(n, "ada approves, another app says that test passed")
}

func workflowTouched(s *stage) {
	n := s.propose("ada", "Test on every push", file(".github/workflows/ci.yml", "on: push\n"))
	s.approve("grace", n)
	s.tell(n, "grace approves")
	s.approve("barbara", n)
	s.tell(n, "barbara of the platform team approves")
}

func secondThoughts(s *stage) {
	n := s.propose("linus", "Cache the catalogue", file("cache.go", "package shop\n"))
	s.approve("grace", n)
	s.tell(n, "grace approves")
	s.try(func() error { _, err := s.as("grace").RequestChanges(n, "It never expires."); return err })
	s.tell(n, "grace asks for changes after all")
}

func unapprovedMember(s *stage) {
	first := s.propose("ada", "Pay by card", file("card.go", "package pay\n"))
	second := s.propose("linus", "Pay by invoice", file("invoice.go", "package pay\n"))
	s.approve("grace", first)
	s.approve("grace", second)
	s.tell(first, "grace approves")
	s.tell(second, "grace approves")
	s.try(func() error { return s.as("ada").Enqueue(first) })
	s.try(func() error { return s.as("linus").Enqueue(second) })
	s.tellGroup(first, "both wait in the queue")
	s.try(func() error { _, err := s.as("grace").RequestChanges(first, "Not the test card!"); return err })
	s.tellGroup(first, "grace asks for changes to #%d after all", first)
}

func bypassMerge(s *stage) {
	n := s.propose("mallory", "Skip the queue", file("skip.go", "package shop\n"))
	s.tell(n, "mallory opens it")
	s.try(func() error { _, err := s.as("margaret").Merge(n, githubsim.Merge{Bypass: true}); return err })
	s.tell(n, "margaret, an administrator, merges it unreviewed")
}

func directPush(s *stage) {
	s.push("margaret", "main", file("hotfix.go", "package shop\n"))
	s.tellPush("margaret, an administrator, pushes a hotfix")
}
