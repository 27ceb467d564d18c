package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim/contract"
)

const eventsPage = "../../docs/events.md"

// An eventRow is a line of the table: which actions of an event lead to what.
type eventRow struct {
	actions []string // nil for all others
	look    string
}

// eventTable reads the table of the page, by event.
func eventTable(t *testing.T) map[string][]eventRow {
	t.Helper()
	text, err := os.ReadFile(eventsPage)
	require.NoError(t, err)
	quoted := regexp.MustCompile("`([^`]+)`")
	names := func(cell string) (list []string) {
		for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
			list = append(list, m[1])
		}
		return list
	}
	table := map[string][]eventRow{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| `") && len(cells) == 6 {
			row := eventRow{actions: names(cells[2]), look: strings.TrimSpace(cells[3])}
			require.NotEmpty(t, strings.TrimSpace(cells[4]), "every row says why: %s", line)
			require.True(t, row.actions != nil || strings.HasPrefix(strings.TrimSpace(cells[2]), "all"), line)
			for _, event := range names(cells[1]) {
				table[event] = append(table[event], row)
			}
		}
	}
	return table
}

// lookOf returns what the page says of an event, "" when it says nothing.
func lookOf(rows []eventRow, action string) string {
	look := ""
	for _, r := range rows {
		switch {
		case slices.Contains(r.actions, action):
			return r.look
		case r.actions == nil:
			look = r.look
		}
	}
	return look
}

// about returns a delivery of an event that is about the scene's repository, a pull
// request of it and its head, whatever the event.
func (s *stage) about(t *testing.T, e contract.Event, number int, before string) []byte {
	t.Helper()
	type obj = map[string]any
	repo := obj{"id": s.repo.ID(), "full_name": s.repo.FullName(), "default_branch": "main", "owner": obj{"login": "acme"}}
	branch := s.head(number)
	head, tip := s.repo.Head(branch), s.repo.Head("main")
	pull := obj{"number": number, "created_at": "2026-01-01T00:00:00Z", "head": obj{"ref": branch, "sha": head, "repo": repo}, "base": obj{"ref": "main", "repo": repo}}
	app := obj{"id": 15368, "slug": "github-actions"}
	suite := obj{"head_sha": head, "head_branch": branch, "app": app, "status": "completed", "conclusion": "failure", "pull_requests": []any{pull}}
	run := obj{"name": "test", "head_sha": head, "app": app, "check_suite": suite, "status": "completed", "conclusion": "failure", "pull_requests": []any{pull}}
	body := obj{
		"repository": repo, "organization": obj{"login": "acme"}, "installation": obj{"id": 1, "account": obj{"login": "acme"}}, "sender": obj{"login": "grace", "id": 1},
		"pull_request": pull, "issue": obj{"number": 999, "id": 999, "repository_url": s.sim.URL + "/repos/acme/shop"}, "review": obj{"state": "approved"},
		"check_run": run, "check_suite": suite, "workflow_run": suite, "sha": head, "context": "test", "state": "failure",
		"ref": "refs/heads/main", "before": before, "after": tip, "changes": obj{"default_branch": obj{"from": "master"}, "name": obj{"from": "was"}, "base": obj{"ref": obj{"from": "old"}}},
		"label": obj{"name": "urgent"}, "repositories_added": []any{repo}, "repositories_removed": []any{},
		"merge_group": obj{"head_sha": tip, "base_sha": tip, "base_ref": "refs/heads/main", "head_ref": "refs/heads/gh-readonly-queue/main/pr-1-" + tip},
	}
	if e.Action != "" {
		body["action"] = e.Action
	}
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	return raw
}

// Every event that GitHub describes, with every action, leads to what the page says,
// and what leads to nothing costs no request.
func TestEveryEventLeadsToWhatThePageSays(t *testing.T) {
	events, table := contract.Events(t), eventTable(t)
	require.Greater(t, len(events), 250)
	s := newStage(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // there are hundreds
	defer cancel()
	s.ctx = ctx
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("grace", n)
	s.passes(t, n)
	before := s.repo.Head("main")
	s.push("margaret", "main", file("README.md", "# Shop\n"))
	named := map[string]bool{}
	for i, e := range events {
		look := lookOf(table[e.Name], e.Action)
		if named[e.Name] = true; look == "" {
			t.Errorf("docs/events.md says nothing of %s %s", e.Name, e.Action)
			continue
		}
		if e == (contract.Event{Name: "merge_group", Action: "checks_requested"}) {
			continue // of a group that is not there GitHub is asked until it is: TestSituations has real ones
		}
		s.try(s.quiet)
		s.sim.ResetRequests()
		require.Equal(t, http.StatusAccepted, s.post(t, fmt.Sprint("event-", i), e.Name, s.about(t, e, n, before), nil))
		require.NoError(t, s.server.hooks.Idle(s.ctx), "%s %s", e.Name, e.Action)
		asked := s.sim.Requests()
		if none := look == "nothing" || look == "linked" || look == "labels"; none != (asked.Total() == 0) {
			t.Errorf("docs/events.md: %s %s leads to %q, and %d requests were made: %v", e.Name, e.Action, look, asked.Total(), asked)
		}
	}
	for event := range table {
		require.True(t, named[event], "GitHub describes no event %s", event)
	}
	s.passes(t, n)
}

// Somebody who approved joins the team, and the change turns green by itself.
func TestAnApproverJoinsTheTeam(t *testing.T) {
	s := newStage(t)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("barbara", n)
	s.held(t, n, change.Pending, "peer-review", "barbara is not in the role engineer")
	s.try(func() error { return s.sim.Organization("acme").AddToTeam("margaret", "engineers", "barbara") })
	s.passes(t, n)
}

// A policy that asks for less lets through what it held, without an event of its own.
func TestAPolicyIsLoosened(t *testing.T) {
	s := newStage(t)
	n := s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.approve("barbara", n)
	s.held(t, n, change.Pending, "peer-review", "barbara is not in the role engineer")
	s.push("margaret", "main", file(policyFile, strings.Replace(demoPolicy, "from: [engineer]", "from: [engineer, platform]", 1)))
	s.passes(t, n)
}

// The App is given one more repository, and is suspended for a while.
func TestTheAppComesToSeeMore(t *testing.T) {
	s := newStage(t)
	org := s.sim.Organization("acme")
	s.try(func() error { return org.Uninstall("margaret") })
	s.try(func() error { return org.Install("margaret", "acme/pay") })
	first := s.open("mallory", s.prepare("mallory"))
	s.try(s.quiet)
	require.Empty(t, s.seen)
	s.try(func() error { return org.Select("margaret", "acme/shop") })
	s.held(t, first, change.Pending, "peer-review", "0 of 1 independent approvals")
	s.try(func() error { return org.Suspend("margaret") })
	s.approve("grace", first)
	second := s.open("ada", s.prepare("ada"))
	s.try(s.quiet)
	s.try(func() error { return org.Unsuspend("margaret") })
	s.passes(t, first)
	s.held(t, second, change.Pending, "peer-review", "0 of 1 independent approvals")
}
