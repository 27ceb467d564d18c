package policy_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A story builds facts from events. Every event happens a minute after the one
// before it.
type story struct {
	facts       change.Facts
	roster      change.Roster
	kinds       map[string]change.ActorKind // of logins that are no human's
	noWrite     map[string]bool             // may not write
	unasked     map[string]bool             // nobody knows whether they may write
	members     map[change.Selector][]string
	description string
	noPolicy    bool
	clock       time.Time
	still       bool // the next event happens at the same moment
	heads       int

	commits  []change.Commit
	pushes   []change.BranchPush
	files    []change.File
	reviews  []change.Review
	checks   []change.Check
	requests []change.Request
	timeline []change.Event
	group    change.Group
	absent   []string
}

// accounts are the numeric ids of the people in the stories.
func accounts() map[string]int64 {
	return map[string]int64{"ada": 101, "grace": 102, "linus": 103, "mallory": 104, "margaret": 105, "mallory-alt": 204, "release-bot": 301, "ci[bot]": 302}
}

func newStory() *story {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	repository := change.Repository{Forge: change.GitHub, Host: "github.com", ID: 1296269, Name: "acme/shop"}
	return &story{
		facts: change.Facts{
			Ref: change.Ref{Repository: repository, Kind: change.PullRequest, Number: 42}, GatheredAt: start.Add(24 * time.Hour),
			Title: "Sort the basket", State: change.Known(change.Open),
			Base:     change.Known(change.Base{Branch: "main", Target: "main", Commit: commitID(90)}),
			Head:     change.Known(change.Head{Branch: "sort-basket", Repository: 1296269}),
			Landing:  change.Known(change.Landing{}),
			Enforced: change.Known(change.Enforcement{}),
			Absent:   map[string]string{},
		},
		kinds: map[string]change.ActorKind{}, noWrite: map[string]bool{}, unasked: map[string]bool{},
		members: map[change.Selector][]string{}, clock: start,
	}
}

// commitID and treeID return object ids that a reader recognises: c000003.
func commitID(n int) change.SHA { return change.SHA(fmt.Sprintf("c%06d%033d", n, 0)) }
func treeID(n int) change.SHA   { return change.SHA(fmt.Sprintf("e%06d%033d", n, 0)) }

// person returns the reference of a login, or of a "Name <address>" that no
// account claims.
func (s *story) person(login string) change.Person {
	switch kind := s.kinds[login]; {
	case login == "nobody":
		return ""
	case kind == change.Unknown && strings.Contains(login, "@"):
		return s.roster.Add(change.Identity{Kind: kind, Email: login})
	case kind == change.Unknown:
		return s.roster.Add(change.Identity{Kind: kind, Login: login})
	default:
		if kind == "" {
			kind = change.Human
		}
		id := accounts()[login]
		if id == 0 {
			panic("no account for " + login)
		}
		return s.roster.Add(change.Identity{Kind: kind, Account: change.NewAccountID(change.GitHub, id), Login: login})
	}
}

// now returns the moment of an event.
func (s *story) now() time.Time {
	if !s.still {
		s.clock = s.clock.Add(time.Minute)
	}
	s.still = false
	return s.clock
}

// play adds one event.
func (s *story) play(words []string) error {
	verb, ok := verbs()[words[0]]
	if !ok {
		return fmt.Errorf("a story has no event %q", words[0])
	}
	return verb(s, words[1:])
}

// options reads "key value key value".
func options(words []string) map[string]string {
	o := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		o[words[i]] = words[i+1]
	}
	return o
}

// told returns the facts of the story, with the answers to what a policy needs.
func (s *story) told(needs change.Needs) change.Facts {
	f := s.facts
	f.Commits, f.Pushes, f.Files = change.Known(s.commits), change.Known(s.pushes), change.Known(s.files)
	f.Reviews, f.Checks = change.Known(s.reviews), change.Known(s.checks)
	f.Requests, f.Timeline = change.Known(s.requests), change.Known(s.timeline)
	if f.Ref.Kind == change.MergeGroup {
		f.Group = change.Known(s.group)
	}
	var members []change.Membership
	for _, selector := range needs.Selectors {
		logins, answered := s.members[selector]
		for _, r := range s.reviews {
			if answered {
				member := slices.ContainsFunc(logins, func(l string) bool { return s.person(l) == r.By })
				members = append(members, change.Membership{Selector: selector, Person: r.By, Member: member})
			}
		}
	}
	f.Members = change.Known(members)
	f.People = s.roster.People()
	for _, name := range s.absent {
		forget(&f, name)
	}
	return f
}

// forget makes a fact absent, by its name in JSON.
func forget(f *change.Facts, name string) {
	switch name {
	case "opener":
		f.Opener = change.Fact[change.Person]{}
	case "state":
		f.State = change.Fact[change.State]{}
	case "head":
		f.Head = change.Fact[change.Head]{}
	case "base":
		f.Base = change.Fact[change.Base]{}
	case "commits":
		f.Commits = change.Fact[[]change.Commit]{}
	case "pushes":
		f.Pushes = change.Fact[[]change.BranchPush]{}
	case "files":
		f.Files = change.Fact[[]change.File]{}
	case "reviews":
		f.Reviews = change.Fact[[]change.Review]{}
	case "checks":
		f.Checks = change.Fact[[]change.Check]{}
	case "labels":
		f.Labels = change.Fact[[]string]{}
	case "requests":
		f.Requests = change.Fact[[]change.Request]{}
	case "timeline":
		f.Timeline = change.Fact[[]change.Event]{}
	case "autoMerge":
		f.AutoMerge = change.Fact[change.AutoMerge]{}
	case "queue":
		f.Queue = change.Fact[change.QueueEntry]{}
	case "landing":
		f.Landing = change.Fact[change.Landing]{}
	case "shown":
		f.Shown = change.Fact[change.Shown]{}
	case "group":
		f.Group = change.Fact[change.Group]{}
	case "enforced":
		f.Enforced = change.Fact[change.Enforcement]{}
	case "memberships":
		f.Members = change.Fact[[]change.Membership]{}
	default:
		panic("no fact " + name)
	}
}

// factNames lists what forget knows.
func factNames() []string {
	return []string{"opener", "state", "head", "base", "commits", "pushes", "files", "reviews", "checks", "labels", "requests", "timeline",
		"autoMerge", "queue", "landing", "shown", "group", "enforced", "memberships"}
}

// head makes a commit the head of the change.
func (s *story) head(sha, tree change.SHA) {
	h, _ := s.facts.Head.Get()
	h.Commit, h.Tree = sha, tree
	s.facts.Head = change.Known(h)
}

// ofHead returns the commit and tree of the n-th head, or of the head now.
func (s *story) ofHead(n string) (change.SHA, change.SHA) {
	h, _ := s.facts.Head.Get()
	if n == "" {
		return h.Commit, h.Tree
	}
	i, err := strconv.Atoi(n)
	if err != nil {
		panic(err)
	}
	return commitID(i), treeID(i)
}
