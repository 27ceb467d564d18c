package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// A situation is one in which a gate that trusts the wrong fact, or only one event,
// turns green.
type situation struct {
	name string
	play func(t *testing.T, s *stage)
}

// TestSituations plays each through the whole server: nothing is shown green that
// should not be, GitHub refuses to merge it, and the record says why.
func TestSituations(t *testing.T) {
	for _, c := range []situation{
		{"a commit whose e-mail no account has claimed", unlinkedEmail},
		{"a forged author", forgedAuthorApproves},
		{"a commit on a merge's second parent", secondParent},
		{"a new head that had a status before the approval", headWithAStatus},
		{"an approval, then a change request by the same person", approvalThenObjection},
		{"approval words in a comment", approvalWords},
		{"the required check posted by any writer", checkByAnyWriter},
		{"a check that turns red after the approval", checkTurnsRed},
		{"a merge group with no approved member", unapprovedGroup},
		{"two pull requests with one head and base", twinPullRequests},
		{"an approver who leaves the team", approverLeaves},
		{"a merge by bypass", mergeByBypass},
		{"deployments", deployments},
		{"a report that is answered with 502", reportFails},
		{"a policy that is tightened on main", policyTightened},
		{"more than 250 commits", longChange},
		{"the App installed on a repository with open pull requests", installedLater},
		{"an author who revives an approval by a comment", revivedByComment},
	} {
		t.Run(c.name, func(t *testing.T) { c.play(t, newStage(t)) })
	}
}

// held requires that a pull request is held back by a control for a reason: its
// newest record says so, its head shows nothing green and GitHub refuses the merge.
func (s *stage) held(t *testing.T, number int, status change.Status, control, reason string) {
	t.Helper()
	require.Equal(t, status, s.verdict(t, number).Status, s.why(number, control))
	require.Contains(t, s.why(number, control), reason)
	last := s.lastRecord(t, number)
	require.Equal(t, change.Deny, last.Decision.Verdict())
	require.False(t, s.green(string(last.Head)), "the head shows no green verdict")
	_, err := s.as("ada").Merge(number, githubsim.Merge{})
	require.ErrorContains(t, err, "405")
}

// passes requires that a pull request is let through, by its newest record and on
// its head.
func (s *stage) passes(t *testing.T, number int) {
	t.Helper()
	require.Equal(t, change.Pass, s.verdict(t, number).Status, s.why(number, "peer-review"))
	last := s.lastRecord(t, number)
	require.Equal(t, change.Allow, last.Decision.Verdict())
	require.True(t, s.green(string(last.Head)), "the head shows the verdict")
}

func (s *stage) lastRecord(t *testing.T, number int) evidence.Latest {
	t.Helper()
	s.mu.Lock()
	ref := s.seen[s.name(number)].facts.Ref
	s.mu.Unlock()
	last, found, err := s.server.ledger.Last(s.ctx, ref)
	require.NoError(t, err)
	require.True(t, found)
	return last
}

// green reports whether a commit shows a verdict of ours that is a success.
func (s *stage) green(commit string) bool {
	return slices.ContainsFunc(s.repo.Checks(commit), func(c githubsim.CheckRun) bool {
		return c.App == s.sim.App.Slug && c.Conclusion == change.Success
	})
}

// open has a user open a pull request from a branch and its test pass.
func (s *stage) open(login, branch string) (number int) {
	s.try(func() (err error) {
		number, err = s.as(login).Open(githubsim.PullRequest{Title: "From " + branch, Head: branch})
		return err
	})
	s.passTest(branch)
	return number
}

func (s *stage) branch(login, name, from string) {
	s.try(func() error { return s.as(login).CreateBranch(name, from) })
}

func unlinkedEmail(t *testing.T, s *stage) {
	c := file("basket.go", "package shop\n")
	c.Author = githubsim.Identity{Name: "Build", Email: "build@nowhere.example"}
	n := s.propose("ada", "Add a basket", c)
	s.approve("grace", n)
	s.held(t, n, change.Undetermined, "peer-review", "no account stands behind that name")
}

