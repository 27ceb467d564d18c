package github

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Reevaluate identifies the button of the check run that asks for a judgement
// over facts gathered afresh.
const Reevaluate = "reevaluate"

// Hint says which changes a delivery is about and which cached answers it makes
// old. An error beside an empty hint is for the log: the delivery is GitHub's,
// yet nothing could be read of it. An error beside a hint says which part was
// not understood.
//
// A status event names only a commit. Its pull requests are known when their
// facts were gathered, or a delivery about them was seen, since the start and
// among the last Config.CacheSize of them; otherwise the hint is empty and the
// next event of the pull request, or the sweep, brings it up to date.
func (f *Forge) Hint(d change.Delivery) (change.Hint, error) {
	p, err := readPayload(d.Body)
	h := change.Hint{Forget: forgets(d.Event, p), Owners: ownersOf(d.Event, p), Scopes: f.scopes(d.Event, p), Requests: requestsOf(d.Event, p)}
	if f.aboutFloor(d.Event, p) {
		h.Forget, h.Scopes = append(h.Forget, floorKey(ownerOf(p))), append(h.Scopes, change.Scope{Owner: ownerOf(p), Unseen: true})
	}
	if repo, ok := f.repository(p.Repository); ok {
		h.Refs = f.refs(d.Event, repo, p)
		if err == nil {
			h.Topic = topicOf(d.Event, p)
		}
	} else if err == nil && about(d.Event) {
		err = errors.New("no repository with an id and a name")
	}
	if err != nil {
		return h, fmt.Errorf("reading a %s delivery: %w", d.Event, err)
	}
	return h, nil
}

// about reports whether an event is about changes, so that one without a
// repository is worth a line in the log.
func about(event string) bool {
	switch event {
	case "pull_request", "pull_request_review", "check_run", "check_suite", "workflow_run", "status", "merge_group", "push":
		return true
	}
	return false
}

func (f *Forge) refs(event string, repo change.Repository, p payload) []change.Ref {
	switch event {
	case "pull_request", "pull_request_review":
		if event == "pull_request" && idleActions[p.Action] {
			return nil
		}
		f.guess(repo, p.PullRequest)
		return pulls(repo, []int{p.PullRequest.Number})
	case "check_run":
		return f.checkRun(repo, p)
	case "check_suite":
		if p.CheckSuite.App.ID == f.config.AppID && p.Action != "rerequested" {
			return nil
		}
		return f.suite(repo, p.CheckSuite)
	case "workflow_run":
		return f.suite(repo, p.WorkflowRun)
	case "status":
		return pulls(repo, f.byHead(repo, change.SHA(p.SHA)))
	case "merge_group":
		return mergeGroup(repo, p)
	case "push":
		return push(repo, p)
	}
	return nil
}

// idleActions are the actions of a pull request that no fact depends on. Every
// other one, also one that does not exist yet, leads to a fresh look.
var idleActions = map[string]bool{
	"assigned": true, "unassigned": true, "review_requested": true, "review_request_removed": true,
	"locked": true, "unlocked": true, "milestoned": true, "demilestoned": true,
}

// checkRun returns the changes behind a check run. Our own runs tell us nothing
// new, except that somebody pressed their button.
func (f *Forge) checkRun(repo change.Repository, p payload) []change.Ref {
	run := p.CheckRun
	if run.App.ID == f.config.AppID && p.Action != "rerequested" &&
		(p.Action != "requested_action" || p.RequestedAction.Identifier != Reevaluate) {
		return nil
	}
	return f.suite(repo, payloadSuite{HeadSHA: run.HeadSHA, HeadBranch: run.CheckSuite.HeadBranch, PullRequests: run.PullRequests})
}

// suite returns the changes whose head a check is about. GitHub leaves
// pull_requests empty for forks, so the remembered heads are asked as well.
func (f *Forge) suite(repo change.Repository, s payloadSuite) []change.Ref {
	if branch, before, ok := queueBranch(s.HeadBranch); ok {
		return groupRef(repo, branch, change.SHA(s.HeadSHA), before)
	}
	numbers := f.byHead(repo, change.SHA(s.HeadSHA))
	for _, pr := range s.PullRequests {
		// A fork's suite lists the pull requests of other repositories too.
		if pr.Base.Repo.ID == 0 || pr.Base.Repo.ID == repo.ID {
			numbers = append(numbers, pr.Number)
		}
	}
	return pulls(repo, numbers)
}

