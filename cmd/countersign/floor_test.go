package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// floored starts the server of a stage again with a floor in acme/governance.
func floored(t *testing.T, s *stage, text string) *githubsim.Repository {
	t.Helper()
	keeper, err := s.sim.CreateRepository("acme/governance", githubsim.RepositoryOptions{Files: map[string]string{policyFile: text}})
	require.NoError(t, err)
	require.NoError(t, s.quiet())
	require.NoError(t, s.server.stop(context.WithoutCancel(t.Context())))
	s.floors = []string{"acme/governance"}
	require.NoError(t, s.serve(s.ctx, slog.New(slog.DiscardHandler)))
	s.sim.DeliverTo(s.server.url + webhookPath)
	return keeper
}

const oneApproval = "version: 1\nowner: security\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n"

// When the floor is tightened, what stood let through in any repository of the
// organisation is judged again, and the record holds both texts.
func TestATighterFloorHoldsWhatStoodLetThrough(t *testing.T) {
	s := newStage(t)
	keeper := floored(t, s, oneApproval)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	require.Equal(t, change.Pass, s.verdict(t, n).Status)

	stricter := oneApproval[:len(oneApproval)-3] + "2}\n"
	_, err := keeper.As("margaret").Push("main", file(policyFile, stricter))
	require.NoError(t, err)
	d := s.verdict(t, n)
	require.Equal(t, change.Pending, d.Status)
	require.Equal(t, "organisation floor: 1 of 2 independent approvals", s.why(n, "peer-review"))
	require.Contains(t, d.Notes, change.Text("changes[0].peer-review asks for 1 approval; the floor's 2 hold"))

	s.approve("linus", n)
	require.Equal(t, change.Pass, s.verdict(t, n).Status)
	_, err = s.as("ada").Merge(n, githubsim.Merge{Method: githubsim.MethodSquash})
	require.NoError(t, err)
	require.Equal(t, change.Pass, s.verdict(t, n).Status)
}

// A repository without a policy, and a push to it, are judged by the floor alone.
func TestAFloorGovernsARepositoryWithoutAPolicy(t *testing.T) {
	s := newStage(t)
	floored(t, s, oneApproval)
	bare, err := s.sim.CreateRepository("acme/bare", githubsim.RepositoryOptions{Teams: map[string]string{"engineers": "write"}})
	require.NoError(t, err)
	s.repo = bare
	n := s.propose("ada", "Begin", file("main.go", "package main\n"))
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
	s.approve("grace", n)
	d := s.verdict(t, n)
	require.Equal(t, change.Pass, d.Status)
	require.Equal(t, "security", d.Owner)

	_, err = s.as("margaret").Push("main", file("hotfix.go", "package main\n"))
	require.NoError(t, err)
	require.NoError(t, s.quiet())
	s.mu.Lock()
	defer s.mu.Unlock()
	var pushed []change.Status
	for _, seen := range s.seen {
		if f := seen.facts; f.Ref.Kind == change.Push && f.Ref.Repository.Name == "acme/bare" {
			pushed = append(pushed, seen.assessment.Decision.Status)
		}
	}
	require.Contains(t, pushed, change.Fail)
}

// While the floor is gone nothing passes, and the engineer reads why.
func TestAMissingFloorBlocks(t *testing.T) {
	s := newStage(t)
	keeper := floored(t, s, oneApproval)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	require.Equal(t, change.Pass, s.verdict(t, n).Status)
	_, err := keeper.As("margaret").Push("main", githubsim.Commit{Delete: []string{policyFile}})
	require.NoError(t, err)
	d := s.verdict(t, n)
	require.Equal(t, change.Undetermined, d.Status)
	require.Contains(t, string(d.Reason), "there is no organisation's floor")
}
