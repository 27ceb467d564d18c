package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// Lookup returns the issue with a key that a change links: "#7" in the change's own
// repository, "acme/shop#7" or the issue's address. The installation on the change's
// repository asks, so that nobody reads through a change of theirs what is hidden from
// their organisation, and the application has to be installed on the issue's repository
// as well: anybody can make an issue of their own in one of their own.
func (f *Forge) Lookup(ctx context.Context, of change.Ref, key string) (change.Issue, error) {
	k, err := f.issueKey(of, key)
	if err != nil {
		return change.Issue{}, err
	}
	api, all, err := f.issuesOf(ctx, of, k.Project)
	if err != nil {
		return change.Issue{}, err
	}
	issue, err := api.issue(ctx, k)
	switch code := status(err); {
	case err == nil || errors.Is(err, change.ErrNoIssue):
		return issue, err
	case code == http.StatusNotFound && !all:
		return issue, &change.UnansweredError{Why: fmt.Sprintf("GitHub does not show the issues of %s to whoever may read %s", k.Project, of.Repository.Name), Err: err}
	case code == http.StatusNotFound || code == http.StatusGone:
		return issue, fmt.Errorf("%w: GitHub answers %d for %s", change.ErrNoIssue, code, k)
	}
	return issue, untold("GitHub does not tell of "+k.String(), err)
}

// issuesOf returns GitHub as it may be asked for the issues of a project, for a change
// of another repository maybe, and whether it shows all that there are.
func (f *Forge) issuesOf(ctx context.Context, of change.Ref, project string) (_ *api, all bool, err error) {
	if f.reader != nil {
		return f.reader, false, nil
	}
	there, err := f.installed(ctx, project)
	if err != nil {
		return nil, false, untold(project+" cannot be asked for its issues", err)
	}
	if !there.readsIssues() {
		return nil, false, &change.UnansweredError{Why: fmt.Sprintf("the application may not read the issues of %s; grant it the permission issues: read", project)}
	}
	asks := there
	if of.Repository.Forge == change.GitHub {
		if asks, err = f.installed(ctx, of.Repository.Name); err != nil {
			return nil, false, untold("the application cannot ask for issues", err)
		}
	}
	return f.as(asks.ID), asks.ID == there.ID, nil
}

// issueKey reads a key, for a change of some repository.
func (f *Forge) issueKey(of change.Ref, key string) (change.IssueKey, error) {
	k, ok := change.ParseIssueKey(key)
	_, web, _ := strings.Cut(f.web, "://")
	switch {
	case !ok:
		return k, &change.UnansweredError{Why: "GitHub has issues such as #7 or owner/repository#7, and the key names none"}
	case k.Host != "" && k.Host != strings.ToLower(web):
		return k, &change.UnansweredError{Why: "the address is not one of " + web}
	case k.Project == "" && of.Repository.Forge == change.GitHub:
		k.Project = of.Repository.Name
	}
	if !validName(k.Project) {
		return k, &change.UnansweredError{Why: "GitHub has issues such as #7 or owner/repository#7, and the key names no repository"}
	}
	return k, nil
}

// untold says for a record why GitHub did not tell of something.
func untold(what string, err error) error {
	out := &change.UnansweredError{Err: err}
	var retry *RetryError
	var last finalError
	switch {
	case errors.Is(err, change.ErrNotInstalled):
		out.Why = what + ": the application is not installed there"
	case errors.As(err, &retry):
		out.Why, out.After = what+": GitHub asks to be left alone for a while", retry.After
	case status(err) != 0 || errors.As(err, &last):
		out.Why = because(what, err)
	default:
		out.Why = what + ": no answer came that can be read"
	}
	return out
}

// An issueAnswer is an issue as REST writes it.
type issueAnswer struct {
	ID          int64           `json:"id"`
	Number      int             `json:"number"`
	Title       string          `json:"title"`
	Body        string          `json:"body"`
	State       string          `json:"state"`
	StateReason string          `json:"state_reason"`
	CreatedAt   time.Time       `json:"created_at"`
	ClosedAt    time.Time       `json:"closed_at"`
	User        *account        `json:"user"`
	HTMLURL     string          `json:"html_url"`
	Repository  string          `json:"repository_url"`
	PullRequest json.RawMessage `json:"pull_request"`
	Type        *struct {
		Name string `json:"name"`
	} `json:"type"`
}

