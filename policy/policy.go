package policy

import (
	"regexp"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A Policy is one parsed policy file. Only Parse makes a valid one.
type Policy struct {
	Version     int                          // of the file's form; 1
	Owner       string                       // who answers for the policy
	Roles       map[string][]change.Selector // who can hold each role; any selector is enough
	Classes     []Class                      // sorts of change, the first that takes a change is its class
	Changes     []ChangeRule
	Deployments []DeploymentRule
	Emergency   *Emergency // nil when the policy knows no break-glass
	People      []Alias
	Automations []Automation

	// In a Set: the floor's rules that hold for the change above a repository's policy,
	// and the checks that the policy beside this one names.
	above  []*ChangeRule
	beside []RequiredCheck

	hindsight bool // see Set.Hindsight
}

// A ChangeRule is what a policy asks of changes to some branches. A nil or empty
// control is not asked for, except no-bypass, which every rule asks for.
type ChangeRule struct {
	Branches            []string   // doublestar patterns; * does not cross a slash
	Classes             []string   // it applies to changes of these; empty for every class
	When                *Condition // it applies to changes of which this holds; nil for every change
	PeerReview          *PeerReview
	SegregationOfDuties bool
	RequiredChecks      []RequiredCheck
	LinkedRequest       *LinkedRequest
	ProtectedPaths      []ProtectedPaths
	CodeOwners          *CodeOwners
	SignedCommits       *SignedCommits
	CarryOver           string // OverUpdates, or empty: an approval counts for the head that it was given on
	Assertions          []Assertion
}

// conditional reports whether the rule applies to some changes to its branches only.
func (r *ChangeRule) conditional() bool { return r.When != nil || len(r.Classes) > 0 }

// PeerReview asks for independent approvals.
type PeerReview struct {
	Approvals int      // at least 1
	From      []string // roles, any of which an approver must hold; empty for anyone who may write
}

// A RequiredCheck is a check run that must have passed on the head. One that has
// nothing but a class demands that a check of that class is required by name on the
// branch, and passes.
type RequiredCheck struct {
	Name     string
	App      string   // slug of the application that runs it, or its numeric id in decimal
	Workflow string   // path of the only workflow file whose runs count. Optional.
	Attempts int      // most attempts that may stand behind a success; 0 for any number
	Accept   []string // conclusions that pass beside success: neutral, skipped
	Class    string   // what it checks, such as "test" or "sast". Optional.

	among  []RequiredCheck // of a demand for a class: the named checks that can meet it
	guards []*ChangeRule   // the rules of which one must protect a workflow that the change touches
}

// LinkedRequest asks for a link to a change request.
type LinkedRequest struct {
	Pattern       string   // regular expression (RE2) that the request's whole key matches
	Tracker       string   // where the request is looked up: github, gitlab or jira; empty when a link is enough
	Types         []string // any of which the request must be of; empty for any type
	States        []string // in any of which it must be; empty for every state but closed ones
	CreatedBefore string   // BeforeMerge or BeforeFirstCommit
	Independent   bool     // who asks for a change neither makes it nor is alone in approving it

	within, whole *regexp.Regexp // Pattern as written, and anchored at both ends
}

// ProtectedPaths asks for the approval of a role when certain paths are touched.
type ProtectedPaths struct {
	Paths []PathPattern
	From  []string // roles, one of which the approver must hold
}

// What a setting with two sides does.
const (
	Allow = "allow"
	Deny  = "deny"
)

// OverUpdates says that an approval counts for a later head too where only pure
// updates from the base lie between.
const OverUpdates = "updates"

// CodeOwners asks for the approval of an owner of every touched path that has one.
type CodeOwners struct {
	Unowned string // Allow or Deny: what becomes of a touched path that nobody owns
}

// SignedCommits asks that every commit is signed by whoever made it.
type SignedCommits struct {
	ByForge string // Allow or Deny: what becomes of a commit that the forge made in somebody's name
}

// A DeploymentRule is what a policy asks of deployments to some environments.
type DeploymentRule struct {
	Environments        []string // doublestar patterns
	ApprovedChangesOnly bool
	DeploymentApproval  *PeerReview
	DeployerSeparation  bool
}

// Emergency says who may let a change through by break-glass, and how soon it
// must be reviewed afterwards.
type Emergency struct {
	AuthorisedBy []string // roles
	ReviewWithin time.Duration
}

// An Alias states that several accounts are one human's: a second account, or a
// bot that the human answers for.
type Alias struct {
	Accounts []change.AccountID // at least two
	Note     string
}

// Governs reports whether any rule of the policy's changes names the branch.
func (p *Policy) Governs(branch string) bool { return len(p.rulesFor(branch)) > 0 }

// RulesFor returns the positions of the entries of changes that name the branch.
func (p *Policy) RulesFor(branch string) []int { return p.rulesFor(branch) }

// rulesFor returns the positions of the rules that name the branch, ascending.
func (p *Policy) rulesFor(branch string) []int {
	var rules []int
	for i := range p.Changes {
		if matchesBranch(p.Changes[i].Branches, branch) {
			rules = append(rules, i)
		}
	}
	return rules
}

// targetBranch returns the protected branch a change moves, and whether the
// facts say which it is.
func targetBranch(f change.Facts) (string, bool) {
	switch f.Ref.Kind {
	case change.Push, change.MergeGroup:
		return f.Ref.Branch, f.Ref.Branch != ""
	}
	base, known := f.Base.Get()
	if !known {
		return "", false
	}
	if base.Target != "" {
		return base.Target, true
	}
	return base.Branch, base.Branch != ""
}
