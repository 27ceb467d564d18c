package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// linkedRequest asks for a link to a change request whose key has a certain form.
func linkedRequest(s *subject, r *ChangeRule) change.Result {
	requests, known := s.facts.Requests.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "requests", "the linked change requests are not known"))
	}
	var keys, facts []string
	for _, q := range requests {
		if r.LinkedRequest.whole.MatchString(q.Key) {
			keys = append(keys, q.Key)
			facts = append(facts, "requests/"+q.Key)
		}
	}
	if len(keys) == 0 {
		out := say(change.Pending, "no change request is linked whose key matches %s", change.Quote(r.LinkedRequest.Pattern))
		if !s.landed {
			out.Reason += "; put the key into the title or the description"
			out.Supply = "whoever can edit the change"
		}
		return out
	}
	keys = sorted(keys)
	out := say(change.Pass, "linked to %s", quoted(keys[:min(len(keys), 5)]))
	out.Facts = sorted(slices.Clone(facts))
	return out
}
