package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// BenchmarkEvaluate judges a change of several sizes by every control.
func BenchmarkEvaluate(b *testing.B) {
	p := parsed(b, broad)
	for _, n := range []int{1, 100, 1000} {
		f := sized(n)
		if d := p.Evaluate(f); d.Status != change.Pass {
			b.Fatalf("%d commits: %s", n, wireOf(d))
		}
		b.Run(fmt.Sprintf("commits=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Evaluate(f)
			}
		})
	}
}

// sized returns facts of a change with n commits that every control lets through.
func sized(n int) change.Facts {
	f := toMain(human(101), human(102), human(103))
	head := change.Head{Commit: commitID(n), Tree: treeID(n)}
	var commits []change.Commit
	var pushes []change.BranchPush
	for i := 1; i <= n; i++ {
		at := start().Add(time.Duration(i) * time.Second)
		commits = append(commits, change.Commit{SHA: commitID(i), Tree: treeID(i), Author: "p1", Committer: "p1", Authored: at, Committed: at})
		pushes = append(pushes, change.BranchPush{By: "p1", After: commitID(i), At: at})
	}
	var reviews []change.Review
	var members []change.Membership
	for i, by := range []change.Person{"p2", "p3"} {
		reviews = append(reviews, change.Review{ID: int64(80 + i), By: by, State: change.Approved, Commit: head.Commit, At: start().Add(time.Hour), CanPush: change.Known(true)})
		for _, s := range []change.Selector{"team:acme/engineers", "permission:maintain", "team:acme/platform"} {
			members = append(members, change.Membership{Selector: s, Person: by, Member: true})
		}
	}
	f.Opener, f.Head, f.Landing = change.Known(change.Person("p1")), change.Known(head), change.Known(change.Landing{})
	f.Commits, f.Pushes, f.Reviews, f.Members = change.Known(commits), change.Known(pushes), change.Known(reviews), change.Known(members)
	f.Files, f.Timeline = change.Known([]change.File{{Path: "CODEOWNERS"}}), change.Known([]change.Event{})
	f.Requests = change.Known([]change.Request{{Key: "SHOP-1", Found: "title"}})
	f.Checks = change.Known([]change.Check{{ID: 5, Name: "test", App: "github-actions", Source: change.CheckRun, Commit: head.Commit, Status: "completed", Conclusion: change.Success}})
	return f
}
