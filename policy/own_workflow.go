package policy

import (
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
func (s *subject) judgesItself(run change.Check) change.Result {
	if !ofActions(run) || run.Workflow != "" && s.guarded(run.Workflow) {
		return change.Result{}
	}
	files, known := s.facts.Files.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "files", "the touched files are not known, so perhaps the change decides what its own checks do"))
	}
	for _, path := range touchedPaths(files) {
		var out change.Result
		switch {
		case path == run.Workflow:
			out = say(change.Fail, "the change touches %s, which runs it, and no rule protects that file, so the check judges itself; "+
				"add the path to protected-paths in the policy, or leave the file as it is", change.Quote(path))
		case run.Workflow == "" && isWorkflow(path) && !s.guarded(path):
			out = say(change.Undetermined, "it is not known which workflow runs it, and the change touches %s, which no rule protects; "+
				"add the path to protected-paths in the policy", change.Quote(path))
		default:
			continue
		}
		out.Facts = []string{"files/" + path}
		return out
	}
	return change.Result{}
}

// decidedByChange says why the newest run of a check does not count, or nothing.
func (o checkpoint) decidedByChange(c RequiredCheck, run change.Check) change.Result {
	if o.itself == nil {
		return change.Result{}
	}
	out := o.itself(run)
	if out.Status != "" {
		out.Reason = change.Text(c.label()+" does not count: ") + out.Reason
	}
	return out
}

// touchedPaths returns the paths that files touch, in order.
func touchedPaths(files []change.File) []string {
	var paths []string
	for _, f := range files {
		paths = appendNew(appendNew(paths, f.Path), f.Previous)
	}
	return sorted(paths)
}

// guarded reports whether touching a path asks, by some rule that applies to the
// change, for the approval of somebody who is answerable for it. Whichever control
// demands such an approval judges it; this only says that one does.
func (s *subject) guarded(path string) bool {
	return slices.ContainsFunc(s.policy.applying(s.facts), func(r *ChangeRule) bool { return r.guards(path) })
}

// guards reports whether the rule asks for an approval of its own where a path is
// touched.
func (r *ChangeRule) guards(path string) bool {
	return slices.ContainsFunc(r.ProtectedPaths, func(entry ProtectedPaths) bool { return entry.matches(path) })
}
