package policy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

const ownersPolicy = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    code-owners: {}\n"

// judgedBy returns what a policy says of facts by one control.
func judgedBy(t *testing.T, text, control string, f change.Facts) change.Result {
	t.Helper()
	return result(t, parsed(t, text).Evaluate(f), control)
}

// ownedFacts returns facts of a change that touches a file of each owner, approved by
// grace, who is p2.
func ownedFacts(t *testing.T, paths ...change.OwnedPath) change.Facts {
	t.Helper()
	f, _ := storyFacts(t, ownersPolicy, "author ada", "commit ada", "review grace approved")
	var files []change.File
	for _, p := range paths {
		files = append(files, change.File{Path: p.Path})
	}
	f.Files = change.Known(files)
	f.Owners = change.Known(change.Ownership{File: "CODEOWNERS", Commit: commitID(90), Paths: paths})
	return f
}

// TestOwnersOfManyPaths: a reason stays readable for 1 path and for 500, and all that
// it rests on is named.
func TestOwnersOfManyPaths(t *testing.T) {
	var paths []change.OwnedPath
	for i := range 500 {
		p := change.OwnedPath{Path: fmt.Sprintf("f%03d", i), Teams: []change.Selector{change.Selector(fmt.Sprintf("team:acme/t%d", i%10)), "team:acme/all"}}
		paths = append(paths, p)
	}
	f := ownedFacts(t, paths...)
	f.Members = change.Known([]change.Membership{})
	r := judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.Undetermined, r.Status, "of no team it is known")

	members := []change.Membership{{Selector: "team:acme/all", Person: "p2"}}
	for i := range 10 {
		members = append(members, change.Membership{Selector: change.Selector(fmt.Sprintf("team:acme/t%d", i)), Person: "p2", Member: i == 3})
	}
	f.Members = change.Known(members)
	r = judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.Pending, r.Status)
	require.Equal(t, change.Text(`"f000", "f010" and "f020" and 47 more need an owner: team:acme/all or team:acme/t0; `+
		`"f001", "f011" and "f021" and 47 more need an owner: team:acme/all or team:acme/t1; `+
		`"f002", "f012" and "f022" and 47 more need an owner: team:acme/all or team:acme/t2; `+
		`"f004", "f014" and "f024" and 47 more need an owner: team:acme/all or team:acme/t4; `+
		`"f005", "f015" and "f025" and 47 more need an owner: team:acme/all or team:acme/t5; and 4 more`), r.Reason)
	require.Contains(t, r.Supply, `for "f000", "f010" and "f020" and 47 more: a member of team:acme/all or a member of team:acme/t0, other than who made the change; for`)
	require.Contains(t, r.Supply, "; and 4 more")
	require.Len(t, r.Facts, 502, "the file, the review that counts for fifty paths, and every path")
	require.Contains(t, r.Facts, "owners/CODEOWNERS")
	require.Contains(t, r.Facts, "reviews/80")
	require.Contains(t, r.Facts, "files/f499")
	require.IsIncreasing(t, r.Facts)
	require.Empty(t, r.Uncounted, "an approval that counts for some path counts")

	for i := range members {
		members[i].Member = true
	}
	r = judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.Pass, r.Status)
	require.Contains(t, r.Reason, `approved by owner @{p2}; and 5 more`)
	require.Empty(t, r.Supply)
}

// TestManyOwners: so many owners of one path are not listed in full.
func TestManyOwners(t *testing.T) {
	var people []change.Person
	for i := range 8 {
		people = append(people, change.Person(fmt.Sprintf("p%d", 3+i)))
	}
	f := ownedFacts(t, change.OwnedPath{Path: "a", People: people})
	r := judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Contains(t, r.Reason, `"a" needs an owner: @{p10}, @{p3}, @{p4}, @{p5}, @{p6} or 3 more. @{p2}'s approval does not count`)
	require.Equal(t, change.Text(`for "a": @{p10}, @{p3}, @{p4}, @{p5}, @{p6} or 3 more, other than who made the change`), r.Supply)
	require.Len(t, r.Uncounted, 1)

	f = ownedFacts(t, change.OwnedPath{Path: "a", People: people[:5]})
	r = judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Contains(t, r.Supply, "@{p6} or @{p7}, other")
	require.Contains(t, r.Reason, "@{p6} or @{p7}. ")
}

// TestNothingOwned: where no owner is asked it is said why.
func TestNothingOwned(t *testing.T) {
	f := ownedFacts(t, change.OwnedPath{Path: "a"})
	r := judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.NotApplicable, r.Status)
	require.Equal(t, change.Text("no touched path has a code owner"), r.Reason)
	f.Owners = change.Known(change.Ownership{Commit: commitID(90), Paths: []change.OwnedPath{{Path: "a"}}})
	r = judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.NotApplicable, r.Status)
	require.Equal(t, change.Text("there is no code owners file at c000090"), r.Reason)
}

