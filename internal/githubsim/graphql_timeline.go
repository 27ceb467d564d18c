package githubsim

import (
	"strings"
)

// timeline answers timelineItems for the types that are asked for. Commits,
// reviews and comments are not served here: they have connections of their own.
func (n pullNode) timeline(a arguments) (any, error) {
	wanted := map[string]bool{}
	types, _ := a["itemTypes"].([]any)
	for _, t := range types {
		name, _ := t.(string)
		kind := camel(name)
		if !strings.HasSuffix(kind, "Event") {
			return nil, invalidQuery("unservedItemType", "the simulator does not serve timeline items of type %s", name)
		}
		wanted[kind] = true
	}
	if len(wanted) == 0 {
		return nil, invalidQuery("missingItemTypes", "the simulator serves timelineItems with itemTypes only")
	}
	var events []*event
	for _, e := range n.p.timeline {
		if wanted[e.kind] {
			events = append(events, e)
		}
	}
	return listOf("PullRequestTimelineItemsConnection", events, a, func(e *event) graphNode { return eventNode{n.p, e} })
}

// camel turns HEAD_REF_DELETED_EVENT into HeadRefDeletedEvent.
func camel(enum string) string {
	var b strings.Builder
	for _, word := range strings.Split(strings.ToLower(enum), "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// eventNode is one timeline item.
type eventNode struct {
	p *pull
	e *event
}

func (n eventNode) typeName() string { return n.e.kind }

func (n eventNode) field(name string, _ arguments) (any, error) {
	e, r := n.e, n.p.repo
	switch name {
	case "id":
		return nodeID(e.kind, e.id), nil
	case "createdAt":
		return stamp(e.at), nil
	case "actor":
		return r.sim.actor(e.actor), nil
	case "pullRequest":
		return pullNode{n.p}, nil
	}
	// The fields of each type, which must not be served for another.
	switch e.kind + "." + name {
	case "HeadRefForcePushedEvent.beforeCommit", "BaseRefForcePushedEvent.beforeCommit", "RemovedFromMergeQueueEvent.beforeCommit":
		return r.commitOrNil(e.before)
	case "HeadRefForcePushedEvent.afterCommit", "BaseRefForcePushedEvent.afterCommit", "MergedEvent.commit":
		return r.commitOrNil(e.after)
	case "HeadRefDeletedEvent.headRefName", "MergedEvent.mergeRefName", "RemovedFromMergeQueueEvent.reason", "AutoMergeDisabledEvent.reasonCode":
		return e.detail, nil
	case "BaseRefChangedEvent.previousRefName", "RenamedTitleEvent.previousTitle":
		return e.before, nil
	case "BaseRefChangedEvent.currentRefName", "RenamedTitleEvent.currentTitle":
		return e.after, nil
	case "AutoMergeEnabledEvent.enabler", "AutoSquashEnabledEvent.enabler", "AutoRebaseEnabledEvent.enabler",
		"AddedToMergeQueueEvent.enqueuer", "RemovedFromMergeQueueEvent.enqueuer":
		return r.sim.actor(e.actor), nil
	case "LabeledEvent.label", "UnlabeledEvent.label":
		return r.labelNode(e.detail), nil
	case "ReviewDismissedEvent.previousReviewState":
		return e.was, nil
	case "ReviewDismissedEvent.dismissalMessage":
		return orNull(e.detail), nil
	case "ReviewDismissedEvent.review":
		return reviewNode{e.review}, nil
	case "ReviewDismissedEvent.pullRequestCommit":
		return n.dismissedBy()
	}
	return nil, undefinedField(e.kind, name)
}

// dismissedBy is the commit whose push dismissed a stale review: nil for a
// dismissal by hand, which has a message.
func (n eventNode) dismissedBy() (any, error) {
	if n.e.detail != "" || n.e.after == "" {
		return nil, nil
	}
	c, err := n.p.repo.git.commit(n.e.after)
	if err != nil {
		return nil, err
	}
	return n.p.commitNode(c), nil
}
