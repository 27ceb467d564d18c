package policy

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// request examines what is asked of a change request.
func (e *examiner) request(l *LinkedRequest, at []any) {
	e.pattern(l.Pattern, under(at, "pattern"))
	e.fold(l.Types, "the type", under(at, "types"))
	e.fold(l.States, "the state", under(at, "states"))
	if l.Tracker == change.Jira && l.Independent && !slices.ContainsFunc(e.policy.People, listsJira) {
		e.never(under(at, "independent"), "nobody could ever satisfy this: the makers of a change have accounts of the forge, requesters have accounts of Jira, and people lists no account of Jira; list both accounts of each requester")
	}
}

// listsJira reports whether an entry of people joins an account of Jira with one of a
// forge.
func listsJira(a Alias) bool {
	forge := slices.ContainsFunc(a.Accounts, func(id change.AccountID) bool { _, is := id.Forge(); return is })
	return forge && slices.ContainsFunc(a.Accounts, func(id change.AccountID) bool { _, is := id.Forge(); return !is })
}

// fold notes words of a tracker that stand in a list twice. Their case says nothing.
func (e *examiner) fold(words []string, what string, path []any) {
	lower := make([]string, len(words))
	for i, w := range words {
		lower[i] = strings.ToLower(w)
	}
	repeats(e, lower, what, path...)
}
