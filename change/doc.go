// Package change holds the nouns of change management as plain values: a
// reference to a change, the facts a forge states about it, the decision a
// policy reaches over those facts, and the questions a policy still has.
//
// Everything here is data. Nothing reads a clock, a file or the network, and the
// values know no forge: GitHub and GitLab both gather into them. Their JSON form
// is the wire form of the evidence, so fields are added and never changed.
//
// Words:
//
//   - A change is one proposed or landed movement of a protected branch: a pull
//     request, a merge request, a merge group or a push.
//   - A fact is something the forge said at the moment Facts.GatheredAt. A fact
//     that was not gathered is absent, which is not the same as empty: see Fact.
//   - A person is a reference such as "p1" into Facts.People. Identities are kept
//     apart from everything that is said about people, so that an identity can
//     be withheld or erased while the facts and the decision stay whole.
//   - A result is one control's status over the facts. A decision is all of them.
package change
