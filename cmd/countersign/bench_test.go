package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// budgetPolicy asks for two checks, an approval and the owners of the touched paths.
const budgetPolicy = `version: 1
owner: platform-team
roles: {engineer: [team:acme/engineers], platform: [team:acme/platform]}
changes:
  - branches: [main]
    peer-review: {approvals: 1, from: [engineer]}
    segregation-of-duties: {}
    code-owners: {}
    required-checks: [{name: test, app: github-actions}, {name: lint, app: github-actions}]
    protected-paths: [{paths: [".github/workflows/**", .countersign.yml, .github/CODEOWNERS], from: [platform]}]
`

// benchStage returns a stage whose pull request #1 by ada, in a repository with the
// policy above, is open and judged.
func benchStage(b *testing.B) *stage {
	b.Helper()
	s, err := openStage(b.Context(), b.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.close(context.WithoutCancel(b.Context()))) })
	s.ctx, s.scene, s.teller = b.Context(), b.Name(), teller{out: io.Discard}
	s.try(s.begin)
	s.try(func() (err error) {
		s.repo, err = s.sim.CreateRepository("acme/budget", githubsim.RepositoryOptions{
			Files: map[string]string{policyFile: budgetPolicy, ".github/CODEOWNERS": "* @acme/engineers\n", ".github/workflows/ci.yml": "on: pull_request\n"},
			Teams: map[string]string{"engineers": "write", "platform": "write"},
		})
		return err
	})
	s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.try(s.quiet)
	require.NoError(b, s.err)
	return s
}

// pass has a job of the workflow pass on a branch's tip.
func (s *stage) pass(branch, name string) error {
	_, err := s.repo.PostCheck(githubsim.CheckRun{Name: name, Commit: s.repo.Head(branch), Conclusion: "success", Workflow: ".github/workflows/ci.yml"})
	return err
}

// An event is one kind of thing that happens to a pull request.
type event struct {
	name string
	do   func(s *stage, i int) error
}

// events are the kinds that BenchmarkRequests counts, on pull request #1.
var events = []event{
	{"push", func(s *stage, i int) error {
		_, err := s.as("ada").Push("ada/1", file("basket.go", fmt.Sprintf("package shop // %d\n", i)))
		return err
	}},
	{"required-check", func(s *stage, _ int) error { return s.pass("ada/1", "test") }},
	{"approval", func(s *stage, _ int) error { _, err := s.as("grace").Approve(1); return err }},
	{"change-request", func(s *stage, _ int) error { _, err := s.as("grace").RequestChanges(1, "Hm."); return err }},
	{"other-check", func(s *stage, _ int) error { return s.pass("ada/1", "docs") }},
	{"other-status", func(s *stage, _ int) error {
		return s.as("linus").PostStatus(s.repo.Head("ada/1"), githubsim.Status{Context: "ci/docs", State: "success"})
	}},
	{"comment", func(s *stage, _ int) error { _, err := s.as("linus").Comment(1, "Nice."); return err }},
	{"label", func(s *stage, i int) error { return s.as("ada").Label(1, fmt.Sprintf("l%d", i)) }},
	{"title", func(s *stage, i int) error { return s.as("ada").EditTitle(1, fmt.Sprintf("Add a basket %d", i)) }},
	{"push-elsewhere", func(s *stage, i int) error {
		branch := fmt.Sprintf("linus/idea-%d", i)
		if err := s.as("linus").CreateBranch(branch, "main"); err != nil {
			return err
		}
		_, err := s.as("linus").Push(branch, file("idea.go", "package shop\n"))
		return err
	}},
}

// BenchmarkRequests counts the API requests that one event costs once its verdict
// is shown, and how many of them write.
func BenchmarkRequests(b *testing.B) {
	for _, e := range events {
		b.Run(e.name, func(b *testing.B) {
			s := benchStage(b)
			s.sim.ResetRequests()
			deliveries := len(s.sim.Deliveries())
			for i := range b.N {
				require.NoError(b, e.do(s, i))
				require.NoError(b, s.quiet())
			}
			s.reportRequests(b, len(s.sim.Deliveries())-deliveries, b.N, "event")
		})
	}
}

// reportRequests prints what n of something have cost.
func (s *stage) reportRequests(b *testing.B, deliveries, n int, of string) {
	count := s.sim.ResetRequests()
	b.ReportMetric(float64(count.Total())/float64(n), "requests/"+of)
	b.ReportMetric(float64(count.Writes().Total())/float64(n), "writes/"+of)
	b.ReportMetric(float64(deliveries)/float64(n), "deliveries/"+of)
}

