package policy_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/story"
)

// storyFacts returns the facts and the decision of a story written here.
func storyFacts(t *testing.T, text string, events ...string) (change.Facts, change.Decision) {
	t.Helper()
	told := fmt.Sprintf("Told in a test.\n-- policy --\n%s\n-- story --\n%s\n-- want --\ndeny\n", text, strings.Join(events, "\n"))
	s, err := story.Parse("told", []byte(told))
	require.NoError(t, err)
	played := mustPlay(t, s)
	return played.Facts, played.Decision
}

// result returns what a control said.
func result(t *testing.T, d change.Decision, control string) change.Result {
	t.Helper()
	for _, r := range d.Results {
		if r.Control == control {
			return r
		}
	}
	t.Fatalf("%s was not judged", control)
	return change.Result{}
}

// TestResultSaysWhatItRestsOn looks at the parts of a result that the stories do
// not show.
func TestResultSaysWhatItRestsOn(t *testing.T) {
	facts, d := storyFacts(t, broad,
		"team acme/engineers grace", "team acme/platform margaret", "holds maintain margaret",
		"author ada", "commit ada", "rebase linus", "touch CODEOWNERS", "title SHOP-9",
		"review ada approved", "review grace approved", "review mallory approved",
		"check test from github-actions success")
	require.Equal(t, "platform-team", d.Owner)
	require.Equal(t, "changes[0], changes[1]", d.Rule)
	require.Equal(t, change.Pending, d.Status)
	require.Equal(t, change.Deny, d.Verdict())

	review := result(t, d, policy.PeerReviewID)
	require.Equal(t, change.Pending, review.Status)
	require.Equal(t, []string{"reviews/81", "reviews/82"}, review.Facts, "what counts by one rule or the other")
	require.Equal(t, change.Text("engineer (team:acme/engineers, permission:maintain), other than who made the change"), review.Supply)
	by := func(login string) change.Person {
		for p, id := range facts.People {
			if id.Login == login {
				return p
			}
		}
		return ""
	}
	ada, mallory := by("ada"), by("mallory")
	require.Equal(t, []change.Uncounted{
		{Review: 80, By: ada, Why: change.Text(ada.Mark() + "'s approval does not count: " + ada.Mark() + " opened this change")},
		{Review: 82, By: mallory, Why: change.Text(mallory.Mark() + "'s approval does not count: " + mallory.Mark() + " is not in the role engineer")},
	}, review.Uncounted)

	duties := result(t, d, policy.SegregationID)
	require.Equal(t, change.Pass, duties.Status)
	require.Contains(t, duties.Facts, "commits/"+string(commitID(2)))
	require.Contains(t, duties.Facts, "pushes/"+string(commitID(1)), "earlier versions of the branch too")
	require.Contains(t, duties.Facts, "timeline/head_force_pushed/2026-03-02T09:03:00Z")
	require.IsIncreasing(t, duties.Facts)

	require.Equal(t, []string{"checks/5"}, result(t, d, policy.RequiredChecksID).Facts)
	require.Equal(t, []string{"requests/SHOP-9"}, result(t, d, policy.LinkedRequestID).Facts)
	require.Equal(t, []string{"files/CODEOWNERS", "reviews/81"}, result(t, d, policy.ProtectedPathsID).Facts)

	for _, r := range d.Results {
		require.NotEmpty(t, r.Criteria["soc2"], r.Control)
		for _, framework := range []string{"iso27001", "pci-dss", "nist-800-53", "ssdf", "dora"} {
			require.NotEmpty(t, r.Criteria[framework], "%s %s", r.Control, framework)
			require.IsIncreasing(t, append([]string{""}, r.Criteria[framework]...))
		}
	}
	d.Results[0].Criteria["soc2"][0] = "changed by a caller"
	_, again := storyFacts(t, broad, "author ada", "commit ada")
	require.Equal(t, []string{"CC5.3", "CC8.1"}, result(t, again, policy.PeerReviewID).Criteria["soc2"], "callers own what they get")
}

