package expression

import (
	"time"

	"cel.dev/cel-go/cel"

	"github.com/countersign-dev/countersign/change"
)

// A File is one touched path.
type File struct {
	Path     string `cel:"path"`
	Previous string `cel:"previous"` // the old path of a rename or copy, or ""
	Status   string `cel:"status"`   // added, modified, removed, renamed, copied or changed
}

// A Person stands for a human or an automation. ID tells two of them apart and means
// nothing else: all accounts of one human have the same, and it differs from change
// to change.
type Person struct {
	ID   string `cel:"id"`
	Kind string `cel:"kind"` // human, bot, app or unknown
}

// A Commit is one commit of a change.
type Commit struct {
	SHA     string `cel:"sha"`
	Author  Person `cel:"author"`
	Parents int64  `cel:"parents"` // how many; two or more for a merge
}

// A Check is the newest run of one check on the head. What any writer could post, a
// commit status, is not among them.
type Check struct {
	App        string `cel:"app"` // the slug of the application that ran it, or its numeric id
	Name       string `cel:"name"`
	Status     string `cel:"status"`     // queued, in_progress or completed
	Conclusion string `cel:"conclusion"` // such as success; "" until it is completed
}

// A Change is what expressions may know of a change. A field that is absent is
// unknown to them, and so is every answer that rests on it.
type Change struct {
	Kind       change.Fact[string] // as change.Kind
	Repository change.Fact[string] // owner and name
	Title      change.Fact[string]

	Target   change.Fact[string] // the protected branch that it lands on
	Branch   change.Fact[string] // the branch that it comes from
	FromFork change.Fact[bool]
	Draft    change.Fact[bool]
	Opened   change.Fact[time.Time]
	Landed   change.Fact[bool]
	LandedAt change.Fact[time.Time] // absent for a change that has not landed
	LandedBy change.Fact[string]    // how, as change.Landing says; "" when it has not landed

	Opener    change.Fact[Person]
	Makers    change.Fact[[]Person] // everybody who had a hand in it
	Approvers change.Fact[[]Person] // those who may write and whose approval counts, whatever their roles
	Commits   change.Fact[[]Commit]
	Files     change.Fact[[]File]
	Labels    change.Fact[[]string]
	Requests  change.Fact[[]string] // keys of the linked change requests
	Checks    change.Fact[[]Check]
	Class     change.Fact[string]
}

// A Variable is one name that expressions may use.
type Variable struct {
	Name string // such as "change.title"
	Doc  string // what it means, in a sentence

	kind *cel.Type
	size uint64   // the most characters or elements that are reckoned with; 0 for what has no size
	each []string // what its elements hold, in the words of CEL's cost model, and
	of   uint64   // the most characters of each of them
	get  func(Change) (any, bool)
}

// Type returns the CEL type of the variable, such as "list(string)".
func (v Variable) Type() string { return cel.FormatCELType(v.kind) }

// className is the variable that classes themselves cannot use.
const className = "change.class"

// LabelsVariable is the variable for the labels that count.
const LabelsVariable = "change.labels"

// Sizes that expressions are reckoned with: of GitHub's own bounds, or of what a
// large change has where there is none. A change beyond them meets the limit that
// an evaluation has anyway.
const (
	mostFiles   = 3000
	mostCommits = 1000
	mostPeople  = 100
	mostLabels  = 100
	mostNamed   = 200 // requests and checks
	longestName = 256 // a title, a branch, a path
	longestWord = 64
)

