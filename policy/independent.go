package policy

import (
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// independent asks that asking for a change, making it and approving it are not in one
// hand: who asked for it, and who entered the request in somebody's name, made no part
// of it, and somebody else than they has approved it.
func (s *subject) independent(q change.Request, t change.Ticket, r *ChangeRule) []change.Result {
	askers := []change.Person{t.Requester}
	if t.Creator != "" {
		askers = append(askers, t.Creator)
	}
	var results []change.Result
	for _, p := range askers {
		results = append(results, s.asker(q, t, p))
	}
	return append(results, s.approvedApart(askers, r))
}

// asker says whether somebody who asked for the change is known and had no hand in it.
func (s *subject) asker(q change.Request, t change.Ticket, p change.Person) change.Result {
	people, did := s.facts.People, "asked for"
	if p == t.Creator {
		did = "entered"
	}
	who := fmt.Sprintf("%s, who %s %s,", mark(p), did, change.Quote(q.Key))
	kind := people[p].Kind
	switch {
	case s.makers.has(people, p):
		out := say(change.Fail, "%s is no independent requester: %s", who, s.makers.because(people, p))
		out.Supply = "a request by somebody who made no part of the change"
		return out
	case kind != change.Human && kind != change.Bot && kind != change.App:
		return say(change.Undetermined, "%s has no account that anybody knows", who)
	case !people[p].Joined:
		return say(change.Undetermined, "%s may have made the change under another account; list their accounts of tracker and forge together under people in the policy", who)
	case humansByAlias(people)[people.Same(p)] == "":
		return say(change.Undetermined, "%s is no human; list its account beside that of the human who answers for it under people in the policy", who)
	case len(s.makers.unknown) > 0:
		return say(change.Undetermined, "who made this change is not known in full, and so not whether %s made part of it: %s", mark(p), sample(s.makers.unknown))
	}
	return say(change.Pass, "independent")
}

// approvedApart asks for an approval that counts by somebody other than the askers.
func (s *subject) approvedApart(askers []change.Person, r *ChangeRule) change.Result {
	var roles []string
	if r.PeerReview != nil {
		roles = r.PeerReview.From
	}
	by := s.from(roles)
	apart := demand{is: "somebody else than who asked for the change, and " + by.is, may: func(rv change.Review) answer {
		for _, p := range askers {
			if s.facts.People.Same(p) == s.facts.People.Same(rv.By) {
				return no
			}
		}
		return by.may(rv)
	}}
	out, _ := s.approvedBy(apart, 1)
	out.Uncounted = nil // peer-review says which approvals do not count
	if out.Status == change.Pending {
		out.Reason = "nobody else than who asked for the change has approved it: " + out.Reason
		out.Supply = s.supplyOf(roles) + " and who asked for it"
	}
	return out
}
