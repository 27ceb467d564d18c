package story

import (
	"slices"
	"time"

	"github.com/countersign-dev/countersign/change"
)

func runEvents() []Event {
	return []Event{
		{"run LOGIN [actor LOGIN] [on EVENT]", "A workflow run begins, which LOGIN started; the n-th has the number n. Where it is started again, another actor set off its first attempt.", run},
		{"end-run N", "The N-th run ends.", endRun},
		{"wait MINUTES", "So much time passes, beside the minute of every event.", wait},
	}
}

func run(h *history, a args) {
	r := change.Run{ID: int64(len(h.runs) + 1), Attempt: 1, Event: a.words["on"], Starter: h.person(a.words["LOGIN"]), Started: h.now()}
	r.Actor = r.Starter
	if actor := a.words["actor"]; actor != "" {
		r.Actor, r.Attempt = h.person(actor), 2
	}
	h.runs = append(h.runs, r)
}

func endRun(h *history, a args) {
	n, at := h.number(a.words["N"]), h.now()
	if n > len(h.runs) {
		h.fail("there is no run %d yet, there are %d; move this line below the run", n, len(h.runs))
		return
	}
	h.runs[n-1].Updated = at
}

func wait(h *history, a args) {
	h.clock = h.clock.Add(time.Duration(h.number(a.words["MINUTES"])) * time.Minute)
}

// atWork returns the runs that were at work at any of the moments.
func (h *history) atWork(moments []time.Time) []change.Run {
	return slices.DeleteFunc(slices.Clone(h.runs), func(r change.Run) bool { return !slices.ContainsFunc(moments, r.AtWork) })
}
