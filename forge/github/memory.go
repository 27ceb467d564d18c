package github

import (
	"fmt"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// A memory is what a gather found out about one version of a pull request and the
// next one need not ask again. It serves only while everything that the answers
// rested on is the same: the head, what it is compared with, and what the timeline
// says of the branch. Who moved a branch can only change with the head: whoever
// moves it away and back must force it at least once, and that stands in the
// timeline.
type memory struct {
	repository string // of the head branch
	branch     string
	head       change.SHA
	base       change.SHA // the base branch's tip
	mergeBase  change.SHA // the pushes rest on it
	opened     time.Time
	events     string // of the timeline: what became of the head branch

	pushes []movement    // nil when they are to be asked
	files  []change.File // over REST; nil when they are to be asked
}

// Bounds of what is remembered of one pull request.
const (
	maxMovesKept = 250
	maxFilesKept = 300
)

// version returns an empty memory of what the answers rest on.
func (p *pull) version(mergeBase change.SHA) memory {
	m := memory{
		branch: p.pr.HeadRefName, head: p.pr.HeadRefOid, base: base(material{pr: p.pr}).Commit, mergeBase: mergeBase,
		opened: p.pr.CreatedAt, events: headEvents(p.pr),
	}
	if p.pr.HeadRepository != nil {
		m.repository = p.pr.HeadRepository.NameWithOwner
	}
	return m
}

// recalled returns what the last gather found out that still holds.
func (p *pull) recalled(mergeBase change.SHA) memory {
	was, _ := p.forge.memory.Get(p.ref.Key())
	now := p.version(mergeBase)
	if was.head != now.head || was.repository != now.repository || was.branch != now.branch || !was.opened.Equal(now.opened) || was.events != now.events {
		return memory{}
	}
	if was.base != now.base {
		was.files = nil // they are compared with the base as it stands
	}
	if was.mergeBase != now.mergeBase {
		was.pushes = nil
	}
	return was
}

// notePushes and noteFiles keep an answer for the next gather, once this one has
// seen that the head did not move.
func (p *pull) notePushes(moves []movement) {
	if len(moves) <= maxMovesKept {
		p.note(func(m *memory) { m.pushes = moves })
	}
}

func (p *pull) noteFiles(files []change.File) {
	if len(files) <= maxFilesKept {
		p.note(func(m *memory) { m.files = files })
	}
}

func (p *pull) note(set func(*memory)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set(&p.found)
}

// settled reports whether the list of movements can be relied on to hold all that
// happened: its newest one made the head, and it holds every forced one that the
// timeline tells of. Otherwise it may lag, and is asked again the next time.
func (l *activity) settled(pr *pullRequest) bool {
	if len(l.moves) == 0 || l.moves[0].After != pr.HeadRefOid {
		return false
	}
	listed := map[[2]change.SHA]bool{}
	for _, m := range l.moves {
		listed[[2]change.SHA{m.Before, m.After}] = true
	}
	events, err := pr.Timeline.read()
	for _, e := range events {
		forced := [2]change.SHA{change.SHA(commitID(e.BeforeCommit)), change.SHA(commitID(e.AfterCommit))}
		if e.Typename == "HeadRefForcePushedEvent" && !listed[forced] {
			return false
		}
	}
	return err == nil
}

// headEvents returns what the timeline says of the head branch, in one string.
func headEvents(pr *pullRequest) string {
	var b strings.Builder
	events, err := pr.Timeline.read()
	if err != nil {
		return pr.HeadRefOid.Short() + " " + err.Error()
	}
	for _, e := range events {
		switch e.Typename {
		case "HeadRefForcePushedEvent", "HeadRefDeletedEvent", "HeadRefRestoredEvent":
			fmt.Fprintf(&b, "%s %s %s %s\n", e.Typename, e.CreatedAt.Format(time.RFC3339), commitID(e.BeforeCommit), commitID(e.AfterCommit))
		}
	}
	return b.String()
}
