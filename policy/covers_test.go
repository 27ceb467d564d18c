package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// TestAnApprovalCoversOnlyWhatItSaw tries histories that no story can tell, because
// git does not make them: facts may, and no answer of a forge may be a way through.
func TestAnApprovalCoversOnlyWhatItSaw(t *testing.T) {
	commit := func(n, tree int, parents ...change.SHA) change.Commit {
		return change.Commit{SHA: commitID(n), Tree: treeID(tree), Parents: parents, Author: "p1", ByForge: true}
	}
	fileless := func(c change.Commit) change.Commit { c.Tree = ""; return c }
	head := change.Head{Commit: commitID(2), Tree: treeID(1)}
	for name, c := range map[string]struct {
		head    change.Head
		commits []change.Commit
		want    change.Status
	}{
		"an empty commit on top":      {head, []change.Commit{commit(1, 1, commitID(90)), commit(2, 1, commitID(1))}, change.Pass},
		"listed in another order":     {head, []change.Commit{commit(2, 1, commitID(1)), commit(1, 1, commitID(90))}, change.Pass},
		"approved the first of all":   {head, []change.Commit{commit(1, 1), commit(2, 1, commitID(1))}, change.Pass},
		"approved what is not listed": {head, []change.Commit{commit(2, 1, commitID(1))}, change.Pending},
		"the head is not listed":      {head, []change.Commit{commit(1, 1, commitID(90))}, change.Undetermined},
		"the head has no parent":      {head, []change.Commit{commit(1, 1), commit(2, 1)}, change.Pending},
		"beside the head":             {head, []change.Commit{commit(1, 1, commitID(90)), commit(2, 1, commitID(90))}, change.Pending},
		"listed twice":                {head, []change.Commit{commit(1, 1), commit(1, 1), commit(2, 1, commitID(1))}, change.Pending},
		"the head has other files":    {change.Head{Commit: commitID(2), Tree: treeID(2)}, []change.Commit{commit(1, 1), commit(2, 1, commitID(1))}, change.Pending},
		"the head's files not known":  {change.Head{Commit: commitID(2)}, []change.Commit{fileless(commit(1, 1)), fileless(commit(2, 1, commitID(1)))}, change.Pending},
		"a circle":                    {head, []change.Commit{commit(2, 1, commitID(3)), commit(3, 1, commitID(2)), commit(1, 1)}, change.Pending},
		"a commit that is its parent": {head, []change.Commit{commit(2, 1, commitID(2)), commit(1, 1)}, change.Pending},
		"a parent without a name":     {head, []change.Commit{commit(2, 1, ""), commit(1, 1)}, change.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved")
			f.Head, f.Commits = change.Known(c.head), change.Known(c.commits)
			r := result(t, parsed(t, narrow).Evaluate(f), policy.PeerReviewID)
			require.Equal(t, c.want, r.Status, r.Reason)
		})
	}
}

const carrying = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n    carry-over: updates\n"

// TestOnlyPureUpdatesCarry tries what facts may say of a merge on top of an approved
// commit. It carries the approval only where every one of them fits.
func TestOnlyPureUpdatesCarry(t *testing.T) {
	commit := func(n, tree int, parents ...change.SHA) change.Commit {
		return change.Commit{SHA: commitID(n), Tree: treeID(tree), Parents: parents, Author: "p1", ByForge: true}
	}
	update := func(n, from, base int) change.Update {
		return change.Update{Commit: commitID(n), From: commitID(from), Base: commitID(base), Pure: true}
	}
	impure := func(u change.Update) change.Update { u.Pure = false; return u }
	first, merge := commit(1, 1, commitID(90)), commit(2, 2, commitID(1), commitID(92))
	fileless := change.Commit{SHA: commitID(1), Parents: []change.SHA{commitID(90)}, Author: "p1", ByForge: true}
	for name, c := range map[string]struct {
		commits []change.Commit
		updates []change.Update
		want    change.Status
	}{
		"an update":                         {[]change.Commit{first, merge}, []change.Update{update(2, 1, 92)}, change.Pass},
		"listed in another order":           {[]change.Commit{merge, first}, []change.Update{update(3, 1, 92), update(2, 1, 92)}, change.Pass},
		"the base is the first parent":      {[]change.Commit{first, commit(2, 2, commitID(92), commitID(1))}, []change.Update{update(2, 1, 92)}, change.Pass},
		"told twice":                        {[]change.Commit{first, merge}, []change.Update{update(2, 1, 92), update(2, 1, 92)}, change.Pass},
		"told twice, once not pure":         {[]change.Commit{first, merge}, []change.Update{update(2, 1, 92), impure(update(2, 1, 92))}, change.Pending},
		"not pure":                          {[]change.Commit{first, merge}, []change.Update{impure(update(2, 1, 92))}, change.Pending},
		"not told of":                       {[]change.Commit{first, merge}, []change.Update{update(1, 90, 92)}, change.Pending},
		"from another commit":               {[]change.Commit{first, merge}, []change.Update{update(2, 3, 92)}, change.Pending},
		"of another commit of the base":     {[]change.Commit{first, merge}, []change.Update{update(2, 1, 93)}, change.Pending},
		"the base is told as the branch":    {[]change.Commit{first, merge}, []change.Update{update(2, 92, 1)}, change.Pending},
		"what is merged is of the change":   {[]change.Commit{first, commit(92, 5, commitID(90)), merge}, []change.Update{update(2, 1, 92)}, change.Pending},
		"neither parent is of the change":   {[]change.Commit{merge}, []change.Update{update(2, 1, 92)}, change.Pending},
		"the files below are not known":     {[]change.Commit{fileless, merge}, []change.Update{update(2, 1, 92)}, change.Pending},
		"three parents":                     {[]change.Commit{first, commit(2, 2, commitID(1), commitID(92), commitID(93))}, []change.Update{update(2, 1, 92)}, change.Pending},
		"one parent":                        {[]change.Commit{first, commit(2, 2, commitID(1))}, []change.Update{update(2, 1, 92)}, change.Pending},
		"the same parent twice":             {[]change.Commit{first, commit(2, 2, commitID(1), commitID(1))}, []change.Update{update(2, 1, 1)}, change.Pending},
		"listed twice as a commit":          {[]change.Commit{first, first, merge}, []change.Update{update(2, 1, 92)}, change.Pending},
		"a circle":                          {[]change.Commit{commit(2, 2, commitID(3), commitID(92)), commit(3, 3, commitID(2), commitID(93)), first}, []change.Update{update(2, 3, 92), update(3, 2, 93)}, change.Pending},
		"another merge below, which is not": {[]change.Commit{first, commit(3, 3, commitID(1), commitID(91)), commit(2, 2, commitID(3), commitID(92))}, []change.Update{update(2, 3, 92)}, change.Pending},
		"two of them":                       {[]change.Commit{first, commit(3, 3, commitID(1), commitID(91)), commit(2, 2, commitID(3), commitID(92))}, []change.Update{update(2, 3, 92), update(3, 1, 91)}, change.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := storyFacts(t, carrying, "author ada", "commit ada", "review grace approved")
			f.Head, f.Commits, f.Updates = change.Known(change.Head{Commit: commitID(2), Tree: treeID(2)}), change.Known(c.commits), change.Known(c.updates)
			r := result(t, parsed(t, carrying).Evaluate(f), policy.PeerReviewID)
			require.Equal(t, c.want, r.Status, r.Reason)
			require.Equal(t, c.want == change.Pass, len(r.Carried) == 1)
			if len(c.updates) == 0 {
				return
			}
			f.Updates = change.Fact[[]change.Update]{}
			require.NotEqual(t, change.Pass, result(t, parsed(t, carrying).Evaluate(f), policy.PeerReviewID).Status)
		})
	}
}

