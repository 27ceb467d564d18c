package gate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/gate"
)

// A tracker answers from memory and counts what it is asked.
type tracker struct {
	mu    sync.Mutex
	asked []string
	says  func(key string) (change.Issue, error)
}

func (k *tracker) Lookup(_ context.Context, _ change.Ref, key string) (change.Issue, error) {
	k.mu.Lock()
	k.asked = append(k.asked, key)
	says := k.says
	k.mu.Unlock()
	return says(key)
}

func (k *tracker) questions() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.asked)
}

func (k *tracker) set(says func(key string) (change.Issue, error)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.says = says
}

// ticket is a request that linus made a day before.
func ticket(key string) (change.Issue, error) {
	linus := change.Identity{Kind: change.Human, Account: "github:3", Login: "linus"}
	return change.Issue{
		Snapshot:  change.Snapshot{ID: "9" + key, Key: key, State: "open", Created: now.Add(-24 * time.Hour), Title: "t", Body: "b"},
		Requester: linus, Creator: linus,
	}, nil
}

func unanswered(why string, after time.Duration) func(string) (change.Issue, error) {
	return func(string) (change.Issue, error) {
		return change.Issue{}, &change.UnansweredError{Why: why, Err: errors.New("dial tcp 10.0.0.7: refused"), After: after}
	}
}

// A desk is a gate whose policy looks requests up, with a clock that tests move.
type desk struct {
	*gate.Gate
	forge   *forge
	ledger  *ledger
	tracker *tracker
	time    time.Time
}

// linking returns what the forge would say of an approved pull request that names
// some keys in its title.
func linking(ref change.Ref, title string) change.Gathered {
	g := reviewed(ref, true)
	g.Facts.Title = title
	g.Facts.Requests = change.Known[[]change.Request](nil)
	g.Policy.Text += "    linked-request: {pattern: \"[A-Z]+-[0-9]+\", tracker: jira}\n"
	return g
}

func newDesk(t *testing.T, says ...change.Gathered) *desk {
	t.Helper()
	d := &desk{tracker: &tracker{says: ticket}, time: now}
	g, f, l := setUp(t, says...)
	c := g.Config
	c.Now = func() time.Time { return d.time }
	c.Trackers = map[string]gate.Tracker{change.Jira: d.tracker}
	d.Gate, d.forge, d.ledger = gate.New(c), f, l
	return d
}

// linked returns what the newest record says of the request.
func (d *desk) linked(t *testing.T) change.Result {
	t.Helper()
	for _, r := range d.ledger.entries[len(d.ledger.entries)-1].Decision.Results {
		if r.Control == "linked-request" {
			return r
		}
	}
	t.Fatal("the record does not speak of linked requests")
	return change.Result{}
}

func TestALinkedRequestIsLookedUp(t *testing.T) {
	d := newDesk(t, linking(pull(1), "SHOP-7: add a basket"))
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, d.linked(t).Status, d.linked(t).Reason)
	require.Equal(t, []string{"SHOP-7"}, d.tracker.asked)
	facts := d.ledger.entries[0].Facts
	q := facts.Requests.Or(nil)[0]
	said, known := q.Ticket.Get()
	require.True(t, known)
	require.Equal(t, "linus", facts.People[said.Requester].Login)
	require.True(t, facts.People[said.Requester].Joined, "the policy has been told of the people that the tracker named")
	require.Len(t, said.Digest, 64)
}

func TestABurstOfAssessmentsIsOneQuestion(t *testing.T) {
	var says []change.Gathered
	for n := 1; n <= 10; n++ {
		says = append(says, linking(pull(n), "SHOP-7 and SHOP-7 again"))
	}
	d := newDesk(t, says...)
	open := make(chan struct{})
	d.tracker.says = func(key string) (change.Issue, error) { <-open; return ticket(key) }
	var all sync.WaitGroup
	for n := 1; n <= 10; n++ {
		all.Go(func() { require.NoError(t, d.Assess(t.Context(), pull(n))) })
	}
	close(open)
	all.Wait()
	require.Equal(t, 1, d.tracker.questions())
	d.time = d.time.Add(time.Minute)
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, 2, d.tracker.questions(), "an answer serves for a moment only")
}

func TestATrackerThatHasNoSuchRequestFails(t *testing.T) {
	d := newDesk(t, linking(pull(1), "SHOP-7"))
	d.tracker.says = func(string) (change.Issue, error) { return change.Issue{}, fmt.Errorf("404: %w", change.ErrNoIssue) }
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Fail, d.linked(t).Status)
	require.Contains(t, string(d.linked(t).Reason), `Jira has no request "SHOP-7"`)
}

