package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A tracker is where change requests can be looked up.
type tracker struct {
	id, name string
	states   []string // those it has, where they are few and fixed
}

// trackers returns the trackers that a policy can name.
func trackers() []tracker {
	return []tracker{
		{change.GitHubIssues, "GitHub", []string{"open", "closed", "not_planned", "duplicate"}},
		{change.GitLabIssues, "GitLab", []string{"opened", "closed"}},
		{change.Jira, "Jira", nil},
	}
}

// trackerIDs returns the ids of the trackers.
func trackerIDs() []string {
	var ids []string
	for _, t := range trackers() {
		ids = append(ids, t.id)
	}
	return ids
}

// The moments that a request can have to come before.
const (
	BeforeMerge       = "merge"
	BeforeFirstCommit = "first-commit"
)

// maxLookups bounds how many requests of one change are looked up: whoever writes a
// title must not be able to send a tracker hundreds of questions.
const maxLookups = 10

// tooManyLinks is why the ticket of a key beyond that bound is not known.
const tooManyLinks = "the change links more requests than are looked up; leave out what it does not answer"

// Lookups returns what has to be asked of trackers before the change, whose facts are
// resolved, can be judged by both policies, and for each question that is one too many
// why it is not asked.
func (s *Set) Lookups(f change.Facts) (ask []change.Lookup, leftOut map[change.Lookup]change.Answer) {
	leftOut = map[change.Lookup]change.Answer{}
	if f.Ref.Kind != change.PullRequest && f.Ref.Kind != change.MergeRequest {
		return nil, leftOut
	}
	for _, l := range s.lookups(f) {
		if len(ask) == maxLookups {
			leftOut[l] = change.Answer{Why: tooManyLinks}
			continue
		}
		ask = append(ask, l)
	}
	return ask, leftOut
}

// lookups returns the questions, each once, those that the floor has first.
func (s *Set) lookups(f change.Facts) []change.Lookup {
	requests := slices.Clone(f.Requests.Or(nil))
	slices.SortStableFunc(requests, func(a, b change.Request) int {
		return cmp.Or(cmp.Compare(prominence(a), prominence(b)), cmp.Compare(a.Key, b.Key))
	})
	var all []change.Lookup
	for _, p := range slices.Backward(s.policies()) {
		for _, r := range p.applying(f) {
			if r.LinkedRequest == nil || r.LinkedRequest.Tracker == "" {
				continue
			}
			for _, q := range r.LinkedRequest.among(requests) {
				if l := (change.Lookup{Tracker: r.LinkedRequest.Tracker, Key: q.Key}); !slices.Contains(all, l) {
					all = append(all, l)
				}
			}
		}
	}
	return all
}

// prominence orders the places where a key is found, the most prominent first.
func prominence(q change.Request) int {
	places := []string{inTitle, inBranch, "closing-reference", inDescription}
	if i := slices.Index(places, q.Found); i >= 0 {
		return i
	}
	return len(places)
}

// withJoined returns the people with noted of those who asked for the change whether
// they can be compared with the others: an account of a tracker may be anybody's. Of
// accounts withheld, only the record knows.
func (p *Policy) withJoined(f change.Facts) change.People {
	out := maps.Clone(f.People)
	for _, q := range f.Requests.Or(nil) {
		t, _ := q.Ticket.Get()
		for _, asker := range []change.Person{t.Requester, t.Creator} {
			id, there := out[asker]
			if !there || id.Digest != "" {
				continue
			}
			id.Joined = p.comparable(f, asker)
			out[asker] = id
		}
	}
	return out
}

// comparable reports whether somebody's account is one of the change's forge, or is
// listed beside one that is.
func (p *Policy) comparable(f change.Facts, person change.Person) bool {
	account := f.People[person].Account
	of := func(id change.AccountID) bool { forge, is := id.Forge(); return is && forge == f.Ref.Repository.Forge }
	if account == "" || of(account) {
		return account != ""
	}
	return slices.ContainsFunc(p.People, func(a Alias) bool {
		return slices.Contains(a.Accounts, account) && slices.ContainsFunc(a.Accounts, of)
	})
}

// oneOf reports whether a list names a word of a tracker, whose case says nothing.
func oneOf(list []string, word string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, word) })
}
