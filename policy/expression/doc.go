// Package expression compiles and evaluates the expressions of a policy: the when of
// a rule or a class, and assertions. They are written in CEL, the Common Expression
// Language (https://cel.dev), and come to true or false.
//
// # The environment
//
// An expression sees one change through the names that [Variables] lists, such as
// change.title, and through nothing else. There is no clock, no person's name and
// no account in it. It may use:
//
//   - the standard library and macros of CEL (all, exists, exists_one, map, filter),
//     without the functions that take a time zone, since times are read in UTC, and
//     without dyn, type and objects
//   - CEL's extension libraries strings (version 5), lists (version 3) and sets,
//     without what makes large things out of small ones: format, replace, join,
//     strings.quote, lists.range and flatten
//
// The libraries stand at fixed versions, and so does the cost model, because a
// recorded decision must be reached again by any later version of this program. A
// new name or a new function may be added, with a meaning of its own. Whatever would
// change what an expression of today comes to needs a new version of the policy's
// form. The golden file testdata/environment.txt holds every name and function.
//
// # Promises
//
//   - What is absent is unknown, never empty. An expression whose answer does not
//     depend on it is decided all the same: change.draft || change.title == "" is
//     true of a draft whose title is not known.
//   - An error, such as an index that is out of bounds, is no answer.
//   - The answer does not depend on the order of anything: lists are sorted, and the
//     keys of a map, which have no order, cannot be gone through.
//   - The work is bounded: an expression that could take more than [MaxCost] on a
//     large change is not compiled, and one that does so all the same is stopped. A
//     regular expression stands in quotes, and costs by its program and by the text.
//     All evaluations on one change share a [Budget].
package expression
