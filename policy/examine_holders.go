package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// An asking is a number of approvals that is asked of roles, and where both stand.
type asking struct {
	approvals    int
	roles        []string
	number, from []any
}

// tooMany notes where more approvals are asked for than there are people who could
// give them, and reports whether it did.
func (e *examiner) tooMany(a asking) bool {
	repeats(e, a.roles, "the role", a.from...)
	people, all := e.holders(a.roles)
	if !all || a.approvals <= people {
		return false
	}
	e.never(a.number, "nobody could ever satisfy this: %s asked for, and %s; lower the number or name more holders", wanted(a.approvals), onlyHold(people, a.roles))
	return true
}

// wanted says that so many approvals are.
func wanted(approvals int) string {
	if approvals == 1 {
		return "1 approval is"
	}
	return fmt.Sprintf("%d approvals are", approvals)
}

// noneToSpare notes where everybody who could approve must, so that none of them
// can have a part in a change.
func (e *examiner) noneToSpare(a asking) {
	if people, all := e.holders(a.roles); all && a.approvals == people {
		e.warn(a.from, "a change that a holder has a part in can never pass, because %s, and none can be spared; name another holder", onlyHold(people, a.roles))
	}
}

// onlyHold says how few people hold roles.
func onlyHold(people int, roles []string) string {
	held := quoted(roles)
	if len(roles) > 1 {
		held = "any of " + held
	}
	switch people {
	case 0:
		return "nobody holds " + held
	case 1:
		return "only one person holds " + held
	}
	return fmt.Sprintf("only %d people hold %s", people, held)
}

// holders returns how many people can hold any of the roles, and whether that can be
// told: where the policy names every one of them, or the forge has said who is in their
// teams. Accounts of one human are one.
func (e *examiner) holders(roles []string) (people int, all bool) {
	seen := map[change.AccountID]bool{}
	for _, role := range roles {
		for _, s := range e.policy.Roles[role] {
			accounts, told := e.matching(s)
			if !told {
				return 0, false
			}
			for _, account := range accounts {
				if !e.policy.automated(account) {
					seen[e.human(account)] = true
				}
			}
		}
	}
	return len(seen), len(roles) > 0
}

// matching returns the accounts of people that match a selector, and whether that can
// be told.
func (e *examiner) matching(s change.Selector) ([]change.AccountID, bool) {
	if account, named := strings.CutPrefix(string(s), userPrefix); named {
		return []change.AccountID{change.AccountID(account)}, true
	}
	if e.around == nil {
		return nil, false
	}
	team, asked := e.around.Teams[s]
	return team.Members, asked && team.Found
}

// human returns one account that stands for all of a human's.
func (e *examiner) human(account change.AccountID) change.AccountID {
	for _, a := range e.policy.People {
		if slices.Contains(a.Accounts, account) {
			return a.Accounts[0]
		}
	}
	return account
}
