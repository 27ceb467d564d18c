package github

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

var update = flag.Bool("update", false, "write what check runs show into testdata")

// touching returns the report of a change that touches n protected files, which the
// platform team has yet to approve.
func touching(n int) change.Report {
	r := held()
	r.Policy = change.PolicyFile{Found: true, Path: PolicyPath, Commit: change.SHA(sha(0xb1)), URI: "https://github.com/acme/shop/blob/" + sha(0xb1) + "/" + PolicyPath}
	r.People["p2"] = change.Identity{Kind: change.Human, Account: "github:102", Login: "grace"}
	var facts []string
	for i := range n {
		path := fmt.Sprintf(".github/workflows/w%03d.yml", i+1)
		facts = append(facts, "files/"+path)
		r.Awaited = append(r.Awaited, change.Awaited{Path: path, Control: "protected-paths", Status: change.Pending,
			Reason: change.Text(change.Quote(path) + " needs platform: 0 of 1 independent approvals"), Supply: "platform (team:acme/platform), other than who made the change"})
	}
	named, verb := `".github/workflows/w001.yml"`, "needs"
	if n > 1 {
		verb = "need"
		named = `".github/workflows/w001.yml", ".github/workflows/w002.yml", ".github/workflows/w003.yml"`
	}
	if n > 3 {
		named += fmt.Sprintf(" and %d more", n-3)
	}
	r.Decision = change.Decision{
		Status: change.Pending, Rule: "changes[0]", Owner: "platform-team", Class: "configuration", ClassReason: "every touched path is one of its paths",
		Notes: []change.Text{"changes[0].peer-review.approvals is 1; the floor asks for 2, and that holds"},
		Results: []change.Result{
			{Control: "peer-review", Status: change.Pending, Reason: "1 of 2 independent approvals: @{p1}'s approval does not count: @{p1} opened the change",
				Supply: "engineer (team:acme/engineers), other than who made the change", Facts: []string{"reviews/81"},
				Uncounted: []change.Uncounted{{Review: 80, By: "p1", Why: "@{p1}'s approval does not count: @{p1} opened the change"}}},
			{Control: "segregation-of-duties", Status: change.Pass, Reason: "made by @{p1}, approved by @{p2}", Facts: []string{"commits/" + sha(0xa1), "reviews/81"}},
			{Control: "required-checks", Status: change.Fail, Reason: `check "test" of the app "github-actions" failed`, Supply: `the app "github-actions"`},
			{Control: "protected-paths", Status: change.Pending, Reason: change.Text(named + " " + verb + " platform: 0 of 1 independent approvals"),
				Supply: "platform (team:acme/platform), other than who made the change", Facts: facts},
			{Control: "no-bypass", Status: change.NotApplicable, Reason: "judged when the change lands"},
		},
	}
	r.Decision.Status = change.Fail
	return r
}

// What the engineer sees, for a change of one file and of many: testdata/report.
func TestVerdictsAsTheyAreShown(t *testing.T) {
	for _, n := range []int{1, 3, 500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			v := newForge(t, "https://api.github.com").verdict(touching(n))
			file := fmt.Sprintf("testdata/report/%d-files.md", n)
			got := fmt.Sprintf("%s\n\n%s\n%s\n%d annotations\n", v.title, v.summary, v.text, len(v.annotations))
			if len(v.annotations) > 0 {
				a := v.annotations[0]
				got += fmt.Sprintf("%s:%d %s %s: %s\n", *a.Path, *a.StartLine, *a.AnnotationLevel, *a.Title, *a.Message)
			}
			if *update {
				require.NoError(t, os.MkdirAll("testdata/report", 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "run go test ./forge/github -run TestVerdictsAsTheyAreShown -update")
			require.LessOrEqual(t, utf8.RuneCountInString(v.title), maxTitle)
			require.Len(t, v.annotations, min(n, maxAnnotations))
		})
	}
}

