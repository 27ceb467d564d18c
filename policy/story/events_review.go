package story

import (
	"github.com/countersign-dev/countersign/change"
)

func reviewEvents() []Event {
	return []Event{
		{"review LOGIN STATE [of N]", "Reviews the head, or the N-th commit, or one that is gone. STATE is approved, changes_requested or commented.", review},
		{"edit LOGIN", "LOGIN's last review gets other words. What it had said to the change, approved or not, stays.", edit},
		{"dismiss LOGIN by DISMISSER [silently]", "Dismisses the last review of LOGIN; silently when the forge does not tell what it had said.", dismiss},
		{"retarget LOGIN FROM TO", "Moves the change from one target branch to another.", retarget},
		{"rewrite-base LOGIN", "Force-pushes the target branch.", rewriteBase},
		{"same-moment", "The next event happens at the same moment as the last.", func(h *history, _ args) { h.still = true }},
	}
}

func review(h *history, a args) {
	login := a.words["LOGIN"]
	state := h.oneOf("review", a.words["STATE"], []string{string(change.Approved), string(change.ChangesRequested), string(change.Commented)})
	r := change.Review{ID: int64(80 + len(h.reviews)), By: h.person(login), State: change.ReviewState(state), At: h.now()}
	if of := a.words["of"]; of != "gone" {
		r.Commit, r.Tree = h.ofHead(of)
	}
	for _, c := range h.commits { // a commit may have the files of an earlier one
		if c.SHA == r.Commit {
			r.Tree = c.Tree
		}
	}
	if !h.unasked[login] {
		r.CanPush = change.Known(!h.noWrite[login])
	}
	h.reviews = append(h.reviews, r)
}

func edit(h *history, a args) {
	whose, at := h.person(a.words["LOGIN"]), h.now()
	for i := len(h.reviews) - 1; i >= 0; i-- {
		if r := &h.reviews[i]; r.By == whose {
			r.Edited = at
			return
		}
	}
	h.fail("%s has given no review that could be edited; move this line below it", a.words["LOGIN"])
}

func dismiss(h *history, a args) {
	whose, by, at := h.person(a.words["LOGIN"]), h.person(a.words["DISMISSER"]), h.now()
	for i := len(h.reviews) - 1; i >= 0; i-- {
		r := &h.reviews[i]
		if r.By != whose || r.State == change.Dismissed {
			continue
		}
		d := &change.Dismissal{By: by, At: at, Was: r.State}
		if a.words["silently"] != "" {
			d.Was = ""
		}
		r.State, r.Dismissal = change.Dismissed, d
		h.timeline = append(h.timeline, change.Event{Kind: change.ReviewDismissed, By: by, At: at})
		return
	}
	h.fail("%s has given no review that could be dismissed; move this line below it", a.words["LOGIN"])
}

func retarget(h *history, a args) {
	e := change.Event{Kind: change.BaseChanged, By: h.person(a.words["LOGIN"]), At: h.now(), Before: a.words["FROM"], After: a.words["TO"]}
	h.timeline = append(h.timeline, e)
	h.aim(a.words["TO"], "")
}

func rewriteBase(h *history, a args) {
	h.timeline = append(h.timeline, change.Event{Kind: change.BaseForcePushed, By: h.person(a.words["LOGIN"]), At: h.now()})
}
