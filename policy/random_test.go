package policy_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A dice makes facts that are random but near enough to real ones that every
// outcome of every control comes up.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 42))} }

// in reports true once in n throws.
func (d dice) in(n int) bool { return d.IntN(n) == 0 }

// pick returns one of the choices.
func pick[T any](d dice, choices ...T) T { return choices[d.IntN(len(choices))] }

// some returns up to n values, or none.
func some[T any](d dice, n int, one func() T) []T {
	list := []T{}
	for range d.IntN(n + 1) {
		list = append(list, one())
	}
	return list
}

// perhaps returns a known fact, and an absent one now and then.
func perhaps[T any](d dice, v T) change.Fact[T] {
	if d.in(25) {
		return change.Fact[T]{}
	}
	return change.Known(v)
}

// start is when every random history begins.
func start() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

func (d dice) moment() time.Time { return start().Add(time.Duration(d.IntN(20)) * time.Minute) }

// people returns eight identities; most are humans, and some share p1's or p2's
// human.
func (d dice) people() change.People {
	people := change.People{}
	for i := 1; i <= 8; i++ {
		id := change.Identity{Kind: change.Human, Account: change.NewAccountID(change.GitHub, int64(100+i)), Login: fmt.Sprintf("login%d", i)}
		if d.in(12) {
			id.Kind = pick(d, change.Bot, change.App, change.Unknown, change.ActorKind(""))
		}
		if i > 2 && d.in(6) {
			id.SameAs = pick(d, change.Person("p1"), change.Person("p2"))
		}
		people[change.Person(fmt.Sprintf("p%d", i))] = id
	}
	return people
}

// maker returns somebody who works on the change, reviewer somebody who mostly
// does not.
func (d dice) maker() change.Person {
	if d.in(80) {
		return ""
	}
	return pick(d, change.Person("p1"), "p1", "p1", "p2", "p3")
}

func (d dice) reviewer() change.Person {
	return pick(d, change.Person("p4"), "p5", "p6", "p7", "p8", "p3", "p1")
}

func (d dice) head() change.SHA { return pick(d, commitID(1), commitID(1), commitID(1), commitID(2)) }

// commits returns up to four, the first of which is the head mostly. One of them is
// there twice or missing now and then.
func (d dice) commits() []change.Commit {
	list := []change.Commit{}
	for n := range d.IntN(5) {
		list = append(list, d.commit(pick(d, n, n, n, n, d.IntN(4))+1))
	}
	return list
}

func (d dice) commit(n int) change.Commit {
	c := change.Commit{SHA: commitID(n), Tree: pick(d, treeID(n), treeID(1)), Parents: d.parents(n), Author: d.maker(), Committed: d.moment()}
	if c.ByForge = d.in(3); !c.ByForge {
		c.Committer = d.maker()
	}
	if d.in(4) {
		c.CoAuthors = some(d, 3, d.maker)
	}
	c.Signature = d.signature(c)
	return c
}

// signature returns what is said of a commit's: mostly that whoever made it signed.
func (d dice) signature(c change.Commit) change.Fact[change.Signature] {
	s := change.Signature{Signed: true, Valid: true, State: "VALID", Signer: pick(d, c.Author, c.Author, c.Author, c.Committer)}
	switch {
	case c.ByForge:
		s.Signer = ""
	case d.in(10):
		s.Signer = d.maker()
	case d.in(10):
		s = change.Signature{Signed: true, State: pick(d, "UNKNOWN_KEY", "EXPIRED_KEY", "")}
	case d.in(10):
		s = change.Signature{}
	}
	return perhaps(d, s)
}

// update puts a merge of the base on top of what was reviewed.
func (d dice) update(f *change.Facts) {
	first, merge := d.commit(2), d.commit(1)
	first.Parents, merge.Parents = []change.SHA{commitID(89)}, []change.SHA{commitID(2), commitID(90)}
	f.Commits = change.Known([]change.Commit{merge, first})
	for i := range f.Reviews.Or(nil) {
		f.Reviews.Or(nil)[i].Commit = pick(d, commitID(2), commitID(2), commitID(1))
	}
}

// updates returns what is said of the merges that parents makes: mostly that they are
// pure.
func (d dice) updates() []change.Update {
	list := []change.Update{}
	for n := 1; n <= 4; n++ {
		u := change.Update{Commit: commitID(n), From: commitID(n + 1), Base: commitID(90), Pure: !d.in(6)}
		if d.in(10) {
			u.Base = commitID(3)
		}
		for range pick(d, 1, 1, 1, 1, 1, 1, 0, 2) {
			list = append(list, u)
		}
	}
	return list
}

