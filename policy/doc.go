// Package policy parses a change-management policy, says which facts it needs,
// and judges a change by it.
//
// Everything here is pure: a policy is made from text, a decision from facts, and
// nothing reads a file, a clock or the network. So a policy can be tried on
// invented facts, and a recorded decision can be reached again, byte for byte,
// from the recorded facts and the recorded policy text.
//
// Words:
//
//   - A rule is one entry of the policy's changes: branches, and what is asked of
//     a change to them. Every rule that names the target branch applies.
//   - A control is one question with a stable id, such as "peer-review". Each
//     configured control is always evaluated, so that a decision lists all that
//     is missing, not only the first thing.
//   - The makers of a change are all who had a hand in it: see [Policy.Evaluate].
//   - An approval counts when a human outside the makers gave it, it is that
//     human's last word, and it is of the very head (or tree) and base that land.
//
// Promises:
//
//   - [Judge] is total. A missing or unreadable policy gives a decision too, one
//     that blocks and says why.
//   - The order of lists in the facts never matters.
//   - An absent fact never helps a change: a control that meets one is unknown.
//   - Of an identity only its kind and its alias are looked at, so that identities
//     can be withheld from a record and the judgement stays the same.
package policy
