package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// The types that a statement of ours names.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	ChangeRecord  = "https://countersign.dev/attestation/change-record/v1"
	PayloadType   = "application/vnd.in-toto+json"
)

// MaxPayload bounds a statement, in bytes: the largest facts, and as much again
// for the judgement and what is derived from both.
const MaxPayload = 2 * change.MaxFacts

// A Statement is an in-toto Statement v1 about one change.
type Statement struct {
	Type          string    `json:"_type"`
	Subject       []Subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     Predicate `json:"predicate"`
}

// A Subject is what a statement is about, an in-toto ResourceDescriptor. The
// digest of a commit stands under gitCommit and, for a SHA-1 repository, again
// under sha1, because verifiers ask for either.
type Subject struct {
	Name        string              `json:"name"`
	URI         string              `json:"uri,omitempty"`
	Digest      map[string]string   `json:"digest"`
	Annotations map[string][]string `json:"annotations,omitempty"`
}

// A Predicate is the content of a change record. RecordID, Sequence, Times,
// Policy, Facts and Judgement are stated; everything else is derived from them
// and stands there for readers who do not perform the judgement again.
//
// The form is frozen: a field is only ever added, and left out when it is empty,
// so that older records keep their bytes.
type Predicate struct {
	RecordID       string          `json:"recordId"` // ULID
	Sequence       Sequence        `json:"sequence"`
	Change         Changed         `json:"change"`
	People         change.People   `json:"people"`
	Roles          Roles           `json:"roles"`
	Approvals      []Approval      `json:"approvals"`
	Checks         []CheckRun      `json:"checks"`
	MergeTransform *MergeTransform `json:"mergeTransform,omitempty"`
	ReviewCoverage ReviewCoverage  `json:"reviewCoverage"`
	Enforcement    Enforcement     `json:"enforcement"`
	Controls       []Control       `json:"controls"`
	Policy         Policy          `json:"policy"`
	Exception      *struct{}       `json:"exception"` // always null in this version
	Decision       change.Verdict  `json:"decision"`
	Outcome        change.Status   `json:"outcome"`
	Evidence       []struct{}      `json:"evidence"` // always empty in this version
	Times          Times           `json:"times"`
	Facts          change.Facts    `json:"facts"`     // canonical, people withheld
	Judgement      change.Decision `json:"judgement"` // of Facts by Policy
}

// A Sequence is the place of a record in its chain.
type Sequence struct {
	Ref    string            `json:"ref"` // such as "refs/heads/main", or UnknownRef
	N      uint64            `json:"n"`   // from 1
	Prev   map[string]string `json:"prev,omitempty"`
	Before change.SHA        `json:"before"` // where the branch stood; empty when it did not exist or is not known
	After  change.SHA        `json:"after"`  // where it stood then; the same as Before when the change has not landed
}

// UnknownRef names the chain of the changes whose target branch is not known.
const UnknownRef = "refs/countersign/unknown"

// A Changed names the change.
type Changed struct {
	Forge      change.Forge     `json:"forge"`
	Host       string           `json:"host"`
	RepoID     int64            `json:"repoId"`
	Repository string           `json:"repository"` // as it was called then
	Kind       string           `json:"kind"`       // pull_request, merge_request, merge_group, or how a push moved the branch: direct_push, force_push, …
	Number     int              `json:"number,omitempty"`
	Title      string           `json:"title,omitempty"`
	URL        string           `json:"url,omitempty"`
	Tickets    []change.Request `json:"tickets"`
}

// Roles says who did what.
type Roles struct {
	Requester     change.Person   `json:"requester,omitempty"`
	CommitAuthors []change.Person `json:"commitAuthors"`
	LastPusher    change.Person   `json:"lastPusher,omitempty"`
	Merger        change.Person   `json:"merger,omitempty"`
}

// An Object is a git object by its digest.
type Object struct {
	Digest map[string]string `json:"digest"`
}

