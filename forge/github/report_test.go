package github

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

func held() change.Report {
	return change.Report{
		Ref: pull7, Commit: change.SHA(sha(0xa1)),
		People: change.People{"p1": {Kind: change.Human, Account: "github:101", Login: "ada"}},
		Decision: change.Decision{Status: change.Pending, Owner: "platform-team", Results: []change.Result{
			{Control: "peer-review", Status: change.Pending, Reason: "1 of 2 approvals", Supply: "anyone in role engineer but @{p1}"},
			{Control: "required-checks", Status: change.Pass, Reason: "test passed"},
		}},
		Receipt: change.Receipt{Index: 41, Digest: strings.Repeat("ab", 32), Chain: "refs/heads/main", N: 12},
	}
}

const heldTitle = "Held: 1 of 2 approvals; needs anyone in role engineer but ada"

func TestReport(t *testing.T) {
	s := newStub(t)
	f := newForge(t, s.URL)
	require.NoError(t, f.Report(t.Context(), held()))
	require.Len(t, s.writes, 1)
	w := s.writes[0]
	require.Equal(t, "POST", w["method"])
	require.Equal(t, "countersign", w["name"])
	require.Equal(t, sha(0xa1), w["head_sha"])
	require.Equal(t, "in_progress", w["status"])
	require.NotContains(t, w, "conclusion")
	require.Equal(t, "countersign:github:127.0.0.1:1:pull_request:7", w["external_id"])
	require.Equal(t, "reevaluate", w["actions"].([]any)[0].(obj)["identifier"])
	output := w["output"].(obj)
	require.Equal(t, heldTitle, output["title"])
	require.Contains(t, output["summary"], "Record 12 of refs\\/heads\\/main, log entry 41, SHA-256 `abab")
	require.Contains(t, output["text"], "| ⏳ pending | peer\\-review | 1 of 2 approvals | anyone in role engineer but ada |")
	require.Contains(t, output["text"], "| ✅ pass | required\\-checks |")

	// The same again is not written; something else is written in place.
	r := held()
	r.Shown = change.Known(change.Shown{ID: 77, Commit: r.Commit, Status: "in_progress", Title: heldTitle, ExternalID: "countersign:github:127.0.0.1:1:pull_request:7"})
	require.NoError(t, f.Report(t.Context(), r))
	require.Len(t, s.writes, 1)
	r.Receipt.N++
	require.NoError(t, f.Report(t.Context(), r))
	require.Len(t, s.writes, 2)
	require.Equal(t, "PATCH", s.writes[1]["method"])
	require.Equal(t, "/repos/acme/shop/check-runs/77", s.writes[1]["path"])
	require.Equal(t, w["external_id"], s.writes[1]["external_id"])

	// A run of another commit is not ours to change.
	r.Commit = change.SHA(sha(0xa2))
	require.NoError(t, f.Report(t.Context(), r))
	require.Equal(t, "POST", s.writes[2]["method"])

	// Another server does not know what the text says, so it writes.
	r = held()
	r.Shown = change.Known(change.Shown{ID: 77, Commit: r.Commit, Status: "in_progress", Title: heldTitle, ExternalID: "countersign:github:127.0.0.1:1:pull_request:7"})
	require.NoError(t, newForge(t, s.URL).Report(t.Context(), r))
	require.Len(t, s.writes, 4)
}

func TestReportConclusions(t *testing.T) {
	for _, c := range []struct {
		status              change.Status
		want, conclusion, w string
	}{
		{change.Pass, "completed", "success", "Allowed: 1 control passes"},
		{change.Exception, "completed", "success", "Exception: because"},
		{change.Fail, "completed", "failure", "Denied: because"},
		{change.Undetermined, "completed", "action_required", "Undetermined: because"},
		{change.Pending, "in_progress", "", "Held: because"},
		{"novel", "completed", "failure", "Denied: 0 controls pass"},
	} {
		t.Run(string(c.status), func(t *testing.T) {
			r := held()
			r.Decision = change.Decision{Status: c.status, Results: []change.Result{{Control: "c", Status: c.status, Reason: "because"}}}
			v := newForge(t, "").verdict(r)
			require.Equal(t, c.want, v.status)
			require.Equal(t, c.conclusion, v.conclusion)
			require.Equal(t, c.w, v.title)
		})
	}
	r := held()
	r.Decision = change.Decision{Status: change.Undetermined, Reason: "no policy file"}
	v := newForge(t, "").verdict(r)
	require.Equal(t, "Undetermined: no policy file", v.title)
	require.Contains(t, v.summary, "no policy file")
	require.Empty(t, v.text)
}

