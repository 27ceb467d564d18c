package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// Where the head is not among the commits, whoever made it may be missing from the
// makers: grace made it and approves it.
func TestHeadThatIsNotAmongTheCommits(t *testing.T) {
	const text = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n    segregation-of-duties: {}\n"
	f, _ := storyFacts(t, text, "author ada", "commit ada", "commit grace pusher ada", "review grace approved")
	whole := parsed(t, text).Evaluate(f)
	require.Equal(t, change.Pending, result(t, whole, policy.SegregationID).Status)
	for name, commits := range map[string][]change.Commit{"the head left out": f.Commits.Or(nil)[:1], "none": {}} {
		t.Run(name, func(t *testing.T) {
			f.Commits = change.Known(commits)
			for _, control := range []string{policy.PeerReviewID, policy.SegregationID} {
				r := result(t, parsed(t, text).Evaluate(f), control)
				require.Equal(t, change.Undetermined, r.Status, r.Reason)
				require.Contains(t, r.Reason, "the head, c000002, is not among the commits that are known")
			}
		})
	}
}

// A commit that is made again keeps the date of its author, and what force pushes
// replaced was there before: a ticket that is younger than either came too late.
func TestWorkBeganBeforeItWasMadeAgain(t *testing.T) {
	const text = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    linked-request: {pattern: \"[A-Z]+-[0-9]+\", tracker: jira, created-before: first-commit}\n"
	judged := func(f change.Facts) change.Status {
		return result(t, parsed(t, text).Evaluate(f), policy.LinkedRequestID).Status
	}
	lines := []string{"account margaret-jira jira:margaret", "ticket SHOP-42 by margaret-jira", "author ada", "commit ada", "title SHOP-42 sort the basket"}
	f, _ := storyFacts(t, text, lines...)
	require.Equal(t, change.Pass, judged(f))
	before := start().Add(-30 * 24 * time.Hour)

	amended := f
	commits := append([]change.Commit{}, f.Commits.Or(nil)...)
	commits[0].Authored = before
	amended.Commits = change.Known(commits)
	require.Equal(t, change.Fail, judged(amended), "the author's date")

	for name, set := range map[string]func(*change.Commit){
		"authored":  func(c *change.Commit) { c.Authored = before },
		"committed": func(c *change.Commit) { c.Committed = before },
	} {
		replaced := f
		old := f.Commits.Or(nil)[0]
		old.SHA = commitID(70)
		set(&old)
		replaced.Replaced = change.Known([]change.Commit{old})
		require.Equal(t, change.Fail, judged(replaced), "a commit that is gone, %s before", name)
	}

	for kind, want := range map[change.EventKind]change.Status{change.HeadForcePushed: change.Fail, change.Labeled: change.Pass} {
		pushed := f
		pushed.Timeline = change.Known(append([]change.Event{{Kind: kind, By: "p1", At: before}}, f.Timeline.Or(nil)...))
		require.Equal(t, want, judged(pushed), kind)
	}
}

// A push at a time that nobody tells may be younger than a label.
func TestPushAtAnUnknownTimeContestsALabel(t *testing.T) {
	const text = "version: 1\nowner: a\nclasses: [{name: small, labels: [small]}]\nchanges:\n  - {branches: [main], classes: [small], peer-review: {approvals: 1}}\n  - {branches: [main], classes: [normal], peer-review: {approvals: 2}}\n"
	f, d := storyFacts(t, text, "author ada", "commit ada", "label small by linus", "review grace approved")
	require.Equal(t, change.Pass, d.Status)
	pushes := append([]change.BranchPush{}, f.Pushes.Or(nil)...)
	pushes[0].At = time.Time{}
	f.Pushes = change.Known(pushes)
	d = parsed(t, text).Evaluate(f)
	require.Equal(t, change.Pending, d.Status)
	require.Contains(t, d.ClassReason, "before the last push")
}

// Two references of one account are one human, whatever the policy says of people.
func TestResolveJoinsOneAccount(t *testing.T) {
	f, _ := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved")
	approver := f.Reviews.Or(nil)[0].By
	f.People[approver] = f.People[f.Opener.Or("")]
	p := parsed(t, narrow)
	require.Equal(t, change.Pending, result(t, p.Evaluate(p.Resolve(f, "")), policy.PeerReviewID).Status)

	aliased := parsed(t, minimal("people: [{accounts: [github:101, github:102]}]"))
	people := aliased.Resolve(toMain(human(101), human(102), human(103)), "").People
	people["p4"] = human(102)
	people = aliased.Resolve(change.Facts{People: people}, "").People
	require.Equal(t, change.Person("p1"), people["p2"].SameAs)
	require.Equal(t, change.Person("p1"), people["p4"].SameAs)

	registered := parsed(t, minimal("automations: [{account: github:301, accountable: github:105}]"))
	twice := change.Facts{People: change.People{"p1": human(301), "p2": human(301)}}
	for person, id := range registered.Resolve(twice, "").People {
		if person == "p1" || person == "p2" {
			require.Equal(t, change.Bot, id.Kind, person)
		}
	}
}
