package story

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Events returns every kind of line that the section story can have.
func Events() []Event {
	return slices.Concat(peopleEvents(), changeEvents(), requestEvents(), labelEvents(), reviewEvents(), checkEvents(), runEvents(), landingEvents(), otherEvents())
}

func peopleEvents() []Event {
	return []Event{
		{"account LOGIN ID", "Brings somebody into the story, or gives one of the cast another account: forge and numeric id, such as github:583231, or jira: and an account id.", account},
		{"bot LOGIN...", "They are automations.", kind(change.Bot)},
		{"app LOGIN...", "They are installed applications.", kind(change.App)},
		{"stranger ADDRESS...", "No account claims these commit addresses; without an @, it is a deleted account.", kind(change.Unknown)},
		{"reader LOGIN...", "They may only read the repository.", each(func(h *history, login string) { h.noWrite[login] = true })},
		{"unasked LOGIN...", "Whether they may write to the repository is not known.", each(func(h *history, login string) { h.unasked[login] = true })},
		{"team NAME [LOGIN...]", "Who is in a team that a role names, such as acme/engineers. A team without such a line is one that could not be asked about.", func(h *history, a args) { h.member("team:"+a.words["NAME"], a.rest) }},
		{"holds PERMISSION [LOGIN...]", "Who has a permission on the repository: read, triage, write, maintain or admin.", func(h *history, a args) { h.member("permission:"+a.words["PERMISSION"], a.rest) }},
	}
}

func account(h *history, a args) {
	login := a.words["LOGIN"]
	id, err := change.ParseAccountID(a.words["ID"])
	if err != nil {
		h.fail("%v", err)
		return
	}
	h.unplayed(login)
	for other, taken := range h.accounts {
		if taken == id && other != login {
			h.fail("%s is the account of %s; give %s another", id, other, login)
		}
	}
	h.accounts[login] = id
}

func kind(k change.ActorKind) func(*history, args) {
	return func(h *history, a args) {
		for _, login := range a.rest {
			h.unplayed(login)
			h.kinds[login] = k
			h.knows(login)
		}
	}
}

// unplayed notes that somebody has had a part already, so that who they are is
// fixed.
func (h *history) unplayed(login string) {
	for _, id := range h.roster.People() {
		if id.Login == login || id.Email == login {
			h.fail("%s has had a part in the story already; move this line above it", change.Quote(login))
		}
	}
}

// each returns an event that does something with every login of its line.
func each(do func(*history, string)) func(*history, args) {
	return func(h *history, a args) {
		for _, login := range a.rest {
			if h.knows(login) {
				do(h, login)
			}
		}
	}
}

// member notes whom a selector names.
func (h *history) member(selector string, logins []string) {
	for _, login := range logins {
		h.knows(login)
	}
	h.members[change.Selector(selector)] = logins
	h.memberLines[change.Selector(selector)] = h.line
}

func changeEvents() []Event {
	return []Event{
		{"author LOGIN", "Opens the change.", author},
		{"title WORD...", "The title of the change.", func(h *history, a args) { h.facts.Title = strings.Join(a.rest, " ") }},
		{"description WORD...", "The description of the change.", func(h *history, a args) { h.description = strings.Join(a.rest, " ") }},
		{"branch NAME", "The branch that the change comes from.", branch},
		{"target BRANCH [through BRANCH]", "The branch that the change lands on; main without this line. A stacked change goes through another.", target},
		{"links KEY", "The change closes a request, by a closing reference.", links},
		{"commit LOGIN [committer LOGIN] [co-author LOGIN] [pusher LOGIN] [files OF-N] [merges N] [signed-by LOGIN] [signature STATE]", "Commits and pushes. The committer can be forge, which signs; files of-1 are those of the first commit again; merges 90 makes commit 90 a second parent. A valid signature is by somebody, or with a key of nobody; one that is not valid has a state such as UNKNOWN_KEY, or none where it is not signed. Without either it is not known.", commit},
		{"update LOGIN [to N] [by-hand]", "Merges commit N of the base, 92 without it, into the change, on the forge's pages; by hand with other files than the merge alone gives.", updateBranch},
		{"rebase LOGIN [as AUTHOR] [files OF-N] [onto N] [alone]", "Makes every commit again, on commit N, and force-pushes them. They keep their authors, or claim another; alone, they name no co-authors any more. Their signatures are gone, and nothing is told of new ones. The last has new files, or those of an earlier commit.", rebase},
		{"touch PATH", "The change modifies a file.", func(h *history, a args) {
			h.files = append(h.files, change.File{Path: a.words["PATH"], Status: "modified"})
		}},
		{"owners LINE...", "A line of the code owners file on the base, such as *.go @ada @acme/platform. Without any there is no such file.", ownersLine},
		{"rename OLD NEW", "The change renames a file.", func(h *history, a args) {
			h.files = append(h.files, change.File{Path: a.words["NEW"], Previous: a.words["OLD"], Status: "renamed"})
		}},
		{"copy OLD NEW", "The change adds a copy of a file.", func(h *history, a args) {
			h.files = append(h.files, change.File{Path: a.words["NEW"], Previous: a.words["OLD"], Status: "copied"})
		}},
	}
}

