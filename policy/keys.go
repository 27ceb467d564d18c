package policy

// A key is one key of the policy file: what it means, whether it must be there,
// and what a schema knows of the text or number under it.
type key struct {
	doc      string
	required bool
	form     schema // of the innermost text or number; nil where the Go type says it all
}

// keys returns every key of the file, under the Go type and field it is read into.
// Keys that mean the same wherever they stand, such as approvals, stand here once.
func keys() map[string]key {
	return map[string]key{
		"Policy.Version":     {"The form of this file. There is one, 1.", true, schema{"const": 1}},
		"Policy.Owner":       {"Who answers for the policy: a team or a person. Decisions name it.", true, text()},
		"Policy.Roles":       {"Who may approve in which capacity. Whoever any selector of a role names holds it.", false, nil},
		"Policy.Changes":     {"What is asked of changes to protected branches. Every entry that names the target branch applies.", false, nil},
		"Policy.Classes":     {"Sorts of change, such as standard or emergency, of which different things are asked. The first that takes a change is its class, and normal is that of every other change.", false, nil},
		"Policy.Deployments": {"What is asked of deployments to environments.", false, nil},
		"Policy.Emergency":   {"Who may let a change through by break-glass, and how soon it must be reviewed afterwards.", false, nil},
		"Policy.People":      {"Accounts that belong to one human: a second account, or a bot that the human answers for.", false, nil},
		"Policy.Automations": {"Accounts of bots, agents and machine users, who answers for each, and for which paths.", false, nil},

		"ChangeRule.Branches":            {"Patterns of the branches that this entry protects; * does not cross a slash, ** does.", true, pattern()},
		"ChangeRule.Classes":             {"Classes of changes that this entry applies to; without it, every class.", false, word()},
		"ChangeRule.When":                {"A CEL expression; the entry applies to changes of which it holds, and where that is not known, nothing that the entry asks for passes.", false, nil},
		"ChangeRule.Assertions":          {"Each of the expressions in the policy's own words holds of a change.", false, nil},
		"ChangeRule.PeerReview":          {"Enough people who had no part in a change have approved exactly what lands, and nobody who could approve still asks for changes.", false, nil},
		"ChangeRule.SegregationOfDuties": {"Everybody who made a change is known, and somebody else has approved it.", false, nil},
		"ChangeRule.RequiredChecks":      {"Each named check of the named app has succeeded on exactly what lands, and not by a workflow file that the change itself touches unless that file is protected; skipped and neutral are no success.", false, nil},
		"ChangeRule.LinkedRequest":       {"The title, branch, description or closing references of a change name the request that it answers.", false, nil},
		"ChangeRule.ProtectedPaths":      {"A change that touches certain paths has been approved by a holder of a certain role who had no part in it.", false, nil},
		"ChangeRule.CodeOwners":          {"An owner of every touched path that the code owners file of the base gives to somebody, who may write to the repository and had no part in the change, has approved it.", false, nil},
		"ChangeRule.SignedCommits":       {"Every commit carries a valid signature, and by nobody else than whoever the commit names as its author or committer.", false, nil},
		"ChangeRule.CarryOver":           {"What an approval is carried over to a later head: updates, which are merges of the base that prove to add nothing. Without it, an approval counts for the head that it was given on.", false, schema{"enum": []string{OverUpdates}}},
		noBypassKey:                      {"Nothing reaches the branch around the gate. Every entry asks for it, written out or not.", false, nil},

		"Class.Name":    {"What the class is called, such as standard, emergency or configuration.", true, className()},
		"Class.Paths":   {"Patterns of paths, read as CODEOWNERS reads them; every touched path must match one, the old path of a rename too. A workflow, a CODEOWNERS file or a policy is matched only by a pattern that names it.", false, nil},
		"Class.Labels":  {"Labels of which one must stand on the change. One counts when a human who made no part of the change set it last, after the last push.", false, text()},
		"Class.Authors": {"Accounts, as forge and numeric id; everybody who had a hand in the change must have one of them.", false, author()},
		"Class.When":    {"A CEL expression that must hold of the change.", false, nil},

		"Assertion.Name":    {"What the assertion is called; reasons name it.", true, text()},
		"Assertion.That":    {"A CEL expression that must hold of the change.", true, nil},
		"Assertion.Message": {"What to do where it does not hold.", false, text()},

		"PeerReview.Approvals": {"How many independent approvals are wanted.", true, schema{"type": "integer", "minimum": 1, "maximum": maxApprovals}},
		"PeerReview.From":      {"Roles, any of which an approver must hold; without it, anyone who may write to the repository can approve.", false, word()},

		"RequiredCheck.Name":     {"The name of the check run.", false, text()},
		"RequiredCheck.App":      {"The slug or numeric id of the app that runs it. A check of that name by anybody else does not count.", false, app()},
		"RequiredCheck.Workflow": {"The workflow file whose run it must be, such as .github/workflows/ci.yml: all workflows of GitHub Actions run as one app. Without it, every workflow that has a run of that name must pass.", false, workflow()},
		"RequiredCheck.Attempts": {"How many attempts may stand behind a success at most; without it, any number.", false, schema{"type": "integer", "minimum": 1, "maximum": maxAttempts}},
		"RequiredCheck.Accept":   {"Conclusions that pass beside success: neutral, skipped.", false, schema{"enum": acceptable()}},
		"RequiredCheck.Class":    {"What the check looks for, such as test or sast. Alone, it asks that a check of that class is required by name on the branch, and passes.", false, word()},

		"LinkedRequest.Pattern":       {"A regular expression (RE2) that the whole key of a request matches.", true, text()},
		"LinkedRequest.Tracker":       {"Where the request is looked up. Without it, a link is enough.", false, schema{"enum": trackerIDs()}},
		"LinkedRequest.Types":         {"Types, any of which the request must be of, as the tracker calls them.", false, text()},
		"LinkedRequest.States":        {"States, in any of which the request must be when the change lands, as the tracker calls them. Without it, it must not be closed.", false, text()},
		"LinkedRequest.CreatedBefore": {"What the request must have been created before: the merge, which goes without saying, or the first commit.", false, schema{"enum": []string{BeforeMerge, BeforeFirstCommit}}},
		"LinkedRequest.Independent":   {"Whether the request must be by somebody who made no part of the change, and the change approved by somebody else again.", false, schema{"type": "boolean"}},

		"ProtectedPaths.Paths": {"Patterns of paths, read as CODEOWNERS reads them.", true, nil},
		"ProtectedPaths.From":  {"Roles, one of which the approver must hold.", true, word()},

		"CodeOwners.Unowned":    {"What becomes of a touched path that nobody owns: allow, which goes without saying, or deny.", false, schema{"enum": sides()}},
		"SignedCommits.ByForge": {"What becomes of a commit that the forge made in somebody's name, as by its web pages: allow, or deny, which goes without saying. The forge's signature proves only that it made the commit.", false, schema{"enum": sides()}},

		"DeploymentRule.Environments":        {"Patterns of the environments that this entry protects.", true, pattern()},
		"DeploymentRule.ApprovedChangesOnly": {"Every commit since the last successful deployment belongs to an approved change.", false, nil},
		"DeploymentRule.DeploymentApproval":  {"Enough people in the named roles have approved the deployment.", false, nil},
		"DeploymentRule.DeployerSeparation":  {"Whoever deploys a change did not make it.", false, nil},

		"Emergency.AuthorisedBy": {"Roles that may break the glass.", true, word()},
		"Emergency.ReviewWithin": {"How soon what was let through must be reviewed, such as 24h; at most 2160h.", true, nil},

		"Automation.Account":     {"The account of the automation, as forge and numeric id. Its approvals never count, whatever the forge calls it.", true, nil},
		"Automation.Accountable": {"The account of the human who answers for it, or starter where that is whoever started the workflow run it acts for.", true, accountable()},
		"Automation.Paths":       {"Patterns of the paths it is trusted with, read as CODEOWNERS reads them; without them, every path.", false, nil},
		"Automation.Note":        {"What it is for.", false, text()},

		"Alias.Accounts": {"Two or more accounts of one human, as forge and numeric id.", true, nil},
		"Alias.Note":     {"Why these accounts are one human's.", false, text()},
	}
}

// noBypassKey is the one key without a field, because every rule asks for it.
const noBypassKey = "ChangeRule.NoBypass"
