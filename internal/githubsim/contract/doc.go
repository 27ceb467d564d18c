// Package contract keeps the simulator honest. It checks every request and
// answer of a githubsim.Sim against GitHub's OpenAPI description, every GraphQL
// query and answer against GitHub's schema, and every webhook payload against
// GitHub's description of webhooks, as npm publishes them under @octokit.
//
// The descriptions are development dependencies, pinned in package-lock.json.
// Where they are not installed, Checked skips the test and says how to install
// them.
//
// # Exceptions
//
// GitHub's own answers differ from its descriptions in places. These are the
// differences that are let through, and no others:
//
//   - A refusal (4xx and 5xx) need not be listed for its operation; it must have
//     the shape basic-error.
//   - Trailing parameters such as {path}, {branch} and {basehead} may hold
//     slashes, which OpenAPI cannot say.
//   - The list of installations demands an account that is a user and an
//     enterprise at once; one of them is enough.
//   - Workflow runs are searched by a range of times, which the description of the
//     parameter says in words; its form demands a single time.
//   - Answers are checked for type, required fields and enumerations, not for
//     the formats of strings: the simulator's addresses are on the loopback
//     interface.
package contract
