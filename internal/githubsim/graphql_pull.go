package githubsim

import (
	"strconv"
	"strings"
)

// pullNode is a PullRequest.
type pullNode struct{ p *pull }

func (pullNode) typeName() string { return "PullRequest" }

func (n pullNode) field(name string, a arguments) (any, error) {
	p := n.p
	switch name {
	case "id":
		return nodeID("PullRequest", p.id), nil
	case "databaseId":
		return p.id, nil
	case "fullDatabaseId":
		return itoa(p.id), nil
	case "number":
		return p.number, nil
	case "title":
		return p.title, nil
	case "body":
		return p.body, nil
	case "url":
		return p.repo.html("/pull/" + strconv.Itoa(p.number)), nil
	case "state":
		return p.graphState(), nil
	case "isDraft":
		return p.draft, nil
	case "merged":
		return !p.merged.IsZero(), nil
	case "closed":
		return p.state == pullClosed, nil
	case "isCrossRepository", "maintainerCanModify", "locked":
		return false, nil
	case "authorAssociation":
		return p.repo.association(p.author), nil
	case "author":
		return p.repo.sim.actor(p.author), nil
	case "mergedBy":
		return p.repo.sim.actor(p.mergedBy), nil
	}
	return n.when(name, a)
}

// graphState is OPEN, CLOSED or MERGED.
func (p *pull) graphState() string {
	if !p.merged.IsZero() {
		return "MERGED"
	}
	return strings.ToUpper(p.state)
}

// when are the times.
func (n pullNode) when(name string, a arguments) (any, error) {
	p := n.p
	switch name {
	case "createdAt":
		return stamp(p.created), nil
	case "updatedAt":
		return stamp(p.updated), nil
	case "lastEditedAt":
		return stamp(p.edited), nil
	case "closedAt":
		return stamp(p.closed), nil
	case "mergedAt":
		return stamp(p.merged), nil
	}
	return n.ends(name, a)
}

// ends are the fields about its head, its base and merging them.
func (n pullNode) ends(name string, a arguments) (any, error) {
	p, r := n.p, n.p.repo
	switch name {
	case "baseRefName":
		return p.baseBranch, nil
	case "baseRefOid":
		return p.baseCommit(), nil
	case "headRefName":
		return p.headBranch, nil
	case "headRefOid":
		return p.head, nil
	case "baseRef":
		return r.refNode(p.baseBranch), nil
	case "headRef":
		return r.refNode(p.headBranch), nil
	case "repository", "baseRepository", "headRepository":
		return repositoryNode{r}, nil
	case "headRepositoryOwner":
		return r.sim.actor(r.owner.account), nil
	case "mergeCommit":
		return r.commitOrNil(p.mergeCommit)
	case "potentialMergeCommit":
		sha, err := p.trial()
		if err != nil {
			return nil, err
		}
		return r.commitOrNil(sha)
	case "mergeable":
		can, _, err := p.mergeState()
		return map[any]string{true: "MERGEABLE", false: "CONFLICTING", nil: "UNKNOWN"}[can], err
	case "mergeStateStatus":
		_, state, err := p.mergeState()
		return state, err
	case "reviewDecision":
		return p.reviewDecision(), nil
	case "autoMergeRequest":
		return p.autoMergeNode(), nil
	case "mergeQueueEntry":
		if e := p.queued(); e != nil {
			return e.node(), nil
		}
		return nil, nil
	}
	return n.lists(name, a)
}

// reviewDecision is GitHub's own opinion, null where no rule asks for reviews.
func (p *pull) reviewDecision() any {
	rule := p.repo.pullRequestRule(p.baseBranch)
	count, blocked := p.approvals(nil)
	switch {
	case blocked:
		return "CHANGES_REQUESTED"
	case rule == nil || rule.Approvals == 0:
		return nil
	case count >= rule.Approvals:
		return "APPROVED"
	}
	return "REVIEW_REQUIRED"
}

