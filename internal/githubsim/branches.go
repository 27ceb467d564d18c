package githubsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The kinds of movement, in the words of the activity API.
const (
	movePush     = "push"
	moveForce    = "force_push"
	moveCreate   = "branch_creation"
	moveDelete   = "branch_deletion"
	movePR       = "pr_merge"
	moveQueue    = "merge_queue_merge"
	queuePrefix  = "gh-readonly-queue/"
	maxPushNotes = 2048 // commits listed in one push delivery, as GitHub bounds it
)

// movement is one change of a branch's tip.
type movement struct {
	id            int64
	branch        string
	before, after string // "" where the branch does not exist
	actor         *account
	kind          string
	at            time.Time
}

// CreateBranch makes a branch at another branch or commit.
func (a Actor) CreateBranch(name, from string) error {
	return a.act("write", func(r *Repository, by *account) error {
		sha, err := r.resolve(from)
		if err != nil {
			return err
		}
		if r.branches[name] != "" {
			return refuse(422, "Reference already exists")
		}
		return r.move(movement{branch: name, after: sha, actor: by})
	})
}

// DeleteBranch deletes a branch and closes the pull requests that come from it.
func (a Actor) DeleteBranch(name string) error {
	return a.act("write", func(r *Repository, by *account) error {
		if r.branches[name] == "" {
			return refuse(422, "Reference does not exist")
		}
		m := movement{branch: name, before: r.branches[name], actor: by, kind: moveDelete}
		if err := r.permit(m); err != nil {
			return err
		}
		return r.move(m)
	})
}

// Push commits on top of a branch, which is made from the default branch when it
// does not exist, pushes, and returns the new tip.
func (a Actor) Push(branch string, commits ...Commit) (string, error) {
	return a.push(branch, "", commits)
}

// ForcePush restarts a branch at another branch or commit, puts commits on top,
// pushes with force, and returns the new tip.
func (a Actor) ForcePush(branch, from string, commits ...Commit) (string, error) {
	return a.push(branch, from, commits)
}

// push does both; from "" is the tip of the branch.
func (a Actor) push(branch, from string, commits []Commit) (tip string, err error) {
	err = a.act("write", func(r *Repository, by *account) error {
		if strings.HasPrefix(branch, queuePrefix) {
			return refuse(0, "remote: error: GH006: Protected branch update failed for refs/heads/%s.\nremote: error: Branch is read-only.", branch)
		}
		start := from
		if start == "" {
			start = branch
			if r.branches[branch] == "" {
				start = r.trunk
			}
		}
		parent, err := r.resolve(start)
		if err != nil {
			return err
		}
		if tip, err = r.commitOn(parent, by, commits); err != nil {
			return err
		}
		m := movement{branch: branch, after: tip, actor: by}
		if err := r.permit(m); err != nil {
			return err
		}
		return r.move(m)
	})
	return tip, err
}

// PushCommit moves a branch to a commit that is already in the repository, as a
// local merge of a pull request that is pushed by hand does.
func (a Actor) PushCommit(branch, commit string) error {
	return a.act("write", func(r *Repository, by *account) error {
		sha, err := r.resolve(commit)
		if err != nil {
			return err
		}
		m := movement{branch: branch, after: sha, actor: by}
		if err := r.permit(m); err != nil {
			return err
		}
		return r.move(m)
	})
}

// WebEdit commits one file on the web page: GitHub is the committer and signs.
func (a Actor) WebEdit(branch, path, content, message string) (tip string, err error) {
	err = a.act("write", func(r *Repository, by *account) error {
		tip, err = r.webCommit(branch, by, Commit{Message: message, Files: map[string]string{path: content}})
		return err
	})
	return tip, err
}

// webCommit commits through the web page on the tip of a branch.
func (r *Repository) webCommit(branch string, by *account, c Commit) (string, error) {
	if r.branches[branch] == "" {
		return "", refuse(404, "Branch %s not found", branch)
	}
	c.Committer = webCommitter()
	tip, err := r.commitOn(r.branches[branch], by, []Commit{c})
	if err != nil {
		return "", err
	}
	m := movement{branch: branch, after: tip, actor: by}
	if err := r.permit(m); err != nil {
		return "", err
	}
	r.signedByGitHub(tip)
	return tip, r.move(m)
}

func (r *Repository) signedByGitHub(sha string) {
	r.signatures[sha] = signature{byGitHub: true, signer: r.sim.byID[webFlowID]}
}

// move moves a branch and tells everyone whom that concerns. The caller has
// asked permit. The kind is found out unless it is given.
func (r *Repository) move(m movement) error {
	m.before = r.branches[m.branch]
	if m.before == m.after {
		return nil
	}
	if err := r.classify(&m); err != nil {
		return err
	}
	if err := r.git.setRef("refs/heads/"+m.branch, m.after); err != nil {
		return fmt.Errorf("moving %s: %w", m.branch, err)
	}
	m.id, m.at = r.sim.nextID(), r.sim.clock()
	if m.after == "" {
		delete(r.branches, m.branch)
	} else {
		r.branches[m.branch] = m.after
	}
	r.pushed = m.at
	r.moves = append(r.moves, &m)
	if err := r.sim.emitPush(r, &m); err != nil {
		return err
	}
	return r.follow(&m)
}

// classify finds out what kind of movement m is.
func (r *Repository) classify(m *movement) error {
	switch {
	case m.kind != "":
	case m.before == "":
		m.kind = moveCreate
	case m.after == "":
		m.kind = moveDelete
	default:
		forward, err := r.git.contains(m.after, m.before)
		if err != nil {
			return err
		}
		m.kind = movePush
		if !forward {
			m.kind = moveForce
		}
	}
	return nil
}

// follow updates the pull requests that come from or go to a moved branch.
func (r *Repository) follow(m *movement) error {
	for _, n := range r.openNumbers() {
		p := r.pulls[n]
		if p.headBranch == m.branch {
			if err := r.headMoved(p, m); err != nil {
				return err
			}
		}
		if p.baseBranch == m.branch && p.state == pullOpen {
			if err := r.baseMoved(p, m); err != nil {
				return err
			}
		}
	}
	if q := r.queues[m.branch]; q != nil && m.kind != moveQueue {
		return q.build(0)
	}
	return nil
}

// openNumbers returns the numbers of open pull requests in order.
func (r *Repository) openNumbers() []int {
	var numbers []int
	for n, p := range r.pulls {
		if p.state == pullOpen {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}
