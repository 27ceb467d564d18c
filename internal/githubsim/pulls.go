package githubsim

import (
	"maps"
	"slices"
	"time"
)

// A PullRequest is a pull request about to be opened. Head and Base are branches
// of the repository.
type PullRequest struct {
	Title string // default: the first line of the head commit
	Body  string
	Head  string
	Base  string // default: the default branch
	Draft bool
	Stack string // the trunk that the stack of pull requests lands on, where Base is a feature branch
}

// The states of a pull request, in REST's words; merged is a flag of closed.
const (
	pullOpen   = "open"
	pullClosed = "closed"
)

// pull is a pull request.
type pull struct {
	repo   *Repository
	id     int64
	number int
	author *account

	title, body            string
	headBranch, baseBranch string
	head                   string // commit
	baseWhenDone           string // the base's commit when it was closed or merged; "" while open
	stack                  string
	state                  string
	draft                  bool
	labels                 []string
	versions               []string // every head so far, the oldest first

	created, updated, edited, closed time.Time

	merged      time.Time
	mergedBy    *account
	mergeCommit string
	mergeMethod string // merge, squash or rebase

	auto     *autoMerge
	reviews  []*review
	timeline []*event
	lastPush *account // who moved the head last
}

// Open opens a pull request and returns its number.
func (a Actor) Open(o PullRequest) (number int, err error) {
	err = a.act("read", func(r *Repository, by *account) error {
		if o.Base == "" {
			o.Base = r.trunk
		}
		head, base := r.branches[o.Head], r.branches[o.Base]
		switch {
		case head == "":
			return refuse(422, "Validation Failed: head is invalid: %s", o.Head)
		case base == "":
			return refuse(422, "Validation Failed: base is invalid: %s", o.Base)
		}
		new, err := r.git.between(base, head)
		if err != nil {
			return err
		}
		if len(new) == 0 {
			return refuse(422, "Validation Failed: No commits between %s and %s", o.Base, o.Head)
		}
		for _, p := range r.pulls {
			if p.state == pullOpen && p.headBranch == o.Head && p.baseBranch == o.Base {
				return refuse(422, "Validation Failed: A pull request already exists for %s:%s.", r.owner.account.login, o.Head)
			}
		}
		if o.Title == "" {
			c, err := r.git.commit(head)
			if err != nil {
				return err
			}
			o.Title = c.headline()
		}
		r.lastNumber++
		p := &pull{
			repo: r, id: r.sim.nextID(), number: r.lastNumber, author: by, title: o.Title, body: o.Body, headBranch: o.Head,
			baseBranch: o.Base, head: head, stack: o.Stack, state: pullOpen, draft: o.Draft, versions: []string{head},
			created: r.sim.clock(), updated: r.sim.clock(), lastPush: r.lastMover(o.Head),
		}
		r.pulls[p.number], number = p, p.number
		return r.sim.emitPull(p, "opened", by, nil)
	})
	return number, err
}

// lastMover returns who moved a branch last.
func (r *Repository) lastMover(branch string) *account {
	for _, m := range slices.Backward(r.moves) {
		if m.branch == branch {
			return m.actor
		}
	}
	return nil
}

// actPull runs a verb on a pull request.
func (a Actor) actPull(least string, number int, do func(p *pull, by *account) error) error {
	return a.act(least, func(r *Repository, by *account) error {
		p := r.pulls[number]
		if p == nil {
			return refuse(404, "Not Found")
		}
		return do(p, by)
	})
}

// actOwn runs a verb that the author may do, and whoever may write.
func (a Actor) actOwn(number int, do func(p *pull, by *account) error) error {
	return a.actPull("read", number, func(p *pull, by *account) error {
		if by != p.author && rank(p.repo.permission(by)) < rank("triage") {
			return refuse(403, "Must have triage rights to Repository.")
		}
		return do(p, by)
	})
}

// Close closes a pull request without merging it.
func (a Actor) Close(number int) error {
	return a.actOwn(number, func(p *pull, by *account) error {
		if p.state != pullOpen {
			return refuse(422, "Validation Failed: the pull request is not open")
		}
		return p.close(by)
	})
}

func (p *pull) close(by *account) error {
	if err := p.repo.leaveQueue(p, by, "MANUAL"); err != nil {
		return err
	}
	p.state, p.closed, p.baseWhenDone = pullClosed, p.repo.sim.clock(), p.baseCommit()
	p.record(event{kind: "ClosedEvent", actor: by})
	return p.repo.sim.emitPull(p, "closed", by, nil)
}

// Reopen opens a closed pull request again. A merged one stays closed.
func (a Actor) Reopen(number int) error {
	return a.actOwn(number, func(p *pull, by *account) error {
		if p.state == pullOpen || !p.merged.IsZero() || p.repo.branches[p.headBranch] == "" {
			return refuse(422, "Validation Failed: state cannot be changed")
		}
		p.state, p.closed, p.baseWhenDone = pullOpen, time.Time{}, ""
		p.head = p.repo.branches[p.headBranch]
		p.record(event{kind: "ReopenedEvent", actor: by})
		return p.repo.sim.emitPull(p, "reopened", by, nil)
	})
}

