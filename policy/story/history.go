package story

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// A history builds facts from events. Every event happens a minute after the one
// before it.
type history struct {
	line        int    // of the event being played
	wrong       string // what is wrong with it
	facts       change.Facts
	roster      change.Roster
	accounts    map[string]change.AccountID // of logins
	kinds       map[string]change.ActorKind // of logins that are no human's
	noWrite     map[string]bool             // may not write
	unasked     map[string]bool             // nobody knows whether they may write
	members     map[change.Selector][]string
	memberLines map[change.Selector]int // where each of them was told
	description string
	noPolicy    bool
	clock       time.Time
	still       bool // the next event happens at the same moment
	heads       int

	commits  []change.Commit
	replaced []change.Commit
	pushes   []change.BranchPush
	files    []change.File
	reviews  []change.Review
	checks   []change.Check
	runs     []change.Run
	requests []change.Request
	tickets  map[string]change.Answer // what trackers say, by key
	timeline []change.Event
	labels   []string
	group    change.Group
	owners   []string // lines of the code owners file
	updates  []change.Update
	absent   []string
}

// Cast returns the accounts of the people that every story knows, by login.
func Cast() map[string]change.AccountID {
	return map[string]change.AccountID{
		"ada": "github:101", "grace": "github:102", "linus": "github:103", "mallory": "github:104", "margaret": "github:105",
		"mallory-alt": "github:204", "release-bot": "github:301", "ci[bot]": "github:302",
	}
}

func newHistory() *history {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	repository := change.Repository{Forge: change.GitHub, Host: "github.com", ID: 1296269, Name: "acme/shop"}
	return &history{
		facts: change.Facts{
			Ref: change.Ref{Repository: repository, Kind: change.PullRequest, Number: 42}, GatheredAt: start.Add(24 * time.Hour),
			Title: "Sort the basket", State: change.Known(change.Open),
			Base:     change.Known(change.Base{Branch: "main", Target: "main", Commit: CommitID(90)}),
			Head:     change.Known(change.Head{Branch: "sort-basket", Repository: 1296269}),
			Landing:  change.Known(change.Landing{}),
			Enforced: change.Known(change.Enforcement{}),
			Absent:   map[string]string{},
		},
		accounts: Cast(), kinds: map[string]change.ActorKind{}, noWrite: map[string]bool{}, unasked: map[string]bool{},
		tickets: map[string]change.Answer{}, members: map[change.Selector][]string{}, memberLines: map[change.Selector]int{}, clock: start,
	}
}

// CommitID returns the id of the n-th commit of a story, which a reader recognises:
// c000003.
func CommitID(n int) change.SHA { return change.SHA(fmt.Sprintf("c%06d%033d", n, 0)) }

// TreeID returns the id of the tree of the n-th commit of a story.
func TreeID(n int) change.SHA { return change.SHA(fmt.Sprintf("e%06d%033d", n, 0)) }

// fail notes what is wrong with the event being played, unless something is already.
func (h *history) fail(format string, args ...any) {
	if h.wrong == "" {
		h.wrong = fmt.Sprintf(format, args...)
	}
}

// nobody is what a story calls the absence of a person.
const nobody = "nobody"

// knows reports whether a login, or an address that no account claims, can be used,
// and notes what to do when it cannot.
func (h *history) knows(login string) bool {
	if login == nobody || h.kinds[login] == change.Unknown || h.accounts[login] != "" {
		return true
	}
	known := slices.Sorted(maps.Keys(h.accounts))
	h.fail("nobody is called %s; the story knows %s; add somebody with: account %s github:ID, or: stranger %s",
		change.Quote(login), strings.Join(known, ", "), login, login)
	return false
}

// person returns the reference of a login, or of an address that no account claims.
func (h *history) person(login string) change.Person {
	if login == nobody || !h.knows(login) {
		return ""
	}
	return h.roster.Add(h.identity(login))
}

// identity returns who somebody is.
func (h *history) identity(login string) change.Identity {
	if login == nobody || !h.knows(login) {
		return change.Identity{Kind: change.Unknown}
	}
	switch kind := h.kinds[login]; {
	case kind == change.Unknown && strings.Contains(login, "@"):
		return change.Identity{Kind: kind, Email: login}
	case kind == change.Unknown:
		return change.Identity{Kind: kind, Login: login}
	default:
		if kind == "" {
			kind = change.Human
		}
		return change.Identity{Kind: kind, Account: h.accounts[login], Login: login}
	}
}