// ownership gives most of the touched paths to somebody.
func (d dice) ownership(files []change.File) change.Ownership {
	o := change.Ownership{File: "CODEOWNERS", Commit: commitID(90), Paths: []change.OwnedPath{}}
	for _, f := range files {
		p := change.OwnedPath{Path: f.Path, Line: 1 + d.IntN(9)}
		if !d.in(5) {
			p.People = some(d, 5, func() change.Person { return pick(d, d.reviewer(), d.reviewer(), d.reviewer(), d.maker()) })
			p.Teams = some(d, 2, func() change.Selector { return pick(d, change.Selector("team:acme/engineers"), "team:acme/platform") })
		}
		if !d.in(20) {
			o.Paths = append(o.Paths, p)
		}
	}
	if d.in(25) {
		o.Problems = []string{"line 1: it cannot be read", "line 2: neither can this"}
	}
	return o
}

// parents returns those of the n-th commit: mostly the next one, so that commit 1
// comes last, and now and then none, another or two.
func (d dice) parents(n int) []change.SHA {
	next := commitID(n + 1)
	merge := []change.SHA{next, commitID(90)}
	return pick(d, []change.SHA{next}, []change.SHA{next}, []change.SHA{next}, merge, merge, merge, []change.SHA{d.head()}, []change.SHA{})
}

func (d dice) review() change.Review {
	r := change.Review{
		ID: int64(80 + d.IntN(10)), By: d.reviewer(), At: d.moment(), Commit: d.head(),
		State: pick(d, change.Approved, change.Approved, change.Approved, change.ChangesRequested, change.Commented, change.Dismissed),
	}
	if d.in(6) {
		r.Tree = treeID(1)
	}
	r.CanPush = perhaps(d, !d.in(6))
	if r.State == change.Dismissed && !d.in(8) {
		r.Dismissal = &change.Dismissal{
			By: pick(d, d.maker(), d.reviewer()), At: r.At.Add(time.Minute),
			Was: pick(d, change.Approved, change.ChangesRequested, change.Commented, ""),
		}
	}
	return r
}

func (d dice) check() change.Check {
	c := change.Check{
		ID: int64(5 + d.IntN(6)), Name: pick(d, "test", "test", "lint"), Source: pick(d, change.CheckRun, change.CheckRun, change.CommitStatus),
		App: pick(d, "github-actions", "github-actions", "other"), Commit: d.head(), Attempt: d.IntN(3),
		Status: pick(d, "completed", "completed", "completed", "queued"), Started: d.moment(),
	}
	if c.Status == "completed" {
		c.Conclusion = pick(d, "success", "success", "success", "failure", "skipped")
		c.Completed = c.Started
	}
	return c
}

func (d dice) event() change.Event {
	return change.Event{
		Kind: pick(d, change.HeadForcePushed, change.Labeled, change.Renamed, change.BaseChanged, change.BaseForcePushed, change.Merged),
		By:   d.maker(), At: start().Add(time.Duration(d.IntN(6)) * time.Minute), After: string(d.head()),
	}
}

// memberships answers for every reviewer, with a gap or a contradiction now and
// then.
func (d dice) memberships() []change.Membership {
	list := []change.Membership{}
	for i := 1; i <= 8; i++ {
		for _, s := range []change.Selector{"team:acme/engineers", "team:acme/platform", "permission:maintain"} {
			for range pick(d, 1, 1, 1, 1, 1, 1, 0, 2) {
				list = append(list, change.Membership{Selector: s, Person: change.Person(fmt.Sprintf("p%d", i)), Member: !d.in(3)})
			}
		}
	}
	return list
}

