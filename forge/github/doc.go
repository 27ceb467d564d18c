// Package github is the forge adapter for github.com and GitHub Enterprise
// Server. It has four verbs:
//
//   - Authenticate decides whether a webhook delivery is GitHub's, and Hint says
//     which changes it is about. Nothing else is believed of a delivery.
//   - Gather asks GitHub for everything a policy may rest on and returns it as a
//     plain value, together with the policy file of the protected branch.
//   - Answer asks what a policy needs beyond that, and nothing that it does not need:
//     who of the reviewers belongs to the teams and holds the permissions that it
//     names, who owns the touched paths, which merges only bring the change up to date
//     with its base, how often the runs behind the checks were started, and which
//     workflow runs were at work when an automation did something.
//   - Report shows a decision as a check run.
//
// # What is asked, and how
//
// One static GraphQL query (pull_request.graphql) is sent for each pull request
// and again for every further page, in which the connections that are already
// whole are left out. Beside it, at the same time, go the REST calls for what
// GraphQL lacks: who pushed (/activity), the trunk of a stack (pulls/{n}) and
// the rules of the branch. Which branch and which fork to ask about is guessed
// from the last answer or the last delivery; a wrong guess costs a second round
// and can cost nothing else, because every guess is compared with the answer.
//
// # What is believed
//
// A fact is known only when all of it was read. A connection that ends early, an
// entry that is null, an error that stands beside partial data in a successful
// GraphQL answer: each makes the fact absent, and Facts.Absent says why. A
// failure that may pass by itself (a rate limit, a bad gateway, an answer that
// lags behind) is an error instead, so that the caller comes back.
//
// Answers are decoded into small structs of this package. The client library's
// own types refuse a whole payload for one field of an unexpected shape, which
// anyone who may set a custom property could use to blind the gate.
//
// No URL from a delivery or an answer is ever called: paths are built on
// Config.BaseURL, and of a Link header only the cursor is taken.
package github
