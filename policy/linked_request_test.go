package policy_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/story"
)

// The decision is the same, word by word, in whatever order the requests are told, and
// where one is told twice.
func TestLinkedRequestsInAnyOrder(t *testing.T) {
	for _, name := range []string{"more-requests-than-are-looked-up", "one-request-of-several-is-not-known", "request-in-the-title"} {
		data, err := os.ReadFile("../testdata/policy/" + name + ".txtar")
		require.NoError(t, err)
		s, err := story.Parse(name, data)
		require.NoError(t, err)
		played := mustPlay(t, s)
		want := wire(t, played.Decision)
		requests, known := played.Facts.Requests.Get()
		require.True(t, known)
		requests = append(requests[:len(requests):len(requests)], requests...)
		for range requests {
			requests = append(requests[1:len(requests):len(requests)], requests[0])
			played.Facts.Requests = change.Known(requests)
			require.Equal(t, want, wire(t, policy.Judge(played.Facts, played.Policy)), name)
		}
	}
}

// Should one key be told with two tickets, the order decides nothing either.
func TestLinkedRequestToldWithTwoTickets(t *testing.T) {
	data, err := os.ReadFile("../testdata/policy/one-request-of-several-is-enough.txtar")
	require.NoError(t, err)
	s, err := story.Parse("", data)
	require.NoError(t, err)
	played := mustPlay(t, s)
	requests, _ := played.Facts.Requests.Get()
	require.NotEmpty(t, requests)
	one, other := requests[0], requests[0]
	one.Ticket, other.Ticket = change.Known(change.Ticket{Tracker: "jira"}), change.Fact[change.Ticket]{}
	judged := func(list ...change.Request) []byte {
		played.Facts.Requests = change.Known(list)
		return wireOf(policy.Judge(played.Facts, played.Policy))
	}
	require.True(t, bytes.Equal(judged(one, other), judged(other, one)))
}
