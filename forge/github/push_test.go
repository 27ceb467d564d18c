package github

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

var push9 = change.Ref{Repository: shop, Kind: change.Push, Branch: "main", Commit: change.SHA(sha(0xc9)), Before: change.SHA(sha(0xb1))}

// pushed makes the stub's main branch move from b1 to c9 over the given commits,
// whose pull requests are listed beside them.
func (s *stub) pushed(kind, at string, commits ...obj) {
	s.moves["acme/shop refs/heads/main"] = []obj{move(9, kind, sha(0xb1), sha(0xc9), 202, "grace", at, "refs/heads/main")}
	s.branch = obj{
		"ref":      obj{"name": "main", "target": obj{"oid": sha(0xc9)}},
		"policyAt": obj{"oid": sha(0xb1), "file": nil},
		"commit":   obj{"oid": sha(0xc9), "tree": obj{"oid": sha(0xca)}, "parents": whole(obj{"oid": sha(0xb1)}), "statusCheckRollup": nil},
	}
	s.nodes = obj{}
	var listed []obj
	for i, c := range commits {
		id := fmt.Sprintf("C_%d", i)
		s.nodes[id], listed = c, append(listed, obj{"sha": c["oid"], "node_id": id})
	}
	s.compare = func(_, _ string, page int) obj {
		from := min((page-1)*100, len(listed))
		return obj{"status": "ahead", "total_commits": len(listed), "commits": listed[from:min(from+100, len(listed))], "files": []obj{{"filename": "x", "status": "added"}}}
	}
}

// commitIn returns a commit and the first hundred of its pull requests.
func commitIn(n, parent int, pulls ...obj) obj {
	c := commitOfAda(n, parent)
	listed := whole(pulls[:min(len(pulls), 100)]...)
	listed["totalCount"] = len(pulls)
	c["associatedPullRequests"] = listed
	return c
}

func pullIn(number int, state, base string, repo int, merge string) obj {
	p := obj{"number": number, "state": state, "merged": state == "MERGED", "baseRefName": base, "headRefOid": sha(0xe0 + number), "baseRepository": obj{"databaseId": repo}, "mergeCommit": nil}
	if merge != "" {
		p["mergeCommit"] = obj{"oid": merge}
	}
	return p
}

func TestPushExplained(t *testing.T) {
	seven := pullIn(7, "MERGED", "main", 1, sha(0xc9))
	for name, c := range map[string]struct {
		commits []obj
		want    []int
	}{
		"one pull request":      {[]obj{commitIn(0xc8, 0xb1, seven), commitIn(0xc9, 0xc8, seven)}, []int{7}},
		"one commit has none":   {[]obj{commitIn(0xc8, 0xb1), commitIn(0xc9, 0xc8, seven)}, nil},
		"into another branch":   {[]obj{commitIn(0xc9, 0xb1, pullIn(7, "MERGED", "dev", 1, sha(0xc9)))}, nil},
		"of another repository": {[]obj{commitIn(0xc9, 0xb1, pullIn(7, "MERGED", "main", 2, sha(0xc9)))}, nil},
		"only open":             {[]obj{commitIn(0xc9, 0xb1, pullIn(7, "OPEN", "main", 1, ""))}, nil},
		"merged another time":   {[]obj{commitIn(0xc9, 0xb1, pullIn(7, "MERGED", "main", 1, sha(0x77)))}, nil},
		"among many":            {[]obj{commitIn(0xc9, 0xb1, append([]obj{seven}, slices.Repeat([]obj{pullIn(9, "OPEN", "main", 1, "")}, 100)...)...)}, []int{7}},
		"two":                   {[]obj{commitIn(0xc8, 0xb1, pullIn(8, "MERGED", "main", 1, sha(0xc8))), commitIn(0xc9, 0xc8, seven)}, []int{7, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.pushed("push", "2026-03-01T10:00:00Z", c.commits...)
			g, err := newForge(t, s.URL).Gather(t.Context(), push9)
			require.NoError(t, err)
			require.Empty(t, g.Facts.Absent)
			l := known(t, g.Facts.Landing)
			require.Equal(t, c.want, l.Explained)
			require.Equal(t, change.DirectPush, l.How)
			require.Equal(t, change.Shown{}, known(t, g.Shown))
			require.False(t, g.Facts.Shown.IsKnown(), "what was shown is for our own records to say")
			require.False(t, g.Facts.Reviews.IsKnown())
		})
	}
}

