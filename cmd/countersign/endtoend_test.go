package main

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/internal/githubsim"
	"github.com/countersign-dev/countersign/internal/githubsim/contract"
	"github.com/countersign-dev/countersign/policy"
)

// newStage returns a stage with the demo's organisation on it and acme/shop as the
// scene. What the server asks GitHub and what it is answered is checked against
// GitHub's descriptions where they are installed. When the test ends the evidence
// must hold.
func newStage(t *testing.T) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	s, err := openStage(ctx, t.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s.ctx, s.scene, s.teller = ctx, t.Name(), teller{out: io.Discard}
	if _, err := contract.Modules(); err != nil {
		t.Logf("not checked against GitHub's descriptions: %v", err)
	} else {
		contract.Checked(t, s.sim)
	}
	s.try(s.begin)
	s.repo = s.sim.Repository("acme/shop")
	require.NoError(t, s.err)
	t.Cleanup(func() {
		defer cancel()
		require.NoError(t, s.close(context.WithoutCancel(t.Context())))
		v, err := evidence.Verify(context.WithoutCancel(t.Context()), filepath.Join(s.data(), evidenceDir), evidence.Options{Judge: policy.Judge})
		require.NoError(t, err)
		require.True(t, v.OK(), "%v", v.Findings)
		require.Equal(t, v.Records, v.Replayed)
	})
	return s
}

// verdict waits until the server is done and returns what it makes of a pull request.
func (s *stage) verdict(t *testing.T, number int) change.Decision {
	t.Helper()
	s.try(s.quiet)
	require.NoError(t, s.err)
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, known := s.seen[s.name(number)]
	require.True(t, known, "the server has looked at #%d", number)
	return seen.assessment.Decision
}

// why returns the reason of one control of a decision, with the names of people.
func (s *stage) why(number int, control string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen[s.name(number)]
	for _, r := range seen.assessment.Decision.Results {
		if r.Control == control {
			return r.Reason.Render(func(p change.Person) string { return seen.facts.People[p].Label() })
		}
	}
	return ""
}

// A change that edits its own policy is judged by the policy it would replace.
func TestAChangeDoesNotWriteItsOwnPolicy(t *testing.T) {
	s := newStage(t)
	weaker := "version: 1\nowner: mallory\nchanges:\n  - branches: [main]\n    no-bypass: {}\n"
	n := s.propose("mallory", "Tidy up", file(policyFile, weaker))
	d := s.verdict(t, n)
	require.Equal(t, change.Pending, d.Status)
	require.Equal(t, "platform-team", d.Owner)
	require.Contains(t, s.why(n, "protected-paths"), policyFile)

	s.approve("grace", n)
	require.Equal(t, change.Pending, s.verdict(t, n).Status, "an engineer's approval is not the platform team's")
}

// A login is a label: what counts is the account behind it.
func TestALoginProvesNothing(t *testing.T) {
	s := newStage(t)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	require.Equal(t, change.Pass, s.verdict(t, n).Status)

	// Grace is renamed, and mallory takes the login that became free.
	s.try(func() error { return s.sim.Rename("grace", "grace-hopper") })
	s.try(func() error { return s.sim.Rename("mallory", "grace") })
	m := s.propose("grace", "Add a till", file("till.go", "package shop\n"))
	s.approve("grace-hopper", m)
	require.Equal(t, change.Pass, s.verdict(t, m).Status)
	require.Contains(t, s.why(m, "peer-review"), "grace-hopper")
}