// TestUncountableApprovalsAreNoFacts: while the makers are unknown no approval
// counts, so no result may rest on one.
func TestUncountableApprovalsAreNoFacts(t *testing.T) {
	_, d := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved", "unknown pushes")
	for _, control := range []string{policy.PeerReviewID, policy.SegregationID} {
		r := result(t, d, control)
		require.NotContains(t, r.Facts, "reviews/80")
		require.Len(t, r.Uncounted, 1)
		require.Contains(t, r.Uncounted[0].Why, "it cannot be told whether")
	}
}

// TestLongListsAreCut: a reason stays readable whatever there is to say.
func TestLongListsAreCut(t *testing.T) {
	base := toMain()
	base.Head = change.Known(change.Head{Commit: commitID(1)})
	base.Landing = change.Known(change.Landing{})
	base.Timeline, base.Pushes = change.Known([]change.Event{}), change.Known([]change.BranchPush{})
	base.Opener = change.Known(change.Person("p1"))
	var commits []change.Commit
	var reviews []change.Review
	for i := 1; i <= 14; i++ {
		p := change.Person(fmt.Sprintf("p%d", i))
		base.People[p] = human(int64(i))
		commits = append(commits, change.Commit{SHA: commitID(i), Author: p, ByForge: true})
		reviews = append(reviews, change.Review{ID: int64(i), By: p, State: change.Approved, Commit: commitID(1)})
	}
	base.Commits, base.Reviews = change.Known(commits), change.Known(reviews)
	d := parsed(t, narrow).Evaluate(base)
	require.Len(t, result(t, d, policy.PeerReviewID).Uncounted, 14, "all are recorded")
	require.Contains(t, result(t, d, policy.PeerReviewID).Reason, "; and 9 more")
	require.Contains(t, result(t, d, policy.SegregationID).Reason, "@{p9}, @{p10} and 4 more, approved by nobody")

	var files []change.File
	for i := range 5 {
		files = append(files, change.File{Path: fmt.Sprintf("deploy/%d", i)})
	}
	base.Files = change.Known(files)
	require.Contains(t, result(t, parsed(t, broad).Evaluate(base), policy.ProtectedPathsID).Reason,
		`"deploy/0", "deploy/1" and "deploy/2" and 2 more need engineer`)

	push := change.Facts{Ref: change.Ref{Kind: change.Push, Branch: "main"}}
	push.Landing = change.Known(change.Landing{How: change.Squash, Explained: []int{12, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 1}})
	require.Contains(t, result(t, parsed(t, narrow).Evaluate(push), policy.NoBypassID).Reason, "#1, #2, #3, #4, #5, #6, #7, #8, #9, #10 and 2 more")
}

// checkFacts returns facts of a landed change with one check run.
func checkFacts(landed time.Time, run change.Check) change.Facts {
	f := toMain()
	f.Head, f.Files = change.Known(change.Head{Commit: commitID(1)}), change.Known([]change.File{})
	f.Landing = change.Known(change.Landing{Landed: !landed.IsZero(), At: landed, How: change.Squash})
	run.Name, run.App, run.Source, run.Commit = "test", "github-actions", change.CheckRun, commitID(1)
	run.Status, run.Conclusion = "completed", change.Success
	f.Checks = change.Known([]change.Check{run})
	return f
}

