package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// away stops the server, has things happen whose deliveries are lost, and starts it.
func (s *stage) away(t *testing.T, happens func()) {
	t.Helper()
	require.NoError(t, s.quiet())
	require.NoError(t, s.server.stop(s.ctx))
	happens()
	s.try(func() error { return s.sim.Quiesce(s.ctx) })
	require.NoError(t, s.serve(s.ctx, slog.New(slog.DiscardHandler)))
	s.sim.DeliverTo(s.server.url + webhookPath)
	s.server.ended.Wait()
	require.NoError(t, s.server.hooks.Idle(s.ctx))
}

// What is held when the server stops, and need not be any more when it starts, is
// released without another event.
func TestAStartLooksAtWhatIsHeld(t *testing.T) {
	for _, c := range []situation{
		{"approved meanwhile", func(t *testing.T, s *stage) {
			n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
			s.held(t, n, change.Pending, "peer-review", "0 of 1 independent approvals")
			s.away(t, func() { s.approve("grace", n) })
			s.passes(t, n)
		}},
		{"the policy asks for less", func(t *testing.T, s *stage) {
			n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
			s.approve("barbara", n)
			s.held(t, n, change.Pending, "peer-review", "barbara is not in the role engineer")
			s.away(t, func() {
				s.push("margaret", "main", file(policyFile, strings.Replace(demoPolicy, "from: [engineer]", "from: [engineer, platform]", 1)))
			})
			s.passes(t, n)
		}},
	} {
		t.Run(c.name, func(t *testing.T) { c.play(t, newStage(t)) })
	}
}

// A change in the middle of a stack lands on the trunk, so that it is for the trunk's
// policy, whichever branch it names as its base.
func TestATighterPolicyReachesTheMiddleOfAStack(t *testing.T) {
	s := newStage(t)
	s.branch("ada", "one", "main")
	s.push("ada", "one", file("one.go", "package shop\n"))
	first := s.open("ada", "one")
	s.branch("linus", "two", "one")
	s.push("linus", "two", file("two.go", "package shop\n"))
	var second int
	s.try(func() (err error) {
		second, err = s.as("linus").Open(githubsim.PullRequest{Title: "Two", Head: "two", Base: "one", Stack: "main"})
		return err
	})
	s.passTest("two")
	for _, n := range []int{first, second} {
		s.approve("grace", n)
		require.Equal(t, change.Pass, s.verdict(t, n).Status)
	}
	s.push("margaret", "main", file(policyFile, strings.Replace(demoPolicy, "approvals: 1", "approvals: 2", 1)))
	for _, n := range []int{first, second} {
		require.Equal(t, change.Pending, s.verdict(t, n).Status)
	}
	require.False(t, s.green(s.repo.Head("two")))
}

// A floor comes to speak of a branch that was nobody's concern: what wants to reach it
// is judged, although no record names it.
func TestAFloorThatSpeaksOfAnotherBranch(t *testing.T) {
	s := newStage(t)
	keeper := floored(t, s, oneApproval)
	s.branch("margaret", "dev", "main")
	s.branch("ada", "next", "main")
	s.push("ada", "next", file("next.go", "package shop\n"))
	var n int
	s.try(func() (err error) {
		n, err = s.as("ada").Open(githubsim.PullRequest{Title: "Next", Head: "next", Base: "dev"})
		return err
	})
	s.try(s.quiet)
	_, err := keeper.As("margaret").Push("main", file(policyFile, strings.Replace(oneApproval, "[main]", "[main, dev]", 1)))
	require.NoError(t, err)
	s.try(s.quiet)
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
}
