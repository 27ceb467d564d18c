package story

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

func labelEvents() []Event {
	return []Event{
		{"label NAME by LOGIN", "Sets a label.", func(h *history, a args) { h.tag(a, change.Labeled) }},
		{"unlabel NAME by LOGIN", "Takes a label away.", func(h *history, a args) { h.tag(a, change.Unlabeled) }},
		{"retitle LOGIN WORD...", "Gives the change another title.", retitle},
		{"draft LOGIN", "Makes the change a draft.", func(h *history, a args) {
			h.facts.State = change.Known(change.Draft)
			h.timeline = append(h.timeline, change.Event{Kind: change.Drafted, By: h.person(a.words["LOGIN"]), At: h.now()})
		}},
	}
}

// tag sets a label or takes it away.
func (h *history) tag(a args, kind change.EventKind) {
	name := a.words["NAME"]
	there := slices.Contains(h.labels, name)
	if there == (kind == change.Labeled) {
		h.fail("the label %s is %s already", change.Quote(name), map[bool]string{true: "set", false: "not there"}[there])
		return
	}
	if h.labels = append(h.labels, name); there {
		h.labels = slices.DeleteFunc(h.labels, func(l string) bool { return l == name })
	}
	h.timeline = append(h.timeline, change.Event{Kind: kind, By: h.person(a.words["LOGIN"]), At: h.now(), Detail: name})
}

func retitle(h *history, a args) {
	title := strings.Join(a.rest, " ")
	h.timeline = append(h.timeline, change.Event{Kind: change.Renamed, By: h.person(a.words["LOGIN"]), At: h.now(), Before: h.facts.Title, After: title})
	h.facts.Title = title
}