// TestChecksMustPrecedeTheLanding tries the order of a check and the landing.
func TestChecksMustPrecedeTheLanding(t *testing.T) {
	p := parsed(t, minimal("    required-checks: [{name: test, app: github-actions}]"))
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		landed, started, completed time.Time
		want                       change.Status
		reason                     string
	}{
		"open":                {time.Time{}, noon, noon, change.Pass, "succeeded on"},
		"open, time unknown":  {time.Time{}, noon, time.Time{}, change.Pass, "succeeded on"},
		"before":              {noon, noon.Add(-2), noon.Add(-1), change.Pass, "succeeded on"},
		"in the same moment":  {noon, noon, noon, change.Pass, "succeeded on"},
		"finished afterwards": {noon, noon.Add(-1), noon.Add(1), change.Fail, "succeeded only after the change landed"},
		"began afterwards":    {noon, noon.Add(1), noon.Add(2), change.Fail, "has not run"},
		"landed, unknown":     {noon, noon.Add(-1), time.Time{}, change.Undetermined, "is not known, so perhaps after"},
	} {
		t.Run(name, func(t *testing.T) {
			d := p.Evaluate(checkFacts(c.landed, change.Check{ID: 5, Started: c.started, Completed: c.completed}))
			r := result(t, d, policy.RequiredChecksID)
			require.Equal(t, c.want, r.Status)
			require.Contains(t, r.Reason, c.reason)
		})
	}
}

// TestNewestRunDecides: the id tells which run is newest, then the attempt, and of
// two that cannot be told apart the one that did not succeed counts.
func TestNewestRunDecides(t *testing.T) {
	p := parsed(t, minimal("    required-checks: [{name: test, app: \"15368\"}]"))
	run := func(id int64, attempt int, conclusion string) change.Check {
		return change.Check{ID: id, Attempt: attempt, Name: "test", AppID: 15368, Source: change.CheckRun, Commit: commitID(1), Status: "completed", Conclusion: conclusion}
	}
	for name, c := range map[string]struct {
		checks []change.Check
		want   change.Status
	}{
		"later id wins":                 {[]change.Check{run(5, 1, "success"), run(6, 1, "failure")}, change.Fail},
		"later id wins over an attempt": {[]change.Check{run(5, 2, "success"), run(6, 1, "failure")}, change.Fail},
		"later attempt wins":            {[]change.Check{run(5, 1, "failure"), run(5, 2, "success")}, change.Pass},
		"a tie does not help":           {[]change.Check{run(5, 1, "success"), run(5, 1, "failure")}, change.Fail},
		"another app's id":              {[]change.Check{{ID: 5, Name: "test", AppID: 7, Source: change.CheckRun, Commit: commitID(1), Status: "completed", Conclusion: "success"}}, change.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			f := toMain()
			f.Head, f.Landing, f.Files = change.Known(change.Head{Commit: commitID(1)}), change.Known(change.Landing{}), change.Known([]change.File{})
			f.Checks = change.Known(c.checks)
			r := result(t, p.Evaluate(f), policy.RequiredChecksID)
			require.Equal(t, c.want, r.Status, r.Reason)
			if name == "another app's id" {
				require.Contains(t, r.Reason, `by the app "7"`)
			}
		})
	}
}

// TestTheVerdictIsAFact: a landing rests on the last verdict, and where none was
// ever given there is none to rest on.
func TestTheVerdictIsAFact(t *testing.T) {
	f, _ := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved", "shown success", "enforced pull_request", "land ada squash")
	r := result(t, parsed(t, narrow).Evaluate(f), policy.NoBypassID)
	require.Equal(t, change.Pass, r.Status)
	require.Equal(t, []string{"landing/" + string(commitID(91)), "shown/700"}, r.Facts)

	f.Shown = change.Known(change.Shown{})
	r = result(t, parsed(t, narrow).Evaluate(f), policy.NoBypassID)
	require.Equal(t, change.Fail, r.Status)
	require.Equal(t, []string{"landing/" + string(commitID(91))}, r.Facts, "what was not given is no fact")
}

// TestSomeMembershipsUnanswered: where the forge answered for one team and not for
// another, the result says why.
func TestSomeMembershipsUnanswered(t *testing.T) {
	text := minimal("    peer-review: {approvals: 1, from: [a]}", "roles: {a: [team:acme/one, team:acme/two]}")
	f, d := storyFacts(t, text, "team acme/one linus", "author ada", "commit ada", "review grace approved")
	require.Equal(t, change.Undetermined, d.Status, "grace is not in one, and may be in two")
	f.Absent = map[string]string{"memberships": "the App may not see acme/two"}
	require.Contains(t, result(t, parsed(t, text).Evaluate(f), policy.PeerReviewID).Reason, `not all answered: "the App may not see acme/two"`)
}

