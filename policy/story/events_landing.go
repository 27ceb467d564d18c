package story

import (
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

func checkEvents() []Event {
	return []Event{
		{"check NAME from APP OUTCOME [of N] [workflow PATH] [attempt TIMES]", "A check run on the head, or on the N-th commit; which workflow file ran it and for which time, where the forge tells.", check},
		{"status NAME by LOGIN OUTCOME", "A commit status on the head, which any writer can post.", status},
	}
}

// outcomes are what a check can come to. The first two are no end.
func outcomes() []string {
	return []string{"queued", "in_progress", change.Success, "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale", "startup_failure", "error"}
}

func check(h *history, a args) {
	at, slug := h.now(), a.words["APP"]
	c := change.Check{ID: int64(5 + len(h.checks)), Name: a.words["NAME"], Source: change.CheckRun, App: slug, AppID: int64(len(slug)), Started: at}
	c.Commit, _ = h.ofHead(a.words["of"])
	if c.Workflow = a.words["workflow"]; a.words["attempt"] != "" {
		c.Attempt = h.number(a.words["attempt"])
	}
	h.outcome(&c, a.words["OUTCOME"])
	h.checks = append(h.checks, c)
}

func status(h *history, a args) {
	c := change.Check{Name: a.words["NAME"], Source: change.CommitStatus, Creator: h.person(a.words["LOGIN"]), Started: h.now()}
	c.Commit, _ = h.ofHead("")
	h.outcome(&c, a.words["OUTCOME"])
	h.checks = append(h.checks, c)
}

// outcome writes into a check what it came to.
func (h *history) outcome(c *change.Check, word string) {
	h.oneOf("outcome of a check", word, outcomes())
	if word == "queued" || word == "in_progress" {
		c.Status = word
		return
	}
	c.Status, c.Conclusion, c.Completed = "completed", word, c.Started
}

func landingEvents() []Event {
	return []Event{
		{"shown OUTCOME [of N] [for BRANCH]", "The last verdict before the change landed, on the head or on the N-th commit; shown nothing when none was ever given.", shown},
		{"enforced RULE...", "Rules that the forge enforces on the branch, such as merge_queue.", enforced},
		{"arm LOGIN", "Tells the forge to merge the change by itself once it can.", arm},
		{"queue LOGIN", "Puts the change into the merge queue.", queue},
		{"land LOGIN HOW", "Lands the change: merge, squash, rebase, merge_queue, direct_push or force_push. Another word is a way that nobody knows.", land},
		{"close LOGIN", "Closes the change without landing it.", closed},
	}
}

func shown(h *history, a args) {
	if a.words["OUTCOME"] == "nothing" {
		h.facts.Shown = change.Known(change.Shown{})
		return
	}
	c := change.Check{Started: h.now()}
	h.outcome(&c, a.words["OUTCOME"])
	on, _ := h.ofHead(a.words["of"])
	h.facts.Shown = change.Known(change.Shown{ID: 700, Branch: a.words["for"], Commit: on, Status: c.Status, Conclusion: c.Conclusion, Completed: c.Completed})
}

func enforced(h *history, a args) {
	var rules []change.Rule
	for _, w := range a.rest {
		rules = append(rules, change.Rule{Type: w})
	}
	h.facts.Enforced = change.Known(change.Enforcement{Rules: rules})
}

func arm(h *history, a args) {
	by, at := h.person(a.words["LOGIN"]), h.now()
	h.facts.AutoMerge = change.Known(change.AutoMerge{Armed: true, By: by, Method: change.Squash})
	h.timeline = append(h.timeline, change.Event{Kind: change.AutoMergeEnabled, By: by, At: at, Detail: change.Squash})
}

func queue(h *history, a args) {
	by, at := h.person(a.words["LOGIN"]), h.now()
	h.facts.Queue = change.Known(change.QueueEntry{Queued: true, By: by, State: "QUEUED"})
	h.timeline = append(h.timeline, change.Event{Kind: change.Queued, By: by, At: at})
}

func land(h *history, a args) {
	_, tree := h.ofHead("")
	base, _ := h.facts.Base.Get()
	h.facts.State = change.Known(change.LandedState)
	h.facts.Landing = change.Known(change.Landing{
		Landed: true, By: h.person(a.words["LOGIN"]), How: a.words["HOW"], Branch: base.Target, Commit: CommitID(91), Tree: tree, At: h.now(),
	})
}

func closed(h *history, a args) {
	h.facts.State = change.Known(change.ClosedState)
	h.timeline = append(h.timeline, change.Event{Kind: change.Closed, By: h.person(a.words["LOGIN"]), At: h.now()})
}

func otherEvents() []Event {
	return []Event{
		{"kind KIND", "The kind of change; pull_request without this line.", func(h *history, a args) { h.facts.Ref.Kind = change.Kind(a.words["KIND"]) }},
		{"push LOGIN HOW [to BRANCH] [reachable BRANCH] [explained N...]", "Main, or another branch, moves by itself: direct_push, force_push, branch_creation from what another branch held already, branch_deletion, or a merge that the changes N explain.", push},
		{"group BRANCH", "A merge queue's group for a branch.", group},
		{"member N CONTROL STATUS [WORD...]", "What a control says of change N of the group, and why.", member},
		{"unjudged N", "Change N is in the group, and no control says anything of it.", func(h *history, a args) {
			h.group.Members = append(h.group.Members, change.Member{Ref: h.pullRequest(h.number(a.words["N"]))})
		}},
		{"stray N", "A commit of the group that came by no change.", func(h *history, a args) {
			h.group.Unexplained = append(h.group.Unexplained, CommitID(h.number(a.words["N"])))
		}},
		{"unknown FACT [WORD...]", "A fact that could not be gathered, and why. Its name is as in the JSON of a record.", unknown},
		{"no-policy", "The protected branch has no policy.", func(h *history, _ args) { h.noPolicy = true }},
	}
}

func push(h *history, a args) {
	to := a.words["to"]
	if to == "" {
		to = "main"
	}
	h.facts.Ref = change.Ref{Repository: h.facts.Ref.Repository, Kind: change.Push, Branch: to, Commit: CommitID(91), Before: CommitID(90)}
	l := change.Landing{
		Landed: true, By: h.person(a.words["LOGIN"]), How: a.words["HOW"], Branch: to, Before: CommitID(90), Commit: CommitID(91), At: h.now(),
		Reachable: a.words["reachable"],
	}
	for _, w := range a.rest {
		l.Explained = append(l.Explained, h.number(w))
	}
	h.facts.Landing = change.Known(l)
}

func group(h *history, a args) {
	h.facts.Ref = change.Ref{Repository: h.facts.Ref.Repository, Kind: change.MergeGroup, Branch: a.words["BRANCH"], Commit: CommitID(95), Before: CommitID(90)}
	h.head(CommitID(95), TreeID(95))
}

func member(h *history, a args) {
	n := h.number(a.words["N"])
	result := change.Result{
		Control: h.oneOf("control", a.words["CONTROL"], policy.ControlIDs()),
		Status:  change.Status(h.oneOf("status", a.words["STATUS"], statuses())),
		Reason:  change.Text(strings.Join(a.rest, " ")),
	}
	for i := range h.group.Members {
		if m := &h.group.Members[i]; m.Ref.Number == n {
			m.Results = append(m.Results, result)
			return
		}
	}
	h.group.Members = append(h.group.Members, change.Member{Ref: h.pullRequest(n), Results: []change.Result{result}})
}

// pullRequest names another change of the repository.
func (h *history) pullRequest(n int) change.Ref {
	return change.Ref{Repository: h.facts.Ref.Repository, Kind: change.PullRequest, Number: n}
}

func unknown(h *history, a args) {
	name := h.oneOf("fact", a.words["FACT"], FactNames())
	h.absent = append(h.absent, name)
	if len(a.rest) > 0 {
		h.facts.Absent[name] = strings.Join(a.rest, " ")
	}
}