// facts returns random facts of a pull request, a push or a merge group.
func (d dice) facts() change.Facts {
	f := change.Facts{
		Ref:        change.Ref{Repository: change.Repository{Forge: change.GitHub, Host: "github.com", ID: 1, Name: "acme/shop"}, Kind: change.PullRequest, Number: 42},
		GatheredAt: start().Add(time.Hour), People: d.people(), Title: "a change",
	}
	f.Opener = perhaps(d, d.maker())
	f.Head = perhaps(d, change.Head{Branch: "topic", Commit: commitID(1), Tree: treeID(1)})
	f.Base = perhaps(d, change.Base{Branch: "main", Target: pick(d, "main", "main", "release/1")})
	f.Commits = perhaps(d, d.commits())
	f.Pushes = perhaps(d, some(d, 4, func() change.BranchPush { return change.BranchPush{By: d.maker(), After: d.head(), At: d.moment()} }))
	f.Files = perhaps(d, some(d, 3, func() change.File {
		return change.File{Path: pick(d, "a.go", "b.go", "CODEOWNERS", "x/CODEOWNERS", "deploy/x.yml"), Status: "modified"}
	}))
	f.Reviews = perhaps(d, some(d, 6, d.review))
	f.Checks = perhaps(d, some(d, 5, d.check))
	f.Requests = perhaps(d, some(d, 3, func() change.Request {
		return change.Request{Key: pick(d, "SHOP-1", "SHOP-2", "other"), Found: pick(d, "title", "branch")}
	}))
	f.Timeline = perhaps(d, some(d, 3, d.event))
	if d.in(3) {
		d.update(&f)
	}
	f.Members = perhaps(d, d.memberships())
	f.Owners = perhaps(d, d.ownership(f.Files.Or(nil)))
	f.Updates = perhaps(d, d.updates())
	f.Labels = perhaps(d, some(d, 2, func() string { return pick(d, "a", "b") }))
	f.Enforced = perhaps(d, change.Enforcement{Rules: some(d, 2, func() change.Rule { return change.Rule{Type: pick(d, "pull_request", "deletion", "merge_queue")} })})
	f.Landing = perhaps(d, d.landing())
	f.Shown = perhaps(d, change.Shown{ID: int64(pick(d, 7, 7, 7, 0)), Branch: pick(d, "", "main", "main", "release/1"), Commit: d.head(), Status: "completed", Conclusion: pick(d, "success", "success", "failure"), Completed: d.moment()})
	switch {
	case d.in(6):
		f.Ref.Kind, f.Ref.Branch, f.Ref.Commit = change.Push, "main", commitID(9)
	case d.in(6):
		f.Ref.Kind, f.Ref.Branch, f.Ref.Commit = change.MergeGroup, "main", commitID(1)
		f.Group = perhaps(d, change.Group{Members: some(d, 3, d.member), Unexplained: pick(d, nil, nil, []change.SHA{commitID(7), commitID(8)})})
	}
	return f
}

func (d dice) landing() change.Landing {
	if d.in(2) {
		return change.Landing{}
	}
	return change.Landing{
		Landed: true, By: d.maker(), At: start().Add(time.Duration(10+d.IntN(12)) * time.Minute), Commit: commitID(9),
		How:    pick(d, change.Squash, change.MergeCommit, change.Rebase, change.MergeQueue, change.DirectPush, change.ForcePush, change.Creation, ""),
		Branch: pick(d, "main", "main", "release/1"), Explained: pick(d, nil, []int{41, 42}), Reachable: pick(d, "", "", "main", "dev"),
	}
}

func (d dice) member() change.Member {
	m := change.Member{Ref: change.Ref{Kind: change.PullRequest, Number: 1 + d.IntN(3)}}
	for _, id := range []string{"peer-review", "segregation-of-duties", "required-checks", "linked-request", "protected-paths", "code-owners", "signed-commits", "no-bypass"} {
		if !d.in(30) {
			m.Results = append(m.Results, change.Result{Control: id, Status: pick(d, change.Pass, change.Pass, change.Pass, change.Pending, change.NotApplicable), Reason: pick(d, change.Text("one"), "two")})
		}
	}
	return m
}

// shuffled returns the facts with every list in another order. The lists of f are
// not changed.
func (d dice) shuffled(f change.Facts) change.Facts {
	f.Commits = mix(d, f.Commits)
	f.Pushes, f.Files, f.Reviews, f.Checks = mix(d, f.Pushes), mix(d, f.Files), mix(d, f.Reviews), mix(d, f.Checks)
	f.Labels, f.Requests, f.Timeline, f.Members = mix(d, f.Labels), mix(d, f.Requests), mix(d, f.Timeline), mix(d, f.Members)
	f.Updates = mix(d, f.Updates)
	if o, known := f.Owners.Get(); known {
		o.Paths, o.Problems = mixed(d, o.Paths), mixed(d, o.Problems)
		for i := range o.Paths {
			o.Paths[i].Teams, o.Paths[i].People = mixed(d, o.Paths[i].Teams), mixed(d, o.Paths[i].People)
		}
		f.Owners = change.Known(o)
	}
	if commits, known := f.Commits.Get(); known {
		for i := range commits {
			commits[i].CoAuthors = mixed(d, commits[i].CoAuthors)
		}
	}
	if e, known := f.Enforced.Get(); known {
		f.Enforced = change.Known(change.Enforcement{Rules: mixed(d, e.Rules)})
	}
	if l, known := f.Landing.Get(); known {
		l.Explained = mixed(d, l.Explained)
		f.Landing = change.Known(l)
	}
	if g, known := f.Group.Get(); known {
		g.Members, g.Unexplained = mixed(d, g.Members), mixed(d, g.Unexplained)
		for i := range g.Members {
			g.Members[i].Results = mixed(d, g.Members[i].Results)
		}
		f.Group = change.Known(g)
	}
	return f
}

func mix[T any](d dice, f change.Fact[[]T]) change.Fact[[]T] {
	list, known := f.Get()
	if !known {
		return f
	}
	return change.Known(mixed(d, list))
}

func mixed[T any](d dice, list []T) []T {
	out := append([]T(nil), list...)
	d.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
