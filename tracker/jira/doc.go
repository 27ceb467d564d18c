// Package jira looks change requests up in Jira Cloud, by version 3 of its REST API.
//
// # What is asked
//
// One request, GET /rest/api/3/issue/{key} with the few fields that are looked at and
// the history; further pages of a long history; and, where Jira says that there is no
// such issue, whether it knows us at all. To somebody it does not know Jira says so of
// every issue.
//
// # What is believed
//
// Who asked is the reporter, who entered it its creator, both by their
// Atlassian account. An issue is closed when it has a resolution, or a status of the
// category "done". The key that is answered may be another than the one that was
// asked: issues move between projects.
//
// Whatever is not a whole answer leaves the issue unknown, with a reason for the
// engineer in a *change.UnansweredError. Credentials go to Config.BaseURL and
// Config.TokenURL alone: no redirect is followed, and no address from an answer is
// called.
package jira
