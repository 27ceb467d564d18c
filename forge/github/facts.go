package github

import (
	"fmt"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// material is everything that was read about one change, before it is put into
// the words of package change.
type material struct {
	ref       change.Ref
	at        time.Time // when the first question was asked
	pr        *pullRequest
	target    string // the protected branch
	mergeBase change.SHA
	files     []change.File // read over REST; nil when GraphQL's list serves
	pushes    []movement
	replaced  []commit  // of versions that force pushes took away; nil when there were none
	merge     *movement // of the target branch, that landed the change
	enforced  change.Enforcement
	absent    reasons
}

// A builder puts answers into facts. It gives every person one reference, in the
// order in which the parts below are built, so that equal answers give equal
// facts.
type builder struct {
	appID     int64
	checkName string
	noreply   map[string]bool // committer addresses of GitHub itself
	roster    change.Roster
	bots      bots // that opened the change or pushed to it
	absent    reasons
}

func (f *Forge) builder(absent reasons) *builder {
	return &builder{
		appID: f.config.AppID, checkName: f.config.CheckName, absent: absent, bots: bots{},
		noreply: map[string]bool{"noreply@github.com": true, "noreply@" + f.host: true},
	}
}

// settle returns v as a known fact unless a reason against it was noted or err
// holds one.
func settle[T any](b *builder, fact string, v T, err error) change.Fact[T] {
	if err != nil {
		b.absent.set(fact, err.Error())
	}
	if _, against := b.absent[fact]; against {
		return change.Fact[T]{}
	}
	return change.Known(v)
}

// ours returns the verdict of ours that stands on a commit, as it was read with the
// checks of the commit: it is known when they are.
func (b *builder) ours(shown change.Shown) change.Fact[change.Shown] {
	if _, against := b.absent["checks"]; against {
		return change.Fact[change.Shown]{}
	}
	return change.Known(shown)
}

// pullRequest builds the facts of a pull request, and apart from them the verdict
// of ours that stands on its head.
func (b *builder) pullRequest(m material) (change.Facts, change.Fact[change.Shown]) {
	pr := m.pr
	b.bots.saw(pr.Author.identity())
	b.bots.saw(pushers(m)...)
	facts := change.Facts{
		Ref: m.ref, GatheredAt: m.at.UTC(), Title: pr.Title, URL: pr.URL, Opened: pr.CreatedAt,
		State:    settle(b, "state", state(pr), nil),
		Opener:   settle(b, "opener", b.roster.Add(pr.Author.identity()), nil),
		Base:     settle(b, "base", base(m), nil),
		Enforced: settle(b, "enforced", m.enforced, nil),
	}
	commits, err := b.pullCommits(pr)
	facts.Commits = settle(b, "commits", commits, err)
	facts.Pushes = settle(b, "pushes", b.branchPushes(m), nil)
	reviews, err := b.reviews(pr)
	facts.Reviews = settle(b, "reviews", reviews, err)
	head, err := b.head(pr)
	facts.Head = settle(b, "head", head, err)
	checks, shown, err := b.checks(headOf(pr), pr.HeadRefOid)
	facts.Checks = settle(b, "checks", checks, err)
	ours := b.ours(shown)
	files, err := fileList(m)
	facts.Files = settle(b, "files", files, err)
	labels, err := labelList(pr)
	facts.Labels = settle(b, "labels", labels, err)
	requests, err := requestList(pr)
	facts.Requests = settle(b, "requests", requests, err)
	timeline, err := b.timeline(pr)
	facts.Timeline = settle(b, "timeline", timeline, err)
	facts.AutoMerge = settle(b, "autoMerge", b.autoMerge(pr), nil)
	facts.Queue = settle(b, "queue", b.queueEntry(pr), nil)
	landing, err := b.landing(m)
	facts.Landing = settle(b, "landing", landing, err)
	if replaced, err := b.replacedCommits(m); m.replaced != nil || b.absent["replaced"] != "" {
		facts.Replaced = settle(b, "replaced", replaced, err)
	}
	facts.People, facts.Absent = b.roster.People(), b.absent.table()
	return facts, ours
}

func state(pr *pullRequest) change.State {
	switch {
	case pr.Merged:
		return change.LandedState
	case pr.State == "CLOSED":
		return change.ClosedState
	case pr.IsDraft:
		return change.Draft
	}
	return change.Open
}

// base returns where the change goes. A merged change keeps the base it had
// then; its branch has moved on since.
func base(m material) change.Base {
	tip := m.pr.BaseRefOid
	if !m.pr.Merged && m.pr.BaseRef != nil && m.pr.BaseRef.Target != nil {
		tip = m.pr.BaseRef.Target.Oid
	}
	return change.Base{Branch: m.pr.BaseRefName, Target: m.target, Commit: tip, MergeBase: m.mergeBase}
}

// head returns the revision that the change proposes.
func (b *builder) head(pr *pullRequest) (change.Head, error) {
	h := change.Head{Branch: pr.HeadRefName, Commit: pr.HeadRefOid}
	if pr.HeadRepository != nil {
		h.Repository = pr.HeadRepository.DatabaseID
	}
	c := headOf(pr)
	if c == nil || c.Oid != pr.HeadRefOid || !c.Tree.Oid.Valid() {
		return h, fmt.Errorf("GitHub does not show the tree of %s", pr.HeadRefOid.Short())
	}
	h.Tree = c.Tree.Oid
	return h, nil
}

// headOf returns the head commit with its checks, or nil.
func headOf(pr *pullRequest) *checked {
	if pr.HeadCommit == nil || len(pr.HeadCommit.Nodes) != 1 || pr.HeadCommit.Nodes[0] == nil {
		return nil
	}
	return &pr.HeadCommit.Nodes[0].Commit
}

func labelList(pr *pullRequest) ([]string, error) {
	all, err := pr.Labels.all()
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	return names, err
}

func requestList(pr *pullRequest) ([]change.Request, error) {
	all, err := pr.Issues.all()
	var list []change.Request
	for _, i := range all {
		key := fmt.Sprintf("%s#%d", i.Repository.NameWithOwner, i.Number)
		list = append(list, change.Request{Key: key, Found: "closing-reference", URL: i.URL})
	}
	return list, err
}

func (b *builder) autoMerge(pr *pullRequest) change.AutoMerge {
	if pr.AutoMerge == nil {
		return change.AutoMerge{}
	}
	by := b.roster.Add(pr.AutoMerge.EnabledBy.identity())
	return change.AutoMerge{Armed: true, By: by, Method: lower(pr.AutoMerge.MergeMethod)}
}

func (b *builder) queueEntry(pr *pullRequest) change.QueueEntry {
	if pr.QueueEntry == nil {
		return change.QueueEntry{}
	}
	by := b.roster.Add(pr.QueueEntry.Enqueuer.identity())
	return change.QueueEntry{Queued: true, By: by, State: lower(pr.QueueEntry.State)}
}
