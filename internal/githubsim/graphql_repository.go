package githubsim

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// queryRoot is where a query starts.
type queryRoot struct{ x *execution }

func (queryRoot) typeName() string { return "Query" }

func (q queryRoot) field(name string, a arguments) (any, error) {
	switch name {
	case "rateLimit":
		w := q.x.token.rate
		return plain{"RateLimit", record{
			"cost": max(1, q.x.nodes/1000), "limit": w.limit, "remaining": w.limit - w.used, "used": w.used, "nodeCount": q.x.nodes, "resetAt": stamp(w.reset),
		}}, nil
	case "repository":
		return q.repository(a.text("owner"), a.text("name"))
	case "node":
		return q.node(a.text("id"))
	case "nodes":
		ids, _ := a["ids"].([]any)
		if len(ids) > 100 {
			return nil, &graphError{kind: "ARGUMENT_LIMIT", message: "You may not provide more than 100 node ids; you provided " + itoa(int64(len(ids))) + "."}
		}
		list := make([]graphNode, len(ids))
		for i, id := range ids {
			n, err := q.node(fmt.Sprint(id))
			if err != nil {
				return nil, err
			}
			list[i], _ = n.(graphNode)
		}
		return list, nil
	}
	return nil, undefinedField("Query", name)
}

func (q queryRoot) repository(owner, name string) (any, error) {
	r := q.x.sim.repositories[strings.ToLower(owner+"/"+name)]
	if r == nil || !q.x.token.reaches(r) {
		return nil, unresolved("Could not resolve to a Repository with the name '%s/%s'.", owner, name)
	}
	return repositoryNode{r}, nil
}

// node finds commits and pull requests, which are all that is asked for by id.
func (q queryRoot) node(id string) (any, error) {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err == nil {
		for _, r := range q.x.sim.repositories {
			if !q.x.token.reaches(r) {
				continue
			}
			if sha, ok := strings.CutPrefix(string(raw), "006:Commit"+itoa(r.id)+":"); ok {
				if c, err := r.git.commit(sha); err == nil {
					return commitNode{r, c}, nil
				}
			}
			for _, p := range r.pulls {
				if nodeID("PullRequest", p.id) == id {
					return pullNode{p}, nil
				}
			}
		}
	}
	return nil, unresolved("Could not resolve to a node with the global id of '%s'", id)
}

// commitNodeID is the global node id of a commit, which holds its repository.
func (r *Repository) commitNodeID(sha string) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "006:Commit%d:%s", r.id, sha))
}

// repositoryNode is a Repository.
type repositoryNode struct{ r *Repository }

func (repositoryNode) typeName() string { return "Repository" }

func (n repositoryNode) field(name string, a arguments) (any, error) {
	r := n.r
	switch name {
	case "id":
		return nodeID("Repository", r.id), nil
	case "databaseId":
		return r.id, nil
	case "name":
		return r.name, nil
	case "nameWithOwner":
		return r.FullName(), nil
	case "url":
		return r.html(""), nil
	case "owner":
		return r.sim.actor(r.owner.account), nil
	case "isFork", "isArchived":
		return false, nil
	case "isPrivate":
		return !r.public, nil
	case "visibility":
		if r.public {
			return "PUBLIC", nil
		}
		return "PRIVATE", nil
	case "defaultBranchRef":
		return r.refNode(r.trunk), nil
	case "ref":
		return r.refNode(strings.TrimPrefix(a.text("qualifiedName"), "refs/heads/")), nil
	case "object":
		return r.gitObject(a)
	case "pullRequest":
		number, _ := a.int("number")
		if p := r.pulls[number]; p != nil {
			return pullNode{p}, nil
		}
		return nil, unresolved("Could not resolve to a PullRequest with the number of %d.", number)
	case "pullRequests":
		pulls := r.pullsWhere(a, func(*pull) bool { return true })
		return listOf("PullRequestConnection", pulls, a, func(p *pull) graphNode { return pullNode{p} })
	case "mergeQueue":
		return r.queueNode(a.text("branch")), nil
	}
	return nil, undefinedField("Repository", name)
}

