package policy_test

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// This file is a second judge, written from the rules in words and as simply as it
// can be, over what happened and not over facts that a forge tells of it. It shares
// no code with the first.

// A past is what happened to one change.
type past struct {
	rules  rules
	opener string
	moves  []move    // of the change's branch, in order
	line   []version // the commits that the branch has now
	past   []version // and those that force pushes took away
	words  []word    // reviews, in order
	runs   []run     // checks and statuses, in order
	head   int       // number of the head commit
	rebase int       // when the target last became another, 0 for never
	path   bool      // whether a protected path is touched
	end    *ending   // nil while it is open
}

// rules are what the policy of a past asks.
type rules struct {
	approvals   int
	role        bool // approvals count of engineers only
	separation  bool
	checks      []string // each of the app github-actions
	protected   bool     // the workflows need the platform team
	answersBot  bool     // ada answers for release-bot
	engineers   []string
	platform    []string
	readersOnly []string
}

// A move is one push, by whoever was logged in.
type move struct{ by string }

// A version is one commit as the branch has it.
type version struct {
	n                           int
	author, committer, together string
	empty                       bool // no file differs from the commit before
	merge                       bool // and something else was merged all the same
}

// A word is one review. Times are the numbers of events.
type word struct {
	by, says  string
	on, at    int
	dismisser string // "" while it stands
	dismissed int
	silent    bool // the forge does not tell what had been said
}

// A run is one run of a check, or a status.
type run struct {
	name, app, came string
	file            string // of the workflow, "" where nobody tells
	on, at          int
}

// An ending is how the change reached its branch.
type ending struct {
	how, shown string // shown is what our last verdict was
	on         int    // the commit that verdict was of
	queue      bool   // the branch demands a queue
	at         int
}

// human returns who is behind a login, or "" for somebody whom nobody knows.
func (r rules) human(login string) string {
	switch login {
	case "mallory-alt":
		return "mallory"
	case "build@nowhere.example":
		return ""
	case "release-bot":
		if r.answersBot {
			return "ada"
		}
		return ""
	}
	return login
}

// makers returns every human who had a hand in the change, those of them whom more
// than a commit's own words name, and whether that is all of them.
func (p past) makers() (all, sure []string, whole bool) {
	claimed := []string{}
	seen := []string{p.opener}
	for _, m := range p.moves {
		seen = append(seen, m.by)
	}
	for _, v := range p.line {
		claimed = append(claimed, v.author)
		if v.committer != "forge" {
			claimed = append(claimed, v.committer)
		}
		if v.together != "" {
			claimed = append(claimed, v.together)
		}
	}
	for _, v := range p.past {
		for _, login := range []string{v.author, v.committer, v.together} {
			if human := p.rules.human(login); human == login && login != "forge" || login == "mallory-alt" {
				all = append(all, human) // robots and strangers of a version that is gone are passed over
			}
		}
	}
	whole = true
	for _, login := range seen {
		sure = append(sure, p.rules.human(login))
	}
	for _, login := range slices.Concat(seen, claimed) {
		all = append(all, p.rules.human(login))
		whole = whole && p.rules.human(login) != ""
	}
	return all, sure, whole
}

// lastWords returns the last opinion of every human: neither a comment nor a robot
// has one, and nobody has one after the end.
func (p past) lastWords() []word {
	last := map[string]word{}
	for _, w := range p.words {
		if w.says == "commented" || w.by == "release-bot" {
			continue
		}
		if p.end != nil && w.at > p.end.at {
			continue
		}
		if p.end != nil && w.dismisser != "" && w.dismissed > p.end.at && !w.silent {
			w.dismisser = ""
		}
		last[p.rules.human(w.by)] = w
	}
	var words []word
	for _, w := range last {
		words = append(words, w)
	}
	return words
}

// ofHead reports whether what was reviewed is, file for file and commit by commit,
// what the branch has now.
func (p past) ofHead(n int) bool {
	for i := len(p.line) - 1; i >= 0; i-- {
		if p.line[i].n == n {
			return true
		}
		if !p.line[i].empty || p.line[i].merge {
			return false
		}
	}
	return false
}

// counts reports whether a word is an approval that counts, whatever role it needs.
func (p past) counts(w word) bool {
	makers, _, _ := p.makers()
	return w.says == "approved" && w.dismisser == "" && p.ofHead(w.on) && w.at > p.rebase && !slices.Contains(makers, p.rules.human(w.by))
}

