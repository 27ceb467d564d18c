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
}
