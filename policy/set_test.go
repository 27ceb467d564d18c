package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// governed returns a policy file with a floor.
func governed(text, floor string) change.PolicyFile {
	return change.PolicyFile{
		Found: true, Path: ".countersign.yml", Commit: commitID(99), Text: text,
		Floor: &change.PolicyFile{Found: true, Path: "floor.yml", Commit: commitID(98), Text: floor},
	}
}

// mustRead reads a policy file with a floor.
func mustRead(t *testing.T, text, floor string) *policy.Set {
	t.Helper()
	s, err := policy.Read(governed(text, floor))
	require.NoError(t, err)
	return s
}

// aliases writes random entries of people, such as a repository may have. Some
// entries join automations to humans, and humans to each other.
func (d dice) aliases() string {
	accounts := d.Perm(8)
	var b strings.Builder
	b.WriteString("people:\n")
	for at := 0; at < 8; {
		n := min(2+d.IntN(2), 8-at)
		if n < 2 {
			break
		}
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("github:%d", 101+accounts[at+i])
		}
		fmt.Fprintf(&b, "  - {accounts: [%s]}\n", strings.Join(ids, ", "))
		if at += n; d.in(2) {
			break
		}
	}
	return b.String()
}

// TestNothingLoosensTheFloor: whatever a repository's policy says, of rules and of
// people, each control of the floor holds a change back at least as much as it does
// where the floor is alone.
func TestNothingLoosensTheFloor(t *testing.T) {
	differed := 0
	for _, floor := range []string{narrow, broad, narrow + "people:\n  - {accounts: [github:103, github:101]}\n"} {
		for seed := range uint64(cases() / 8) {
			d := newDice(seed)
			f := d.facts()
			alone := mustRead(t, pick(d, broad, narrow), floor)
			alone.Repository = nil
			want := alone.Evaluate(alone.Resolve(f, ""))
			set := mustRead(t, pick(d, broad, narrow)+d.aliases(), floor)
			resolved := set.Resolve(f, "").Canonical()
			got := set.Evaluate(resolved)
			if resolved.ByFloor != nil {
				differed++
			}
			for control, status := range statuses(want) {
				now, judged := statuses(got)[control]
				require.True(t, judged, "seed %d: %s was judged", seed, control)
				require.Equal(t, now, now.Worse(status), "seed %d: %s is %s by the floor and %s by both", seed, control, status, now)
			}
			for control, status := range statuses(set.Repository.Evaluate(resolved)) {
				now := statuses(got)[control]
				require.Equal(t, now, now.Worse(status), "seed %d: %s is %s by the policy and %s by both", seed, control, status, now)
			}
		}
	}
	require.Greater(t, differed, cases()/20, "people that the floor knows otherwise came up")
}

// The same is decided from facts that were recorded, with the identities withheld.
func TestReplayWithAFloor(t *testing.T) {
	for seed := range uint64(cases() / 20) {
		d := newDice(seed)
		text := narrow + d.aliases()
		set := mustRead(t, text, broad)
		f := set.Resolve(d.facts(), "SHOP-1").Canonical()
		replays(t, f, governed(text, broad), policy.Judge(f, governed(text, broad)))
		require.Equal(t, wireOf(f), wireOf(set.Resolve(f, "SHOP-1").Canonical()), "resolving twice")
		for p, id := range f.ByFloor {
			require.Equal(t, change.Identity{Kind: id.Kind, SameAs: id.SameAs}, id, "%s holds nothing personal", p)
		}
	}
}

