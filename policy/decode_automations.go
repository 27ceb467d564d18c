package policy

import (
	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

// An accountUse is a place that names an account.
type accountUse struct {
	account change.AccountID
	at      *yaml.Node
}

// automations reads which accounts are automations.
func (d *decoder) automations(n *yaml.Node) []Automation {
	var automations []Automation
	d.list(n, "automations", func(n *yaml.Node) {
		var a Automation
		d.mapping(n, "an entry of automations",
			field{"account", true, func(n *yaml.Node) {
				a.Account = d.account(n, d.text(n, "account"), "github:301")
				d.automated = append(d.automated, accountUse{a.Account, n})
			}},
			field{"accountable", true, func(n *yaml.Node) { a.Accountable = d.accountable(n) }},
			field{"paths", false, func(n *yaml.Node) { a.Paths = d.paths(n) }},
			field{"note", false, func(n *yaml.Node) { a.Note = d.text(n, "note") }},
		)
		automations = append(automations, a)
	})
	return automations
}

// accountable reads who answers for an automation.
func (d *decoder) accountable(n *yaml.Node) string {
	s := d.text(n, "accountable")
	if s == "" || s == Starter {
		return s
	}
	if _, err := change.ParseAccountID(s); err != nil {
		d.problem(n, "%s is neither an account id, such as github:101, nor %s, which stands for whoever started its run%s",
			change.Quote(s), Starter, suggest(s, []string{Starter}))
		return ""
	}
	d.answerable = append(d.answerable, accountUse{change.AccountID(s), n})
	return s
}

// checkAutomations notes accounts that cannot be what the file says of them: an
// automation answers for nothing, and is no human's account.
func (d *decoder) checkAutomations(people []Alias) {
	line, human := map[change.AccountID]int{}, map[change.AccountID]bool{}
	for _, a := range people {
		for _, account := range a.Accounts {
			human[account] = true
		}
	}
	for _, u := range d.automated {
		if first, twice := line[u.account]; twice && u.account != "" {
			d.problem(u.at, "the account %s stands here and in line %d; keep one of them", u.account, first)
		}
		line[u.account] = u.at.Line
		if human[u.account] && u.account != "" {
			d.problem(u.at, "the account %s stands under people too, as a human's; keep one of them", u.account)
		}
	}
	for _, u := range d.answerable {
		if at, is := line[u.account]; is {
			d.problem(u.at, "the account %s is the automation of line %d; name a human who answers for it", u.account, at)
		}
	}
}