func pulls(repo change.Repository, numbers []int) []change.Ref {
	numbers = slices.Clone(numbers)
	slices.Sort(numbers)
	var refs []change.Ref
	for _, n := range slices.Compact(numbers) {
		if n > 0 {
			refs = append(refs, change.Ref{Repository: repo, Kind: change.PullRequest, Number: n})
		}
	}
	return refs
}

func mergeGroup(repo change.Repository, p payload) []change.Ref {
	g := p.MergeGroup
	branch, ok := strings.CutPrefix(g.BaseRef, "refs/heads/")
	if p.Action != "checks_requested" || !ok {
		return nil
	}
	return groupRef(repo, branch, change.SHA(g.HeadSHA), change.SHA(g.BaseSHA))
}

func groupRef(repo change.Repository, branch string, head, before change.SHA) []change.Ref {
	if branch == "" || !head.Valid() {
		return nil
	}
	return []change.Ref{{Repository: repo, Kind: change.MergeGroup, Branch: branch, Commit: head, Before: valid(before)}}
}

// queueBranch reads the name of a merge queue's branch,
// gh-readonly-queue/BASE/pr-NUMBER-SHA. The number is only the last member's.
func queueBranch(name string) (base string, before change.SHA, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(name, "refs/heads/"), "gh-readonly-queue/")
	at := strings.LastIndex(rest, "/pr-")
	if !ok || at <= 0 {
		return "", "", false
	}
	if dash := strings.LastIndex(rest, "-"); dash > at {
		before = valid(change.SHA(rest[dash+1:]))
	}
	return rest[:at], before, true
}

// push returns the movement of a branch. A tag is no branch, and the merge
// queue's own branches are judged as groups.
func push(repo change.Repository, p payload) []change.Ref {
	branch, ok := strings.CutPrefix(p.Ref, "refs/heads/")
	before, after := valid(change.SHA(p.Before)), valid(change.SHA(p.After))
	if _, _, queue := queueBranch(branch); !ok || branch == "" || before == "" && after == "" || queue {
		return nil
	}
	return []change.Ref{{Repository: repo, Kind: change.Push, Branch: branch, Commit: after, Before: before}}
}

// valid returns s, or nothing when it is no object id or the one of zeros that
// stands for "no commit".
func valid(s change.SHA) change.SHA {
	if !s.Valid() || strings.Trim(string(s), "0") == "" {
		return ""
	}
	return s
}

// ownerOf returns the login of the owner that a delivery is about, or "".
func ownerOf(p payload) string {
	owner, _, _ := strings.Cut(p.Repository.FullName, "/")
	return cmp.Or(p.Repository.Owner.Login, owner, p.Organization.Login, p.Installation.Account.Login)
}

// aboutPeople reports whether an event says that somebody's role has changed. An
// invitation changes nothing before it is accepted.
func aboutPeople(event string, p payload) bool {
	switch event {
	case "member", "membership", "team", "team_add":
		return true
	case "organization":
		return p.Action != "member_invited"
	}
	return false
}

// ownersOf returns the owner whose people have changed roles, if any did.
func ownersOf(event string, p payload) []string {
	if owner := ownerOf(p); owner != "" && aboutPeople(event, p) {
		return []string{owner}
	}
	return nil
}

// forgets returns the cached answers that an event makes old.
func forgets(event string, p payload) []string {
	owner := ownerOf(p)
	switch {
	case owner == "":
		return nil
	case aboutPeople(event, p), event == "public":
		return []string{peopleKey(owner)}
	case aboutRules(event):
		return []string{rulesKey(owner)}
	case event == "push" && ofTrunk(p):
		return []string{trunkKey(p.Repository.ID)}
	case event == "repository" && !movesRepository[p.Action]:
		return nil
	case event == "repository", event == "installation", event == "installation_repositories", event == "installation_target":
		return []string{installationKey(owner), peopleKey(owner), rulesKey(owner)}
	}
	return nil
}

// ofTrunk reports whether a push moved the default branch of its repository.
func ofTrunk(p payload) bool {
	branch, ok := strings.CutPrefix(p.Ref, "refs/heads/")
	trunk := p.Repository.DefaultBranch
	return ok && (trunk == "" || branch == trunk)
}
