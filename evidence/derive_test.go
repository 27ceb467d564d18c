package evidence

import (
	"testing"

	"github.com/countersign-dev/countersign/change"
	"github.com/stretchr/testify/require"
)

func derive(t *testing.T, e Entry) Predicate {
	t.Helper()
	e.Facts = e.Facts.Canonical()
	s, _, err := compose(e, 1, "", morning, &counter{})
	require.NoError(t, err)
	return s.Predicate
}

func TestSubjects(t *testing.T) {
	s := subjectOf(merged(approved(pull(1)), sha("c0")))
	landed := string(sha("landed " + string(sha("pull 1"))))
	require.Equal(t, []Subject{{
		Name: "git+https://github.com/acme/shop", URI: "https://github.com/acme/shop/commit/" + landed,
		Digest:      map[string]string{"gitCommit": landed, "sha1": landed},
		Annotations: map[string][]string{"sourceRefs": {"refs/heads/main"}, "source_refs": {"refs/heads/main"}},
	}, {Name: "tree", Digest: map[string]string{"gitTree": string(sha("pull 1 tree"))}}}, s)

	require.Equal(t, string(sha("pull 1")), subjectOf(pull(1))[0].Digest["gitCommit"], "what has not landed is its head")

	long := pull(1)
	long.Head = change.Known(change.Head{Commit: change.SHA(sha("x")[:24] + sha("y"))})
	require.Equal(t, map[string]string{"gitCommit": string(sha("x")[:24] + sha("y"))}, subjectOf(long)[0].Digest, "a SHA-256 commit has no SHA-1")
}

func TestApprovalsSayWhyTheyWereNotCounted(t *testing.T) {
	p := derive(t, entry(approved(pull(1))))
	require.Len(t, p.Approvals, 1)
	require.True(t, p.Approvals[0].Counted)
	require.Empty(t, p.Approvals[0].Reason)
	require.Equal(t, "APPROVED", p.Approvals[0].State)
	require.Equal(t, string(sha("pull 1 tree")), p.Approvals[0].OverTree.Digest["gitTree"])

	p = derive(t, entry(dismissed(pull(1))))
	require.Len(t, p.Approvals, 2)
	for i, why := range []string{"it was dismissed", "it asks for changes"} {
		require.False(t, p.Approvals[i].Counted)
		require.Equal(t, why, p.Approvals[i].Reason)
	}
	require.Equal(t, change.Person("p1"), p.Approvals[0].Dismissed.By)

	own := approved(pull(1))
	own.Reviews.Or(nil)[0].By = "p1"
	p = derive(t, entry(own))
	require.False(t, p.Approvals[0].Counted)
	require.Equal(t, "the peer-review control does not rest on it", p.Approvals[0].Reason)
}

func TestReviewCoverageIsClaimedOnlyForTheSameTree(t *testing.T) {
	e := entry(merged(approved(pull(1)), sha("c0")))
	require.Equal(t, "identity", derive(t, e).ReviewCoverage.Result)

	other := e.Facts
	l := other.Landing.Or(change.Landing{})
	l.Tree = sha("another tree")
	other.Landing = change.Known(l)
	require.Equal(t, "unverifiable", derive(t, entry(other)).ReviewCoverage.Result)
	require.Equal(t, "unverifiable", derive(t, entry(approved(pull(1)))).ReviewCoverage.Result, "not landed")
	require.Equal(t, "unverifiable", derive(t, entry(merged(pull(1), sha("c0")))).ReviewCoverage.Result, "not reviewed")
}

func TestMergeTransform(t *testing.T) {
	for how, kind := range map[string]string{change.Squash: "squash", change.Rebase: "rebase", change.MergeCommit: "mergeCommit"} {
		f := merged(pull(1), sha("c0"))
		l := f.Landing.Or(change.Landing{})
		l.How = how
		f.Landing = change.Known(l)
		require.Equal(t, kind, transformOf(f).Kind)
		l.Commit = sha("pull 1")
		f.Landing = change.Known(l)
		require.Equal(t, "identity", transformOf(f).Kind, "the head itself landed")
	}
	require.Nil(t, transformOf(pull(1)))
	require.Nil(t, transformOf(push()))
}

func TestEnforcementIsBlockingOnlyWhenTheCheckIsPinned(t *testing.T) {
	f := pull(1)
	require.Equal(t, "blocking", enforcementOf(f, change.Decision{}).Mode)
	f.Enforced.Or(change.Enforcement{}).Rules[0].Checks[0].AppID = 0
	require.Equal(t, "observed", enforcementOf(f, change.Decision{}).Mode)
	f.Enforced = change.Fact[change.Enforcement]{}
	e := enforcementOf(f, change.Decision{})
	require.Equal(t, "unknown", e.Mode)
	require.Nil(t, e.BypassActors)
	require.Nil(t, e.BypassUsed)

	for status, used := range map[change.Status]bool{change.Pass: false, change.Fail: true} {
		e := enforcementOf(f, change.Decision{Results: []change.Result{{Control: noBypass, Status: status}}})
		require.Equal(t, used, *e.BypassUsed)
	}
	require.Nil(t, bypassUsed(change.Decision{Results: []change.Result{{Control: noBypass, Status: change.Undetermined}}}))
}

func TestPlaces(t *testing.T) {
	stack := pull(1)
	stack.Base = change.Known(change.Base{Branch: "feature", Target: "main", Commit: sha("f")})
	nowhere := pull(1)
	nowhere.Base = change.Fact[change.Base]{}
	for name, c := range map[string]struct {
		facts         change.Facts
		ref           string
		before, after change.SHA
	}{
		"open":                {pull(1), "refs/heads/main", sha("main"), sha("main")},
		"middle of a stack":   {stack, "refs/heads/main", sha("f"), sha("f")},
		"merged":              {merged(pull(1), sha("c0")), "refs/heads/main", sha("c0"), sha("landed " + string(sha("pull 1")))},
		"pushed":              {push(), "refs/heads/main", sha("c1"), sha("pushed")},
		"target is not known": {nowhere, UnknownRef, "", ""},
	} {
		p := placeOf(c.facts)
		require.Equal(t, c.ref, p.ref, name)
		require.Equal(t, c.before, p.before, name)
		require.Equal(t, c.after, p.after, name)
		require.Equal(t, "github.com/1296269/"+c.ref, p.chain, name)
	}
	require.Equal(t, change.DirectPush, changedOf(push()).Kind)
}

func TestRoles(t *testing.T) {
	r := rolesOf(merged(pull(1), sha("c0")), change.Decision{})
	require.Equal(t, Roles{Requester: "p1", CommitAuthors: []change.Person{"p1", "p3"}, LastPusher: "p1", Merger: "p2"}, r)
	require.Empty(t, rolesOf(pull(1), change.Decision{}).Merger)
}