func TestPushHow(t *testing.T) {
	for kind, want := range map[string]string{
		"push": change.DirectPush, "force_push": change.ForcePush, "branch_creation": change.Creation,
		"merge_queue_merge": change.MergeQueue, "pr_merge": change.Squash, "teleport": change.DirectPush,
	} {
		s := newStub(t)
		s.pushed(kind, "2026-03-01T10:00:00Z", commitIn(0xc9, 0xb1))
		g, err := newForge(t, s.URL).Gather(t.Context(), push9)
		require.NoError(t, err)
		require.Equal(t, want, known(t, g.Facts.Landing).How, kind)
	}
}

// A fresh merge whose pull request GitHub does not name yet is asked again.
func TestPushLags(t *testing.T) {
	var retry *RetryError
	s := newStub(t)
	s.pushed("pr_merge", "2026-03-02T11:59:58Z", commitIn(0xc9, 0xb1))
	_, err := newForge(t, s.URL).Gather(t.Context(), push9)
	require.ErrorAs(t, err, &retry)
	require.ErrorIs(t, err, change.ErrNotYet)

	s.moves = nil // not even the activity shows it
	_, err = newForge(t, s.URL).Gather(t.Context(), push9)
	require.ErrorAs(t, err, &retry)
	require.ErrorIs(t, err, change.ErrNotYet)

	s.branch["ref"] = obj{"name": "main", "target": obj{"oid": sha(0xd0)}} // the branch has moved on: it never will
	g, err := newForge(t, s.URL).Gather(t.Context(), push9)
	require.NoError(t, err)
	require.False(t, g.Facts.Landing.IsKnown())
	require.NotEmpty(t, g.Facts.Absent["landing"])
}

func TestPushOfManyCommits(t *testing.T) {
	s := newStub(t)
	var commits []obj
	for i := range 250 {
		commits = append(commits, commitIn(0x5000+i, 0x4fff+i))
	}
	s.pushed("push", "2026-03-01T10:00:00Z", commits...)
	g, err := newForge(t, s.URL).Gather(t.Context(), push9)
	require.NoError(t, err)
	require.Len(t, known(t, g.Facts.Commits), 250)

	s.compare = func(string, string, int) obj { return obj{"status": "ahead", "total_commits": 250, "commits": []obj{}} }
	g, err = newForge(t, s.URL).Gather(t.Context(), push9)
	require.NoError(t, err)
	require.False(t, g.Facts.Commits.IsKnown(), "250 counted and none listed")
	require.NotEmpty(t, g.Facts.Absent["commits"])
}

