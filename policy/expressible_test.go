package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// asserted returns what an expression comes to on facts.
func asserted(t *testing.T, f change.Facts, expression string) change.Result {
	t.Helper()
	p := parsed(t, minimal(fmt.Sprintf("    assertions: [{name: a, that: %q}]", expression)))
	return result(t, p.Evaluate(p.Resolve(f, "")), policy.AssertionsID)
}

// Of checks counts what they had come to when the change landed.
func TestChecksAsExpressionsSeeThem(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		landed, started, completed time.Time
		is                         string // of the one check; "" where it is not known
	}{
		"open":                {time.Time{}, noon, noon, "completed success"},
		"open, time unknown":  {time.Time{}, noon, time.Time{}, "completed success"},
		"in the same moment":  {noon, noon, noon, "completed success"},
		"finished afterwards": {noon, noon.Add(-1), noon.Add(1), "in_progress "},
		"began afterwards":    {noon, noon.Add(1), noon.Add(2), "none"},
		"landed, unknown":     {noon, noon.Add(-1), time.Time{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := checkFacts(c.landed, change.Check{ID: 5, Started: c.started, Completed: c.completed})
			for _, is := range []string{"completed success", "in_progress ", "none"} {
				r := asserted(t, f, fmt.Sprintf("change.checks.map(c, c.status + ' ' + c.conclusion) == (%q == 'none' ? [] : [%q])", is, is))
				want := map[bool]change.Status{true: change.Pass, false: change.Pending}[is == c.is]
				switch {
				case c.is == "":
					want = change.Undetermined
				case !c.landed.IsZero() && is != c.is:
					want = change.Fail
				}
				require.Equal(t, want, r.Status, "%s: %s", is, r.Reason)
			}
		})
	}
}

// The newest run of a check counts, of several workflows one that is not green, and
// neither other commits nor statuses do.
func TestWhichRunExpressionsSee(t *testing.T) {
	run := func(id int64, name, app, workflow, conclusion string) change.Check {
		k := change.Check{ID: id, Name: name, App: app, Workflow: workflow, Source: change.CheckRun, Commit: commitID(1), Status: "completed", Conclusion: conclusion}
		if conclusion == "" {
			k.Status = "queued"
			k.Conclusion = "success" // what a forge keeps of the run before
		}
		return k
	}
	status, old := run(9, "test", "ci", "", "failure"), run(9, "test", "ci", "", "failure")
	status.Source, old.Commit = change.CommitStatus, commitID(2)
	f := checkFacts(time.Time{}, change.Check{})
	f.Checks = change.Known([]change.Check{
		status, old, run(6, "test", "ci", "", "success"), run(5, "test", "ci", "", "failure"),
		run(5, "lint", "actions", "a.yml", "success"), run(6, "lint", "actions", "b.yml", "failure"), run(7, "lint", "actions", "c.yml", "success"),
		run(5, "scan", "ci", "", ""), run(5, "test", "other", "", "neutral"), {ID: 5, AppID: 7, Name: "test", Source: change.CheckRun, Commit: commitID(1), Status: "completed", Conclusion: "success"},
	})
	want := `["7/test:completed:success", "actions/lint:completed:failure", "ci/scan:queued:", "ci/test:completed:success", "other/test:completed:neutral"]`
	r := asserted(t, f, "change.checks.map(c, c.app + '/' + c.name + ':' + c.status + ':' + c.conclusion) == "+want)
	require.Equal(t, change.Pass, r.Status, r.Reason)
	require.Equal(t, []string{"change.checks"}, r.Facts)

	f.Head = change.Fact[change.Head]{}
	require.Contains(t, string(asserted(t, f, "size(change.checks) == 0").Reason), "change.checks is not known: the head is not known")
	f.Checks = change.Fact[[]change.Check]{}
	require.Contains(t, string(asserted(t, f, "size(change.checks) == 0").Reason), "change.checks is not known: the checks are not known")
}

// A workflow that a rule for every change protects judges a change that touches it;
// one that a rule for some changes protects does not.
func TestTrustedChecksInExpressions(t *testing.T) {
	const path = ".github/workflows/ci.yml"
	f := checkFacts(time.Time{}, change.Check{ID: 5, Workflow: path})
	f.Files = change.Known([]change.File{{Path: path, Status: "modified"}})
	for condition, want := range map[string]change.Status{"": change.Pass, "when: change.from_fork, ": change.Pending} {
		p := parsed(t, "version: 1\nowner: a\nroles: {x: [team:a/b]}\nchanges:\n"+
			"  - {branches: [main], "+condition+"protected-paths: [{paths: [\".github/**\"], from: [x]}]}\n"+
			"  - {branches: [main], assertions: [{name: a, that: \"change.checks.all(c, c.conclusion != 'untrusted')\"}]}\n")
		require.Equal(t, want, result(t, p.Evaluate(f), policy.AssertionsID).Status, condition)
	}
}