func forgedAuthorApproves(t *testing.T, s *stage) {
	n := s.propose("ada", "Log in with a key", file("login.go", "package shop\n"))
	forged := file("login.go", "package shop // back door\n")
	forged.Author, forged.Committer = s.sim.Identity("ada"), s.sim.Identity("ada")
	s.push("mallory", s.head(n), forged)
	s.passTest(s.head(n))
	s.approve("mallory", n)
	s.held(t, n, change.Pending, "peer-review", "mallory pushed")
}

// Mallory's commit is in the change only as the second parent of a merge by ada.
func secondParent(t *testing.T, s *stage) {
	s.branch("ada", "feature", "main")
	s.push("ada", "feature", file("basket.go", "package shop\n"))
	s.branch("mallory", "side", "main")
	s.push("mallory", "side", file("door.go", "package shop // back door\n"))
	s.push("ada", "feature", githubsim.Commit{Message: "Merge the side", Merge: "side"})
	n := s.open("ada", "feature")
	s.approve("mallory", n)
	s.held(t, n, change.Pending, "peer-review", "mallory is the author of commit")
	s.approve("grace", n)
	s.passes(t, n)
}

// The commit that mallory moves the branch to was pushed elsewhere and had a status
// long before the approval, so that by the time of its status it looks old.
func headWithAStatus(t *testing.T, s *stage) {
	n := s.propose("ada", "Round prices", file("price.go", "package shop\n"))
	branch := s.head(n)
	s.branch("mallory", "aside", branch)
	s.push("mallory", "aside", file("price.go", "package shop // to mallory's account\n"))
	prepared := s.repo.Head("aside")
	s.try(func() error {
		return s.as("mallory").PostStatus(prepared, githubsim.Status{Context: "ci", State: "success"})
	})
	s.passTest("aside")
	s.try(s.quiet)
	s.approve("grace", n)
	s.passes(t, n)
	s.try(func() error { return s.as("mallory").PushCommit(branch, prepared) })
	s.held(t, n, change.Pending, "peer-review", "the head is now "+prepared[:7])
}