// EditTitle gives a pull request another title.
func (a Actor) EditTitle(number int, title string) error {
	return a.actOwn(number, func(p *pull, by *account) error {
		before := p.title
		p.title, p.edited = title, p.repo.sim.clock()
		p.record(event{kind: "RenamedTitleEvent", actor: by, before: before, after: title})
		return p.repo.sim.emitPull(p, "edited", by, record{"changes": record{"title": record{"from": before}}})
	})
}

// EditBody gives a pull request another description.
func (a Actor) EditBody(number int, body string) error {
	return a.actOwn(number, func(p *pull, by *account) error {
		before := p.body
		p.body, p.edited = body, p.repo.sim.clock()
		return p.repo.sim.emitPull(p, "edited", by, record{"changes": record{"body": record{"from": before}}})
	})
}

// Retarget changes the branch that a pull request wants to go to. Its approvals
// stay, unless a rule of the new base dismisses stale ones.
func (a Actor) Retarget(number int, base string) error {
	return a.actOwn(number, func(p *pull, by *account) error {
		to := p.repo.branches[base]
		if to == "" || p.state != pullOpen {
			return refuse(422, "Validation Failed: base is invalid: %s", base)
		}
		if err := p.repo.leaveQueue(p, by, "MANUAL"); err != nil {
			return err
		}
		before, sha := p.baseBranch, p.repo.branches[p.baseBranch]
		p.baseBranch, p.edited = base, p.repo.sim.clock()
		p.record(event{kind: "BaseRefChangedEvent", actor: by, before: before, after: base})
		if err := p.repo.sim.emitPull(p, "edited", by, record{"changes": record{"base": record{"ref": record{"from": before}, "sha": record{"from": sha}}}}); err != nil {
			return err
		}
		return p.dismissStale(by)
	})
}

// MarkReady takes a pull request out of draft.
func (a Actor) MarkReady(number int) error {
	return a.actOwn(number, func(p *pull, by *account) error {
		p.draft = false
		p.record(event{kind: "ReadyForReviewEvent", actor: by})
		return p.repo.sim.emitPull(p, "ready_for_review", by, nil)
	})
}

// ConvertToDraft makes a pull request a draft again.
func (a Actor) ConvertToDraft(number int) error {
	return a.actOwn(number, func(p *pull, by *account) error {
		p.draft = true
		p.record(event{kind: "ConvertToDraftEvent", actor: by})
		return p.repo.sim.emitPull(p, "converted_to_draft", by, nil)
	})
}

// Label puts a label on a pull request, making it where it does not exist.
func (a Actor) Label(number int, name string) error {
	return a.actPull("triage", number, func(p *pull, by *account) error {
		if slices.Contains(p.labels, name) {
			return nil
		}
		if p.repo.labels[name] == 0 {
			p.repo.labels[name] = p.repo.sim.nextID()
		}
		p.labels = append(p.labels, name)
		p.record(event{kind: "LabeledEvent", actor: by, detail: name})
		return p.repo.sim.emitPull(p, "labeled", by, record{"label": p.repo.labelJSON(name)})
	})
}

// Unlabel takes a label off.
func (a Actor) Unlabel(number int, name string) error {
	return a.actPull("triage", number, func(p *pull, by *account) error {
		i := slices.Index(p.labels, name)
		if i < 0 {
			return refuse(404, "Label does not exist")
		}
		p.labels = slices.Delete(p.labels, i, i+1)
		p.record(event{kind: "UnlabeledEvent", actor: by, detail: name})
		return p.repo.sim.emitPull(p, "unlabeled", by, record{"label": p.repo.labelJSON(name)})
	})
}

// UpdateBranch merges the base into the head on the web page. Files resolve
// conflicts by hand; without them a conflict is refused.
func (a Actor) UpdateBranch(number int, files map[string]string) (tip string, err error) {
	err = a.actPull("write", number, func(p *pull, by *account) error {
		r := p.repo
		up, err := r.git.contains(p.head, r.branches[p.baseBranch])
		if err != nil {
			return err
		}
		if up {
			return refuse(422, "There are no new commits on the base branch.")
		}
		m, err := r.git.merge(p.head, r.branches[p.baseBranch])
		if err != nil {
			return err
		}
		if m.conflict && len(files) == 0 {
			return refuse(422, "merge conflict between base and head")
		}
		tip, err = r.webCommit(p.headBranch, by, Commit{
			Message: "Merge branch '" + p.baseBranch + "' into " + p.headBranch, Merge: r.branches[p.baseBranch], Files: maps.Clone(files),
		})
		return err
	})
	return tip, err
}

// ApplySuggestion commits, on the web page, a change that a reviewer suggested:
// the reviewer becomes a co-author.
func (a Actor) ApplySuggestion(number int, suggestedBy, path, content string) (tip string, err error) {
	err = a.actPull("write", number, func(p *pull, by *account) error {
		reviewer, err := p.repo.sim.account(suggestedBy)
		if err != nil {
			return err
		}
		c := Commit{Message: "Apply suggestion from @" + reviewer.login, Files: map[string]string{path: content}}
		if reviewer != by {
			c.CoAuthors = []Identity{reviewer.identity()}
		}
		tip, err = p.repo.webCommit(p.headBranch, by, c)
		return err
	})
	return tip, err
}