func TestGroupMembers(t *testing.T) {
	ref := change.Ref{Repository: shop, Kind: change.MergeGroup, Branch: "main", Commit: change.SHA(sha(0xc9)), Before: change.SHA(sha(0xb1))}
	open := func(n int, head string) obj {
		p := pullIn(n, "OPEN", "main", 1, "")
		p["headRefOid"] = head
		return p
	}
	merge := func(n, first, second int, pulls ...obj) obj {
		c := commitIn(n, first, pulls...)
		c["parents"] = whole(obj{"oid": sha(first)}, obj{"oid": sha(second)})
		return c
	}
	entry := func(n int, base, head int, prHead string) obj {
		return obj{"baseCommit": obj{"oid": sha(base)}, "headCommit": obj{"oid": sha(head)}, "pullRequest": obj{"number": n, "headRefOid": prHead}}
	}
	flood := func(head int) (pulls []obj) { // more than GitHub lists of one commit
		for i := range 120 {
			pulls = append(pulls, open(1000+i, sha(head)))
		}
		return pulls
	}
	for name, c := range map[string]struct {
		commits     []obj
		entries     []obj
		members     []int
		unexplained int
	}{
		"merges, without the queue's list": {[]obj{commitIn(0xa1, 0xb0, open(7, sha(0xa1))), merge(0xc8, 0xb1, 0xa1), commitIn(0xa2, 0xb0, open(8, sha(0xa2))), merge(0xc9, 0xc8, 0xa2)},
			nil, []int{7, 8}, 0},
		"squashes":                     {[]obj{commitIn(0xc8, 0xb1), commitIn(0xc9, 0xc8)}, []obj{entry(7, 0xb1, 0xc8, sha(0xa1)), entry(8, 0xc8, 0xc9, sha(0xa2))}, []int{7, 8}, 0},
		"a rebase of two":              {[]obj{commitIn(0xc8, 0xb1), commitIn(0xc9, 0xc8)}, []obj{entry(7, 0xb1, 0xc9, sha(0xa1))}, []int{7}, 0},
		"another group's entry":        {[]obj{commitIn(0xc9, 0xb1)}, []obj{entry(9, 0xd0, 0xd1, sha(0xd2))}, []int{}, 1},
		"a commit of nobody":           {[]obj{commitIn(0xcc, 0xb1), commitIn(0xa1, 0xb0, open(7, sha(0xa1))), merge(0xc9, 0xb1, 0xa1)}, nil, []int{7}, 1},
		"a stacked change only shares": {[]obj{commitIn(0xa1, 0xb0, open(7, sha(0xa1)), open(12, sha(0xee))), merge(0xc9, 0xb1, 0xa1)}, nil, []int{7}, 0},
		"of another branch":            {[]obj{commitIn(0xc9, 0xb1, pullIn(7, "OPEN", "dev", 1, ""))}, nil, []int{}, 1},
		"a flood at a member's commit": {[]obj{commitIn(0xa0, 0xb0, flood(0xee)...), commitIn(0xa1, 0xa0, flood(0xee)...), merge(0xc9, 0xb1, 0xa1)},
			[]obj{entry(7, 0xb1, 0xc9, sha(0xa1))}, []int{7}, 0},
		"a flood at a squash": {[]obj{commitIn(0xc9, 0xb1, flood(0xee)...)}, []obj{entry(7, 0xb1, 0xc9, sha(0xa1))}, []int{7}, 0},
		"squatters at a middle commit": {[]obj{commitIn(0xa0, 0xb0, append(flood(0xa0), open(7, sha(0xa1)))...), commitIn(0xa1, 0xa0, open(7, sha(0xa1))), merge(0xc9, 0xb1, 0xa1)},
			[]obj{entry(7, 0xb1, 0xc9, sha(0xa1))}, []int{7}, 0},
		"squatters, without the queue's list": {[]obj{commitIn(0xa0, 0xb0, open(66, sha(0xa0)), open(7, sha(0xa1))), commitIn(0xa1, 0xa0, open(7, sha(0xa1))), merge(0xc9, 0xb1, 0xa1)},
			nil, []int{7}, 0},
		"one on top of the other, without the queue's list": {[]obj{commitIn(0xa1, 0xb0, open(7, sha(0xa1)), open(8, sha(0xa2))), merge(0xc8, 0xb1, 0xa1),
			commitIn(0xa2, 0xa1, open(8, sha(0xa2))), merge(0xc9, 0xc8, 0xa2)}, nil, []int{7, 8}, 0},
		"a commit under a flood of nobody": {[]obj{commitIn(0xcc, 0xb1, flood(0xee)...), commitIn(0xa1, 0xb0), merge(0xc9, 0xb1, 0xa1)},
			[]obj{entry(7, 0xb1, 0xc9, sha(0xa1))}, []int{7}, 1},
		"merged meanwhile, squashed": {[]obj{commitIn(0xc8, 0xb1, pullIn(7, "MERGED", "main", 1, sha(0xc8))), commitIn(0xc9, 0xc8, pullIn(8, "MERGED", "main", 1, sha(0xc9)))}, nil, []int{7, 8}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.pushed("push", "2026-03-01T10:00:00Z", c.commits...)
			s.branch["mergeQueue"] = obj{"entries": obj{"totalCount": len(c.entries), "nodes": c.entries}}
			g, err := newForge(t, s.URL).Gather(t.Context(), ref)
			require.NoError(t, err)
			group := known(t, g.Facts.Group)
			numbers := []int{}
			for _, m := range group.Members {
				numbers = append(numbers, m.Ref.Number)
				require.Equal(t, shop, m.Ref.Repository)
			}
			require.Equal(t, c.members, numbers)
			require.Len(t, group.Unexplained, c.unexplained)
			require.Equal(t, change.Landing{}, known(t, g.Facts.Landing))
		})
	}
}

func TestRangesRefuseAnotherRepository(t *testing.T) {
	s := newStub(t)
	s.pushed("push", "2026-03-01T10:00:00Z", commitIn(0xc9, 0xb1))
	s.branch["databaseId"] = 2
	_, err := newForge(t, s.URL).Gather(t.Context(), push9)
	require.ErrorContains(t, err, "another repository")
}

func TestGatherUnknownKind(t *testing.T) {
	s := newStub(t)
	_, err := newForge(t, s.URL).Gather(t.Context(), change.Ref{Repository: shop, Kind: change.MergeRequest, Number: 1})
	require.Error(t, err)
	_, err = newForge(t, s.URL).Gather(t.Context(), change.Ref{Repository: change.Repository{ID: 1, Name: "../app"}, Kind: change.Push})
	require.Error(t, err)
	s.override["GET /repos/acme/shop/installation"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 404, obj{"message": "Not Found"}) }
	_, err = newForge(t, s.URL).Gather(t.Context(), pull7)
	require.ErrorContains(t, err, "installation")
}