// A verdict that another application shows under our name is nobody's verdict.
func TestAForgedVerdictOpensNothing(t *testing.T) {
	s := newStage(t)
	n := s.propose("mallory", "Skip the review", file("skip.go", "package shop\n"))
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
	_, err := s.repo.PostCheck(githubsim.CheckRun{App: "other-ci", Name: "countersign", Commit: s.repo.Head(s.head(n)), Conclusion: "success"})
	require.NoError(t, err)
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
	_, err = s.as("mallory").Merge(n, githubsim.Merge{})
	require.ErrorContains(t, err, "405")

	// An administrator merges it all the same: the record tells it from a verdict.
	_, err = s.as("margaret").Merge(n, githubsim.Merge{Bypass: true})
	require.NoError(t, err)
	require.Equal(t, change.Fail, s.verdict(t, n).Status)
	require.NotEmpty(t, s.why(n, "no-bypass"))
}

// An approval that is withdrawn while the change waits in the queue stops the group.
func TestAQueuedChangeIsJudgedAgain(t *testing.T) {
	s := newStage(t)
	s.repo = s.sim.Repository("acme/pay")
	first := s.propose("ada", "Pay by card", file("card.go", "package pay\n"))
	second := s.propose("linus", "Pay by invoice", file("invoice.go", "package pay\n"))
	for _, n := range []int{first, second} {
		s.approve("grace", n)
		require.Equal(t, change.Pass, s.verdict(t, n).Status)
	}
	s.try(func() error { return s.as("ada").Enqueue(first) })
	s.try(func() error { return s.as("linus").Enqueue(second) })
	before := s.repo.Head("main")
	s.try(func() error { _, err := s.as("grace").RequestChanges(first, "Not the test card!"); return err })
	require.Equal(t, change.Fail, s.verdict(t, first).Status)
	s.passGroups(t)
	require.Equal(t, change.Fail, s.verdict(t, first).Status)
	s.try(s.quiet)
	require.Equal(t, before, s.repo.Head("main"), "nothing was merged")
}

// passGroups has the test pass on the head of every group.
func (s *stage) passGroups(t *testing.T) {
	t.Helper()
	s.try(s.quiet)
	require.NoError(t, s.err)
	s.mu.Lock()
	var heads []change.SHA
	for _, seen := range s.seen {
		if seen.facts.Ref.Kind == change.MergeGroup {
			heads = append(heads, seen.facts.Ref.Commit)
		}
	}
	s.mu.Unlock()
	for _, head := range heads {
		_, err := s.repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: string(head), Conclusion: "success", Workflow: ".github/workflows/ci.yml", Event: "merge_group"})
		require.NoError(t, err)
	}
}

// A queue of approved changes merges, and every one of them has landed by record.
func TestAnApprovedQueueMerges(t *testing.T) {
	s := newStage(t)
	s.repo = s.sim.Repository("acme/pay")
	first := s.propose("ada", "Pay by card", file("card.go", "package pay\n"))
	second := s.propose("linus", "Pay by invoice", file("invoice.go", "package pay\n"))
	for _, n := range []int{first, second} {
		s.approve("grace", n)
	}
	require.Equal(t, change.Pass, s.verdict(t, first).Status)
	require.Equal(t, change.Pass, s.verdict(t, second).Status)
	before := s.repo.Head("main")
	s.try(func() error { return s.as("ada").Enqueue(first) })
	s.try(func() error { return s.as("linus").Enqueue(second) })
	s.passGroups(t)
	s.try(s.quiet)
	require.NotEqual(t, before, s.repo.Head("main"), "the queue has merged")
	for _, n := range []int{first, second} {
		require.Equal(t, change.Pass, s.verdict(t, n).Status, s.why(n, "no-bypass"))
		s.mu.Lock()
		landing, known := s.seen[s.name(n)].facts.Landing.Get()
		s.mu.Unlock()
		require.True(t, known)
		require.True(t, landing.Landed)
		require.Equal(t, change.MergeQueue, landing.How)
	}
}