// TestAFewUnsignedCommits are named one by one.
func TestAFewUnsignedCommits(t *testing.T) {
	unsigned := "commit ada signature none"
	_, d := storyFacts(t, minimal("    signed-commits: {}"), "author ada", unsigned, unsigned, unsigned)
	require.Equal(t, change.Text("c000001, c000002 and c000003 are not signed"), result(t, d, policy.SignedCommitsID).Reason)
}

// TestNobodyLeftToOwn says what to do where every known owner is a maker.
func TestNobodyLeftToOwn(t *testing.T) {
	f := ownedFacts(t, change.OwnedPath{Path: "a", People: []change.Person{"p1"}})
	r := judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.Pending, r.Status)
	require.Contains(t, r.Reason, `no owner of "a" is left to approve, so another has to be named on the target branch first: @{p1} opened this change. @{p2}'s`)
	require.Equal(t, change.Text(`another owner of "a", to be named in "CODEOWNERS" on the target branch by a change of its own`), r.Supply)
	f.People["p3"] = change.Identity{Kind: change.App}
	f.Owners = change.Known(change.Ownership{File: "CODEOWNERS", Paths: []change.OwnedPath{{Path: "a", People: []change.Person{"p3"}}}})
	require.Contains(t, judgedBy(t, ownersPolicy, policy.CodeOwnersID, f).Reason, "first: @{p3} is no human")
}

// TestOwnershipThatDoesNotFit tries answers that no forge should give: each touched
// path is told of, owners are somebody, and selectors are teams.
func TestOwnershipThatDoesNotFit(t *testing.T) {
	grace := []change.Person{"p2"}
	f := ownedFacts(t, change.OwnedPath{Path: "a", People: grace}, change.OwnedPath{Path: "b", People: grace})
	require.Equal(t, change.Pass, judgedBy(t, ownersPolicy, policy.CodeOwnersID, f).Status)
	f.Owners = change.Known(change.Ownership{File: "CODEOWNERS", Paths: []change.OwnedPath{{Path: "a", People: grace}}})
	r := judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.Undetermined, r.Status)
	require.Contains(t, r.Reason, `who owns "b" is not known`)

	f = ownedFacts(t, change.OwnedPath{Path: "a", People: []change.Person{""}, Teams: []change.Selector{"@{p1}", "team:@{p1}", "team:", "acme/x"}})
	f.Members = change.Known([]change.Membership{{Selector: "@{p1}", Person: "p2"}, {Selector: "team:@{p1}", Person: "p2"}, {Selector: "team:", Person: "p2"}, {Selector: "acme/x", Person: "p2"}})
	reviews := append(f.Reviews.Or(nil), change.Review{ID: 90, State: change.Approved, Commit: commitID(1), CanPush: change.Known(true)})
	f.Reviews = change.Known(reviews)
	r = judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Contains(t, r.Reason, `"a" needs an owner: somebody, "＠{p1}", "acme/x", "team:" or "team:＠{p1}". `)
}

// TestOwnersOfEverySection: a path that two sections of a file give away needs an owner
// of each, and the same owners are judged once.
func TestOwnersOfEverySection(t *testing.T) {
	two := []change.OwnedPath{{Path: "a", Line: 1, People: []change.Person{"p2"}}, {Path: "a", Line: 9, Teams: []change.Selector{"team:acme/b"}}}
	f := ownedFacts(t, two...)
	f.Members = change.Known([]change.Membership{{Selector: "team:acme/b", Person: "p2"}})
	require.Equal(t, change.Pending, judgedBy(t, ownersPolicy, policy.CodeOwnersID, f).Status)
	f.Members = change.Known([]change.Membership{{Selector: "team:acme/b", Person: "p2", Member: true}})
	r := judgedBy(t, ownersPolicy, policy.CodeOwnersID, f)
	require.Equal(t, change.Pass, r.Status)
	require.Equal(t, change.Text(`"a" approved by owner @{p2}; "a" approved by owner @{p2}`), r.Reason)

	f = ownedFacts(t, change.OwnedPath{Path: "a", Line: 1, People: []change.Person{"p2"}}, change.OwnedPath{Path: "a", Line: 9})
	deny := ownersPolicy[:len(ownersPolicy)-3] + "{unowned: deny}\n"
	require.Equal(t, change.Pass, judgedBy(t, deny, policy.CodeOwnersID, f).Status, "one of the sections gives it to somebody")
}

// TestNothingToSupplyAfterTheLanding: nobody can supply any more what was missing when a change landed.
func TestNothingToSupplyAfterTheLanding(t *testing.T) {
	for _, text := range []string{"    code-owners: {unowned: deny}", "    signed-commits: {}"} {
		open, _ := storyFacts(t, minimal(text), "author ada", "commit ada signature none", "touch a")
		d := parsed(t, minimal(text)).Evaluate(open)
		require.Equal(t, change.Fail, d.Results[0].Status)
		require.NotEmpty(t, d.Results[0].Supply)
		landed, _ := storyFacts(t, minimal(text), "author ada", "commit ada signature none", "touch a", "shown success", "land ada merge")
		d = parsed(t, minimal(text)).Evaluate(landed)
		require.Equal(t, change.Fail, d.Results[0].Status)
		require.Empty(t, d.Results[0].Supply)
	}
}