// An Approval is one review that approves or once did, or that asks for changes.
type Approval struct {
	ID          int64         `json:"id"`
	By          change.Person `json:"by"`
	State       string        `json:"state"` // APPROVED, CHANGES_REQUESTED or DISMISSED
	SubmittedAt time.Time     `json:"submittedAt"`
	OverCommit  change.SHA    `json:"overCommit,omitempty"`
	OverTree    *Object       `json:"overTree,omitempty"`
	Dismissed   *Dismissed    `json:"dismissed"`
	Counted     bool          `json:"counted"` // whether the peer-review control rests on it
	Reason      string        `json:"reason"`  // why it was not counted
}

// A Dismissed says who took an approval out of force, and when.
type Dismissed struct {
	By change.Person `json:"by,omitempty"`
	At time.Time     `json:"at,omitzero"`
}

// A CheckRun is one check on one commit.
type CheckRun struct {
	Name       string     `json:"name"`
	AppID      int64      `json:"appId,omitempty"`
	Source     string     `json:"source"`
	OverCommit change.SHA `json:"overCommit"`
	Status     string     `json:"status"`
	Conclusion string     `json:"conclusion,omitempty"`
}

// A MergeTransform says how the reviewed head became the landed commit. It holds
// what the forge stated; nothing in it was computed again.
type MergeTransform struct {
	Kind         string  `json:"kind"` // identity, squash, rebase or mergeCommit
	ReviewedHead *Object `json:"reviewedHead,omitempty"`
	BaseAtMerge  *Object `json:"baseAtMerge,omitempty"`
}

// A ReviewCoverage says whether what landed is what was reviewed: identity when
// the landed tree is the tree of every counted approval, otherwise unverifiable.
type ReviewCoverage struct {
	Result string `json:"result"`
}

// Enforcement is what the forge itself enforced on the branch.
type Enforcement struct {
	Mode          string               `json:"mode"` // blocking, observed, or unknown when the rules could not be read
	RulesetDigest map[string]string    `json:"rulesetDigest,omitempty"`
	BypassActors  []change.BypassActor `json:"bypassActors"` // null when they could not be read
	BypassUsed    *bool                `json:"bypassUsed"`   // null when no control could tell
}

// A Control is one control's result.
type Control struct {
	ID         string              `json:"id"`
	Result     change.Status       `json:"result"`
	Frameworks map[string][]string `json:"frameworks,omitempty"`
	Why        change.Text         `json:"why"`
}

// A Policy is the policy that judged: its text, its digest and where it was read.
type Policy struct {
	Found  bool              `json:"found"`
	URI    string            `json:"uri"`
	Path   string            `json:"path"`
	Commit change.SHA        `json:"commit"`
	Digest map[string]string `json:"digest"` // SHA-256 of Text
	Text   string            `json:"text"`
	Floor  *Policy           `json:"floor,omitempty"` // of the organisation, which judged too; nil where none was configured
}

// Times are the moments of a record; Sources says whose clock told each.
type Times struct {
	ObservedAt    time.Time         `json:"observedAt"` // when the forge was asked
	RecordedAt    time.Time         `json:"recordedAt"`
	ForgeMergedAt time.Time         `json:"forgeMergedAt,omitzero"`
	Sources       map[string]string `json:"sources"`
}

// encode returns the one form in which a value of ours is written.
func encode(v any) ([]byte, error) { return json.Marshal(v) }

// ParseStatement reads a statement of ours. It refuses anything that it would
// not have written in these very bytes: unknown and repeated fields, white
// space, another order, and what follows the statement.
func ParseStatement(payload []byte) (Statement, error) {
	if len(payload) > MaxPayload {
		return Statement{}, fmt.Errorf("reading a statement: %d bytes, more than the %d that it can have", len(payload), MaxPayload)
	}
	var s Statement
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Statement{}, fmt.Errorf("reading a statement: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Statement{}, errors.New("reading a statement: something follows it")
	}
	if s.Type != StatementType || s.PredicateType != ChangeRecord {
		return Statement{}, fmt.Errorf("reading a statement: it is a %q with a %q, not a change record", s.Type, s.PredicateType)
	}
	again, err := encode(s)
	if err != nil {
		return Statement{}, fmt.Errorf("reading a statement: %w", err)
	}
	if !bytes.Equal(again, payload) {
		return Statement{}, errors.New("reading a statement: it is not in its one canonical form")
	}
	return s, nil
}