// What is not known of a change is not known to expressions, and why is said.
func TestAbsentToExpressions(t *testing.T) {
	bare := change.Facts{Ref: change.Ref{Kind: change.PullRequest}, Base: change.Known(change.Base{Branch: "main"})}
	for _, v := range []string{
		"change.repository != 'a'", "change.title != ''", "change.branch != ''", "change.landed_by != ''", "change.landed", "change.landed_at > timestamp('2026-01-01T00:00:00Z')",
		"change.opened > timestamp('2026-01-01T00:00:00Z')", "change.draft", "change.from_fork", "size(change.files) > 1", "size(change.commits) > 1", "size(change.labels) > 1",
		"size(change.requests) > 1", "size(change.makers) > 1", "size(change.approvers) > 1", "change.opener.kind == ''", "size(change.checks) > 1",
	} {
		r := asserted(t, bare, v)
		name := strings.FieldsFunc(strings.TrimPrefix(v, "size("), func(r rune) bool { return r == ' ' || r == ')' })[0]
		name = strings.TrimSuffix(name, ".kind")
		require.Equal(t, change.Undetermined, r.Status, v)
		require.Regexp(t, name+" is not known: .+", string(r.Reason))
		require.Equal(t, []string{name}, r.Facts)
	}
	closed := bare
	closed.State = change.Known(change.ClosedState)
	require.Equal(t, change.Undetermined, asserted(t, closed, "change.draft").Status)
	require.Equal(t, change.Undetermined, asserted(t, bare, "change.class == '' && change.draft").Status)
	require.Equal(t, change.Pass, asserted(t, bare, "change.class == '' && change.kind == 'pull_request' && change.target == 'main'").Status)
}

// The title of a landed change is the one it had when it landed.
func TestTitleWhenItLanded(t *testing.T) {
	at := start().Add(time.Hour)
	renamed := func(minutes int, before string) change.Event {
		return change.Event{Kind: change.Renamed, At: at.Add(time.Duration(minutes) * time.Minute), Before: before}
	}
	other := change.Event{Kind: change.Labeled, At: at.Add(time.Minute), Before: "no"}
	for name, c := range map[string]struct {
		title    string
		timeline []change.Event
		want     string
	}{
		"never renamed":            {"now", nil, "now"},
		"renamed before":           {"now", []change.Event{renamed(-1, "old")}, "now"},
		"renamed then":             {"now", []change.Event{renamed(0, "old")}, "now"},
		"renamed after":            {"now", []change.Event{renamed(1, "then"), other}, "then"},
		"renamed twice after":      {"now", []change.Event{renamed(2, "later"), renamed(1, "then")}, "then"},
		"renamed before and after": {"now", []change.Event{renamed(-2, "old"), renamed(1, "then")}, "then"},
		"nothing known":            {"", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := toMain()
			f.Title, f.Timeline = c.title, change.Known(c.timeline)
			f.Landing = change.Known(change.Landing{Landed: true, At: at, How: change.Squash})
			r := asserted(t, f, fmt.Sprintf("change.title == %q", c.want))
			want := change.Pass
			if c.want == "" {
				want = change.Undetermined
			}
			require.Equal(t, want, r.Status, r.Reason)
			f.Timeline = change.Fact[[]change.Event]{}
			require.Equal(t, change.Undetermined, asserted(t, f, fmt.Sprintf("change.title == %q", c.want)).Status)
		})
	}
}

// A copy leaves the old path as it was, a rename does not.
func TestFilesAsExpressionsSeeThem(t *testing.T) {
	f := toMain()
	f.Files = change.Known([]change.File{
		{Path: "n", Previous: "o", Status: "renamed"}, {Path: "c", Previous: "x", Status: "copied"}, {Path: "a", Status: "added"}, {Path: "o", Status: "removed"},
	})
	r := asserted(t, f, `change.files.map(f, f.path + "<" + f.previous + ":" + f.status) == ["a<:added", "c<x:copied", "n<o:renamed", "o<:removed"]`)
	require.Equal(t, change.Pass, r.Status, r.Reason)
}

// All of a change that is a list stands in one order.
func TestExpressionsSeeOneOrder(t *testing.T) {
	f := approvedChange(change.Human)
	f.People["p3"], f.People["p10"] = change.Identity{Kind: change.Human}, change.Identity{Kind: change.Human}
	f.Commits = change.Known([]change.Commit{
		{SHA: commitID(1), Author: "p10", ByForge: true, Parents: []change.SHA{"a"}}, {SHA: "b", Author: "p3", ByForge: true}, {SHA: "b", Author: "p1", ByForge: true, Parents: []change.SHA{"a", "x"}}, {SHA: "b", Author: "p1", ByForge: true},
	})
	f.Reviews = change.Known(append(f.Reviews.Or(nil), change.Review{ID: 7, By: "p0", State: change.Approved, Commit: commitID(1), Tree: treeID(1), At: start().Add(1), CanPush: change.Known(true)}))
	f.People["p0"] = change.Identity{Kind: change.Human}
	f.Requests = change.Known([]change.Request{{Key: "b"}, {Key: "a"}, {Key: "b", Found: "title"}})
	r := asserted(t, f, `change.commits.map(c, c.sha) == ["b", "b", "b", "`+string(commitID(1))+`"] && change.commits.map(c, c.author.id) == ["p1", "p1", "p3", "p10"] && change.commits.map(c, c.parents) == [0, 2, 0, 1] && change.makers.map(m, m.id) == ["p1", "p3", "p10"] && change.approvers.map(m, m.id) == ["p0", "p2"] && change.requests == ["a", "b"]`)
	require.Equal(t, change.Pass, r.Status, r.Reason)
}

