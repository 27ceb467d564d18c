package githubsim

import (
	"strings"
	"time"
)

// actor is a User, Bot, Mannequin or Organization; nil is an account that is
// gone. A bot's login has no "[bot]" in GraphQL.
func (s *Sim) actor(a *account) any {
	if a == nil || a.gone {
		return nil
	}
	return plain{a.kind, record{
		"id": a.nodeID(), "databaseId": a.id, "login": strings.TrimSuffix(a.login, "[bot]"), "name": a.name, "url": s.URL + "/" + a.login,
		"resourcePath": "/" + a.login, "avatarUrl": s.URL + "/avatars/u/" + a.login, "createdAt": stamp(a.created),
	}}
}

// gitActor is a GitActor: what a commit says, and the user who has claimed the
// address. A bot is no user.
func (s *Sim) gitActor(id Identity, at time.Time) graphNode {
	var user any
	if a := s.claimed(id.Email); a != nil && a.kind == TypeUser {
		user = s.actor(a)
	}
	return plain{"GitActor", record{"name": id.Name, "email": id.Email, "user": user, "date": stamp(at)}}
}

// commitNode is a Commit.
type commitNode struct {
	r *Repository
	c *commitObject
}

func (commitNode) typeName() string { return "Commit" }

func (n commitNode) field(name string, a arguments) (any, error) {
	r, c := n.r, n.c
	switch name {
	case "id":
		return r.commitNodeID(c.sha), nil
	case "oid":
		return c.sha, nil
	case "abbreviatedOid":
		return c.sha[:7], nil
	case "message":
		return c.trimmed(), nil
	case "messageHeadline":
		return c.headline(), nil
	case "url":
		return r.html("/commit/" + c.sha), nil
	case "authoredDate":
		return stamp(c.authored), nil
	case "committedDate":
		return stamp(c.committed), nil
	case "pushedDate":
		return nil, nil // since 2023, for every commit
	case "committedViaWeb":
		return r.viaWeb(c), nil
	case "authoredByCommitter":
		return c.author == c.committer, nil
	case "tree":
		return r.objectNode(object{sha: c.tree, kind: "tree"})
	case "repository":
		return repositoryNode{r}, nil
	case "author":
		return r.sim.gitActor(c.author, c.authored), nil
	case "committer":
		return r.sim.gitActor(c.committer, c.committed), nil
	case "signature":
		return n.signature(), nil
	case "file":
		return n.file(a.text("path"))
	}
	return n.related(name, a)
}

// related are the fields that lead to lists.
func (n commitNode) related(name string, a arguments) (any, error) {
	r, c := n.r, n.c
	switch name {
	case "parents":
		return connect("CommitConnection", len(c.parents), a, func(i int) (graphNode, error) {
			p, err := r.git.commit(c.parents[i])
			return commitNode{r, p}, err
		})
	case "authors":
		return listOf("GitActorConnection", c.authors(), a, func(id Identity) graphNode { return r.sim.gitActor(id, c.authored) })
	case "associatedPullRequests":
		pulls, err := r.pullsOf(c.sha)
		if err != nil {
			return nil, err
		}
		return listOf("PullRequestConnection", pulls, a, func(p *pull) graphNode { return pullNode{p} })
	case "statusCheckRollup":
		if len(r.runsAt[c.sha])+len(r.statuses[c.sha]) == 0 {
			return nil, nil
		}
		return rollupNode{r, c.sha}, nil
	}
	return nil, undefinedField("Commit", name)
}

// signature is a GpgSignature, or nil for an unsigned commit.
func (n commitNode) signature() any {
	s, signed := n.r.signatures[n.c.sha]
	if !signed {
		return nil
	}
	return plain{"GpgSignature", record{
		"isValid": true, "state": "VALID", "wasSignedByGitHub": s.byGitHub, "email": n.c.committer.Email, "signer": n.r.sim.actor(s.signer),
		"signature": pgpSignature(n.c.sha), "payload": "tree " + n.c.tree + "\n", "verifiedAt": stamp(n.c.committed),
	}}
}

// file is a TreeEntry of the commit, or nil when there is no such file.
func (n commitNode) file(path string) (any, error) {
	folder, name := "", path
	if at := strings.LastIndex(path, "/"); at >= 0 {
		folder, name = path[:at], path[at+1:]
	}
	entries, err := n.r.git.tree(n.c.sha + ":" + folder)
	if err != nil {
		return nil, nil
	}
	for _, e := range entries {
		if e.name == name {
			return n.r.entryNode(folder, e), nil
		}
	}
	return nil, nil
}
