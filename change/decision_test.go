package change_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

func TestTheWorstResultDecides(t *testing.T) {
	results := func(statuses ...change.Status) (rr []change.Result) {
		for _, s := range statuses {
			rr = append(rr, change.Result{Status: s})
		}
		return rr
	}
	for _, c := range []struct {
		results []change.Result
		want    change.Status
		verdict change.Verdict
	}{
		{results(change.Pass, change.NotApplicable), change.Pass, change.Allow},
		{results(change.Pass, change.Exception), change.Exception, change.AllowException},
		{results(change.Pass, change.Pending), change.Pending, change.Deny},
		{results(change.Pending, change.Undetermined), change.Undetermined, change.Deny},
		{results(change.Undetermined, change.Fail, change.Pass), change.Fail, change.Deny},
		{results(change.Pass, "a word of a later version"), change.Fail, change.Deny},
		{nil, change.Undetermined, change.Deny}, // nothing was judged
	} {
		d := change.Decision{Status: change.Conclude(c.results)}
		require.Equal(t, c.want, d.Status)
		require.Equal(t, c.verdict, d.Verdict())
	}
	require.Equal(t, change.Deny, change.Decision{}.Verdict(), "a decision nobody filled in")
}

// The words of a decision are signed without names, and shown with them.
func TestNamesEnterTheWordsLast(t *testing.T) {
	text := change.Text("approved by " + change.Person("p2").Mark() + ", not by " + change.Person("p1").Mark())
	name := func(p change.Person) string { return strings.ToUpper(string(p)) }
	require.Equal(t, "approved by P2, not by P1", text.Render(name))
	require.Equal(t, "cut short @{p", change.Text("cut short @{p").Render(name))
}

// A branch name or a path must not be able to speak as a person, forge a line or
// reorder what the reader sees.
func TestQuoteDisarms(t *testing.T) {
	hostile := "x@{p1}\n@ada \u202etxt\" " + strings.Repeat("é", 300)
	quoted := change.Quote(hostile)
	require.NotContains(t, quoted, "@")
	require.NotContains(t, quoted, "\n")
	require.NotContains(t, quoted, "\u202e")
	require.Equal(t, 2, strings.Count(quoted, `"`))
	require.LessOrEqual(t, len([]rune(quoted)), 203)
	require.Equal(t, quoted, change.Text(quoted).Render(func(change.Person) string { return "somebody" }))
}