// A place in an expression is told although the file has line ends that are none to
// this program.
func TestPlacesBesideStrangeLineEnds(t *testing.T) {
	_, err := policy.Parse("p.yml", []byte("# a\u0085# b\u0085\n"+minimal("    when: |\n      change.titel == ''")))
	require.ErrorContains(t, err, "undeclared reference to 'change.titel'")
	_, err = policy.Parse("p.yml", []byte(strings.ReplaceAll(minimal("    when: \"change.draft ||\\\n      change.titel == ''\""), "\n", "\r\n")))
	require.ErrorContains(t, err, "p.yml:6:13: when cannot be used: \"undeclared reference to 'change.titel'")
}

// The class stands in an explanation, with the reason.
func TestExplainClass(t *testing.T) {
	p := parsed(t, byClass)
	for setter, want := range map[change.Person]string{"p2": "\n  class: standard: the label \"standard\" was set by grace\n", "p9": "\n  class: not known, standard or normal: "} {
		f := labelledBy(setter)
		var page strings.Builder
		require.NoError(t, policy.Explain(&page, p.Evaluate(f), f.People))
		require.Contains(t, page.String(), want)
	}
}

// Of classes, conditions and assertions it is said what the floor makes of them.
func TestNotesOnConditions(t *testing.T) {
	const head = "version: 1\nowner: a\nclasses: [{name: standard, paths: [%s]}, {name: other, paths: [x]}]\nchanges:\n  - branches: [main]\n    classes: [standard]\n    assertions: [{name: %s, that: change.draft}]\n"
	notes := func(own, floor string) []string {
		var got []string
		for _, n := range mustRead(t, own, floor).Notes("main") {
			got = append(got, string(n))
		}
		return got
	}
	require.Equal(t, []string{
		`changes[0].assertions[0] is beyond the floor: "a"`,
		`the floor's changes[0].assertions[0] holds as well: "b"`,
		"classes and when of changes[0] choose among the rules of the repository's policy only; the floor's changes[0] holds whatever they come to",
		"the floor's changes[0] holds for some changes only, by the floor's own classes and when",
		`the class "standard" means something else in the floor; each holds for its own file`,
	}, notes(fmt.Sprintf(head, "docs/", "a"), fmt.Sprintf(head, "templates/", "b")))
	plain := "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    assertions: [{name: a, that: change.draft}]\n"
	require.Empty(t, notes(plain, plain))
	require.Equal(t, []string{"the floor's changes[0] holds for some changes only, by the floor's own classes and when"}, notes(plain, fmt.Sprintf(head, "docs/", "a")))
	require.Equal(t, []string{"classes and when of changes[0] choose among the rules of the repository's policy only; the floor's changes[0] holds whatever they come to"}, notes(fmt.Sprintf(head, "docs/", "a"), plain))
}

// Sixty-four choices among contested labels, in several rules, cost no more than the
// expressions of one policy may: after that there is no answer, and nothing passes.
func TestContestedLabelsShareABudget(t *testing.T) {
	f := approvedChange(change.Human)
	f.People["p3"] = change.Identity{Kind: change.Human, Account: "github:103"}
	var events []change.Event
	for _, name := range strings.Fields("a b c d e f") {
		events = append(events, change.Event{Kind: change.Labeled, Detail: name, By: "p3", At: start().Add(time.Minute)})
	}
	f.Labels, f.Timeline = change.Known([]string{}), change.Known(events)
	var files []change.File
	for i := range 1000 {
		files = append(files, change.File{Path: fmt.Sprintf("%s%d", strings.Repeat("x", 240), i), Status: "added"})
	}
	f.Files = change.Known(files)
	r := asserted(t, f, `!change.files.exists(f, f.path.matches("(.*x){12}y$")) && !change.labels.exists(l, l == "zz")`)
	require.Equal(t, change.Undetermined, r.Status)
	require.Contains(t, string(r.Reason), "take too much work together on this change")
	r = asserted(t, f, `!change.files.exists(f, f.path.matches("(.*x){12}y$")) && !("zz" in change.labels)`)
	require.Equal(t, change.Pass, r.Status, r.Reason)
}
