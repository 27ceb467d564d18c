package githubsim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// A Ruleset is a set of rules for branches, as GitHub's rulesets are.
type Ruleset struct {
	Name        string
	Enforcement string   // active (default), evaluate or disabled
	Include     []string // ref patterns, or ~DEFAULT_BRANCH or ~ALL; default ~DEFAULT_BRANCH
	Exclude     []string
	FromOrg     bool // the organisation holds it, not the repository

	PullRequest    *PullRequestRule
	RequiredChecks []RequiredCheck
	StrictChecks   bool // the branch must be up to date before merging
	MergeQueue     *MergeQueueRule
	NonFastForward bool             // no force pushes
	Deletion       bool             // no deletion
	Other          []map[string]any // further rules as GitHub writes them, shown but not enforced

	Bypass []BypassActor
}

// A PullRequestRule demands pull requests with reviews.
type PullRequestRule struct {
	Approvals       int
	DismissStale    bool
	LastPushByOther bool // the last pusher's approval does not count
}

// A RequiredCheck is a context that must pass, from one application when AppID
// is set.
type RequiredCheck struct {
	Context string
	AppID   int64
}

// A MergeQueueRule demands the merge queue.
type MergeQueueRule struct {
	Method   string // MERGE (default), SQUASH or REBASE
	HeadOnly bool   // HEADGREEN: only the group's head must pass; otherwise every entry must
	MinGroup int    // entries to wait for before merging; default 1
	MaxGroup int    // entries merged together at most; default 5
}

// The actors that may bypass.
const (
	BypassOrganizationAdmin = "OrganizationAdmin"
	BypassRepositoryRole    = "RepositoryRole" // id 5 is admin, 2 maintain, 4 write
	BypassTeam              = "Team"
	BypassUser              = "User"
	BypassIntegration       = "Integration"
)

// A BypassActor may go around a ruleset.
type BypassActor struct {
	Type string
	ID   int64
	Mode string // always (default), pull_request or exempt
}

// ruleset is a Ruleset in force.
type ruleset struct {
	Ruleset
	id               int64
	created, changed time.Time
}

// SetRuleset makes or replaces the ruleset of that name and returns its id.
func (a Actor) SetRuleset(o Ruleset) (id int64, err error) {
	err = a.act("admin", func(r *Repository, by *account) error {
		o = o.withDefaults()
		now := r.sim.clock()
		if i := r.rulesetIndex(o.Name); i >= 0 {
			before := r.rulesets[i]
			after := &ruleset{Ruleset: o, id: before.id, created: before.created, changed: now}
			r.rulesets[i], id = after, after.id
			r.sim.emitRuleset(r, "edited", after, before, by)
			return nil
		}
		after := &ruleset{Ruleset: o, id: r.sim.nextID(), created: now, changed: now}
		r.rulesets, id = append(r.rulesets, after), after.id
		r.sim.emitRuleset(r, "created", after, nil, by)
		return nil
	})
	return id, err
}

// DeleteRuleset deletes the ruleset of that name.
func (a Actor) DeleteRuleset(name string) error {
	return a.act("admin", func(r *Repository, by *account) error {
		i := r.rulesetIndex(name)
		if i < 0 {
			return refuse(404, "Not Found")
		}
		gone := r.rulesets[i]
		r.rulesets = slices.Delete(r.rulesets, i, i+1)
		r.sim.emitRuleset(r, "deleted", gone, nil, by)
		return nil
	})
}

func (r *Repository) rulesetIndex(name string) int {
	return slices.IndexFunc(r.rulesets, func(s *ruleset) bool { return s.Name == name })
}

func (o Ruleset) withDefaults() Ruleset {
	if o.Enforcement == "" {
		o.Enforcement = "active"
	}
	if len(o.Include) == 0 {
		o.Include = []string{"~DEFAULT_BRANCH"}
	}
	o.Bypass = slices.Clone(o.Bypass)
	for i := range o.Bypass {
		if o.Bypass[i].Mode == "" {
			o.Bypass[i].Mode = "always"
		}
	}
	if q := o.MergeQueue; q != nil {
		c := *q
		if c.Method == "" {
			c.Method = "MERGE"
		}
		c.MinGroup, c.MaxGroup = max(c.MinGroup, 1), max(c.MaxGroup, c.MinGroup, 1)
		if q.MaxGroup == 0 {
			c.MaxGroup = max(5, c.MinGroup)
		}
		o.MergeQueue = &c
	}
	return o
}

