package change

import "time"

// A Head is the revision that a change proposes.
type Head struct {
	Branch     string `json:"branch"`
	Commit     SHA    `json:"commit"`
	Tree       SHA    `json:"tree"`
	Repository int64  `json:"repository"` // numeric id; another than the base's for a fork, 0 when the fork is gone
}

// A Base is where a change wants to go. Target differs from Branch only for a
// change in the middle of a stack, which lands on the stack's trunk.
type Base struct {
	Branch    string `json:"branch"`
	Target    string `json:"target"`              // the protected branch whose rules apply
	Commit    SHA    `json:"commit"`              // tip of Branch when gathered
	MergeBase SHA    `json:"mergeBase,omitempty"` // of Commit and the head; empty when it was not asked
}

// A Commit is one commit of a change.
type Commit struct {
	SHA       SHA             `json:"sha"`
	Tree      SHA             `json:"tree"`
	Parents   []SHA           `json:"parents"`
	Author    Person          `json:"author"`
	CoAuthors []Person        `json:"coAuthors,omitempty"`
	Committer Person          `json:"committer,omitempty"` // empty when ByForge
	ByForge   bool            `json:"byForge,omitempty"`   // committed by the forge itself, which its valid signature proves
	Authored  time.Time       `json:"authored"`
	Committed time.Time       `json:"committed"`
	Signature Fact[Signature] `json:"signature,omitzero"`
}

// A Signature is what the forge says of a commit's signature.
type Signature struct {
	Signed bool   `json:"signed"`
	Valid  bool   `json:"valid"`
	State  string `json:"state,omitempty"`  // the forge's own word, such as "VALID" or "UNKNOWN_KEY"
	Signer Person `json:"signer,omitempty"` // empty when no account claims the key
}

// A BranchPush is one movement of the change's own branch, by the account that
// was authenticated when it happened. Unlike an author, a pusher cannot be forged.
type BranchPush struct {
	By     Person    `json:"by"`
	Before SHA       `json:"before,omitempty"` // empty when the branch was created
	After  SHA       `json:"after,omitempty"`  // empty when it was deleted
	Forced bool      `json:"forced,omitempty"`
	At     time.Time `json:"at"`
}

// A File is one path that a change touches.
type File struct {
	Path     string `json:"path"`
	Previous string `json:"previous,omitempty"` // the old path of a rename or copy
	Status   string `json:"status"`             // added, modified, removed, renamed, copied, changed
}

// A Request is a linked change request: a ticket or an issue.
type Request struct {
	Key   string `json:"key"`   // such as "SHOP-42" or "acme/shop#7"
	Found string `json:"found"` // where the link stands: title, branch, description or closing-reference
	URL   string `json:"url,omitempty"`

	Ticket Fact[Ticket] `json:"ticket,omitzero"` // absent when no tracker was asked, or none answered
}

// A Ticket is what a tracker says of a change request. Of one that it does not know
// only Tracker and Found are set.
type Ticket struct {
	Tracker   string    `json:"tracker"` // github, gitlab or jira
	Found     bool      `json:"found"`
	ID        string    `json:"id,omitempty"`   // the tracker's own, which outlives a change of the key
	Key       string    `json:"key,omitempty"`  // as the tracker writes it now, where the request writes another
	Type      string    `json:"type,omitempty"` // in the tracker's own words, as is State
	State     string    `json:"state,omitempty"`
	Requester Person    `json:"requester,omitempty"`
	Creator   Person    `json:"creator,omitempty"` // who entered it, where that is another account than the requester's
	Created   time.Time `json:"created,omitzero"`
	Closed    time.Time `json:"closed,omitzero"`  // zero while it is open
	Moves     []Move    `json:"moves,omitempty"`  // changes of its state, the oldest first, as far as the tracker tells
	Digest    string    `json:"digest,omitempty"` // see Snapshot.Digest
}

// An Ownership is what the code owners file at the base says of the touched paths. An
// owner whom the forge does not know is one of its People all the same, as nobody's
// account: otherwise a path would seem to have fewer owners than it was given.
type Ownership struct {
	File     string      `json:"file,omitempty"`     // its path, such as ".github/CODEOWNERS"; empty when there is none
	Commit   SHA         `json:"commit,omitempty"`   // the commit of the base it was read at
	Paths    []OwnedPath `json:"paths"`              // every touched path, the old path of a rename too
	Problems []string    `json:"problems,omitempty"` // lines that cannot be read, such as "line 7: ..."
}

// An OwnedPath is one touched path and who owns it. It has no owners when no line
// of the file matches it, or when the line that does names none.
type OwnedPath struct {
	Path   string     `json:"path"`
	Line   int        `json:"line,omitempty"` // of the rule that holds, from 1; 0 when there is none
	Teams  []Selector `json:"teams,omitempty"`
	People []Person   `json:"people,omitempty"`
}

// An Update is a merge commit of the change, and whether it only brings the change up
// to date with its base. It is pure when From is a commit of the change, Base is an
// ancestor of the tip of the base branch (Facts.Base.Commit, or that tip itself), and
// its files are exactly what merging the two without any conflict gives: then it adds
// nothing that was not approved on one side or the other. A merge of anything else is
// listed and not pure. Facts.Updates lists every merge commit of the change; one that
// is missing there is taken for not pure. How it was made and by whom says nothing.
type Update struct {
	Commit    SHA    `json:"commit"`
	From      SHA    `json:"from"` // the parent on the change's own branch
	Base      SHA    `json:"base"` // the other parent, from the base branch where it is pure
	MergeBase SHA    `json:"mergeBase,omitempty"`
	Pure      bool   `json:"pure"`
	Why       string `json:"why,omitempty"` // why it is not pure
}