func approvalThenObjection(t *testing.T, s *stage) {
	n := s.propose("linus", "Cache the catalogue", file("cache.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	s.try(func() error { _, err := s.as("grace").RequestChanges(n, "It never expires."); return err })
	s.held(t, n, change.Fail, "peer-review", "grace asks for changes")
}

func approvalWords(t *testing.T, s *stage) {
	n := s.propose("mallory", "Skip the review", file("skip.go", "package shop\n"))
	for _, login := range []string{"grace", "mallory"} {
		for _, words := range []string{"LGTM", ":+1:", "👍", "/approve", "Approved-by: grace"} {
			s.try(func() error { _, err := s.as(login).Comment(n, words); return err })
		}
	}
	s.try(func() error { return s.as("mallory").EditBody(n, "LGTM\n\nReviewed-by: grace") })
	s.held(t, n, change.Pending, "peer-review", "0 of 1 independent approvals")
}

func checkByAnyWriter(t *testing.T, s *stage) {
	s.branch("mallory", "unchecked", "main")
	s.push("mallory", "unchecked", file("stock.go", "package shop\n"))
	var n int
	s.try(func() (err error) {
		n, err = s.as("mallory").Open(githubsim.PullRequest{Title: "Count the stock", Head: "unchecked"})
		return err
	})
	head := s.repo.Head("unchecked")
	s.try(func() error {
		return s.as("mallory").PostStatus(head, githubsim.Status{Context: "test", State: "success"})
	})
	_, err := s.repo.PostCheck(githubsim.CheckRun{App: "other-ci", Name: "test", Commit: head, Conclusion: "success"})
	require.NoError(t, err)
	s.approve("grace", n)
	s.held(t, n, change.Pending, "required-checks", "does not count")
}

func checkTurnsRed(t *testing.T, s *stage) {
	n := s.propose("ada", "Round prices", file("price.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	_, err := s.repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: s.repo.Head(s.head(n)), Conclusion: "failure", Workflow: ".github/workflows/ci.yml", Attempt: 2})
	require.NoError(t, err)
	s.held(t, n, change.Fail, "required-checks", "test")
}

// The queue takes in what nobody has approved, because GitHub asks for the test
// alone. A gate that answers for the group without looking at its members would let
// it through.
func unapprovedGroup(t *testing.T, s *stage) {
	s.repo = s.sim.Repository("acme/pay")
	_, err := s.as("margaret").SetRuleset(githubsim.Ruleset{Name: "main is protected", MergeQueue: &githubsim.MergeQueueRule{MinGroup: 1},
		RequiredChecks: []githubsim.RequiredCheck{{Context: "test"}}})
	require.NoError(t, err)
	n := s.propose("mallory", "Pay to my account", file("account.go", "package pay\n"))
	require.Equal(t, change.Pending, s.verdict(t, n).Status)
	s.try(func() error { return s.as("mallory").Enqueue(n) })
	s.try(s.quiet)
	require.NoError(t, s.err)
	head := s.groupHead(t)
	require.False(t, s.green(head), "the group shows no green verdict")
}

// groupHead returns the head of the only merge group, which was judged and denied.
func (s *stage) groupHead(t *testing.T) (head string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seen := range s.seen {
		if seen.facts.Ref.Kind == change.MergeGroup {
			require.Empty(t, head, "there is one group")
			require.Equal(t, change.Deny, seen.assessment.Decision.Verdict())
			require.NotEmpty(t, seen.assessment.Receipt.Digest, "and the verdict is on record")
			head = string(seen.facts.Ref.Commit)
		}
	}
	require.NotEmpty(t, head, "the group was judged")
	return head
}

func twinPullRequests(t *testing.T, s *stage) {
	first := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.branch("mallory", "copy", s.head(first))
	second := s.open("mallory", "copy")
	s.approve("grace", first)
	require.Equal(t, change.Pass, s.verdict(t, first).Status)
	s.held(t, second, change.Pending, "peer-review", "0 of 1 independent approvals")
	_, err := s.as("ada").Merge(first, githubsim.Merge{})
	require.ErrorContains(t, err, "405", "they share the check that GitHub asks for")
	s.try(func() error { return s.as("mallory").Close(second) })
	s.passes(t, first)
}

func approverLeaves(t *testing.T, s *stage) {
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	s.try(func() error { return s.sim.Organization("acme").RemoveFromTeam("margaret", "engineers", "grace") })
	s.held(t, n, change.Pending, "peer-review", "grace")
}

func mergeByBypass(t *testing.T, s *stage) {
	n := s.propose("mallory", "Skip the queue", file("skip.go", "package shop\n"))
	s.held(t, n, change.Pending, "peer-review", "0 of 1 independent approvals")
	s.try(func() error { _, err := s.as("margaret").Merge(n, githubsim.Merge{Bypass: true}); return err })
	require.Equal(t, change.Fail, s.verdict(t, n).Status)
	require.Contains(t, s.why(n, "no-bypass"), "margaret")
	last := s.lastRecord(t, n)
	require.Equal(t, change.LandedState, last.State)
	require.Equal(t, change.Deny, last.Decision.Verdict())
}

// Deployments are not judged yet. What tells of them is taken in, kept word for
// word and answered; it makes nothing green.
func deployments(t *testing.T, s *stage) {
	n := s.propose("mallory", "Skip the review", file("skip.go", "package shop\n"))
	s.held(t, n, change.Pending, "peer-review", "0 of 1 independent approvals")
	head := s.repo.Head(s.head(n))
	for i, event := range []string{"deployment", "deployment_status", "deployment_protection_rule", "deployment_review", "workflow_run"} {
		body := fmt.Appendf(nil, `{"action":"requested","environment":"production","deployment":{"id":%d,"sha":%q,"environment":"production"},
			"pull_requests":[{"number":%d}],"repository":{"id":%d,"full_name":"acme/shop"},"sender":{"id":1004}}`, i+1, head, n, s.repo.ID())
		id := "deployment-" + event
		require.Equal(t, http.StatusAccepted, s.post(t, id, event, body, nil))
		require.Equal(t, http.StatusAccepted, s.post(t, id, event, body, nil), "once more")
		require.NoError(t, s.server.hooks.Idle(s.ctx))
	}
	s.held(t, n, change.Pending, "peer-review", "0 of 1 independent approvals")
	require.NoError(t, s.server.stop(s.ctx))
	require.NoError(t, s.serve(s.ctx, slog.New(slog.DiscardHandler)))
	s.server.ended.Wait()
	s.held(t, n, change.Pending, "peer-review", "0 of 1 independent approvals")
}

func reportFails(t *testing.T, s *stage) {
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	s.sim.Fail(githubsim.Fault{Route: "PATCH *", Times: 2, Status: 502})
	s.try(func() error { _, err := s.as("grace").RequestChanges(n, "It never expires."); return err })
	s.held(t, n, change.Fail, "peer-review", "grace asks for changes")
	require.Zero(t, s.sim.FaultsLeft(), "the report failed, and was made again")
}

func policyTightened(t *testing.T, s *stage) {
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	s.push("margaret", "main", file(policyFile, strings.Replace(demoPolicy, "approvals: 1", "approvals: 2", 1)))
	s.held(t, n, change.Pending, "peer-review", "1 of 2 independent approvals")
}

// Linus' commit is the 270th of 300.
func longChange(t *testing.T, s *stage) {
	commits := make([]githubsim.Commit, 300)
	for i := range commits {
		commits[i] = file(fmt.Sprintf("part%d.go", i), "package shop\n")
	}
	commits[269].Author = s.sim.Identity("linus")
	s.branch("ada", "long", "main")
	s.try(func() error { _, err := s.as("ada").Push("long", commits...); return err })
	n := s.open("ada", "long")
	s.approve("linus", n)
	s.held(t, n, change.Pending, "peer-review", "linus is the author of commit")
	s.approve("grace", n)
	s.passes(t, n)
}

// Nobody told us of what was opened before we came, and nothing more happens to it.
func installedLater(t *testing.T, s *stage) {
	org := s.sim.Organization("acme")
	s.try(func() error { return org.Uninstall("margaret") })
	unreviewed := s.open("mallory", s.prepare("mallory"))
	reviewed := s.open("ada", s.prepare("ada"))
	s.approve("grace", reviewed)
	s.try(s.quiet)
	require.NoError(t, s.err)
	require.Empty(t, s.seen, "nothing is seen of a repository that the App is not installed on")
	s.try(func() error { return org.Install("margaret") })
	s.held(t, unreviewed, change.Pending, "peer-review", "0 of 1 independent approvals")
	s.passes(t, reviewed)

	// Here the delivery that tells of it is lost. The next start looks.
	s.try(func() error { return org.Uninstall("margaret") })
	third := s.open("mallory", s.prepare("mallory"))
	require.NoError(t, s.server.stop(s.ctx))
	s.try(func() error { return org.Install("margaret") })
	require.NoError(t, s.sim.Quiesce(s.ctx))
	require.NoError(t, s.serve(s.ctx, slog.New(slog.DiscardHandler)))
	s.sim.DeliverTo(s.server.url + webhookPath)
	require.NoError(t, s.server.hooks.Idle(s.ctx))
	s.held(t, third, change.Pending, "peer-review", "0 of 1 independent approvals")
}

// prepare has a user push a branch with one commit.
func (s *stage) prepare(login string) (branch string) {
	s.proposed++
	branch = fmt.Sprintf("%s/before-%d", login, s.proposed)
	s.branch(login, branch, "main")
	s.push(login, branch, file(fmt.Sprintf("part%d.go", s.proposed), "package shop\n"))
	return branch
}

func revivedByComment(t *testing.T, s *stage) {
	n := s.propose("mallory", "Round prices", file("price.go", "package shop\n"))
	review := int64(0)
	s.try(func() (err error) { review, err = s.as("grace").Approve(n); return err })
	s.passes(t, n)
	s.push("mallory", s.head(n), file("price.go", "package shop // to mallory's account\n"))
	s.passTest(s.head(n))
	for _, words := range []string{"Grace approved this already.", "LGTM", "/approve"} {
		s.try(func() error { _, err := s.as("mallory").Comment(n, words); return err })
	}
	s.try(func() error { return s.as("grace").EditReview(n, review, "Still good.") })
	s.held(t, n, change.Pending, "peer-review", "the head is now")
}
