// Package gate owns the one path every change takes: gather, judge, record,
// report, in that order, for every door it comes in by.
//
// It promises:
//
//   - The facts are asked for afresh on every assessment; what woke it is only a
//     hint of which change to look at.
//   - A delivery that cannot have changed what a verdict rests on needs no assessment:
//     Urgency says so by what the last look at the change has shown of its policy, and
//     only while nothing speaks against it. No judgement rests on what is remembered.
//   - A change is assessed by one run at a time. Calls that arrive while a run is
//     going on share the next one.
//   - The record is durable before anything is shown. When recording fails,
//     nothing is shown and the assessment is an error, to be tried again.
//   - The same facts, policy and decision as last time are not recorded twice;
//     the verdict is shown all the same, because showing it may be what failed.
//   - A verdict is shown on a commit. Changes that share it share the verdict of the
//     one that is held back most.
//   - A linked request is looked up where its policy says. A tracker that does not
//     answer leaves it unknown, which blocks and is recorded; an answer serves for
//     seconds, and for a landing not at all.
//   - While a change cannot be looked at, a verdict that lets it through is taken
//     back.
//   - A change that has landed is judged once, by what our own records say stood
//     when it did.
//   - When trying again has come to an end, GiveUp records and shows that there is
//     no decision, which blocks.
package gate
