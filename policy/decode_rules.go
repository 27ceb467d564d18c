package policy

import (
	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// maxApprovals is more than any change could hope for.
const maxApprovals = 50

// changeRule reads one entry of changes.
func (d *decoder) changeRule(n *yaml.Node) ChangeRule {
	var r ChangeRule
	var noBypass bool // every rule asks for it; writing it out is allowed
	d.mapping(n, "an entry of changes",
		field{"branches", true, func(n *yaml.Node) { r.Branches = d.patterns(n, "branches") }},
		field{"classes", false, func(n *yaml.Node) { r.Classes = d.classesOf(n) }},
		field{"when", false, func(n *yaml.Node) {
			when := d.condition(n, "when", expression.OfRule)
			r.When = &when
		}},
		field{PeerReviewID, false, func(n *yaml.Node) { r.PeerReview = d.peerReview(n, PeerReviewID) }},
		field{SegregationID, false, d.empty(&r.SegregationOfDuties, SegregationID)},
		field{RequiredChecksID, false, func(n *yaml.Node) {
			d.list(n, RequiredChecksID, func(n *yaml.Node) { r.RequiredChecks = append(r.RequiredChecks, d.requiredCheck(n)) })
		}},
		field{LinkedRequestID, false, func(n *yaml.Node) { r.LinkedRequest = d.linkedRequest(n) }},
		field{ProtectedPathsID, false, func(n *yaml.Node) {
			d.list(n, ProtectedPathsID, func(n *yaml.Node) { r.ProtectedPaths = append(r.ProtectedPaths, d.protectedPaths(n)) })
		}},
		field{CodeOwnersID, false, func(n *yaml.Node) { r.CodeOwners = d.codeOwners(n) }},
		field{SignedCommitsID, false, func(n *yaml.Node) { r.SignedCommits = d.signedCommits(n) }},
		field{"carry-over", false, func(n *yaml.Node) { r.CarryOver = d.choice(n, "carry-over", []string{OverUpdates}) }},
		field{AssertionsID, false, func(n *yaml.Node) { r.Assertions = d.assertions(n) }},
		field{NoBypassID, false, d.empty(&noBypass, NoBypassID)},
	)
	return r
}

// patterns reads a list of branches or environments.
func (d *decoder) patterns(n *yaml.Node, what string) []string {
	var patterns []string
	d.list(n, what, func(n *yaml.Node) {
		s := d.text(n, "a pattern")
		if s == "" {
			return
		}
		if err := checkPattern(s); err != nil {
			d.problem(n, "the pattern %s cannot be used: %v", change.Quote(s), err)
		}
		patterns = append(patterns, s)
	})
	return patterns
}

// peerReview reads how many approvals are asked for, and whose.
func (d *decoder) peerReview(n *yaml.Node, what string) *PeerReview {
	r := &PeerReview{}
	d.mapping(n, what,
		field{"approvals", true, func(n *yaml.Node) { r.Approvals = d.number(n, "approvals", 1, maxApprovals) }},
		field{"from", false, func(n *yaml.Node) { r.From = d.from(n, "from") }},
	)
	return r
}

// protectedPaths reads which paths need whose approval.
func (d *decoder) protectedPaths(n *yaml.Node) ProtectedPaths {
	var p ProtectedPaths
	d.mapping(n, "an entry of "+ProtectedPathsID,
		field{"paths", true, func(n *yaml.Node) { p.Paths = d.paths(n) }},
		field{"from", true, func(n *yaml.Node) { p.From = d.from(n, "from") }},
	)
	return p
}

// paths reads a list of patterns of paths.
func (d *decoder) paths(n *yaml.Node) []PathPattern {
	var patterns []PathPattern
	d.list(n, "paths", func(n *yaml.Node) {
		s := d.text(n, "a path pattern")
		if s == "" {
			return
		}
		pattern, err := newPathPattern(s)
		if err != nil {
			d.problem(n, "the path pattern %s cannot be used: %v", change.Quote(s), err)
		}
		patterns = append(patterns, pattern)
	})
	return patterns
}

// codeOwners reads what is asked of code owners.
func (d *decoder) codeOwners(n *yaml.Node) *CodeOwners {
	o := &CodeOwners{Unowned: Allow}
	d.mapping(n, CodeOwnersID, field{"unowned", false, func(n *yaml.Node) { o.Unowned = d.choice(n, "unowned", sides()) }})
	return o
}

// signedCommits reads what is asked of signatures.
func (d *decoder) signedCommits(n *yaml.Node) *SignedCommits {
	c := &SignedCommits{ByForge: Deny}
	d.mapping(n, SignedCommitsID, field{"by-forge", false, func(n *yaml.Node) { c.ByForge = d.choice(n, "by-forge", sides()) }})
	return c
}

// sides returns what a setting with two sides can be.
func sides() []string { return []string{Allow, Deny} }

// deploymentRule reads one entry of deployments.
func (d *decoder) deploymentRule(n *yaml.Node) DeploymentRule {
	var r DeploymentRule
	d.mapping(n, "an entry of deployments",
		field{"environments", true, func(n *yaml.Node) { r.Environments = d.patterns(n, "environments") }},
		field{"approved-changes-only", false, d.empty(&r.ApprovedChangesOnly, "approved-changes-only")},
		field{"deployment-approval", false, func(n *yaml.Node) { r.DeploymentApproval = d.peerReview(n, "deployment-approval") }},
		field{"deployer-separation", false, d.empty(&r.DeployerSeparation, "deployer-separation")},
	)
	if n.Kind == yaml.MappingNode && !r.ApprovedChangesOnly && r.DeploymentApproval == nil && !r.DeployerSeparation {
		d.problem(n, "this entry of deployments asks for nothing; add approved-changes-only, deployment-approval or deployer-separation")
	}
	return r
}
