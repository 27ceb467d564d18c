package change

import "time"

// How a protected branch came to move.
const (
	MergeCommit = "merge"
	Squash      = "squash"
	Rebase      = "rebase"
	MergeQueue  = "merge_queue"
	DirectPush  = "direct_push"
	ForcePush   = "force_push"
	Creation    = "branch_creation"
	Deletion    = "branch_deletion"
)

// A Landing is how a change reached its branch, or that it did not. A push that
// moved a protected branch is its own landing.
type Landing struct {
	Landed bool      `json:"landed"`
	By     Person    `json:"by,omitempty"`
	How    string    `json:"how,omitempty"`
	Branch string    `json:"branch,omitempty"`
	Before SHA       `json:"before,omitempty"` // the branch before the movement
	Commit SHA       `json:"commit,omitempty"` // the branch after it
	Tree   SHA       `json:"tree,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// Explained names the merged changes that brought every commit of a pushed
	// range. It is empty when even one commit has no such change.
	Explained []int `json:"explained,omitempty"`
	// Reachable names the other protected branch that already held every commit when
	// this one was created. It is empty when none did, and for any other movement.
	Reachable string `json:"reachable,omitempty"`
}

// A Rule is one rule that the forge enforces on the branch.
type Rule struct {
	Type    string   `json:"type"`              // the forge's own word, such as "pull_request" or "required_status_checks"
	Source  string   `json:"source,omitempty"`  // the repository or organisation that holds the ruleset
	Ruleset int64    `json:"ruleset,omitempty"` // numeric id
	Checks  []Pinned `json:"checks,omitempty"`  // of required_status_checks
	Digest  string   `json:"digest,omitempty"`  // SHA-256 of the rule as the forge wrote it, in hexadecimal
}

// A Pinned check is one that the forge requires, and from which application.
type Pinned struct {
	Name  string `json:"name"`
	AppID int64  `json:"appId,omitempty"` // 0: from anybody
}

// A BypassActor may go around a ruleset.
type BypassActor struct {
	Type string `json:"type"` // the forge's own word, such as "OrganizationAdmin"
	ID   int64  `json:"id,omitempty"`
	Mode string `json:"mode,omitempty"`
}

// Enforcement is what the forge enforces on the target branch. Bypass is absent
// where the forge does not let us read who may bypass.
type Enforcement struct {
	Rules  []Rule              `json:"rules"`
	Bypass Fact[[]BypassActor] `json:"bypass,omitzero"`
}

// A Member is one pull request of a merge group and what became of it when it
// was judged again for the group.
// Results refer to people of the facts that the group stands in.
type Member struct {
	Ref     Ref      `json:"ref"`
	Head    SHA      `json:"head"`
	Record  string   `json:"record,omitempty"` // hexadecimal SHA-256 of the member's own record
	Results []Result `json:"results"`
}

// A Group is what a merge group is made of. Unexplained are its commits that
// belong to no open change.
type Group struct {
	Members     []Member `json:"members"`
	Unexplained []SHA    `json:"unexplained,omitempty"`
}