// BenchmarkSixtyApprovals counts what each of sixty approvals of one pull request
// costs, by as many people, one after the other.
func BenchmarkSixtyApprovals(b *testing.B) {
	for range b.N {
		s := benchStage(b)
		for i := range 60 {
			login := fmt.Sprintf("reviewer-%d", i)
			s.sim.AddUsers(login)
			s.try(func() error { return s.sim.Organization("acme").AddToTeam("margaret", "engineers", login) })
		}
		s.try(s.quiet)
		s.sim.ResetRequests()
		deliveries, most := len(s.sim.Deliveries()), 0
		for i := range 60 {
			before := s.sim.Requests().Total()
			s.approve(fmt.Sprintf("reviewer-%d", i), 1)
			s.try(s.quiet)
			most = max(most, s.sim.Requests().Total()-before)
		}
		require.NoError(b, s.err)
		s.reportRequests(b, len(s.sim.Deliveries())-deliveries, 60, "approval")
		b.ReportMetric(float64(most), "most-requests")
	}
}

// The figure that is published of policy-bot, in requests for one pull request.
const policyBotLeast, policyBotMost = 145, 475

// BenchmarkLife counts the API requests of one whole life of a pull request: opened,
// 32 checks of which two are required, a comment, a change request, a push, 32 checks,
// an approval and the merge. That is 70 events; GitHub sends some more deliveries,
// because a branch that is made and a merge are pushes too, and our own check is told
// of like any other. The checks of a commit come one after the other without waiting, as
// workflows post them; in "one-by-one" the server is at rest before each of the 70. The
// naive way, to look and report on every delivery, is measured in the same run by what
// one approval costs.
func BenchmarkLife(b *testing.B) {
	for _, way := range []struct {
		name string
		rest func(*stage)
	}{{"as-it-comes", func(*stage) {}}, {"one-by-one", func(s *stage) { s.try(s.quiet) }}} {
		b.Run(way.name, func(b *testing.B) {
			for range b.N {
				s := benchStage(b)
				s.sim.ResetRequests()
				s.approve("grace", 1)
				s.try(s.quiet)
				one := s.sim.ResetRequests().Total()
				before := len(s.sim.Deliveries())
				s.life(func() { way.rest(s) })
				require.NoError(b, s.err)
				deliveries, total := len(s.sim.Deliveries())-before, s.sim.Requests().Total()
				s.reportRequests(b, deliveries, 1, "life")
				b.ReportMetric(float64(total)/float64(deliveries*one), "of-naive")
				b.ReportMetric(float64(total)/policyBotLeast, "of-policy-bot's-least")
				b.ReportMetric(float64(total)/policyBotMost, "of-policy-bot's-most")
			}
		})
	}
}

// life is a pull request from opening to merge.
func (s *stage) life(rest func()) {
	const branch = "linus/count"
	var n int
	s.try(func() error { return s.as("linus").CreateBranch(branch, "main") })
	s.push("linus", branch, file("stock.go", "package shop\n"))
	s.try(func() (err error) {
		n, err = s.as("linus").Open(githubsim.PullRequest{Title: "Count the stock", Head: branch})
		return err
	})
	rest()
	s.checks(branch, rest)
	s.try(func() error { _, err := s.as("ada").Comment(n, "Why?"); return err })
	s.try(s.quiet)
	s.try(func() error { _, err := s.as("grace").RequestChanges(n, "Please explain."); return err })
	s.try(s.quiet)
	s.push("linus", branch, file("stock.go", "package shop // explained\n"))
	rest()
	s.checks(branch, rest)
	s.approve("grace", n)
	s.try(s.quiet)
	s.try(func() error { _, err := s.as("linus").Merge(n, githubsim.Merge{}); return err })
	s.try(s.quiet)
}

// checks has 32 checks pass on a branch's tip, the two that are required among them, and
// waits until the server is at rest.
func (s *stage) checks(branch string, rest func()) {
	for i := range 32 {
		name := fmt.Sprintf("check-%d", i)
		switch i {
		case 3:
			name = "test"
		case 20:
			name = "lint"
		}
		s.try(func() error { return s.pass(branch, name) })
		rest()
	}
	s.try(s.quiet)
}