// A title is one short line whatever it has to say, and drops what has no room.
func TestTitles(t *testing.T) {
	held := func(results ...change.Result) change.Decision {
		return change.Decision{Status: change.Conclude(results), Results: results}
	}
	one := change.Result{Control: "peer-review", Status: change.Pending, Reason: "0 of 1 independent approvals: @{p1}'s approval does not count",
		Supply: "engineer (team:acme/engineers), other than who made the change"}
	wide := one
	wide.Supply = "anyone who may write to the repository and made no part of the change"
	check := change.Result{Control: "required-checks", Status: change.Fail, Reason: `check "a; b (c)" failed: it was red`}
	named := change.Result{Control: "protected-paths", Status: change.Pending, Reason: `"ci.yml" needs platform: 0 of 1 independent approvals`, Supply: "platform (team:acme/platform), other than who made the change"}
	for want, d := range map[string]change.Decision{
		"Held: 0 of 1 independent approvals; needs engineer": held(one),
		"Held: 0 of 1 independent approvals":                 held(wide),
		`Denied: check "a; b (c)" failed · 1 more`:           held(one, check),
		`Denied: check "a; b (c)" failed · 2 more`:           held(one, check, named),
		`Held: "ci.yml" needs platform`:                      held(named),
		`Denied: "a/long/way/to/the/first.yml" and 499 more need platform · 1 more`: held(change.Result{Status: change.Fail,
			Reason: `"a/long/way/to/the/first.yml", "a/long/way/to/the/second.yml", "a/long/way/to/the/third.yml" and 497 more need platform: 0 of 1`}, one),
		"Undetermined: no policy":                         {Status: change.Undetermined, Reason: "no policy"},
		"Undetermined: nothing was judged":                {Status: change.Undetermined},
		"Allowed: 0 controls pass":                        held(change.Result{Status: change.NotApplicable}),
		"Allowed: 2 controls pass":                        held(change.Result{Status: change.Pass}, change.Result{Status: change.Pass}),
		"Held: " + strings.Repeat("x", 64) + "… · 1 more": held(change.Result{Status: change.Pending, Reason: change.Text(strings.Repeat("x", 200))}, one),
	} {
		word := map[change.Status]string{change.Pending: "Held", change.Fail: "Denied", change.Undetermined: "Undetermined"}[d.Status]
		if word == "" {
			word = "Allowed"
		}
		require.Equal(t, want, title(d, word, func(change.Person) string { return "ada" }))
		require.LessOrEqual(t, utf8.RuneCountInString(want), maxTitle)
	}
}

// What people chose does nothing in any part of what is shown.
func TestHostileNamesAreShownAsTheyAre(t *testing.T) {
	evil := "\u202egnp.exe\u200b\x1b[31m\u2028# x | y\r\n- [z](https://evil.example) <b>@ada</b> ![i](u) `c`"
	r := touching(1)
	for i := range r.Decision.Results {
		q := change.Text(change.Quote(evil))
		r.Decision.Results[i].Reason, r.Decision.Results[i].Supply = q+": "+q, q
	}
	r.Awaited[0].Path, r.Awaited[0].Reason = evil, change.Text(evil)
	r.Decision.Owner, r.Decision.Class, r.Decision.Notes = evil, evil, []change.Text{change.Text(evil)}
	r.Policy.Path, r.Policy.URI = evil, "https://github.com/a/b/blob/c/d)[x](https://evil.example"
	r.People["p1"] = change.Identity{Kind: change.Human, Login: evil}
	v := newForge(t, "https://api.github.com").verdict(r)
	require.NotContains(t, v.title, "\u202e")
	require.NotContains(t, v.title, "@")
	for _, text := range []string{v.summary, v.text, *v.annotations[0].Message, *v.annotations[0].Title} {
		for _, bad := range []string{"\u202e", "\u200b", "\x1b", "\u2028", "\r", "@"} {
			require.NotContains(t, text, bad)
		}
	}
	for _, text := range []string{v.summary, v.text} {
		for _, bad := range []string{"(https://evil", "<b>", "![i]", "\n#", "\n- [z"} {
			require.NotContains(t, text, bad)
		}
	}
	require.NotContains(t, v.title, "\n")
	require.NotContains(t, v.summary, "Judged by", "an address that is none of the forge's is no link")
	require.Equal(t, len(r.Decision.Results)+2, strings.Count(v.text, "\n"), "one line per control")
}

// GitHub adds annotations to those that a run has, so they go with the first write
// of a run and with no other.
func TestAnnotationsAreWrittenOnce(t *testing.T) {
	s := newStub(t)
	f := newForge(t, s.URL)
	require.NoError(t, f.Report(t.Context(), touching(60)))
	require.Len(t, s.writes[0]["output"].(obj)["annotations"], maxAnnotations)
	require.Contains(t, s.writes[0]["output"].(obj)["summary"], "50 paths that need an approval are annotated, 10 more are not.")
	r := touching(3)
	r.Shown = change.Known(change.Shown{ID: 77, Commit: r.Commit, Status: "completed", Conclusion: "failure"})
	require.NoError(t, f.Report(t.Context(), r))
	require.NotContains(t, s.writes[1]["output"], "annotations")
	require.Contains(t, unannotated(touching(51)), "1 more is not.")
	require.Empty(t, unannotated(touching(50)))
}

// Long paths and messages keep within what GitHub takes, at whole characters.
func TestAnnotationsAreShort(t *testing.T) {
	r := touching(1)
	r.Awaited[0].Supply = change.Text(strings.Repeat("é", 70_000))
	v := newForge(t, "").verdict(r)
	require.LessOrEqual(t, len(*v.annotations[0].Message), maxAnnotation)
	require.True(t, utf8.ValidString(*v.annotations[0].Message))
	require.Equal(t, "a…", shorten("aéé", 4))
}
