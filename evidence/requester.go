package evidence

import (
	"cmp"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// linkedRequest is the control that rests on the linked change requests.
const linkedRequest = "linked-request"

// requesterOf returns who asked for a change: whoever a tracker says asked for the
// request that it is linked to, and whoever opened it where no tracker tells. Of
// several requests those that the control rests on come first, and then those that
// are linked most prominently.
func requesterOf(f change.Facts, d change.Decision) change.Person {
	passed := map[string]bool{}
	for _, r := range d.Results {
		if r.Control == linkedRequest && r.Status == change.Pass {
			for _, fact := range r.Facts {
				passed[fact] = true
			}
		}
	}
	var asked []change.Request
	for _, q := range f.Requests.Or(nil) {
		if t, known := q.Ticket.Get(); known && t.Requester != "" {
			asked = append(asked, q)
		}
	}
	if len(asked) == 0 {
		return f.Opener.Or("")
	}
	rank := func(q change.Request) int {
		n := slices.Index([]string{"title", "branch", "closing-reference", "description"}, q.Found)
		if n < 0 {
			n = 4
		}
		if !passed[change.RequestFact(q.Key)] {
			n += 5
		}
		return n
	}
	first := slices.MinFunc(asked, func(a, b change.Request) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Key, b.Key)) })
	t, _ := first.Ticket.Get()
	return t.Requester
}