// Variables returns every name that expressions may use.
func Variables() []Variable {
	file, commit, person, check := object("File"), object("Commit"), object("Person"), object("Check")
	return []Variable{
		text("change.kind", "What sort of change it is: pull_request, merge_request, merge_group or push.", longestWord, func(c Change) (string, bool) { return c.Kind.Get() }),
		text("change.repository", "The repository's owner and name, such as acme/shop.", longestName, func(c Change) (string, bool) { return c.Repository.Get() }),
		text("change.title", "The title; on a change that has landed, the one it had when it did.", longestName, func(c Change) (string, bool) { return c.Title.Get() }),
		text("change.target", "The protected branch that the change lands on.", longestName, func(c Change) (string, bool) { return c.Target.Get() }),
		text("change.branch", "The branch that the change comes from.", longestName, func(c Change) (string, bool) { return c.Branch.Get() }),
		text("change.class", "The class of the change by the policy's classes; empty when it has none. Not for a class's own when.", longestWord, func(c Change) (string, bool) { return c.Class.Get() }),
		text("change.landed_by", "How the change landed, such as merge_commit, squash, rebase or merge_queue; empty when it has not.", longestWord, func(c Change) (string, bool) { return c.LandedBy.Get() }),
		plain("change.landed", "Whether the change has landed.", cel.BoolType, func(c Change) (bool, bool) { return c.Landed.Get() }),
		plain("change.landed_at", "When the change landed; unknown until it has.", cel.TimestampType, func(c Change) (time.Time, bool) { return c.LandedAt.Get() }),
		plain("change.opened", "When the change was opened.", cel.TimestampType, func(c Change) (time.Time, bool) { return c.Opened.Get() }),
		plain("change.draft", "Whether the change is a draft.", cel.BoolType, func(c Change) (bool, bool) { return c.Draft.Get() }),
		plain("change.from_fork", "Whether the change comes from another repository.", cel.BoolType, func(c Change) (bool, bool) { return c.FromFork.Get() }),
		list("change.files", "The touched files. A rename stands as two of them: the new path, and the old one as removed.", file, mostFiles, []string{"path", "previous"}, longestName, func(c Change) ([]File, bool) { return c.Files.Get() }),
		list("change.commits", "The commits, in no order.", commit, mostCommits, []string{"sha"}, longestWord, func(c Change) ([]Commit, bool) { return c.Commits.Get() }),
		list(LabelsVariable, "The labels that count: a human who made no part of the change set each of them last, after the last push. On a change that has landed, those it had when it did. A label that the expression names in quotes matches whatever its case.", cel.StringType, mostLabels, nil, longestWord, func(c Change) ([]string, bool) { return c.Labels.Get() }),
		list("change.requests", "The keys of the linked change requests.", cel.StringType, mostNamed, nil, longestName, func(c Change) ([]string, bool) { return c.Requests.Get() }),
		list("change.makers", "Everybody who had a hand in the change.", person, mostPeople, []string{"id", "kind"}, longestWord, func(c Change) ([]Person, bool) { return c.Makers.Get() }),
		list("change.approvers", "Everybody who may write to the repository and whose approval counts, whatever their roles.", person, mostPeople, []string{"id", "kind"}, longestWord, func(c Change) ([]Person, bool) { return c.Approvers.Get() }),
		plain("change.opener", "Who opened the change.", person, func(c Change) (Person, bool) { return c.Opener.Get() }),
		list("change.checks", "The newest run of every check on the head; of several workflows with a check of that name, one that did not succeed; on a change that has landed, as it stood then. A success of a workflow that the change itself touches has the conclusion untrusted.", check, mostNamed, []string{"app", "name"}, longestName, func(c Change) ([]Check, bool) { return c.Checks.Get() }),
	}
}

// object returns the CEL type of a Go struct of this package.
func object(name string) *cel.Type { return cel.ObjectType("expression." + name) }

func text(name, doc string, size uint64, get func(Change) (string, bool)) Variable {
	v := plain(name, doc, cel.StringType, get)
	v.size = size
	return v
}

func plain[T any](name, doc string, kind *cel.Type, get func(Change) (T, bool)) Variable {
	return Variable{Name: name, Doc: doc, kind: kind, get: func(c Change) (any, bool) { return get(c) }}
}

func list[T any](name, doc string, of *cel.Type, size uint64, each []string, longest uint64, get func(Change) ([]T, bool)) Variable {
	v := plain(name, doc, cel.ListType(of), get)
	v.size, v.each, v.of = size, each, longest
	return v
}
