package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// TestSituationsThatTakeAQuestion plays situations in which the policy has to ask
// GitHub for more than a change shows, each through the whole server.
func TestSituationsThatTakeAQuestion(t *testing.T) {
	for _, c := range []situation{
		{"a code owner who is a maker", ownerIsAMaker},
		{"code owners that the change itself names", ownersOfTheChange},
		{"code owners who change on main", ownersChange},
		{"an update from the base, and one that hides a change", updateHidesAChange},
		{"a pull request of a workflow, approved by whoever ran it", starterApproves},
		{"a test that passed after many attempts", runUntilGreen},
	} {
		t.Run(c.name, func(t *testing.T) { c.play(t, newStage(t)) })
	}
}

// ruled puts a policy on main: that of the demo with more asked for on main, and more
// beside its entries.
func (s *stage) ruled(asked, beside string) {
	text := strings.Replace(demoPolicy, "    segregation-of-duties: {}\n", "    segregation-of-duties: {}\n"+asked, 1)
	s.push("margaret", "main", file(policyFile, text+beside))
}

func ownerIsAMaker(t *testing.T, s *stage) {
	s.push("margaret", "main", file(".github/CODEOWNERS", "/pay/ @Grace @linus\n"))
	s.ruled("    code-owners: {}\n", "")
	n := s.propose("ada", "Pay in cents", file("pay/cents.go", "package pay\n"))
	s.push("grace", s.head(n), file("pay/cents.go", "package pay // by grace\n"))
	s.passTest(s.head(n))
	s.approve("grace", n)
	s.held(t, n, change.Pending, "code-owners", "pay/cents.go")
	s.approve("mallory", n) // who is independent, and owns nothing
	s.held(t, n, change.Pending, "code-owners", "pay/cents.go")
	s.approve("linus", n)
	s.passes(t, n)
}

func ownersOfTheChange(t *testing.T, s *stage) {
	s.push("margaret", "main", file("CODEOWNERS", "* @acme/platform\n"))
	s.ruled("    code-owners: {}\n", "")
	n := s.propose("mallory", "Own it", githubsim.Commit{Files: map[string]string{
		".github/CODEOWNERS": "* @acme/engineers\n", "CODEOWNERS": "* @acme/engineers\n", "door.go": "package shop\n"}})
	s.approve("grace", n)
	s.held(t, n, change.Pending, "code-owners", "CODEOWNERS")
	s.approve("barbara", n)
	s.passes(t, n)
}

// No event names the open changes when the file of the branch that they want to reach
// gives their paths to others.
func ownersChange(t *testing.T, s *stage) {
	s.push("margaret", "main", file("CODEOWNERS", "* @grace\n"))
	s.ruled("    code-owners: {}\n", "")
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	s.push("margaret", "main", file("CODEOWNERS", "* @linus\n"))
	s.held(t, n, change.Pending, "code-owners", "basket.go")
	s.push("margaret", "main", file("CODEOWNERS", "* @grace @linus\n"))
	s.passes(t, n)
}

func updateHidesAChange(t *testing.T, s *stage) {
	s.ruled("    carry-over: updates\n", "")
	n := s.propose("ada", "Round prices", file("price.go", "package shop // rounded\n"))
	s.approve("grace", n)
	s.passes(t, n)
	approved := s.repo.Head(s.head(n))

	s.push("margaret", "main", file("stock.go", "package shop\n"))
	s.try(func() error { _, err := s.as("ada").UpdateBranch(n, nil); return err })
	s.passTest(s.head(n))
	s.passes(t, n)
	require.NotEqual(t, approved, s.repo.Head(s.head(n)))

	s.push("margaret", "main", file("price.go", "package shop // in cents\n"))
	s.try(func() error {
		_, err := s.as("ada").UpdateBranch(n, map[string]string{"price.go": "package shop // rounded, in cents, to ada's account\n"})
		return err
	})
	s.passTest(s.head(n))
	s.held(t, n, change.Pending, "peer-review", "the head is now")
	s.approve("grace", n)
	s.passes(t, n)
}

// Mallory runs a workflow that opens a pull request, as github-actions[bot]. What it
// does sets off no workflows of its own, so the test is run later. Whoever starts
// mallory's run again takes nothing off mallory.
func starterApproves(t *testing.T, s *stage) {
	const bot = "github-actions[bot]"
	s.ruled("", "automations: [{account: github:41898282, accountable: starter}]\n")
	var run int64
	var n int
	s.try(func() (err error) { run, err = s.as("mallory").RunWorkflow(githubsim.WorkflowRun{}); return err })
	s.branch(bot, "release", "main")
	s.push(bot, "release", file("version.go", "package shop // 2\n"))
	s.try(func() (err error) {
		n, err = s.as(bot).Open(githubsim.PullRequest{Title: "Release", Head: "release"})
		return err
	})
	s.try(func() error { return s.repo.EndWorkflow(run, "success") })
	s.later(5 * time.Minute)
	s.passTest("release")
	s.approve("mallory", n)
	s.held(t, n, change.Pending, "peer-review", "mallory started a run that was at work")
	s.try(func() error { return s.as("linus").RerunWorkflow(run) })
	s.approve("linus", n)
	s.passes(t, n)
}

func runUntilGreen(t *testing.T, s *stage) {
	s.push("margaret", "main", file(policyFile, strings.Replace(demoPolicy, "class: test}", "class: test, attempts: 2}", 1)))
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	head := s.repo.Head(s.head(n))
	for attempt, conclusion := range []string{"failure", "failure", "success"} {
		_, err := s.repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: head, Conclusion: conclusion, Workflow: ".github/workflows/ci.yml", Attempt: attempt + 2})
		require.NoError(t, err)
	}
	s.held(t, n, change.Fail, "required-checks", "after 4 attempts")
}
