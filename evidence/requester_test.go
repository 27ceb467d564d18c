package evidence

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// asked returns a request with a ticket that somebody asked for.
func asked(key, found string, by change.Person) change.Request {
	return change.Request{Key: key, Found: found, Ticket: change.Known(change.Ticket{Tracker: change.Jira, Found: true, Requester: by, ID: "id of " + key})}
}

func TestTheRequesterIsWhoAskedForTheChange(t *testing.T) {
	pass := func(facts ...string) change.Decision {
		return change.Decision{Results: []change.Result{{Control: linkedRequest, Status: change.Pass, Facts: facts}}}
	}
	missing := change.Request{Key: "SHOP-0", Found: "title", Ticket: change.Known(change.Ticket{Tracker: change.Jira})}
	silent := change.Request{Key: "SHOP-1", Found: "title"}
	for name, c := range map[string]struct {
		requests []change.Request
		decision change.Decision
		want     change.Person
	}{
		"no request":                      {nil, change.Decision{}, "p1"},
		"none that a tracker tells of":    {[]change.Request{missing, silent}, change.Decision{}, "p1"},
		"one":                             {[]change.Request{silent, asked("SHOP-7", "description", "p3")}, change.Decision{}, "p3"},
		"the most prominent":              {[]change.Request{asked("A-1", "description", "p2"), asked("B-1", "title", "p3")}, change.Decision{}, "p3"},
		"the one that was good enough":    {[]change.Request{asked("A-1", "description", "p2"), asked("B-1", "title", "p3")}, pass("requests/A-1"), "p2"},
		"of two alike the first":          {[]change.Request{asked("B-1", "title", "p3"), asked("A-1", "title", "p2")}, pass("requests/A-1", "requests/B-1"), "p2"},
		"a place nobody knows comes last": {[]change.Request{asked("A-1", "elsewhere", "p2"), asked("B-1", "description", "p3")}, change.Decision{}, "p3"},
	} {
		f := pull(1)
		f.Requests = change.Known(c.requests)
		require.Equal(t, c.want, rolesOf(f, c.decision).Requester, name)
	}
}

// An event about a request leads to the changes that rest on it, also after the index
// was lost, and to no others.
func TestARequestLeadsToWhatIsLinkedToIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence")
	l := open(t, dir)
	write := func(number int, state change.State, status change.Status, requests []change.Request, absent map[string]string) {
		e := standingEntry(t, number, "00000000000000000000000000000000000000aa", state, status)
		e.Facts.Requests, e.Facts.Absent = change.Known(requests), absent
		if state == "" {
			e.Facts.State, e.Facts.Head = change.Fact[change.State]{}, change.Fact[change.Head]{}
		}
		e.Facts.GatheredAt = e.Facts.GatheredAt.Add(time.Duration(number) * time.Second)
		_, err := l.Record(t.Context(), e)
		require.NoError(t, err)
	}
	github := func(key, id string) change.Request {
		return change.Request{Key: key, Found: "title", Ticket: change.Known(change.Ticket{Tracker: change.GitHubIssues, Found: id != "", ID: id})}
	}
	moved := github("#7", "70")
	ticket, _ := moved.Ticket.Get()
	ticket.Key = "acme/desk#1"
	moved.Ticket = change.Known(ticket)
	write(1, change.Open, change.Pass, []change.Request{github("#7", "70")}, nil)
	write(2, change.Open, change.Pending, []change.Request{github("acme/SHOP#7", "")}, nil) // was not there
	write(3, change.Open, change.Undetermined, []change.Request{{Key: "acme/shop#7", Found: "title"}}, map[string]string{"requests/acme/shop#7": "silence"})
	write(4, change.Open, change.Pass, []change.Request{{Key: "#7", Found: "title"}}, nil) // nobody asked
	write(5, change.Open, change.Pass, []change.Request{github("#8", "80")}, nil)
	write(6, change.ClosedState, change.Pass, []change.Request{github("#7", "70")}, nil)
	write(7, change.LandedState, change.Pass, []change.Request{github("#7", "70")}, nil)
	write(8, change.LandedState, change.Undetermined, []change.Request{github("#7", "70")}, nil)
	write(9, change.Open, change.Pass, []change.Request{github("#7", "70")}, nil)
	write(9, change.Open, change.Pass, []change.Request{github("#8", "80")}, nil) // links another now
	write(10, change.Open, change.Pass, []change.Request{moved}, nil)
	write(11, change.Open, change.Pass, []change.Request{github("#7", "70")}, nil)
	write(11, "", change.Undetermined, nil, nil) // could not be looked at
	check := func() {
		t.Helper()
		for want, id := range map[string]change.RequestID{
			"1 2 3 8 10 11 ": {Tracker: change.GitHubIssues, Key: "Acme/Shop#7", ID: "70"},
			"1 8 10 11 ":     {Tracker: change.GitHubIssues, Key: "acme/renamed#7", ID: "70"},
			"10 ":            {Tracker: change.GitHubIssues, Key: "acme/desk#1"},
			"5 9 ":           {Tracker: change.GitHubIssues, Key: "acme/shop#8", ID: "80"},
			"3 ":             {Tracker: change.GitLabIssues, Key: "acme/shop#7"}, // which tracker was silent, no record says
			"":               {Tracker: change.GitHubIssues, Key: "acme/shop#9", ID: "90"},
		} {
			refs, err := l.Linked(t.Context(), id)
			require.NoError(t, err)
			got := ""
			for _, r := range refs {
				got += fmt.Sprintf("%d ", r.Number)
			}
			require.Equal(t, want, got, "%v", id)
		}
	}
	check()
	shut(t, l)
	removeIndex(t, dir)
	l = open(t, dir)
	check()
}
