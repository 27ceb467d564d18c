package github

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// reviewed is facts that grace, linus and a bot have reviewed.
func reviewed() change.Facts {
	return change.Facts{
		Ref: pull7,
		People: change.People{
			"p1": {Kind: change.Human, Account: "github:101", Login: "ada"},
			"p2": {Kind: change.Human, Account: "github:202", Login: "grace"},
			"p3": {Kind: change.Human, Account: "github:303", Login: "linus"},
			"p4": {Kind: change.Bot, Account: "github:404", Login: "helper[bot]"},
		},
		Reviews: change.Known([]change.Review{
			{ID: 1, By: "p2", State: change.Approved}, {ID: 2, By: "p3", State: change.ChangesRequested},
			{ID: 3, By: "p4", State: change.Approved}, {ID: 4, By: "p1", State: change.Commented}, {ID: 5, By: "p2", State: change.Approved},
		}),
	}
}

func permissionOf(id int, word string, flags obj) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, obj{"permission": word, "user": obj{"id": id, "permissions": flags}})
	}
}

func TestAnswer(t *testing.T) {
	s := newStub(t)
	s.team = []obj{{"id": 202, "login": "grace-renamed"}}
	s.override["GET /repos/acme/shop/collaborators/grace/permission"] = permissionOf(202, "write", obj{"pull": true, "triage": true, "push": true, "maintain": true})
	s.override["GET /repos/acme/shop/collaborators/linus/permission"] = permissionOf(303, "read", nil)
	f := newForge(t, s.URL)
	needs := change.Needs{Selectors: []change.Selector{"team:acme/engineers", "permission:maintain", "user:github:202", "team:acme/engineers"}}
	facts, err := f.Answer(t.Context(), reviewed(), needs)
	require.NoError(t, err)
	require.Empty(t, facts.Absent)
	require.Equal(t, []change.Membership{
		{Selector: "permission:maintain", Person: "p2", Member: true}, {Selector: "permission:maintain", Person: "p3", Member: false},
		{Selector: "team:acme/engineers", Person: "p2", Member: true}, {Selector: "team:acme/engineers", Person: "p3", Member: false},
	}, known(t, facts.Members))

	before := f.Requests()
	_, err = f.Answer(t.Context(), reviewed(), needs)
	require.NoError(t, err)
	require.Equal(t, before, f.Requests(), "answers are cached")

	s.team = nil
	f.Forget([]string{"people:acme"})
	facts, err = f.Answer(t.Context(), reviewed(), needs)
	require.NoError(t, err)
	require.False(t, known(t, facts.Members)[2].Member, "a membership event drops them")
}

// A dismissed word is still somebody's, and the policy must learn whose.
func TestAnswerAboutDismissedReviewers(t *testing.T) {
	s := newStub(t)
	s.team = []obj{{"id": 202, "login": "grace"}}
	facts := reviewed()
	facts.Reviews = change.Known([]change.Review{
		{ID: 1, By: "p1", State: change.Commented},
		{ID: 2, By: "p2", State: change.Dismissed, Dismissal: &change.Dismissal{By: "p1", Was: change.Approved}},
		{ID: 3, By: "p3", State: change.Dismissed, Dismissal: &change.Dismissal{}},
	})
	facts, err := newForge(t, s.URL).Answer(t.Context(), facts, change.Needs{Selectors: []change.Selector{"team:acme/engineers"}})
	require.NoError(t, err)
	require.Equal(t, []change.Membership{
		{Selector: "team:acme/engineers", Person: "p2", Member: true}, {Selector: "team:acme/engineers", Person: "p3", Member: false},
	}, known(t, facts.Members))
}

func TestAnswerExpires(t *testing.T) {
	s := newStub(t)
	clock := noon
	config := testConfig(s.URL)
	config.Now = func() time.Time { return clock }
	f, err := New(config)
	require.NoError(t, err)
	needs := change.Needs{Selectors: []change.Selector{"team:acme/engineers"}}
	for range 2 {
		_, err = f.Answer(t.Context(), reviewed(), needs)
		require.NoError(t, err)
	}
	require.Equal(t, 1, s.teams)
	clock = clock.Add(5 * time.Minute)
	_, err = f.Answer(t.Context(), reviewed(), needs)
	require.NoError(t, err)
	require.Equal(t, 2, s.teams)
}

// What GitHub does not show is unknown, not "no".
func TestAnswerUnknown(t *testing.T) {
	s := newStub(t)
	s.override["GET /repos/acme/shop/collaborators/grace/permission"] = permissionOf(999, "admin", nil)
	s.override["GET /repos/acme/shop/collaborators/linus/permission"] = permissionOf(303, "admin", nil)
	facts, err := newForge(t, s.URL).Answer(t.Context(), reviewed(), change.Needs{
		Selectors: []change.Selector{"team:acme/nobody", "team:acme", "permission:write", "permission:own", "pigeon:1"}})
	require.NoError(t, err)
	require.Equal(t, []change.Membership{{Selector: "permission:write", Person: "p3", Member: true}}, known(t, facts.Members))
	for _, want := range []string{`"acme/nobody"`, "404", `"acme"`, "another account", "@{p2}", `"own"`, `"pigeon:1"`} {
		require.Contains(t, facts.Absent["memberships"], want)
	}
}

func TestAnswerNobodyAsked(t *testing.T) {
	s := newStub(t)
	facts := reviewed()
	facts.Reviews = change.Known([]change.Review{})
	facts, err := newForge(t, s.URL).Answer(t.Context(), facts, change.Needs{Selectors: []change.Selector{"team:acme/engineers"}})
	require.NoError(t, err)
	require.Empty(t, known(t, facts.Members))
	require.Zero(t, s.teams)
}

func TestAnswerFailureIsAnError(t *testing.T) {
	s := newStub(t)
	s.override["GET /orgs/acme/teams/engineers/members"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, obj{}) }
	_, err := newForge(t, s.URL).Answer(t.Context(), reviewed(), change.Needs{Selectors: []change.Selector{"team:acme/engineers"}})
	require.Error(t, err)
}
