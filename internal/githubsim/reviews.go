package githubsim

import (
	"strings"
	"time"
)

// The verdicts that a review can be submitted with.
const (
	Approve        = "APPROVE"
	RequestChanges = "REQUEST_CHANGES"
	CommentOnly    = "COMMENT"
)

// The states of a review, in GraphQL's and REST's words.
const (
	stateApproved  = "APPROVED"
	stateChanges   = "CHANGES_REQUESTED"
	stateCommented = "COMMENTED"
	stateDismissed = "DISMISSED"
)

// A Review is a review about to be submitted.
type Review struct {
	Event  string // Approve, RequestChanges or CommentOnly
	Body   string
	Commit string // default: the head; the API takes any commit of the pull request
}

// review is a submitted review.
type review struct {
	id        int64
	pull      *pull
	author    *account
	state     string
	body      string
	commit    string
	submitted time.Time
	edited    time.Time
}

// Approve approves the head of a pull request.
func (a Actor) Approve(number int) (int64, error) { return a.Review(number, Review{Event: Approve}) }

// RequestChanges asks for changes.
func (a Actor) RequestChanges(number int, body string) (int64, error) {
	return a.Review(number, Review{Event: RequestChanges, Body: body})
}

// Comment submits a review that is only a comment; it takes back nothing.
func (a Actor) Comment(number int, body string) (int64, error) {
	return a.Review(number, Review{Event: CommentOnly, Body: body})
}

// Review submits a review and returns its id.
func (a Actor) Review(number int, o Review) (id int64, err error) {
	err = a.actPull("read", number, func(p *pull, by *account) error {
		rv, err := p.review(by, o)
		if err != nil {
			return err
		}
		id = rv.id
		if err := p.repo.sim.emitReview(rv, "submitted", by); err != nil {
			return err
		}
		return p.settle()
	})
	return id, err
}

func (p *pull) review(by *account, o Review) (*review, error) {
	state := map[string]string{Approve: stateApproved, RequestChanges: stateChanges, CommentOnly: stateCommented}[o.Event]
	switch {
	case state == "":
		return nil, refuse(422, "Unprocessable Entity: Variable $event of type PullRequestReviewEvent was provided invalid value")
	case by == p.author && state == stateApproved:
		return nil, refuse(422, "Unprocessable Entity: Can not approve your own pull request")
	case by == p.author && state == stateChanges:
		return nil, refuse(422, "Unprocessable Entity: Can not request changes on your own pull request")
	case state != stateApproved && strings.TrimSpace(o.Body) == "":
		return nil, refuse(422, "Unprocessable Entity: Review body can't be blank")
	}
	if o.Commit == "" {
		o.Commit = p.head
	}
	in, err := p.repo.git.contains(p.head, o.Commit)
	if err != nil || !in {
		return nil, refuse(422, "Unprocessable Entity: commit_id is not part of the pull request")
	}
	rv := &review{id: p.repo.sim.nextID(), pull: p, author: by, state: state, body: o.Body, commit: o.Commit, submitted: p.repo.sim.clock()}
	p.reviews = append(p.reviews, rv)
	p.updated = rv.submitted
	return rv, nil
}

// Dismiss takes an approval or a change request out of force. GitHub lets
// everyone who may write do it.
func (a Actor) Dismiss(number int, reviewID int64, message string) error {
	return a.actPull("write", number, func(p *pull, by *account) error {
		for _, rv := range p.reviews {
			if rv.id != reviewID {
				continue
			}
			if rv.state != stateApproved && rv.state != stateChanges {
				return refuse(422, "Can not dismiss a %s pull request review", strings.ToLower(rv.state))
			}
			return p.dismiss(rv, by, message)
		}
		return refuse(404, "Not Found")
	})
}

func (p *pull) dismiss(rv *review, by *account, message string) error {
	was := rv.state
	rv.state = stateDismissed
	p.record(event{kind: "ReviewDismissedEvent", actor: by, review: rv, was: was, detail: message, after: p.head})
	return p.repo.sim.emitReview(rv, "dismissed", by)
}

// EditReview changes the words of a review, not its state.
func (a Actor) EditReview(number int, reviewID int64, body string) error {
	return a.actPull("read", number, func(p *pull, by *account) error {
		for _, rv := range p.reviews {
			if rv.id == reviewID && rv.author == by {
				rv.body, rv.edited = body, p.repo.sim.clock()
				return p.repo.sim.emitReview(rv, "edited", by)
			}
		}
		return refuse(404, "Not Found")
	})
}

// dismissStale dismisses approvals after a push where a rule says so.
func (p *pull) dismissStale(by *account) error {
	rule := p.repo.pullRequestRule(p.baseBranch)
	if rule == nil || !rule.DismissStale {
		return nil
	}
	for _, rv := range p.reviews {
		if rv.state == stateApproved {
			if err := p.dismiss(rv, by, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// opinions returns each reviewer's latest word that is not a comment, of those
// who may write when writersOnly is set.
func (p *pull) opinions(writersOnly bool) []*review {
	var order []*account
	latest := map[*account]*review{}
	for _, rv := range p.reviews {
		if rv.state == stateCommented || (writersOnly && !p.repo.canWrite(rv.author)) {
			continue
		}
		if latest[rv.author] == nil {
			order = append(order, rv.author)
		}
		latest[rv.author] = rv
	}
	list := make([]*review, 0, len(order))
	for _, a := range order {
		list = append(list, latest[a])
	}
	return list
}

// approvals counts what GitHub counts for a required review, and reports whether
// somebody who may write asks for changes.
func (p *pull) approvals(notFrom *account) (count int, blocked bool) {
	for _, rv := range p.opinions(true) {
		switch {
		case rv.state == stateChanges:
			blocked = true
		case rv.state == stateApproved && rv.author != notFrom:
			count++
		}
	}
	return count, blocked
}
