package policy

import (
	"maps"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// withAutomations returns the people with every registered automation marked as a
// bot, whatever the forge calls its account, and who answers for each, added where
// they are not among the people yet. Of an account withheld only the record knows
// whether it is registered.
func (p *Policy) withAutomations(f change.Facts) (change.People, []change.Automation) {
	out := maps.Clone(f.People)
	if out == nil {
		out = change.People{}
	}
	var found []change.Automation
	for _, a := range f.Automations {
		if out[a.Person].Account == "" {
			found = append(found, a)
		}
	}
	of := func(account change.AccountID) change.Person {
		for _, person := range slices.SortedFunc(maps.Keys(out), byNumber) {
			if out[person].Account == account {
				return person
			}
		}
		return ""
	}
	for i, rule := range p.Automations {
		person := of(rule.Account)
		if person == "" {
			continue
		}
		a := change.Automation{Person: person, Entry: i}
		for p, id := range out {
			if id.Account == rule.Account && id.Kind == change.Human {
				id.Kind = change.Bot
				out[p] = id
			}
		}
		if rule.Accountable != Starter {
			account := change.AccountID(rule.Accountable)
			if a.Accountable = of(account); a.Accountable == "" {
				a.Accountable = nextPerson(out)
				out[a.Accountable] = change.Identity{Kind: change.Human, Account: account}
			}
		}
		found = append(found, a)
	}
	return out, found
}
