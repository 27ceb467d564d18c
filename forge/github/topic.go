package github

import "github.com/countersign-dev/countersign/change"

// actionsSlug is the slug of the application that runs workflows.
const actionsSlug = "github-actions"

// completed is the status of a check that has ended, and the action that tells of it.
const completed = "completed"

// topicOf returns what alone a delivery can have changed, as the event and its action
// say by what GitHub sends them for. Of every other one, also one that does not exist
// yet, and of one without the name that it should have, anything may have changed.
func topicOf(event string, p payload) change.Topic {
	switch event {
	case "check_run":
		if run := p.CheckRun; run.Name != "" && (p.Action == "created" || p.Action == completed) {
			return change.Topic{Check: run.Name, Open: run.Status != completed, Passed: run.Status == completed && run.Conclusion == change.Success}
		}
	case "status":
		if p.Context != "" {
			return change.Topic{Check: p.Context, Open: p.State == "pending", Passed: p.State == change.Success}
		}
	case "check_suite":
		return suiteTopic(p.Action, p.CheckSuite.App.Slug)
	case "workflow_run":
		return suiteTopic(p.Action, actionsSlug)
	case "pull_request":
		return pullTopic(p)
	case "pull_request_review":
		return change.Topic{Comment: p.Action == "submitted" && p.Review.State == "commented"}
	}
	return change.Topic{}
}

// suiteTopic returns what a suite that an application runs can have changed.
func suiteTopic(action, app string) change.Topic {
	switch {
	case app == "":
	case action == completed:
		return change.Topic{Suite: app}
	case action == "requested", action == "in_progress":
		return change.Topic{Suite: app, Open: true}
	}
	return change.Topic{}
}

// pullTopic returns what the event of a pull request can have changed. An edit may be
// of several fields at once.
func pullTopic(p payload) change.Topic {
	switch p.Action {
	case "labeled", "unlabeled":
		return change.Topic{Labels: true}
	case "edited":
		for field := range p.Changes.fields {
			if field != "title" && field != "body" {
				return change.Topic{}
			}
		}
		return change.Topic{Words: len(p.Changes.fields) > 0}
	}
	return change.Topic{}
}