// Silence blocks, is recorded with its reason and shown, is not recorded again while
// it lasts, and ends.
func TestATrackerThatDoesNotAnswerIsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		says func(string) (change.Issue, error)
		why  string
	}{
		"with a reason":    {unanswered("Jira cannot be reached", 0), "Jira cannot be reached"},
		"without a reason": {func(string) (change.Issue, error) { return change.Issue{}, errors.New("ada@example.com: boom") }, "the server's log says why"},
		"by a bug of ours": {func(string) (change.Issue, error) { panic("oh") }, "the server's log says why"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, linking(pull(1), "SHOP-7"))
			d.tracker.says = c.says
			require.NoError(t, d.Assess(t.Context(), pull(1)), "the verdict is shown all the same")
			require.Equal(t, change.Undetermined, d.linked(t).Status)
			require.Contains(t, string(d.linked(t).Reason), c.why)
			require.NotContains(t, string(d.linked(t).Reason), "ada")
			require.Equal(t, change.Undetermined, d.forge.shown())
			d.time = d.time.Add(time.Minute)
			require.NoError(t, d.Assess(t.Context(), pull(1)))
			require.Len(t, d.ledger.entries, 1)
			d.tracker.set(ticket)
			d.time = d.time.Add(time.Minute)
			require.NoError(t, d.Assess(t.Context(), pull(1)))
			require.Equal(t, change.Pass, d.forge.shown())
		})
	}
}

func TestATrackerThatNobodySetUpIsUnknown(t *testing.T) {
	said := linking(pull(1), "SHOP-7")
	said.Policy.Text = strings.Replace(said.Policy.Text, "tracker: jira", "tracker: gitlab", 1)
	d := newDesk(t, said)
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Undetermined, d.linked(t).Status)
	require.Contains(t, string(d.linked(t).Reason), "this server is not set up to ask gitlab")
	require.Zero(t, d.tracker.questions())
}

// A tracker that asks to be left alone is, whatever else is to be asked of it.
func TestATrackerIsLeftAloneWhileItAsksForIt(t *testing.T) {
	d := newDesk(t, linking(pull(1), "SHOP-7"), linking(pull(2), "SHOP-8"))
	d.tracker.says = unanswered("Jira asks to be left alone", time.Minute)
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	d.tracker.set(ticket)
	d.time = d.time.Add(59 * time.Second)
	require.NoError(t, d.Assess(t.Context(), pull(2)))
	require.Equal(t, 1, d.tracker.questions())
	require.Contains(t, string(d.linked(t).Reason), "Jira asks to be left alone")
	d.time = d.time.Add(2 * time.Second)
	require.NoError(t, d.Assess(t.Context(), pull(2)))
	require.Equal(t, change.Pass, d.linked(t).Status)

	d.tracker.set(unanswered("for a year", 365*24*time.Hour))
	d.time = d.time.Add(time.Minute)
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	d.tracker.set(ticket)
	d.time = d.time.Add(6 * time.Minute)
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, d.linked(t).Status, "but not for ever")
}

// An event about a request names the changes that are linked to it, and what was said
// or is being said of it does not serve any more.
func TestARequestThatChangesIsLookedUpAgain(t *testing.T) {
	d := newDesk(t, linking(pull(1), "SHOP-7"))
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	refs, err := d.Linked(t.Context(), change.RequestID{Tracker: change.Jira, Key: "SHOP-8"})
	require.NoError(t, err)
	require.Empty(t, refs)
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, 1, d.tracker.questions(), "another request changes nothing")
	for _, id := range []change.RequestID{{Tracker: change.Jira, Key: "SHOP-7"}, {Tracker: change.Jira, Key: "MOVED-1", ID: "9SHOP-7"}} {
		before := d.tracker.questions()
		_, err := d.Linked(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, d.Assess(t.Context(), pull(1)))
		require.Equal(t, before+1, d.tracker.questions())
	}
	refs, err = d.Linked(t.Context(), change.RequestID{Tracker: change.Jira, Key: "SHOP-7"})
	require.NoError(t, err)
	require.Equal(t, []change.Ref{pull(1)}, refs)

	asked, answer := make(chan struct{}), make(chan struct{})
	d.tracker.set(func(key string) (change.Issue, error) { close(asked); <-answer; return ticket(key) })
	d.time = d.time.Add(time.Minute)
	done := make(chan error)
	go func() { done <- d.Assess(t.Context(), pull(1)) }()
	<-asked
	_, err = d.Linked(t.Context(), change.RequestID{Tracker: change.Jira, Key: "SHOP-7"})
	require.NoError(t, err)
	close(answer)
	require.NoError(t, <-done)
	d.tracker.set(ticket)
	before := d.tracker.questions()
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, before+1, d.tracker.questions(), "what was asked before the event may be what was true before it")
}

