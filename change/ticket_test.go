package change_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// The digest is of a form that anybody can make again from what the tracker shows.
func TestSnapshotDigest(t *testing.T) {
	s := change.Snapshot{
		Tracker: "jira", Key: "SHOP-42", ID: "10042", Type: "Story", State: "Done", Title: "Sort", Body: "by <price>",
		Created: noon.In(time.FixedZone("", 3600)).Add(time.Millisecond), Closed: noon.Add(time.Hour),
	}
	// printf '%s' '{"body":"by <price>","closed":"2026-03-02T13:00:00Z",…}' | sha256sum
	require.Equal(t, "3ca67991be5652b26d44cde593594d3ea499b9f80d0df0e863da4e2c002d0bab", s.Digest())
	edited := s
	edited.Body = "by name"
	require.NotEqual(t, s.Digest(), edited.Digest())
	s.Created = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Empty(t, s.Digest())
}

func TestStateAt(t *testing.T) {
	ticket := change.Ticket{State: "Done", Moves: []change.Move{
		{At: noon.Add(time.Hour), From: "In Progress", To: "Done"}, {At: noon, From: "Backlog", To: "In Progress"},
	}}
	require.Equal(t, "Backlog", ticket.StateAt(noon.Add(-time.Minute)))
	require.Equal(t, "In Progress", ticket.StateAt(noon))
	require.Equal(t, "Done", ticket.StateAt(noon.Add(2*time.Hour)))
	require.Equal(t, "open", change.Ticket{State: "open"}.StateAt(noon))
}

// What trackers answered stands beside the requests, with people by reference only.
func TestWithTickets(t *testing.T) {
	ada := change.Identity{Kind: change.Human, Account: "github:1", Login: "ada"}
	margaret := change.Identity{Kind: change.Human, Account: "jira:m", Name: "Margaret"}
	var roster change.Roster
	roster.Add(ada)
	f := change.Facts{People: roster.People(), Requests: change.Known([]change.Request{
		{Key: "SHOP-1", Found: "title"}, {Key: "SHOP-1", Found: "branch"}, {Key: "SHOP-2", Found: "title"}, {Key: "SHOP-3", Found: "title"}, {Key: "SHOP-4", Found: "title"},
	})}
	before, err := json.Marshal(f)
	require.NoError(t, err)
	issue := &change.Issue{Snapshot: change.Snapshot{Tracker: "jira", Key: "NEW-1", ID: "7", State: "open", Created: noon}, URL: "https://jira.example/browse/NEW-1", Requester: margaret, Creator: ada}
	got := f.WithTickets(map[change.Lookup]change.Answer{
		{Tracker: "jira", Key: "SHOP-1"}: {Issue: issue},
		{Tracker: "jira", Key: "SHOP-2"}: {},
		{Tracker: "jira", Key: "SHOP-3"}: {Why: "Jira answered 503"},
		{Tracker: "jira", Key: "SHOP-9"}: {},
	})
	after, err := json.Marshal(f)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "the argument is left as it was")

	ticket := change.Ticket{Tracker: "jira", Found: true, ID: "7", Key: "NEW-1", State: "open", Requester: "p2", Creator: "p1", Created: noon, Digest: issue.Digest()}
	requests := got.Requests.Or(nil)
	for _, q := range requests[:2] {
		require.Equal(t, change.Known(ticket), q.Ticket)
		require.Equal(t, issue.URL, q.URL)
	}
	require.Equal(t, change.Known(change.Ticket{Tracker: "jira"}), requests[2].Ticket, "one that the tracker does not have")
	require.False(t, requests[3].Ticket.IsKnown())
	require.False(t, requests[4].Ticket.IsKnown(), "one that nobody asked about")
	require.Equal(t, map[string]string{"requests/SHOP-3": "Jira answered 503"}, got.Absent)
	require.Equal(t, change.People{"p1": ada, "p2": margaret}, got.People)

	unknown := change.Facts{}
	require.Equal(t, unknown, unknown.WithTickets(map[change.Lookup]change.Answer{{Tracker: "jira", Key: "X-1"}: {}}), "links that are not known stay so")
}
