package story

import (
	"maps"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// facts lists every fact of a change that can be absent, by its name in JSON, with
// what makes it so.
func facts() map[string]func(*change.Facts) {
	return map[string]func(*change.Facts){
		"opener":      func(f *change.Facts) { f.Opener = change.Fact[change.Person]{} },
		"state":       func(f *change.Facts) { f.State = change.Fact[change.State]{} },
		"head":        func(f *change.Facts) { f.Head = change.Fact[change.Head]{} },
		"base":        func(f *change.Facts) { f.Base = change.Fact[change.Base]{} },
		"commits":     func(f *change.Facts) { f.Commits = change.Fact[[]change.Commit]{} },
		"pushes":      func(f *change.Facts) { f.Pushes = change.Fact[[]change.BranchPush]{} },
		"replaced":    func(f *change.Facts) { f.Replaced = change.Fact[[]change.Commit]{} },
		"files":       func(f *change.Facts) { f.Files = change.Fact[[]change.File]{} },
		"reviews":     func(f *change.Facts) { f.Reviews = change.Fact[[]change.Review]{} },
		"checks":      func(f *change.Facts) { f.Checks = change.Fact[[]change.Check]{} },
		"labels":      func(f *change.Facts) { f.Labels = change.Fact[[]string]{} },
		"requests":    func(f *change.Facts) { f.Requests = change.Fact[[]change.Request]{} },
		"timeline":    func(f *change.Facts) { f.Timeline = change.Fact[[]change.Event]{} },
		"autoMerge":   func(f *change.Facts) { f.AutoMerge = change.Fact[change.AutoMerge]{} },
		"queue":       func(f *change.Facts) { f.Queue = change.Fact[change.QueueEntry]{} },
		"landing":     func(f *change.Facts) { f.Landing = change.Fact[change.Landing]{} },
		"shown":       func(f *change.Facts) { f.Shown = change.Fact[change.Shown]{} },
		"group":       func(f *change.Facts) { f.Group = change.Fact[change.Group]{} },
		"enforced":    func(f *change.Facts) { f.Enforced = change.Fact[change.Enforcement]{} },
		"owners":      func(f *change.Facts) { f.Owners = change.Fact[change.Ownership]{} },
		"updates":     func(f *change.Facts) { f.Updates = change.Fact[[]change.Update]{} },
		"runs":        func(f *change.Facts) { f.Runs = change.Fact[[]change.Run]{} },
		"memberships": func(f *change.Facts) { f.Members = change.Fact[[]change.Membership]{} },
	}
}

// FactNames returns the names in JSON of the facts that can be absent, sorted.
func FactNames() []string { return slices.Sorted(maps.Keys(facts())) }

// Forget makes a fact absent and reports whether there is one of that name.
func Forget(f *change.Facts, name string) bool {
	forget, known := facts()[name]
	if known {
		forget(f)
	}
	return known
}
