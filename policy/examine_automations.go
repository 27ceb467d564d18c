package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// automations notes automations in roles, whose approvals never count, and paths
// that stand twice.
func (e *examiner) automations() {
	for _, role := range slices.Sorted(maps.Keys(e.policy.Roles)) {
		for i, s := range e.policy.Roles[role] {
			account, named := strings.CutPrefix(string(s), userPrefix)
			if named && e.policy.automated(change.AccountID(account)) {
				e.warn([]any{"roles", role, i}, "the account %s is registered as an automation, and no approval by it counts; leave it out of the role", account)
			}
		}
	}
	for i, a := range e.policy.Automations {
		paths := make([]string, len(a.Paths))
		for j, p := range a.Paths {
			paths[j] = p.Text
		}
		repeats(e, paths, "the path", "automations", i, "paths")
	}
}