// covers reports whether the ruleset speaks of a branch.
func (s *ruleset) covers(r *Repository, branch string) bool {
	match := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			if p == "~ALL" || (p == "~DEFAULT_BRANCH" && branch == r.trunk) {
				return true
			}
			ok, err := doublestar.Match(p, "refs/heads/"+branch)
			return err == nil && ok
		})
	}
	return match(s.Include) && !match(s.Exclude)
}

// active returns the rulesets in force on a branch. The queue's own branches are
// GitHub's business.
func (r *Repository) active(branch string) []*ruleset {
	var list []*ruleset
	for _, s := range r.rulesets {
		if s.Enforcement == "active" && !strings.HasPrefix(branch, queuePrefix) && s.covers(r, branch) {
			list = append(list, s)
		}
	}
	return list
}

// pullRequestRule returns the strictest pull request rule of a branch, or nil.
func (r *Repository) pullRequestRule(branch string) *PullRequestRule {
	var all *PullRequestRule
	for _, s := range r.active(branch) {
		if p := s.PullRequest; p != nil {
			if all == nil {
				all = &PullRequestRule{}
			}
			all.Approvals = max(all.Approvals, p.Approvals)
			all.DismissStale = all.DismissStale || p.DismissStale
			all.LastPushByOther = all.LastPushByOther || p.LastPushByOther
		}
	}
	return all
}

// mergeQueueRule returns the merge queue rule of a branch, or nil.
func (r *Repository) mergeQueueRule(branch string) *MergeQueueRule {
	for _, s := range r.active(branch) {
		if s.MergeQueue != nil {
			return s.MergeQueue
		}
	}
	return nil
}

// mayBypass reports whether an account may go around a ruleset, by a push
// (pull false) or in a pull request.
func (r *Repository) mayBypass(s *ruleset, by *account, pull bool) bool {
	return slices.ContainsFunc(s.Bypass, func(b BypassActor) bool {
		if b.Mode == "pull_request" && !pull {
			return false
		}
		switch b.Type {
		case BypassOrganizationAdmin:
			return r.owner.members[by.id] == "admin"
		case BypassRepositoryRole:
			role := map[int64]string{5: "admin", 2: "maintain", 4: "write"}[b.ID]
			return role != "" && rank(r.permission(by)) >= rank(role)
		case BypassTeam:
			for _, t := range r.owner.teams {
				if t.id == b.ID {
					return t.role(by.id) != ""
				}
			}
		case BypassUser:
			return by.id == b.ID
		case BypassIntegration:
			return by.app != nil && by.app.ID == b.ID
		}
		return false
	})
}

// permit says whether a branch may be moved by a push, in the words of GitHub's
// pre-receive hook when it may not.
func (r *Repository) permit(m movement) error {
	m.before = r.branches[m.branch]
	if m.before == "" || m.before == m.after {
		return nil // rules for new branches are not modelled
	}
	if err := r.classify(&m); err != nil {
		return err
	}
	var broken []string
	for _, s := range r.active(m.branch) {
		if r.mayBypass(s, m.actor, false) {
			continue
		}
		broken = append(broken, r.brokenByPush(s, m)...)
	}
	if len(broken) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "remote: error: GH013: Repository rule violations found for refs/heads/%s.", m.branch)
	for _, line := range broken {
		b.WriteString("\nremote: - " + line)
	}
	return refuse(0, "%s", b.String())
}

// brokenByPush lists the rules of s that a direct movement breaks.
func (r *Repository) brokenByPush(s *ruleset, m movement) []string {
	var broken []string
	if s.Deletion && m.kind == moveDelete {
		broken = append(broken, "Cannot delete this branch")
	}
	if s.NonFastForward && m.kind == moveForce {
		broken = append(broken, "Cannot force-push to this branch")
	}
	if m.kind == moveDelete {
		return broken
	}
	if s.PullRequest != nil {
		broken = append(broken, "Changes must be made through a pull request.")
	}
	if s.MergeQueue != nil {
		broken = append(broken, "Changes must be made through the merge queue")
	}
	for _, c := range s.RequiredChecks {
		if why := r.missing(c, m.after); why != "" {
			broken = append(broken, why)
		}
	}
	return broken
}
