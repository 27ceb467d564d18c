package policy

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// userPrefix begins a selector that names one account.
const userPrefix = "user:"

// Where a link to a change request is found.
const (
	inTitle       = "title"
	inBranch      = "branch"
	inDescription = "description"
)

// Resolve returns the facts completed by what the policy itself knows: which
// accounts are one human's and which are automations, who is named by a user:
// selector, and the keys of change requests in the title, the head branch and the description. Only here are
// accounts looked at; the judgement sees what comes of them. f is not changed.
func (p *Policy) Resolve(f change.Facts, description string) change.Facts {
	f.People, f.Automations = p.withAutomations(f)
	f.People = p.withAliases(f.People)
	f.People = p.withJoined(f)
	f.Members = p.withUsers(f)
	f.Requests = p.withRequests(f, description)
	return f
}

// withAliases returns the people with every alias marked. The policy states that
// the accounts of one entry are one human's, and whoever has the same account is the
// same; where only automations of an entry
// are among the people, its first other account is added as that human.
func (p *Policy) withAliases(people change.People) change.People {
	out := make(change.People, len(people))
	byAccount := map[change.AccountID][]change.Person{}
	for _, person := range slices.SortedFunc(maps.Keys(people), byNumber) {
		id := people[person]
		if id.Account != "" {
			id.SameAs, id.Joined = "", false // what an account withheld was the same as, only the record knows
		}
		out[person] = id
		if id.Account != "" {
			byAccount[id.Account] = append(byAccount[id.Account], person)
		}
	}
	for _, same := range byAccount {
		alias(out, same)
	}
	for _, a := range p.People {
		var group []change.Person
		human := false
		var unseen change.AccountID
		for _, account := range a.Accounts {
			people := byAccount[account]
			group = append(group, people...)
			for _, person := range people {
				human = human || out[person].Kind == change.Human
			}
			if len(people) == 0 && unseen == "" {
				unseen = account
			}
		}
		if len(group) > 0 && !human && unseen != "" {
			person := nextPerson(out)
			out[person] = change.Identity{Kind: change.Human, Account: unseen}
			group = append(group, person)
		}
		alias(out, group)
	}
	return out
}

// alias makes the lowest-numbered person of a group stand for the others.
func alias(people change.People, group []change.Person) {
	slices.SortFunc(group, byNumber)
	for _, person := range group[min(1, len(group)):] {
		id := people[person]
		id.SameAs = group[0]
		people[person] = id
	}
}

// nextPerson returns a reference that is not in use.
func nextPerson(people change.People) change.Person {
	for n := len(people) + 1; ; n++ {
		p := change.Person("p" + strconv.Itoa(n))
		if _, used := people[p]; !used {
			return p
		}
	}
}

// withUsers returns the memberships with every user: selector of the roles that
// matter answered for every reviewer.
func (p *Policy) withUsers(f change.Facts) change.Fact[[]change.Membership] {
	selectors := map[change.Selector]bool{}
	for _, r := range p.applying(f) {
		for _, role := range r.rolesFor(f) {
			for _, s := range p.Roles[role] {
				if strings.HasPrefix(string(s), userPrefix) {
					selectors[s] = true
				}
			}
		}
	}
	var reviewers []change.Person
	for _, r := range f.Reviews.Or(nil) {
		reviewers = append(reviewers, r.By)
	}
	if len(selectors) > 0 {
		f.Members = withNamed(f, selectors, reviewers)
	}
	if authors := p.authors(); len(authors) > 0 {
		f.Members = withNamed(f, authors, makersOf(f, p.Automations).hands)
	}
	return f.Members
}

// authors returns the selectors of the accounts that classes name as authors.
func (p *Policy) authors() map[change.Selector]bool {
	selectors := map[change.Selector]bool{}
	for _, c := range p.Classes {
		for _, a := range c.Authors {
			selectors[a.selector()] = true
		}
	}
	return selectors
}

// withNamed returns the memberships with selectors that name one account answered for
// some people.
func withNamed(f change.Facts, selectors map[change.Selector]bool, people []change.Person) change.Fact[[]change.Membership] {
	asked := map[change.Person]bool{}
	for _, p := range people {
		if id := f.People[p]; p != "" && id.Digest == "" { // of an identity withheld, only the record knows the answer
			asked[p] = true
		}
	}
	if len(asked) == 0 {
		return f.Members
	}
	old, _ := f.Members.Get()
	members := slices.DeleteFunc(slices.Clone(old), func(m change.Membership) bool { return selectors[m.Selector] && asked[m.Person] })
	for _, s := range slices.Sorted(maps.Keys(selectors)) {
		account := change.AccountID(strings.TrimPrefix(string(s), userPrefix))
		for _, person := range slices.SortedFunc(maps.Keys(asked), byNumber) {
			members = append(members, change.Membership{Selector: s, Person: person, Member: f.People[person].Account == account})
		}
	}
	return change.Known(members)
}

// withRequests returns the linked change requests with those added whose keys
// stand in the change's own words. What the title says since the change landed came
// too late. Where the forge did not state its links and no
// key is found either, they stay unknown.
func (p *Policy) withRequests(f change.Facts, description string) change.Fact[[]change.Request] {
	head, _ := f.Head.Get()
	title, _ := titleOf(f)
	places := []struct{ found, text string }{
		{inTitle, title}, {inBranch, head.Branch}, {inDescription, description},
	}
	old, known := f.Requests.Get()
	requests := slices.Clone(old)
	for _, r := range p.applying(f) {
		if r.LinkedRequest == nil {
			continue
		}
		for _, place := range places {
			for _, key := range keysIn(r.LinkedRequest.within, place.text) {
				there := func(q change.Request) bool { return q.Key == key && q.Found == place.found }
				if !slices.ContainsFunc(requests, there) {
					requests = append(requests, change.Request{Key: key, Found: place.found})
				}
			}
		}
	}
	if !known && len(requests) == 0 {
		return f.Requests
	}
	return change.Known(requests)
}

// keysIn returns the keys of change requests in a text: matches that are not part
// of a longer word.
func keysIn(pattern *regexp.Regexp, text string) []string {
	const (
		most    = 100 // keys of one text
		longest = 200 // bytes of one key
	)
	var keys []string
	for _, at := range pattern.FindAllStringIndex(text, most) {
		start, end := at[0], at[1]
		if end == start || end-start > longest || joins(text, start) || joins(text, end) {
			continue
		}
		keys = append(keys, text[start:end])
	}
	return keys
}

// joins reports whether the characters on both sides of position i belong to one
// word.
func joins(text string, i int) bool {
	return i > 0 && i < len(text) && wordByte(text[i-1]) && wordByte(text[i])
}

// wordByte reports whether a byte is part of a word; those of other scripts are.
func wordByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || b >= 0x80
}