// What is known of people by the floor alone outlives that identities are withheld.
func TestResolvingWithheldIdentitiesKeepsTheFloorsView(t *testing.T) {
	set := mustRead(t, narrow+"people:\n  - {accounts: [github:301, github:101]}\n", narrow)
	f := change.Facts{
		Ref:  change.Ref{Kind: change.PullRequest},
		Base: change.Known(change.Base{Branch: "main"}),
		People: change.People{
			"p1": {Kind: change.Human, Account: "github:101"}, "p2": {Kind: change.Bot, Account: "github:301"},
		},
	}
	f = set.Resolve(f, "")
	require.Equal(t, change.Person("p1"), f.People["p2"].SameAs)
	require.Empty(t, f.ByFloor["p2"].SameAs)
	for p, id := range f.People {
		f.People[p] = id.Withhold("withheld")
	}
	again := set.Resolve(f, "")
	require.Equal(t, f.People, again.People)
	require.Equal(t, f.ByFloor, again.ByFloor)
}

// A floor that is configured and cannot be used says why, and nothing passes.
func TestFloorThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		floor  change.PolicyFile
		absent string
		want   string
	}{
		"missing":  {change.PolicyFile{Path: "floor.yml", Commit: commitID(98)}, "", `there is no organisation's floor "floor.yml" at c000098; add it`},
		"mistaken": {change.PolicyFile{Found: true, Path: "floor.yml", Text: "version: 2\n"}, "", "the organisation's floor cannot be used: floor.yml:1:"},
		"unreadable": {change.PolicyFile{Found: true, Path: "floor.yml"}, "the application is not installed there",
			`the organisation's floor cannot be read: "the application is not installed there"`},
	} {
		for _, found := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, policy found %t", name, found), func(t *testing.T) {
				file := change.PolicyFile{Found: found, Path: ".countersign.yml", Text: narrow, Floor: &c.floor}
				f := newDice(1).facts()
				if c.absent != "" {
					f.Absent = map[string]string{"floor": c.absent}
				} else {
					_, err := policy.Read(file)
					require.ErrorContains(t, err, c.want)
				}
				d := policy.Judge(f, file)
				require.Equal(t, change.Undetermined, d.Status)
				require.Equal(t, change.Deny, d.Verdict())
				require.Contains(t, string(d.Reason), c.want)
				require.False(t, d.Ungoverned)
			})
		}
	}
}

// An approval by whom only one of the files takes counts for that one alone, and
// the record rests on what decided.
func TestResultsRestOnWhatDecides(t *testing.T) {
	set := mustRead(t, narrow, "version: 1\nowner: b\nroles: {senior: [team:acme/seniors]}\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1, from: [senior]}\n")
	head := change.Head{Commit: commitID(1), Tree: treeID(1)}
	f := change.Facts{
		Ref: change.Ref{Kind: change.PullRequest}, People: change.People{"p1": {Kind: change.Human, Account: "github:101"}, "p2": {Kind: change.Human, Account: "github:102"}},
		Opener: change.Known(change.Person("p1")), Base: change.Known(change.Base{Branch: "main"}), Head: change.Known(head),
		Commits: change.Known([]change.Commit{{SHA: head.Commit, Tree: head.Tree, Author: "p1", Committer: "p1"}}),
		Pushes:  change.Known([]change.BranchPush{{By: "p1", After: head.Commit}}), Timeline: change.Known([]change.Event{}),
		Reviews: change.Known([]change.Review{{ID: 80, By: "p2", State: change.Approved, Commit: head.Commit, At: start(), CanPush: change.Known(true)}}),
		Members: change.Known([]change.Membership{{Selector: "team:acme/seniors", Person: "p2"}}),
		Landing: change.Known(change.Landing{}),
	}
	require.Equal(t, []change.Selector{"team:acme/seniors"}, set.Needs(f).Selectors)
	d := set.Evaluate(set.Resolve(f, ""))
	require.Equal(t, "changes[0]; organisation floor: changes[0]", d.Rule)
	r := d.Results[0]
	require.Equal(t, change.Pending, r.Status)
	require.Empty(t, r.Facts, "grace's approval did not decide")
	require.Len(t, r.Uncounted, 1)
	require.Contains(t, string(r.Supply), "organisation floor: senior (team:acme/seniors)")
}

