package githubsim

import (
	"regexp"
	"slices"
	"strconv"
	"time"
)

// issue is an issue of a repository. It shares its numbers with pull requests.
type issue struct {
	repo    *Repository
	id      int64
	number  int
	title   string
	body    string
	kind    string // its type; empty for none
	author  *account
	created time.Time
	updated time.Time
	closed  time.Time // zero while it is open
	reason  string    // of its state: completed, not_planned, duplicate or reopened
	events  []issueEvent
	moved   *issue // where it was transferred to
	gone    bool   // deleted
}

// issueEvent is one entry of an issue's history.
type issueEvent struct {
	id     int64
	kind   string // closed, reopened or renamed
	actor  *account
	at     time.Time
	reason string
	from   string // the title before
	to     string
}

// An Issue is an issue about to be opened.
type Issue struct {
	Title string
	Body  string
	Type  string // such as "Feature"; empty for none
}

// OpenIssue opens an issue and returns its number. A pull request whose
// description says "closes #7" refers to it.
func (a Actor) OpenIssue(title string) (number int, err error) {
	return a.OpenIssueWith(Issue{Title: title})
}

// OpenIssueWith opens an issue with more than a title.
func (a Actor) OpenIssueWith(o Issue) (number int, err error) {
	err = a.act("read", func(r *Repository, by *account) error {
		r.lastNumber++
		number = r.lastNumber
		now := r.sim.clock()
		i := &issue{repo: r, id: r.sim.nextID(), number: number, title: o.Title, body: o.Body, kind: o.Type, author: by, created: now, updated: now}
		r.issues[number] = i
		r.sim.emitIssue(i, "opened", by, nil)
		return nil
	})
	return number, err
}

// onIssue runs a verb on an issue that is there.
func (a Actor) onIssue(number int, least string, do func(i *issue, by *account) error) error {
	return a.act("read", func(r *Repository, by *account) error {
		i := r.issues[number]
		if i == nil || i.gone || i.moved != nil {
			return refuse(404, "Not Found")
		}
		if i.author != by && rank(r.permission(by)) < rank(least) {
			return refuse(403, "Must have %s rights to Repository.", least)
		}
		return do(i, by)
	})
}

// CloseIssue closes an issue as completed, not_planned or duplicate; "" is completed.
func (a Actor) CloseIssue(number int, reason string) error {
	if reason == "" {
		reason = "completed"
	}
	return a.onIssue(number, "triage", func(i *issue, by *account) error {
		if !slices.Contains([]string{"completed", "not_planned", "duplicate"}, reason) || !i.closed.IsZero() {
			return refuse(422, "Validation Failed")
		}
		i.close(by, reason)
		return nil
	})
}

func (i *issue) close(by *account, reason string) {
	e := i.note(issueEvent{kind: "closed", actor: by, reason: reason})
	i.closed, i.reason = e.at, reason
	i.repo.sim.emitIssue(i, "closed", by, nil)
}

// ReopenIssue opens a closed issue again.
func (a Actor) ReopenIssue(number int) error {
	return a.onIssue(number, "triage", func(i *issue, by *account) error {
		if i.closed.IsZero() {
			return refuse(422, "Validation Failed")
		}
		i.note(issueEvent{kind: "reopened", actor: by})
		i.closed, i.reason = time.Time{}, "reopened"
		i.repo.sim.emitIssue(i, "reopened", by, nil)
		return nil
	})
}

// RetitleIssue gives an issue another title.
func (a Actor) RetitleIssue(number int, title string) error {
	return a.onIssue(number, "write", func(i *issue, by *account) error {
		e := i.note(issueEvent{kind: "renamed", actor: by, from: i.title, to: title})
		i.title = title
		i.repo.sim.emitIssue(i, "edited", by, record{"changes": record{"title": record{"from": e.from}}})
		return nil
	})
}

// AssignIssue gives an issue to its author to work on.
func (a Actor) AssignIssue(number int) error {
	return a.onIssue(number, "triage", func(i *issue, by *account) error {
		i.repo.sim.emitIssue(i, "assigned", by, record{"assignee": i.repo.sim.accountJSON(i.author)})
		return nil
	})
}

// DeleteIssue deletes an issue, as administrators may.
func (a Actor) DeleteIssue(number int) error {
	return a.act("admin", func(r *Repository, by *account) error {
		i := r.issues[number]
		if i == nil || i.gone {
			return refuse(404, "Not Found")
		}
		i.gone = true
		r.sim.emitIssue(i, "deleted", by, nil)
		return nil
	})
}

// TransferIssue moves an issue to another repository of the organisation and returns
// its number there.
func (a Actor) TransferIssue(number int, to *Repository) (there int, err error) {
	err = a.onIssue(number, "write", func(i *issue, by *account) error {
		if to.owner != i.repo.owner || rank(to.permission(by)) < rank("write") {
			return refuse(422, "Issue can only be transferred within its organization")
		}
		to.lastNumber++
		there = to.lastNumber
		moved := *i
		moved.repo, moved.id, moved.number = to, to.sim.nextID(), there
		moved.events = slices.Clone(i.events)
		to.issues[there], i.moved = &moved, &moved
		to.sim.emitIssue(i, "transferred", by, record{"changes": record{"new_issue": moved.json(), "new_repository": to.json()}})
		return nil
	})
	return there, err
}

// note adds an entry to the history.
func (i *issue) note(e issueEvent) issueEvent {
	e.id, e.at = i.repo.sim.nextID(), i.repo.sim.clock()
	i.events, i.updated = append(i.events, e), e.at
	return e
}

var closingWord = regexp.MustCompile(`(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)\b`)

// closes returns the issues that merging the pull request closes.
func (p *pull) closes() []*issue {
	var list []*issue
	for _, m := range closingWord.FindAllStringSubmatch(p.body, -1) {
		n, _ := strconv.Atoi(m[1])
		if i := p.repo.issues[n]; i != nil && !i.gone && !slices.Contains(list, i) {
			list = append(list, i)
		}
	}
	return list
}

// closeIssues closes what a merge into the default branch closes.
func (p *pull) closeIssues(by *account) {
	if p.baseBranch != p.repo.trunk {
		return
	}
	for _, i := range p.closes() {
		if i.closed.IsZero() && i.moved == nil {
			i.close(by, "completed")
		}
	}
}

// node is an Issue.
func (i *issue) node() graphNode {
	state := "OPEN"
	if !i.closed.IsZero() {
		state = "CLOSED"
	}
	return plain{"Issue", record{
		"id": nodeID("Issue", i.id), "databaseId": i.id, "number": i.number, "title": i.title, "state": state,
		"url": i.repo.html("/issues/" + strconv.Itoa(i.number)), "author": i.repo.sim.actor(i.author), "repository": repositoryNode{i.repo},
	}}
}