func (p *pull) autoMergeNode() any {
	if p.auto == nil {
		return nil
	}
	return plain{"AutoMergeRequest", record{
		"enabledAt": stamp(p.auto.at), "enabledBy": p.repo.sim.actor(p.auto.by), "mergeMethod": strings.ToUpper(p.auto.method),
		"commitHeadline": nil, "commitBody": nil, "pullRequest": pullNode{p},
	}}
}

// lists are the connections.
func (n pullNode) lists(name string, a arguments) (any, error) {
	p, r := n.p, n.p.repo
	switch name {
	case "labels":
		return listOf("LabelConnection", p.labels, a, r.labelNode)
	case "commits":
		return n.commits(a)
	case "files":
		files, err := p.files()
		if err != nil {
			return nil, err
		}
		return listOf("PullRequestChangedFileConnection", files, a, fileNode)
	case "changedFiles":
		files, err := p.files()
		return len(files), err
	case "reviews":
		return listOf("PullRequestReviewConnection", p.reviews, a, func(rv *review) graphNode { return reviewNode{rv} })
	case "latestOpinionatedReviews":
		only, _ := a["writersOnly"].(bool)
		return listOf("PullRequestReviewConnection", p.opinions(only), a, func(rv *review) graphNode { return reviewNode{rv} })
	case "reviewRequests":
		return connect("ReviewRequestConnection", 0, a, nil)
	case "closingIssuesReferences":
		return listOf("IssueConnection", p.closes(), a, func(i *issue) graphNode { return i.node() })
	case "timelineItems":
		return n.timeline(a)
	}
	return nil, undefinedField("PullRequest", name)
}

func (n pullNode) commits(a arguments) (any, error) {
	shas, err := n.p.commits()
	if err != nil {
		return nil, err
	}
	r := n.p.repo
	return connect("PullRequestCommitConnection", len(shas), a, func(i int) (graphNode, error) {
		c, err := r.git.commit(shas[i])
		if err != nil {
			return nil, err
		}
		return n.p.commitNode(c), nil
	})
}

// commitNode is a PullRequestCommit.
func (p *pull) commitNode(c *commitObject) graphNode {
	return plain{"PullRequestCommit", record{
		"id": p.repo.commitNodeID(c.sha) + ":" + strconv.Itoa(p.number), "commit": commitNode{p.repo, c}, "pullRequest": pullNode{p},
	}}
}

func (r *Repository) labelNode(name string) graphNode {
	return plain{"Label", record{"id": nodeID("Label", r.labels[name]), "name": name, "color": "ededed", "description": nil}}
}

// fileNode is a PullRequestChangedFile.
func fileNode(d fileDiff) graphNode {
	change := strings.ToUpper(d.status)
	if d.status == "removed" {
		change = "DELETED"
	}
	return plain{"PullRequestChangedFile", record{"path": d.path, "changeType": change, "additions": d.added, "deletions": d.deleted}}
}

// reviewNode is a PullRequestReview.
type reviewNode struct{ rv *review }

func (reviewNode) typeName() string { return "PullRequestReview" }

func (n reviewNode) field(name string, a arguments) (any, error) {
	rv, r := n.rv, n.rv.pull.repo
	switch name {
	case "id":
		return nodeID("PullRequestReview", rv.id), nil
	case "databaseId":
		return rv.id, nil
	case "fullDatabaseId":
		return itoa(rv.id), nil
	case "state":
		return rv.state, nil
	case "body":
		return rv.body, nil
	case "submittedAt", "createdAt":
		return stamp(rv.submitted), nil
	case "lastEditedAt":
		return stamp(rv.edited), nil
	case "createdViaEmail":
		return false, nil
	case "authorAssociation":
		return r.association(rv.author), nil
	case "authorCanPushToRepository":
		return r.canWrite(rv.author), nil
	case "author":
		return r.sim.actor(rv.author), nil
	case "commit":
		return r.commitOrNil(rv.commit)
	case "pullRequest":
		return pullNode{rv.pull}, nil
	case "onBehalfOf":
		return connect("TeamConnection", 0, a, nil)
	}
	return nil, undefinedField("PullRequestReview", name)
}