// A green that cannot be taken back in place must not stay.
func TestReportReplacesARunThatDoesNotYield(t *testing.T) {
	s := newStub(t)
	s.override["PATCH /repos/acme/shop/check-runs/77"] = func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, obj{"id": 77, "status": "completed", "conclusion": "success"})
	}
	r := held()
	r.Shown = change.Known(change.Shown{ID: 77, Commit: r.Commit, Status: "completed", Conclusion: "success"})
	require.NoError(t, newForge(t, s.URL).Report(t.Context(), r))
	require.Len(t, s.writes, 1)
	require.Equal(t, "POST", s.writes[0]["method"])

	s.override["POST /repos/acme/shop/check-runs"] = s.override["PATCH /repos/acme/shop/check-runs/77"]
	require.Error(t, newForge(t, s.URL).Report(t.Context(), r), "never reported as shown when it is not")
}

// What people wrote reads as they wrote it and does nothing.
func TestReportEscapes(t *testing.T) {
	r := held()
	evil := "<img src=x> @ada `x` [a](https://evil.example) | ![i](u) #1 www.evil.example \n# head **b** ~~s~~ &amp; \x1b[31m"
	r.People["p2"] = change.Identity{Kind: change.Human, Login: evil}
	r.Decision.Results[0].Reason = "by @{p2} and " + change.Text(change.Quote(evil))
	v := newForge(t, "").verdict(r)
	live := regexp.MustCompile("(^|[^\\\\])[<>\\[\\]()*~#&`!]")
	for _, line := range strings.Split(v.text, "\n")[2:] {
		require.NotRegexp(t, live, line)
		for _, bad := range []string{"@", "://", "www.e", "\x1b"} {
			require.NotContains(t, line, bad)
		}
		require.LessOrEqual(t, len(regexp.MustCompile(`(^|[^\\])\|`).FindAllString(line, -1)), 5, "five column borders")
	}
	require.NotContains(t, v.title, "@")
	require.NotContains(t, v.title, "\n")
	require.LessOrEqual(t, len([]rune(v.title)), maxTitle)
	require.Equal(t, 4, strings.Count(v.text, "\n"), "one line per control")
}

// A row that does not fit costs itself, and no cell can fill the table.
func TestReportKeepsTheRowsThatFit(t *testing.T) {
	r := held()
	r.Decision.Results = nil
	for range 20 { // of the largest cells, which escaping makes twice as long, few fit
		r.Decision.Results = append(r.Decision.Results, change.Result{Control: "large", Status: change.Fail,
			Reason: change.Text(strings.Repeat("*", 50_000)), Supply: change.Text(strings.Repeat("*", 50_000))})
	}
	r.Decision.Results = append(r.Decision.Results, change.Result{Control: "small", Status: change.Pending, Reason: "1 of 2 approvals"})
	v := newForge(t, "").verdict(r)
	require.LessOrEqual(t, len(v.text), maxText)
	rows := strings.Count(v.text, "| ❌ fail | large |")
	require.Positive(t, rows)
	require.Less(t, rows, 20)
	require.Contains(t, v.text, "| ⏳ pending | small | 1 of 2 approvals |  |\n", "the small row fits after the large ones")
	require.Contains(t, v.text, fmt.Sprintf("%d more controls do not fit here", 20-rows))
}

func TestReportFitsTheBound(t *testing.T) {
	r := held()
	for range 400 {
		r.Decision.Results = append(r.Decision.Results, change.Result{Control: "protected-paths", Status: change.Pending, Reason: change.Text(change.Quote(strings.Repeat("é", 200)))})
	}
	r.Decision.Reason = change.Text(strings.Repeat("é", 70_000))
	v := newForge(t, "").verdict(r)
	require.LessOrEqual(t, len(v.text), maxText)
	require.LessOrEqual(t, len(v.summary), maxText)
	require.Contains(t, v.text, "more controls do not fit here")
	require.True(t, strings.HasSuffix(v.text, "\n"))
	for line := range strings.Lines(v.text[len(tableHead):]) {
		require.True(t, strings.HasPrefix(line, "| ") || strings.Contains(line, "do not fit") || line == "\n", line)
	}
	require.LessOrEqual(t, len([]rune(v.title)), maxTitle)
}
