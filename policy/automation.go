package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// An Automation registers the account of a bot, an agent or a machine user. Nobody
// approves by such an account. What it does to a change, somebody answers for, who
// is then one of its makers, as long as the automation keeps to its trusted scope:
//
//   - Every touched path matches Paths. Which commit touched a path is not known, so
//     those of others count too.
//   - Whatever it pushed are commits of its own: it is their author, and it or the
//     forge committed them. A push may bring commits of others to the branch only
//     where others pushed them. So nobody gets code onto a branch through an
//     automation under a name of their choice.
//
// Commits that others pushed to its change are theirs, and make them makers; the
// automation stays trusted with its own. Outside of its scope it is as if it were
// not registered: who made the change is unknown.
type Automation struct {
	Account     change.AccountID
	Accountable string        // an account id, or Starter
	Paths       []PathPattern // empty for every path
	Note        string
}

// Starter says that an automation acts for whoever started its workflow run. A forge
// does not tell which run used an automation's token, so whoever set off or started
// any run of the repository that was at work at that moment is a maker.
const Starter = "starter"

// covers reports whether the automation is trusted with a path.
func (a Automation) covers(path string) bool {
	return len(a.Paths) == 0 || slices.ContainsFunc(a.Paths, func(p PathPattern) bool { return p.Matches(path) })
}

// automated reports whether the policy registers the account as an automation.
func (p *Policy) automated(account change.AccountID) bool {
	return slices.ContainsFunc(p.Automations, func(a Automation) bool { return a.Account == account })
}