// A protected branch that is deleted does not go without a trace.
func TestADeletedBranchLeavesARecord(t *testing.T) {
	s := newStage(t)
	policy := "version: 1\nowner: release-team\nchanges:\n  - branches: [release]\n    peer-review: {approvals: 1}\n"
	s.try(func() (err error) {
		s.repo, err = s.sim.CreateRepository("acme/tools", githubsim.RepositoryOptions{
			Files: map[string]string{policyFile: policy}, Permissions: map[string]string{"mallory": "write"}})
		return err
	})
	s.try(func() error { return s.as("mallory").CreateBranch("release", "main") })
	s.try(s.quiet)
	s.try(func() error { return s.as("mallory").DeleteBranch("release") })
	s.try(s.quiet)
	require.NoError(t, s.err)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seen := range s.seen {
		if landing, _ := seen.facts.Landing.Get(); landing.How == change.Deletion {
			require.Equal(t, change.Fail, seen.assessment.Decision.Status)
			require.Equal(t, "mallory", seen.facts.People[landing.By].Login)
			return
		}
	}
	t.Fatal("nobody has seen it")
}

// While the server is down an approval is dismissed. The next server looks back.
func TestTheServerLooksBack(t *testing.T) {
	s := newStage(t)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	review := int64(0)
	s.try(func() (err error) { review, err = s.as("grace").Approve(n); return err })
	require.Equal(t, change.Pass, s.verdict(t, n).Status)

	require.NoError(t, s.server.stop(s.ctx))
	s.try(func() error { return s.as("barbara").Dismiss(n, review, "Not yet.") })
	s.try(func() error { return s.sim.Quiesce(s.ctx) })
	require.NoError(t, s.err)
	require.NoError(t, s.serve(s.ctx, slog.New(slog.DiscardHandler)))
	s.server.ended.Wait()
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
}

// Deliveries that are lost, doubled and late change nothing once one arrives.
func TestDeliveriesAreHints(t *testing.T) {
	s := newStage(t)
	s.sim.SetMayhem(githubsim.Mayhem{Seed: 7, Drop: 300, Double: 300, Reorder: 300})
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.push("ada", s.branchOf(n), file("basket.go", "package shop // again\n"))
	s.passTest(s.branchOf(n))
	s.sim.Heal()
	s.try(func() error { return s.as("ada").Label(n, "ready") })
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
	require.Contains(t, s.why(n, "peer-review"), "the head is now")
}

// branchOf returns the branch that propose made last; it asks nobody.
func (s *stage) branchOf(int) string { return "ada/1" }

// GitHub is down for a while: nothing is shown that is not known, and then it is.
func TestAForgeThatFailsIsAskedAgain(t *testing.T) {
	s := newStage(t)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
	s.sim.Fail(githubsim.Fault{Route: "POST /graphql", Times: 3, Status: 502})
	s.sim.Fail(githubsim.Fault{Route: "PATCH *", Times: 2, Status: 502})
	s.approve("grace", n)
	require.Equal(t, change.Pass, s.verdict(t, n).Status)
	_, err := s.as("ada").Merge(n, githubsim.Merge{})
	require.NoError(t, err, "the verdict was shown in the end")
}

// What mallory wrote is taken out of the change by a force push that puts the same
// files into ada's name. Mallory had a hand in it all the same.
func TestAForcePushTakesNobodyOut(t *testing.T) {
	s := newStage(t)
	s.branch("ada", "feature", "main")
	theirs := file("door.go", "package shop // back door\n")
	theirs.Author, theirs.Committer = s.sim.Identity("mallory"), s.sim.Identity("mallory")
	s.push("ada", "feature", theirs)
	n := s.open("ada", "feature")
	s.approve("mallory", n)
	s.held(t, n, change.Pending, "peer-review", "mallory is the author of commit")
	s.try(func() error {
		_, err := s.as("ada").ForcePush("feature", "main", file("door.go", "package shop // back door\n"))
		return err
	})
	s.passTest("feature")
	s.approve("mallory", n)
	s.held(t, n, change.Pending, "peer-review", "which a force push replaced")
	s.approve("grace", n)
	s.passes(t, n)
}