// refNode is a Ref, or nil when there is no such branch.
func (r *Repository) refNode(branch string) any {
	if r.branches[branch] == "" {
		return nil
	}
	return branchNode{r, branch}
}

// commitOrNil is a Commit, or nil where there is none.
func (r *Repository) commitOrNil(sha string) (any, error) {
	if sha == "" {
		return nil, nil
	}
	c, err := r.git.commit(sha)
	if err != nil {
		return nil, err
	}
	return commitNode{r, c}, nil
}

// gitObject finds an object by its id or by an expression such as "main:go.mod".
// What is not there is null.
func (r *Repository) gitObject(a arguments) (any, error) {
	revision := a.text("oid")
	if revision == "" {
		revision = a.text("expression")
	}
	at, path, hasPath := strings.Cut(revision, ":")
	sha, err := r.resolve(at)
	if err == nil {
		at = sha
	} else if len(at) != len(zeroSHA) {
		return nil, nil
	}
	if hasPath {
		at += ":" + path
	}
	o, err := r.git.objects.read(at)
	if err != nil {
		return nil, nil
	}
	return r.objectNode(o)
}

// objectNode is a Commit, Tree or Blob.
func (r *Repository) objectNode(o object) (any, error) {
	switch o.kind {
	case "commit":
		return r.commitOrNil(o.sha)
	case "tree":
		return r.treeNode(o.sha), nil
	case "blob":
		return r.blobNode(o), nil
	}
	return nil, nil
}

// mostText bounds the text of a blob that GraphQL gives before it truncates.
const mostText = 512 << 10

func (r *Repository) blobNode(o object) graphNode {
	var text any
	binary := strings.ContainsRune(string(o.data[:min(len(o.data), 8000)]), 0)
	truncated := len(o.data) > mostText
	if !binary {
		text = string(o.data[:min(len(o.data), mostText)])
	}
	return plain{"Blob", record{
		"id": nodeID("Blob", r.id) + o.sha, "oid": o.sha, "byteSize": len(o.data), "isBinary": binary, "isTruncated": truncated && !binary, "text": text,
		"repository": repositoryNode{r},
	}}
}

// queueNode is a MergeQueue, or nil where the branch has none.
func (r *Repository) queueNode(branch string) any {
	if branch == "" {
		branch = r.trunk
	}
	q := r.queues[branch]
	if q == nil && r.mergeQueueRule(branch) == nil {
		return nil
	}
	return mergeQueueNode{r, branch}
}

// mergeQueueNode is a MergeQueue.
type mergeQueueNode struct {
	r      *Repository
	branch string
}

func (mergeQueueNode) typeName() string { return "MergeQueue" }

func (n mergeQueueNode) field(name string, a arguments) (any, error) {
	switch name {
	case "id":
		return nodeID("MergeQueue", n.r.id) + n.branch, nil
	case "entries":
		var entries []*queueEntry
		if q := n.r.queues[n.branch]; q != nil {
			entries = q.entries
		}
		return listOf("MergeQueueEntryConnection", entries, a, func(e *queueEntry) graphNode { return e.node() })
	}
	return nil, undefinedField("MergeQueue", name)
}

// node is a MergeQueueEntry.
func (e *queueEntry) node() graphNode {
	r := e.pull.repo
	q := r.queues[e.pull.baseBranch]
	return plain{"MergeQueueEntry", record{
		"id": nodeID("MergeQueueEntry", e.id), "position": q.index(e.pull) + 1, "jump": false, "solo": false, "enqueuedAt": stamp(e.at),
		"mergeQueue": mergeQueueNode{r, e.pull.baseBranch}, "enqueuer": r.sim.actor(e.by), "pullRequest": pullNode{e.pull}, "state": "AWAITING_CHECKS",
		"baseCommit": func() (any, error) { return r.commitOrNil(e.base) },
		"headCommit": func() (any, error) { return r.commitOrNil(e.head) },
	}}
}