// issue asks for an issue. One that was moved to another repository is answered from
// there.
func (a *api) issue(ctx context.Context, k change.IssueKey) (change.Issue, error) {
	var i issueAnswer
	if _, err := a.get(ctx, fmt.Sprintf("repos/%s/issues/%d", k.Project, k.Number), &i); err != nil {
		return change.Issue{}, err
	}
	if len(i.PullRequest) > 0 && string(i.PullRequest) != "null" {
		return change.Issue{}, fmt.Errorf("%w: %s is a pull request", change.ErrNoIssue, k)
	}
	at, err := i.place()
	if err != nil {
		return change.Issue{}, err
	}
	out := change.Issue{
		Snapshot: change.Snapshot{
			Body: i.Body, Closed: i.ClosedAt, Created: i.CreatedAt, ID: fmt.Sprint(i.ID), Key: at.String(),
			State: stateOfIssue(i.State, i.StateReason), Title: i.Title, Tracker: change.GitHubIssues,
		},
		URL: i.HTMLURL, Requester: i.User.identity(), Creator: i.User.identity(),
	}
	if i.Type != nil {
		out.Type = i.Type.Name
	}
	// One that is open and was never reopened has had no other state.
	if i.State != "open" || i.StateReason != "" {
		out.Moves, err = a.issueMoves(ctx, at, out.State)
	}
	return out, err
}

// place returns where an issue is, and an error for an answer that is not whole.
func (i issueAnswer) place() (change.IssueKey, error) {
	whole := i.ID > 0 && i.Number > 0 && !i.CreatedAt.IsZero() && (i.State == "open" || i.State == "closed" && !i.ClosedAt.IsZero())
	u, err := url.Parse(i.Repository)
	if err != nil || !whole {
		return change.IssueKey{}, final("GitHub's answer is not a whole issue")
	}
	parts := strings.Split(u.Path, "/")
	name := strings.Join(parts[max(0, len(parts)-2):], "/")
	if !validName(name) {
		return change.IssueKey{}, final("GitHub's answer names no repository")
	}
	return change.IssueKey{Project: name, Number: i.Number}, nil
}

// stateOfIssue returns the state in one word: open, closed or, of one that was closed
// without being done, the reason.
func stateOfIssue(state, reason string) string {
	if state == "closed" && (reason == "not_planned" || reason == "duplicate") {
		return reason
	}
	return state
}

// maxEventPages bounds what is read of an issue's history. Anybody who may label it can
// make it long.
const maxEventPages = 10

// issueMoves returns the changes of an issue's state, of which the last led to the one
// that it has.
func (a *api) issueMoves(ctx context.Context, k change.IssueKey, now string) ([]change.Move, error) {
	var moves []change.Move
	state := "open"
	for page := 1; ; page++ {
		if page > maxEventPages {
			return nil, final("its history has more than %d entries", 100*maxEventPages)
		}
		var events []struct {
			Event       string    `json:"event"`
			StateReason string    `json:"state_reason"`
			CreatedAt   time.Time `json:"created_at"`
		}
		response, err := a.get(ctx, fmt.Sprintf("repos/%s/issues/%d/events?per_page=100&page=%d", k.Project, k.Number, page), &events)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			to := "open"
			switch e.Event {
			case "closed":
				to = stateOfIssue("closed", e.StateReason)
			case "reopened":
			default:
				continue
			}
			moves = append(moves, change.Move{At: e.CreatedAt, From: state, To: to})
			state = to
		}
		if response.NextPage == 0 {
			break
		}
	}
	if (state == "open") != (now == "open") {
		return nil, final("its history does not lead to the state that it has")
	}
	if len(moves) > 0 {
		moves[len(moves)-1].To = now // an old event does not say why it was closed
	}
	return moves, nil
}

// idleIssueActions are the actions on an issue that no fact depends on. Every other
// one, also one that does not exist yet, leads to a fresh look.
var idleIssueActions = map[string]bool{
	"assigned": true, "unassigned": true, "labeled": true, "unlabeled": true, "milestoned": true, "demilestoned": true,
	"locked": true, "unlocked": true, "pinned": true, "unpinned": true,
}

// requestsOf returns the issues that a delivery says are not what they were.
func requestsOf(event string, p payload) []change.RequestID {
	if event != "issues" || idleIssueActions[p.Action] {
		return nil
	}
	var out []change.RequestID
	add := func(repo payloadRepository, i payloadIssue) {
		if i.ID > 0 && i.Number > 0 && validName(repo.FullName) {
			key := change.IssueKey{Project: repo.FullName, Number: i.Number}
			out = append(out, change.RequestID{Tracker: change.GitHubIssues, Key: key.String(), ID: fmt.Sprint(i.ID)})
		}
	}
	add(p.Repository, p.Issue)
	add(p.Changes.NewRepository, p.Changes.NewIssue)
	return out
}
