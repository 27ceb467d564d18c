// Package gitlab looks change requests up among the issues of GitLab: one request for
// the issue and one for how its state moved.
//
// Who asked, and who entered the issue, is its author. GitLab tells a project that it
// does not show from an issue that is not there; only the latter is a missing issue.
// Whatever else is not a whole answer leaves the issue unknown, with a reason for the
// engineer in a *change.UnansweredError. The token goes to Config.BaseURL alone: a
// redirect, which a renamed project has, is followed only there.
package gitlab