// now returns the moment of an event.
func (h *history) now() time.Time {
	if !h.still {
		h.clock = h.clock.Add(time.Minute)
	}
	h.still = false
	return h.clock
}

// told returns the facts of the story, with the answers to what a policy needs.
func (h *history) told(needs change.Needs) change.Facts {
	f := h.facts
	f.Commits, f.Pushes, f.Files = change.Known(h.commits), change.Known(h.pushes), change.Known(h.files)
	f.Reviews, f.Checks = change.Known(h.reviews), change.Known(h.checks)
	f.Requests, f.Timeline, f.Labels = change.Known(h.requests), change.Known(h.timeline), change.Known(h.labels)
	if f.Ref.Kind == change.MergeGroup {
		f.Group = change.Known(h.group)
	}
	if len(h.replaced) > 0 {
		f.Replaced = change.Known(h.replaced)
	}
	f.Members = change.Known(h.answers(needs))
	if len(needs.Starters) > 0 {
		f.Runs = change.Known(h.atWork(needs.Starters))
	}
	if needs.Owners {
		f.Owners = change.Known(h.ownership())
	}
	if needs.Updates {
		f.Updates = change.Known(h.updates)
	}
	f.People = h.roster.People()
	for _, name := range h.absent {
		facts()[name](&f)
	}
	return f
}

// answers says which reviewers match the selectors that a policy asks about. A
// selector that the story does not speak of stays unanswered.
func (h *history) answers(needs change.Needs) []change.Membership {
	var members []change.Membership
	for _, selector := range h.asked(needs) {
		logins, answered := h.members[selector]
		if !answered {
			continue
		}
		for _, r := range h.reviews {
			member := slices.ContainsFunc(logins, func(l string) bool { return h.identity(l) == h.roster.People()[r.By] })
			members = append(members, change.Membership{Selector: selector, Person: r.By, Member: member})
		}
	}
	return members
}

// strayMembers notes teams and permissions that the story tells of and no role of
// the policies names, which hides a slip in either name.
func (h *history) strayMembers(file string, set *policy.Set) Problems {
	var named []string
	for _, p := range []*policy.Policy{set.Repository, set.Floor} {
		if p == nil {
			continue
		}
		for _, selectors := range p.Roles {
			for _, s := range selectors {
				named = append(named, string(s))
			}
		}
	}
	for _, team := range h.owningTeams() {
		named = append(named, string(team))
	}
	slices.Sort(named)
	named = slices.Compact(named)
	known := "its roles name " + strings.Join(named, ", ")
	if len(named) == 0 {
		known = "it has no roles"
	}
	var problems Problems
	for selector, line := range h.memberLines {
		if !slices.Contains(named, string(selector)) {
			text := fmt.Sprintf("no role of the policy names %s; %s", change.Quote(string(selector)), known)
			problems = append(problems, Problem{File: file, Line: line, Text: text})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return problems
}

// head makes a commit the head of the change.
func (h *history) head(sha, tree change.SHA) {
	head, _ := h.facts.Head.Get()
	head.Commit, head.Tree = sha, tree
	h.facts.Head = change.Known(head)
}

// ofHead returns the commit and tree of the n-th head, or of the head now.
func (h *history) ofHead(n string) (change.SHA, change.SHA) {
	head, _ := h.facts.Head.Get()
	if n == "" {
		return head.Commit, head.Tree
	}
	i := h.number(n)
	if i > h.heads {
		h.fail("there is no commit %d yet, there are %d; move this line below the commit that it speaks of", i, h.heads)
	}
	return CommitID(i), TreeID(i)
}

// number reads a number from 1 to 999999.
func (h *history) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 999_999 {
		h.fail("%s is no number from 1 to 999999", change.Quote(s))
		return 1
	}
	return n
}

// oneOf returns a word that must be one of those known.
func (h *history) oneOf(what, word string, known []string) string {
	if !slices.Contains(known, word) {
		h.fail("%s is no %s; write one of %s", change.Quote(word), what, strings.Join(known, ", "))
	}
	return word
}
