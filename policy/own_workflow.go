package policy

import (
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// The application that runs every workflow of GitHub Actions, by its slug and its
// numeric id on github.com.
const (
	actionsApp   = "github-actions"
	actionsAppID = 15368
)

// ofActions reports whether a run is a job of a workflow.
func ofActions(run change.Check) bool {
	return run.Workflow != "" || run.App == actionsApp || run.AppID == actionsAppID
}

// judgesItself says why a run of a check does not count: the change touches the
// workflow file that ran it, and so decides itself what the check does. It counts
// where the file is guarded, because then somebody else has to approve what the
// change makes of it. A rename touches the old path too. Workflows and actions that
// the file calls are not told by the forge; a policy protects them by their paths.
func (o checkpoint) judgesItself(c RequiredCheck, run change.Check) change.Result {
	if !o.proposed || !ofActions(run) || run.Workflow != "" && o.guarded(c, run.Workflow) {
		return change.Result{}
	}
	files, known := o.facts.Files.Get()
	if !known {
		return c.doesNotCount(change.Undetermined, "%s", absent(o.facts, "files", "the touched files are not known, so perhaps the change decides what its own checks do"))
	}
	for _, path := range touchedPaths(files) {
		var out change.Result
		switch {
		case path == run.Workflow:
			out = c.doesNotCount(change.Fail, "the change touches %s, which runs it, and no rule protects that file, so the check judges itself; "+
				"add the path to protected-paths in the policy, or leave the file as it is", change.Quote(path))
		case run.Workflow == "" && isWorkflow(path) && !o.guarded(c, path):
			out = c.doesNotCount(change.Undetermined, "it is not known which workflow runs it, and the change touches %s, which no rule protects; "+
				"add the path to protected-paths in the policy", change.Quote(path))
		default:
			continue
		}
		out.Facts = []string{"files/" + path}
		return out
	}
	return change.Result{}
}

// doesNotCount is say for a check that ended in a way that passes, and why it does
// not count.
func (c RequiredCheck) doesNotCount(s change.Status, format string, args ...any) change.Result {
	return say(s, "%s does not count: %s", c.label(), fmt.Sprintf(format, args...))
}

// touchedPaths returns the paths that files touch, in order.
func touchedPaths(files []change.File) []string {
	var paths []string
	for _, f := range files {
		paths = append(paths, touchedBy(f)...)
	}
	return sorted(paths)
}

// touchedBy returns the paths that one file touches. A rename touches the old path
// too: moving a file away is a change to it. A copy leaves its source as it was.
func touchedBy(f change.File) []string {
	if f.Previous == "" || f.Status == copied {
		return []string{f.Path}
	}
	return []string{f.Path, f.Previous}
}

// copied is the status of a file that was made from another one.
const copied = "copied"

// guarded reports whether touching a path asks, by one of the rules that the check
// relies on, for the approval of somebody who is answerable for it. Whichever
// control demands that approval judges it; this only says that one does.
func (o checkpoint) guarded(c RequiredCheck, path string) bool {
	return slices.ContainsFunc(c.guards, func(r *ChangeRule) bool { return r.guards(path) || r.CodeOwners.guards(o.facts, path) })
}

// guards reports whether the rule asks for an approval in a role of its own where a
// path is touched.
func (r *ChangeRule) guards(path string) bool {
	return slices.ContainsFunc(r.ProtectedPaths, func(entry ProtectedPaths) bool { return entry.matches(path) })
}

// guards reports whether a rule asks for the approval of an owner of a path, as far as
// the facts tell. A path that has to have an owner is held back while it has none.
func (o *CodeOwners) guards(f change.Facts, path string) bool {
	if o == nil {
		return false
	}
	owners, _ := f.Owners.Get()
	return o.Unowned == Deny || slices.ContainsFunc(owners.Paths, func(p change.OwnedPath) bool {
		return p.Path == path && len(p.Teams)+len(p.People) > 0
	})
}
