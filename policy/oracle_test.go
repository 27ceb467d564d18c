package policy_test

import (
	"slices"
	"strings"

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
	bases  []int     // when the target became another, in order
	target string    // the branch whose rules apply
	path   bool      // whether a protected path is touched
	other  bool      // whether another file is touched
	part   []string  // the words of what happened, with everybody who had a part
	lines  []line    // of the code owners file, in order
	key    bool      // whether the title names a request
	end    *ending   // nil while it is open
}

// rules are what the policy of a past asks.
type rules struct {
	approvals   int
	role        bool // approvals count of engineers only
	small       int  // approvals of a change of nothing but the one small file; 0 where it is like any other
	few         bool // a change may touch one file only
	separation  bool
	checks      []wanted
	protected   bool     // the workflows need the platform team
	guarded     bool     // they do by this policy, or by one that it may rely on
	ownersGuard []string // what is asked of code owners by those policies
	request     bool     // a request has to be linked
	owned       string   // what code owners are asked: "" for nothing, or what becomes of what nobody owns
	signed      string   // what is asked of signatures: "" for nothing, or what becomes of the forge's own commits
	carries     bool     // approvals are carried over pure updates
	alias       bool     // mallory-alt is known to be mallory's
	answersBot  bool     // ada answers for release-bot, as if it were an account of hers
	registered  bool     // release-bot is an automation, for which ada is accountable
	engineers   []string
	platform    []string
	readersOnly []string
	dev         *rules // what is asked of changes to dev, nil where nothing is
}

// A wanted check is of the app github-actions.
type wanted struct {
	name     string
	workflow string // "" for any
	attempts int    // 0 for as many as one likes
	accept   string // what passes beside success
}

// A line of the code owners file.
type line struct {
	path     string // the one file that it is about
	people   []string
	platform bool // the platform team owns it too
}

// A move is one push, by whoever was logged in, and the commits that it brought.
type move struct {
	by      string
	brought []int
}

// A version is one commit as the branch has it.
type version struct {
	n                           int
	author, committer, together string
	empty                       bool   // no file differs from the commit before
	merge                       bool   // and something else was merged all the same
	update                      bool   // nothing but the base was merged, and nothing else is in it
	signer                      string // "" where nobody tells, "-" for a key of nobody, or a state in capitals
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
	attempt         int    // 0 where nobody tells
	on, at          int
}

// An ending is how the change reached its branch.
type ending struct {
	how, shown string // shown is what our last verdict was
	on         int    // the commit that verdict was of
	meant      string // the branch that verdict was for
	queue      bool   // the branch demands a queue
	at         int
}

// human returns who is behind a login, or "" for somebody whom nobody knows.
func (r rules) human(login string) string {
	switch login {
	case "mallory-alt":
		if r.alias {
			return "mallory"
		}
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
			switch {
			case login == "release-bot" && (p.rules.answersBot || p.rules.registered):
				all = append(all, "ada") // who answers for it, whatever became of what it made
			case login != "forge" && login != "release-bot" && !strings.Contains(login, "@"):
				all = append(all, p.rules.human(login)) // robots of nobody and strangers of a version that is gone are passed over
			}
		}
	}
	whole = true
	for _, login := range seen {
		sure = append(sure, p.rules.human(login))
	}
	for _, login := range slices.Concat(seen, claimed) {
		human := p.rules.human(login)
		if login == "release-bot" && p.rules.registered && human == "" && p.ownWorkOnly() {
			human = "ada"
		}
		all = append(all, human)
		whole = whole && human != ""
	}
	return all, sure, whole
}

// ownWorkOnly reports whether all that release-bot ever pushed is its own work: it is
// the author, and it or the forge committed it. Of a push that is gone nobody knows
// what became of it, so everything that is there now must be its own.
func (p past) ownWorkOnly() bool {
	for _, m := range p.moves {
		if m.by != "release-bot" {
			continue
		}
		there := slices.ContainsFunc(p.line, func(v version) bool { return v.n == m.brought[len(m.brought)-1] })
		for _, v := range p.line {
			own := v.author == "release-bot" && (v.committer == "release-bot" || v.committer == "forge")
			if !own && (!there || slices.Contains(m.brought, v.n)) {
				return false
			}
		}
	}
	return true
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
		if p.line[i].update && p.rules.carries {
			continue
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
	return w.says == "approved" && w.dismisser == "" && p.ofHead(w.on) && w.at > p.lastBase() && !slices.Contains(makers, p.rules.human(w.by))
}

// lastBase returns when the target last became another before the end, 0 for never.
func (p past) lastBase() (last int) {
	for _, at := range p.bases {
		if p.end == nil || at <= p.end.at {
			last = at
		}
	}
	return last
}

// objections returns whether a request for changes stands by somebody who may object,
// and whether one perhaps does.
func (p past) objections(may func(string) bool) (some, perhaps bool) {
	makers, sure, _ := p.makers()
	for _, w := range p.lastWords() {
		if w.says == "approved" && !w.silent || slices.Contains(sure, p.rules.human(w.by)) || !may(w.by) {
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
