// Package evidence keeps the records of change decisions so that somebody who
// distrusts their keeper can check them, offline and with tools they have.
//
// # What is written
//
// A record is an in-toto Statement v1 with the predicate ChangeRecord, in a DSSE
// envelope with one ECDSA P-256 signature. Its name is its digest: the SHA-256
// of the envelope's pre-authentication encoding (PAE), in hexadecimal. The
// statement holds the facts of a change, the text of the policy and the
// judgement of the one over the other, so the judgement can be performed again.
//
// Under the directory of a Ledger:
//
//	keys/record.pub                    the public key of the records, PKIX PEM
//	keys/log.pub                       the public key of the log, a C2SP note verifier key
//	log/                               the transparency log, C2SP tlog-tiles, kept by Tessera
//	log/.state/                        Tessera's own state; a copy without it is no backup
//	records/ab/<digest>.dsse.json      the envelopes, by the first two digits of their digest
//	disclosures/ab/<digest>.json       who the people of that record are
//	records/.staged/, disclosures/.staged/
//	                                   both of records that are being written
//	index.sqlite                       what the ledger asks often; rebuilt from the above
//	LOCK                               held while a Ledger is open
//
// A leaf of the log is a Rekor v2 hashedrekord 0.0.2 body: digest, signature and
// public key of one record. The log therefore holds no personal data, and stock
// Sigstore verifiers accept its inclusion proofs.
//
// # Chains
//
// The records of one protected branch form a chain. Each carries its number in
// the chain, counted from 1, the digest of the record before it, and where the
// branch stood before and after. A change whose target branch is not known goes
// into the chain UnknownRef of its repository.
//
// # People
//
// Inside a statement a person is a reference such as "p1". Under people stand
// the person's kind and a salted digest; the disclosure that opens the digest,
// formed as in RFC 9901, is kept beside the signed bytes. Deleting a disclosure
// erases the person and leaves every proof whole. Signed bytes hold personal
// data in these places only, which are texts of the people themselves: the title
// of a change, branch, label and file names, the name of the repository, and the
// text of the policy. A policy that names an account ("user:github:583231") also
// leaves the answer whether p1 is that account among the facts.
//
// # Crashes
//
// Records that wait at the same time are written as a group. The disclosures and
// envelopes of all are made durable first, in staging; then the leaves, in the order
// of their chains; then the rows of the index; then the bodies are moved to their
// places. A crash leaves nothing, or bodies in staging that no leaf names, which
// are removed when the ledger is opened, or whole records, whose rows are written
// and whose bodies are moved then. A reader looks for a body in its place and in
// staging.
//
// What a verifier cannot see from the files alone is that the newest records are
// gone together with every trace of them. For that the verifier keeps a
// checkpoint from an earlier visit: see Options.Checkpoint.
package evidence