// What has landed is judged once: it is not judged by what a tracker said before.
func TestALandingIsLookedUpAfresh(t *testing.T) {
	d := newDesk(t, linking(pull(1), "SHOP-7"))
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	said := landing(pull(1), true)
	said.Facts.Title, said.Facts.Requests, said.Policy.Text = "SHOP-7", change.Known[[]change.Request](nil), linking(pull(1), "").Policy.Text
	d.forge.says[pull(1).Key()] = said
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, 2, d.tracker.questions())
}

// The key of another owner's change is asked about with that owner's credentials.
func TestAnAnswerDoesNotServeOtherOwners(t *testing.T) {
	other := pull(2)
	other.Repository.ID, other.Repository.Name = 8, "rival/shop"
	first, second := linking(pull(1), "acme/desk#7"), linking(other, "acme/desk#7")
	for _, g := range []*change.Gathered{&first, &second} {
		g.Policy.Text = strings.Replace(g.Policy.Text, `"[A-Z]+-[0-9]+", tracker: jira`, `"[a-z/]*#[0-9]+", tracker: github`, 1)
	}
	d := newDesk(t, first, second)
	d.Trackers[change.GitHubIssues] = d.tracker
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.NoError(t, d.Assess(t.Context(), other))
	require.Equal(t, []string{"acme/desk#7", "acme/desk#7"}, d.tracker.asked)
	again := linking(pull(3), "acme/desk#7")
	again.Policy.Text = first.Policy.Text
	d.forge.says[pull(3).Key()] = again
	require.NoError(t, d.Assess(t.Context(), pull(3)))
	require.Equal(t, 2, d.tracker.questions())
}

// A tracker that was silent is asked again by itself, less and less often, and what
// waits for it is named once it answers.
func TestASilentTrackerIsAskedAgain(t *testing.T) {
	d := newDesk(t, linking(pull(1), "SHOP-7"), linking(pull(2), "SHOP-7"), linking(pull(3), "SHOP-8"))
	d.tracker.set(unanswered("Jira cannot be reached", 0))
	for n := 1; n <= 2; n++ {
		require.NoError(t, d.Assess(t.Context(), pull(n)))
	}
	require.Empty(t, d.AskAgain(t.Context()))
	require.Equal(t, 1, d.tracker.questions(), "not at once")
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		before := d.tracker.questions()
		d.time = d.time.Add(wait*time.Minute - time.Second)
		require.Empty(t, d.AskAgain(t.Context()))
		require.Equal(t, before, d.tracker.questions())
		d.time = d.time.Add(time.Second)
		require.Empty(t, d.AskAgain(t.Context()))
		require.Equal(t, before+1, d.tracker.questions())
	}
	d.tracker.set(ticket)
	d.time = d.time.Add(time.Hour)
	require.Equal(t, []change.Ref{pull(1), pull(2)}, d.AskAgain(t.Context()))
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Pass, d.linked(t).Status)
	d.time = d.time.Add(24 * time.Hour)
	require.Empty(t, d.AskAgain(t.Context()), "what was answered is not asked again")

	d.tracker.set(unanswered("Jira cannot be reached", 0))
	require.NoError(t, d.Assess(t.Context(), pull(3))) // and what shares its head
	before := d.tracker.questions()
	for range 100 {
		d.time = d.time.Add(time.Hour)
		require.Empty(t, d.AskAgain(t.Context()))
	}
	require.Equal(t, before+2*30, d.tracker.questions(), "nor for ever")
}

// One of two that wait for an answer has an event of its own once there is one: the
// other is named all the same.
func TestAnAnswerIsForEverybodyWhoWaits(t *testing.T) {
	other := linking(pull(2), "SHOP-7")
	other.Facts.Head = change.Known(change.Head{Branch: "other", Commit: sha(20), Tree: sha(21), Repository: 7})
	d := newDesk(t, linking(pull(1), "SHOP-7"), other)
	d.tracker.set(unanswered("Jira cannot be reached", 0))
	for n := 1; n <= 2; n++ {
		require.NoError(t, d.Assess(t.Context(), pull(n)))
	}
	d.tracker.set(ticket)
	d.time = d.time.Add(30 * time.Second)
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	d.time = d.time.Add(time.Second)
	require.Equal(t, []change.Ref{pull(2)}, d.AskAgain(t.Context()))
	require.Empty(t, d.AskAgain(t.Context()))
}

// What waits for a tracker is held, and what is held is looked at when a server starts.
func TestWhatWaitsForATrackerIsNotForgottenByAStart(t *testing.T) {
	d := newDesk(t, linking(pull(1), "SHOP-7"))
	d.tracker.set(unanswered("Jira cannot be reached", 0))
	require.NoError(t, d.Assess(t.Context(), pull(1)))
	again := gate.New(d.Config)
	h, err := again.Within(t.Context(), change.Scope{Repository: shop, Branch: "main", Unseen: true, Missed: true})
	require.NoError(t, err)
	require.Equal(t, []change.Ref{pull(1)}, h.Refs)
}