// TestReviewsOfUnknownKind: a word this program does not know is no approval, and
// the reviewer's older approval does not come back.
func TestReviewsOfUnknownKind(t *testing.T) {
	f, _ := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved", "review grace changes_requested")
	reviews := f.Reviews.Or(nil)
	require.Equal(t, change.ChangesRequested, reviews[1].State)
	reviews[1].State = "shrugged"
	require.Equal(t, change.Pending, parsed(t, narrow).Evaluate(f).Status)
}

// TestTiedReviews: of two reviews that no fact puts in order, the one that helps the
// change less is the last word.
func TestTiedReviews(t *testing.T) {
	f, d := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved")
	require.Equal(t, change.Pass, d.Status)
	approval := f.Reviews.Or(nil)[0]
	objection := approval
	objection.State = change.ChangesRequested
	for _, reviews := range [][]change.Review{{approval, objection}, {objection, approval}} {
		f.Reviews = change.Known(reviews)
		require.Equal(t, change.Fail, parsed(t, narrow).Evaluate(f).Status)
	}
}

// TestStrangeObjectIDs: what is no object id stands between quotation marks.
func TestStrangeObjectIDs(t *testing.T) {
	f, _ := storyFacts(t, narrow, "author ada", "commit ada", "review grace approved")
	f.Head = change.Known(change.Head{Commit: "@{p2}"})
	f.Commits = change.Known([]change.Commit{{SHA: "@{p2}", Author: f.Commits.Or(nil)[0].Author, ByForge: true}})
	require.Contains(t, result(t, parsed(t, narrow).Evaluate(f), policy.PeerReviewID).Reason, `the head is now "＠{p2}"`)
}

// TestJudgeWithoutAPolicy: there is always a decision, and it blocks.
func TestJudgeWithoutAPolicy(t *testing.T) {
	f := toMain()
	f.Absent = map[string]string{"change": "the API answered 502 five times"}
	d := policy.Judge(f, change.PolicyFile{})
	require.Equal(t, change.Undetermined, d.Status)
	require.Equal(t, change.Text(`nothing is known of the change: "the API answered 502 five times"`), d.Reason)

	d = policy.Judge(toMain(), change.PolicyFile{})
	require.Equal(t, change.Text(`there is no policy "the policy" on the protected branch at an unknown commit; add one`), d.Reason)
	require.JSONEq(t, `{"status":"unknown","reason":"`+strings.ReplaceAll(string(d.Reason), `"`, `\"`)+`","results":[]}`, string(wireOf(d)))

	d = policy.Judge(toMain(), change.PolicyFile{Found: true, Path: "@{p1}", Text: strings.Repeat("a: b\n", 20)})
	require.NotContains(t, d.Reason, "@{p1}")
	require.Contains(t, d.Reason, "; and 17 more")
}

// TestExplain compares the page for a held change with the words it should have.
func TestExplain(t *testing.T) {
	const file = "../testdata/policy/explained.txt"
	facts, d := storyFacts(t, narrow, "author ada", "commit ada", "review ada approved")
	p := facts.People["p1"]
	p.Login = "ada\x1b[31m"
	facts.People["p1"] = p
	var page strings.Builder
	require.NoError(t, policy.Explain(&page, d, facts.People))
	page.WriteString("----\n")
	require.NoError(t, policy.Explain(&page, policy.Judge(facts, change.PolicyFile{Path: "p.yml"}), facts.People))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), page.String())

	require.ErrorContains(t, policy.Explain(broken{}, d, facts.People), "writing an explanation: the pipe is closed")
}

// broken is a writer that cannot write.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the pipe is closed") }
