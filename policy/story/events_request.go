package story

import (
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

func requestEvents() []Event {
	return []Event{
		{"ticket KEY by LOGIN [entered-by LOGIN] [type TYPE] [state STATE]", "Somebody asks for something in a tracker, or another enters it in their name. The state is open until a line says otherwise.", ticket},
		{"move-ticket KEY STATE", "A ticket gets into another state.", func(h *history, a args) { h.moveTicket(a.words["KEY"], a.words["STATE"]) }},
		{"close-ticket KEY [as STATE]", "A ticket is closed, in the state closed or another.", closeTicket},
		{"no-ticket KEY", "The tracker has no ticket with that key.", func(h *history, a args) { h.answerTicket(a.words["KEY"], change.Answer{}) }},
		{"unanswered KEY WORD...", "The tracker does not tell of that key, and why. A key without any line is one that could not be asked about.", func(h *history, a args) {
			h.answerTicket(a.words["KEY"], change.Answer{Why: strings.Join(a.rest, " ")})
		}},
	}
}

func ticket(h *history, a args) {
	key := a.words["KEY"]
	issue := &change.Issue{
		Snapshot:  change.Snapshot{ID: "id of " + key, Key: key, State: "open", Type: a.words["type"], Created: h.now()},
		Requester: h.identity(a.words["LOGIN"]),
	}
	if state := a.words["state"]; state != "" {
		issue.State = state
	}
	issue.Creator = issue.Requester
	if by := a.words["entered-by"]; by != "" {
		issue.Creator = h.identity(by)
	}
	h.answerTicket(key, change.Answer{Issue: issue})
}

// answerTicket notes what a tracker says of a key.
func (h *history) answerTicket(key string, answer change.Answer) {
	if _, twice := h.tickets[key]; twice {
		h.fail("the story speaks of %s already; keep one of the lines", change.Quote(key))
	}
	h.tickets[key] = answer
}

// moveTicket brings a ticket into another state and returns it.
func (h *history) moveTicket(key, state string) *change.Issue {
	issue := h.tickets[key].Issue
	if issue == nil {
		h.fail("there is no ticket %s yet; move this line below the one that brings it", change.Quote(key))
		return &change.Issue{}
	}
	issue.Moves = append(issue.Moves, change.Move{At: h.now(), From: issue.State, To: state})
	issue.State = state
	return issue
}

func closeTicket(h *history, a args) {
	state := a.words["as"]
	if state == "" {
		state = "closed"
	}
	issue := h.moveTicket(a.words["KEY"], state)
	issue.Closed = h.clock
}

// lookUp answers what the policy has to ask of trackers.
func (h *history) lookUp(rules *policy.Set, f change.Facts) change.Facts {
	ask, answers := rules.Lookups(f)
	for _, l := range ask {
		answer, told := h.tickets[l.Key]
		if !told {
			answer.Why = "the story does not tell"
		}
		if answer.Issue != nil {
			issue := *answer.Issue
			issue.Tracker = l.Tracker
			answer.Issue = &issue
		}
		answers[l] = answer
	}
	return f.WithTickets(answers)
}