// TestWhatIsCarriedIsRecorded: each control names the approval, from where to where it
// was carried and what lies between, once.
func TestWhatIsCarriedIsRecorded(t *testing.T) {
	text := minimal("    peer-review: {approvals: 2}\n    segregation-of-duties: {}\n    carry-over: updates",
		"  - branches: [\"*\"]\n    peer-review: {approvals: 1}\n    carry-over: updates")
	_, d := storyFacts(t, text, "author ada", "commit ada", "review grace approved", "review mallory approved", "update ada", "commit ada files of-2", "update ada to 93",
		"review linus approved")
	over := []change.SHA{commitID(4), commitID(2)}
	want := []change.Carry{
		{Review: 80, From: commitID(1), To: commitID(4), Over: over},
		{Review: 81, From: commitID(1), To: commitID(4), Over: over},
	}
	for _, control := range []string{policy.PeerReviewID, policy.SegregationID} {
		r := result(t, d, control)
		require.Equal(t, change.Pass, r.Status)
		require.Equal(t, want, r.Carried)
		for _, fact := range []string{"reviews/80", "reviews/82", "updates/" + string(commitID(2)), "updates/" + string(commitID(4))} {
			require.Contains(t, r.Facts, fact)
		}
	}
	var page strings.Builder
	require.NoError(t, policy.Explain(&page, d, change.People{}))
	require.Contains(t, page.String(), "  carried over: reviews/80, given on c000001, counts for c000004 over the updates c000002 and c000004\n")
}

// TestUpdatesAreAskedForWhereTheyMatter: the policy asks for them only where a rule
// carries approvals over and there is one that only lacks them.
func TestUpdatesAreAskedForWhereTheyMatter(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		events []string
		want   bool
	}{
		"an approval below a merge":      {carrying, []string{"review grace approved", "update ada"}, true},
		"a merge that may be impure":     {carrying, []string{"review grace approved", "update ada by-hand"}, true},
		"no rule carries":                {minimal("    peer-review: {approvals: 1}"), []string{"review grace approved", "update ada"}, false},
		"a rule for another branch does": {minimal("    peer-review: {approvals: 1}", "  - branches: [dev]\n    peer-review: {approvals: 1}\n    carry-over: updates"), []string{"review grace approved", "update ada"}, false},
		"no approval":                    {carrying, []string{"review grace commented", "update ada"}, false},
		"an approval of the head":        {carrying, []string{"update ada", "review grace approved"}, false},
		"an approval below a commit":     {carrying, []string{"review grace approved", "commit ada", "update ada"}, false},
		"an approval by a maker":         {carrying, []string{"review ada approved", "update ada"}, false},
		"an approval that was dismissed": {carrying, []string{"review grace approved", "update ada", "dismiss grace by ada"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := storyFacts(t, c.text, append([]string{"author ada", "commit ada"}, c.events...)...)
			require.Equal(t, c.want, parsed(t, c.text).Needs(f).Updates)
			f.Ref.Kind = change.Push
			require.False(t, parsed(t, c.text).Needs(f).Updates)
		})
	}
	f, _ := storyFacts(t, ownersPolicy, "author ada", "commit ada")
	require.True(t, parsed(t, ownersPolicy).Needs(f).Owners)
	require.False(t, parsed(t, carrying).Needs(f).Owners)
	f.Base = change.Known(change.Base{Branch: "dev"})
	require.False(t, parsed(t, ownersPolicy).Needs(f).Owners)
}