// What either of the two names is governed, and what they make of each other stands
// beside a decision and in the document.
func TestSetOfTwo(t *testing.T) {
	const own = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n"
	set := mustRead(t, own, "version: 1\nowner: security\nchanges:\n  - branches: [main, \"release/**\"]\n    peer-review: {approvals: 2}\n")
	require.Equal(t, []string{"main", "release/**"}, set.Branches())
	require.True(t, set.Governs("main"))
	require.True(t, set.Governs("release/1"))
	require.False(t, set.Governs("topic"))

	f := set.Resolve(approvedChange(change.Human), "")
	d := set.Evaluate(f)
	note := "changes[0].peer-review asks for 1 approval; the floor's 2 hold"
	require.Contains(t, d.Notes, change.Text(note))
	var page strings.Builder
	require.NoError(t, policy.Explain(&page, d, f.People))
	require.Contains(t, page.String(), "\n  floor: "+note+"\n")

	var document strings.Builder
	require.NoError(t, policy.RenderSet(&document, set, policy.Source{Name: "p.yml", Digest: "SHA-256 1"}, policy.Source{Name: "floor.yml", Digest: "SHA-256 2"}))
	for _, said := range []string{"## The floor of the organisation\n\n- Owner: `security`\n- Policy file: `floor.yml`, form 1\n- Digest of the file: `SHA-256 2`\n", "\nFor changes to `main`:\n\n- `" + note + "`\n", "\nFor changes to every branch that matches `release/**`:\n"} {
		require.Contains(t, document.String(), said)
	}

	equal := mustRead(t, own, own)
	document.Reset()
	require.NoError(t, policy.RenderSet(&document, equal, policy.Source{}, policy.Source{}))
	require.NotContains(t, document.String(), "For changes to `main`:\n\n- ")
	equal.Floor = nil
	require.Empty(t, equal.Notes("main"))
}

// What a repository says of an account can have other entries of the floor apply. Then
// what either view asks for holds.
func TestViewsOfPeopleThatAskForDifferentControls(t *testing.T) {
	const floor = `version: 1
owner: security
changes:
  - branches: [main]
    when: change.opener.kind == "human"
    peer-review: {approvals: 2}
  - branches: [main]
    when: change.opener.kind == "bot"
    signed-commits: {}
`
	set := mustRead(t, narrow+"automations: [{account: \"github:301\", accountable: \"github:101\"}]\n", floor)
	f := set.Resolve(approvedChange(change.Human), "")
	require.Equal(t, change.Human, f.ByFloor["p1"].Kind)
	require.Equal(t, change.Bot, f.People["p1"].Kind)
	d := set.Evaluate(f)
	var asked []string
	for _, r := range d.Results {
		asked = append(asked, r.Control)
	}
	require.Equal(t, []string{policy.PeerReviewID, policy.SegregationID, policy.SignedCommitsID, policy.NoBypassID}, asked)
	require.Contains(t, string(result(t, d, policy.PeerReviewID).Reason), "1 of 2 independent approvals")
	require.Equal(t, change.Undetermined, result(t, d, policy.SignedCommitsID).Status)
}

// Whether code owners are asked is for both policies of a set to say.
func TestWhichBranchesAskCodeOwners(t *testing.T) {
	asks := parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [dev]\n    code-owners: {}\n  - branches: [main]\n    segregation-of-duties: {}\n")
	plain := parsed(t, "version: 1\nowner: a\nchanges:\n  - branches: [main, dev]\n    segregation-of-duties: {}\n")
	for _, s := range []policy.Set{{Repository: asks}, {Repository: asks, Floor: plain}, {Repository: plain, Floor: asks}, {Floor: asks}} {
		require.True(t, s.AsksOwners("dev"))
		require.False(t, s.AsksOwners("main"), "an entry that does not ask")
		require.False(t, s.AsksOwners("topic"), "no entry")
	}
	require.False(t, (&policy.Set{Repository: plain}).AsksOwners("dev"))
}