// objections returns how many requests for changes stand, and whether it can be
// told.
func (p past) objections() (some, perhaps bool) {
	makers, sure, _ := p.makers()
	for _, w := range p.lastWords() {
		if w.says == "approved" && !w.silent || slices.Contains(sure, p.rules.human(w.by)) || !p.mayReview(w.by) {
			continue
		}
		if w.dismisser != "" {
			by := p.rules.human(w.dismisser)
			robot := w.dismisser == "release-bot"
			if by != "" && !robot && !slices.Contains(makers, by) {
				continue // somebody who may has taken it back
			}
		}
		if w.silent {
			perhaps = true
		} else {
			some = true
		}
	}
	return some, perhaps
}

// mayReview reports whether a login has what approving needs.
func (p past) mayReview(login string) bool {
	if p.rules.role {
		return slices.Contains(p.rules.engineers, login)
	}
	return p.mayWrite(login)
}

func (p past) mayWrite(login string) bool { return !slices.Contains(p.rules.readersOnly, login) }

// enough is the status of so many approvals by those whom may lets.
func (p past) enough(want int, may func(string) bool) change.Status {
	if _, _, whole := p.makers(); !whole {
		return change.Undetermined
	}
	n := 0
	for _, w := range p.lastWords() {
		if p.counts(w) && may(w.by) {
			n++
		}
	}
	if n >= want {
		return change.Pass
	}
	return change.Pending
}

// judged returns the status of every control that is asked.
func (p past) judged() map[string]change.Status {
	out := map[string]change.Status{"peer-review": p.peerReview(), "no-bypass": p.noBypass()}
	if p.rules.separation {
		out["segregation-of-duties"] = p.enough(1, func(login string) bool {
			return p.mayWrite(login) || p.rules.role && slices.Contains(p.rules.engineers, login)
		})
	}
	if len(p.rules.checks) > 0 {
		out["required-checks"] = worst(p.checks(p.head)...)
	}
	if p.rules.protected {
		out["protected-paths"] = change.NotApplicable
		if p.path {
			out["protected-paths"] = p.enough(1, func(login string) bool { return slices.Contains(p.rules.platform, login) })
		}
	}
	if p.end != nil {
		for control, status := range out {
			if status == change.Pending {
				out[control] = change.Fail // nobody can do it any more
			}
		}
	}
	return out
}

func (p past) peerReview() change.Status {
	status := p.enough(p.rules.approvals, p.mayReview)
	some, perhaps := p.objections()
	if perhaps {
		status = worst(status, change.Undetermined)
	}
	if some {
		status = change.Fail
	}
	return status
}

// checks returns what each required check comes to on a commit: the last run there
// of every workflow that has one is what counts, and none may be bad.
func (p past) checks(on int) []change.Status {
	var all []change.Status
	for _, name := range p.rules.checks {
		last := map[string]change.Status{}
		for _, r := range p.runs {
			if r.name != name || r.app != "github-actions" || r.on != on || p.end != nil && r.at > p.end.at {
				continue
			}
			switch r.came {
			case "success":
				last[r.file] = p.honest(r.file)
			case "queued", "in_progress":
				last[r.file] = change.Pending
			default:
				last[r.file] = change.Fail
			}
		}
		if len(last) == 0 {
			all = append(all, change.Pending)
		}
		for _, status := range last {
			all = append(all, status)
		}
	}
	return all
}

// honest is the status of a success by a workflow: a change that rewrites the only
// workflow it can touch has written its own success, unless it needs the platform
// team for that.
func (p past) honest(file string) change.Status {
	switch {
	case !p.path || p.rules.protected:
		return change.Pass
	case file == "":
		return change.Undetermined
	case file == touched:
		return change.Fail
	}
	return change.Pass
}

func (p past) noBypass() change.Status {
	switch {
	case p.end == nil:
		return change.NotApplicable
	case p.end.how == "direct_push" || p.end.how == "force_push":
		return change.Fail
	case p.end.queue && p.end.how != "merge_queue":
		return change.Fail
	case p.end.shown != "success" || p.end.on != p.head:
		return change.Fail
	}
	return change.Pass
}

// worst returns whichever status holds back most.
func worst(all ...change.Status) change.Status {
	for _, s := range []change.Status{change.Fail, change.Undetermined, change.Pending, change.Exception, change.Pass} {
		if slices.Contains(all, s) {
			return s
		}
	}
	return change.NotApplicable
}