func author(h *history, a args) {
	h.facts.Opener, h.facts.Opened = change.Known(h.person(a.words["LOGIN"])), h.now()
}

func branch(h *history, a args) {
	head, _ := h.facts.Head.Get()
	head.Branch = a.words["NAME"]
	h.facts.Head = change.Known(head)
}

func target(h *history, a args) { h.aim(a.words["BRANCH"], a.words["through"]) }

// aim sets the branch that the change lands on, and the one it goes through.
func (h *history) aim(branch, through string) {
	b, _ := h.facts.Base.Get()
	b.Branch, b.Target = branch, branch
	if through != "" {
		b.Branch = through
	}
	h.facts.Base = change.Known(b)
}

func links(h *history, a args) {
	h.requests = append(h.requests, change.Request{Key: a.words["KEY"], Found: "closing-reference"})
}

func commit(h *history, a args) {
	login, at := a.words["LOGIN"], h.now()
	h.heads++
	sha, tree := CommitID(h.heads), TreeID(h.heads)
	if of := a.words["files"]; of != "" {
		tree = h.filesOf(of)
	}
	c := change.Commit{SHA: sha, Tree: tree, Parents: h.parents(a), Author: h.person(login), Authored: at, Committed: at}
	switch by := a.words["committer"]; by {
	case "forge":
		c.ByForge = true
	case "":
		c.Committer = c.Author
	default:
		c.Committer = h.person(by)
	}
	if with := a.words["co-author"]; with != "" {
		c.CoAuthors = append(c.CoAuthors, h.person(with))
	}
	c.Signature = h.signature(a, c.ByForge)
	pusher := a.words["pusher"]
	if pusher == "" {
		pusher = login
	}
	head, _ := h.facts.Head.Get()
	h.commits = append(h.commits, c)
	h.pushes = append(h.pushes, change.BranchPush{By: h.person(pusher), Before: head.Commit, After: sha, At: at})
	h.head(sha, tree)
}

// signature returns what the forge says of a commit's signature.
func (h *history) signature(a args, byForge bool) change.Fact[change.Signature] {
	by, state := a.words["signed-by"], a.words["signature"]
	switch {
	case by != "" && state != "":
		h.fail("a valid signature has no other state; leave out signed-by or signature")
	case by != "":
		return change.Known(change.Signature{Signed: true, Valid: true, State: "VALID", Signer: h.person(by)})
	case state == "none":
		return change.Known(change.Signature{})
	case state != "":
		return change.Known(change.Signature{Signed: true, State: state})
	case byForge:
		return change.Known(change.Signature{Signed: true, Valid: true, State: "VALID"})
	}
	return change.Fact[change.Signature]{}
}

// filesOf returns the files of the commit that "of-N" names.
func (h *history) filesOf(of string) change.SHA {
	sha, tree := h.ofHead(strings.TrimPrefix(of, "of-"))
	for _, c := range h.commits { // a commit may have the files of an earlier one
		if c.SHA == sha {
			tree = c.Tree
		}
	}
	return tree
}

// parents returns the parents of the next commit: the head, or the base for the
// first, and what the commit merges.
func (h *history) parents(a args) []change.SHA {
	base, _ := h.facts.Base.Get()
	parents := []change.SHA{base.Commit}
	if n := len(h.commits); n > 0 {
		parents[0] = h.commits[n-1].SHA
	}
	if merged := a.words["merges"]; merged != "" {
		parents = append(parents, CommitID(h.number(merged)))
	}
	return parents
}

func rebase(h *history, a args) {
	at, by := h.now(), h.person(a.words["LOGIN"])
	if len(h.commits) == 0 {
		h.fail("there is nothing to rebase yet; move this line below a commit")
		return
	}
	before, _ := h.ofHead("")
	base, _ := h.facts.Base.Get()
	parent, last := base.Commit, TreeID(h.heads+len(h.commits))
	if n := a.words["onto"]; n != "" {
		parent = CommitID(h.number(n))
	}
	if of := a.words["files"]; of != "" {
		last = h.filesOf(of)
	}
	h.replaced = append(h.replaced, h.commits...)
	h.commits = slices.Clone(h.commits)
	for i := range h.commits {
		h.heads++
		c := &h.commits[i]
		if as := a.words["as"]; as != "" {
			c.Author = h.person(as)
		}
		if a.words["alone"] != "" {
			c.CoAuthors = nil
		}
		c.SHA, c.Tree, c.Parents, c.Committer, c.ByForge = CommitID(h.heads), TreeID(h.heads), []change.SHA{parent}, by, false
		c.Signature = change.Fact[change.Signature]{} // the old one is of the old commit
		parent = c.SHA
	}
	h.commits[len(h.commits)-1].Tree = last
	after := parent
	h.pushes = append(h.pushes, change.BranchPush{By: by, Before: before, After: after, Forced: true, At: at})
	h.timeline = append(h.timeline, change.Event{Kind: change.HeadForcePushed, By: by, At: at, Before: string(before), After: string(after)})
	h.head(after, last)
}
