package github

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// costs gathers a change and returns what that asked, by route.
func (w *world) costs(ref change.Ref) githubsim.Counts {
	w.t.Helper()
	w.sim.ResetRequests()
	w.gather(ref)
	return w.sim.ResetRequests()
}

// Everything that is fresh comes in one answer; the rest is remembered.
func TestSecondLookIsOneQuery(t *testing.T) {
	w := newWorld(t)
	n, _ := w.open("ada", "cents", githubsim.Commit{Rename: map[string]string{"price.go": "cents.go"}})
	w.gather(w.pull(n))
	require.Equal(t, githubsim.Counts{"POST /graphql": 1}, w.costs(w.pull(n)))
	w.ok(w.shop.As("grace").Approve(n))
	require.Equal(t, githubsim.Counts{"POST /graphql": 1}, w.costs(w.pull(n)))
	require.Len(t, known(t, w.gather(w.pull(n)).Facts.Reviews), 1)

	w.ok(w.shop.As("linus").Push("cents", githubsim.Commit{Files: map[string]string{"more.txt": "more\n"}}))
	require.Positive(t, w.costs(w.pull(n))["GET /repos/{owner}/{repo}/activity"])
	f := w.gather(w.pull(n)).Facts
	pushes := known(t, f.Pushes)
	require.Equal(t, []string{"linus", "ada"}, logins(f, pushes[0].By, pushes[1].By))
	require.Equal(t, "price.go", known(t, f.Files)[0].Previous)
}

// The head moves away and comes back between two looks: who moved it is a maker.
func TestHeadThatWentAndCameBack(t *testing.T) {
	w := newWorld(t)
	n, head := w.open("ada", "cents")
	w.gather(w.pull(n))
	w.ok(w.shop.As("grace").Push("cents", githubsim.Commit{Files: map[string]string{"more.txt": "more\n"}}))
	w.ok(w.shop.As("linus").ForcePush("cents", head))
	f := w.gather(w.pull(n)).Facts
	require.Equal(t, change.SHA(head), known(t, f.Head).Commit)
	var who []string
	for _, p := range known(t, f.Pushes) {
		who = append(who, logins(f, p.By)...)
	}
	require.Equal(t, []string{"linus", "grace", "ada"}, who)
}

// A list that may lag behind the timeline is asked again.
func TestLaggingActivityIsNotRemembered(t *testing.T) {
	s := newStub(t)
	forced := obj{"__typename": "HeadRefForcePushedEvent", "createdAt": "2026-03-01T11:00:00Z", "actor": user(202, "grace"),
		"beforeCommit": obj{"oid": sha(0xee)}, "afterCommit": obj{"oid": sha(0xa1)}}
	s.lists["timelineItems"] = []any{forced}
	f := newForge(t, s.URL)
	_, err := f.Gather(t.Context(), pull7)
	require.NoError(t, err)
	was, _ := f.memory.Get(pull7.Key())
	require.Nil(t, was.pushes)

	ref := "refs/heads/cents"
	s.change(func() {
		s.moves["acme/shop "+ref] = []obj{
			move(3, "force_push", sha(0xee), sha(0xa1), 202, "grace", "2026-03-01T11:00:00Z", ref),
			move(2, "push", sha(0xa1), sha(0xee), 303, "linus", "2026-03-01T10:59:00Z", ref),
			move(1, "branch_creation", "", sha(0xa1), 101, "ada", "2026-03-01T08:59:00Z", ref),
		}
	})
	g, err := f.Gather(t.Context(), pull7)
	require.NoError(t, err)
	require.Len(t, known(t, g.Facts.Pushes), 3)
	was, _ = f.memory.Get(pull7.Key())
	require.Len(t, was.pushes, 3)
}

// What governs a push is known of most commits that a branch stood at before.
func TestPolicyOfAPush(t *testing.T) {
	w := newWorld(t)
	policy := func(branch, before, after string) (change.PolicyFile, int) {
		w.sim.ResetRequests()
		p, err := w.forge.Policy(t.Context(), change.Ref{Repository: w.repository(), Kind: change.Push, Branch: branch, Before: change.SHA(before), Commit: change.SHA(after)})
		require.NoError(t, err)
		return p, w.sim.ResetRequests().Total()
	}
	n, head := w.open("ada", "cents")
	w.gather(w.pull(n))
	second, err := w.shop.As("ada").Push("cents", githubsim.Commit{Files: map[string]string{"more.txt": "more\n"}})
	require.NoError(t, err)
	p, cost := policy("cents", head, second)
	require.Equal(t, simPolicy, p.Text)
	require.Equal(t, change.SHA(head), p.Commit)
	require.Zero(t, cost, "the look at the pull request told it")

	third, err := w.shop.As("ada").Push("cents", githubsim.Commit{Files: map[string]string{PolicyPath: "version: 1 # mine\n"}})
	require.NoError(t, err)
	p, cost = policy("cents", second, third)
	require.Equal(t, simPolicy, p.Text)
	require.Equal(t, 1, cost)
	fourth, err := w.shop.As("ada").Push("cents", githubsim.Commit{Files: map[string]string{"x.txt": "x\n"}})
	require.NoError(t, err)
	p, cost = policy("cents", third, fourth)
	require.Equal(t, "version: 1 # mine\n", p.Text, "each push is judged by the policy of the commit before it")
	require.Zero(t, cost, "asked for with the push before")

	require.NoError(t, w.shop.As("ada").CreateBranch("new", "cents"))
	p, _ = policy("new", "", w.shop.Head("new"))
	require.Equal(t, simPolicy, p.Text, "the default branch's")
}

// A commit that is more than the merge of a pull request is looked at commit by commit.
func TestPushOfMoreThanAMerge(t *testing.T) {
	for name, c := range map[string]struct {
		parents []obj
		want    bool
	}{
		"squash":            {[]obj{{"oid": sha(0xb1)}}, true},
		"merge of the head": {[]obj{{"oid": sha(0xb1)}, {"oid": sha(0xa1)}}, true},
		"merge of another":  {[]obj{{"oid": sha(0xb1)}, {"oid": sha(0xa2)}}, false},
		"of three":          {[]obj{{"oid": sha(0xb1)}, {"oid": sha(0xa1)}, {"oid": sha(0xa2)}}, false},
		"on something else": {[]obj{{"oid": sha(0xb2)}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			pr := pullIn(7, "MERGED", "main", 1, sha(0xc9))
			pr["headRefOid"] = sha(0xa1)
			s := newStub(t)
			s.pushed("push", "2026-03-01T10:00:00Z", commitIn(0xc9, 0xb1))
			commit := s.branch["commit"].(obj)
			commit["parents"], commit["associatedPullRequests"] = whole(c.parents...), whole(pr)
			g, err := newForge(t, s.URL).Gather(t.Context(), push9)
			require.NoError(t, err)
			require.Equal(t, c.want, len(known(t, g.Facts.Landing).Explained) > 0)
			require.Equal(t, !c.want, g.Facts.Commits.IsKnown())
		})
	}
}
