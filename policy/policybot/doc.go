// Package policybot converts policies of policy-bot (.policy.yml) to Countersign's.
//
// The two do not speak the same language, so a conversion says what became of
// everything that has no equal. What cannot be said is left out where that makes
// the policy stricter: a condition that is left out lets a rule apply to every
// change, a holder that is left out means fewer people who can approve, and of
// alternatives all are asked for. Where leaving something out makes the policy ask
// for less, the loss says so.
//
// A change to which no rule applies is held, there as here. So where no rule applies
// to every change, no entry may either: then a condition on files becomes the when of
// an entry instead of a protected path, and a condition that is left out asks for
// less, because changes pass that no rule was about.
//
// Some things are stricter without being said, because Countersign always has them
// so: an approval counts only on exactly what lands, a comment approves nothing,
// and nobody approves what they had a part in.
package policybot
