package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	gl "github.com/xanzy/go-gitlab"

	"github.com/countersign-dev/countersign/change"
)

// Lookup returns the issue with a key that a change links: "group/project#12", "#12" in
// a change's own project on GitLab, or the issue's address.
func (t *Tracker) Lookup(ctx context.Context, of change.Ref, key string) (change.Issue, error) {
	k, ok := change.ParseIssueKey(key)
	switch {
	case !ok || strings.HasPrefix(key, "GH-"):
		return change.Issue{}, untold("has issues such as group/project#12, and the key names none", nil)
	case k.Host != "" && k.Host != t.host:
		return change.Issue{}, untold("is not where the address leads, which is another host", nil)
	case k.Project == "" && of.Repository.Forge == change.GitLab:
		k.Project = of.Repository.Name
	case k.Project == "":
		return change.Issue{}, untold("has issues such as group/project#12, and the key names no project", nil)
	}
	path := fmt.Sprintf("projects/%s/issues/%d", url.PathEscape(k.Project), k.Number)
	var a answer
	if _, err := t.get(ctx, path, nil, &a); err != nil {
		return change.Issue{}, err
	}
	issue, err := a.issue(k)
	if err != nil {
		return change.Issue{}, err
	}
	issue.Moves, err = t.moves(ctx, path, issue.State)
	return issue, err
}

// answer is an issue as GitLab writes it. The client library's own type is not used: it
// panics for an answer without an id.
type answer struct {
	ID          int64     `json:"id"`
	Number      int       `json:"iid"`
	State       string    `json:"state"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Type        string    `json:"issue_type"`
	CreatedAt   time.Time `json:"created_at"`
	ClosedAt    time.Time `json:"closed_at"`
	WebURL      string    `json:"web_url"`
	Author      *user     `json:"author"`
	References  struct {
		Full string `json:"full"`
	} `json:"references"`
}

// issue returns the issue without its moves, or an error for an answer that is not
// whole.
func (a answer) issue(asked change.IssueKey) (change.Issue, error) {
	whole := a.ID > 0 && a.Number > 0 && !a.CreatedAt.IsZero() && (a.State == "opened" || a.State == "closed" && !a.ClosedAt.IsZero())
	key := a.References.Full
	if key == "" {
		asked.Host = ""
		key = asked.String()
	}
	if k, ok := change.ParseIssueKey(key); !whole || !ok || k.Number != a.Number || k.Project == "" {
		return change.Issue{}, untold("gave an answer that is not a whole issue", nil)
	}
	closed := a.ClosedAt
	if a.State != "closed" {
		closed = time.Time{} // GitLab keeps the time of one that was reopened
	}
	return change.Issue{
		Snapshot: change.Snapshot{
			Body: a.Description, Closed: closed, Created: a.CreatedAt, ID: strconv.FormatInt(a.ID, 10), Key: key, State: a.State,
			Title: a.Title, Tracker: change.GitLabIssues, Type: a.Type,
		},
		URL: a.WebURL, Requester: a.Author.identity(), Creator: a.Author.identity(),
	}, nil
}

// maxPages bounds what is read of how an issue's state moved.
const maxPages = 10

// moves returns the changes of an issue's state, of which the last led to the one that
// it has.
func (t *Tracker) moves(ctx context.Context, path, now string) ([]change.Move, error) {
	type event struct {
		State     string    `json:"state"`
		CreatedAt time.Time `json:"created_at"`
	}
	var all []event
	for page := 1; page != 0; {
		if page > maxPages {
			return nil, untold(fmt.Sprintf("tells of more than %d changes of the issue's state", 100*maxPages), nil)
		}
		var events []event
		response, err := t.get(ctx, path+"/resource_state_events", gl.ListOptions{Page: page, PerPage: 100}, &events)
		if errors.Is(err, change.ErrNoIssue) {
			err = untold("does not tell how the issue's state moved", nil)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
		if page = response.NextPage; page != 0 && page <= response.CurrentPage {
			return nil, untold("does not tell how the issue's state moved to the end", nil)
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.CreatedAt.Compare(b.CreatedAt) })
	var moves []change.Move
	state := "opened"
	for _, e := range all {
		to := map[string]string{"closed": "closed", "reopened": "opened"}[e.State]
		if to == "" {
			continue
		}
		moves = append(moves, change.Move{At: e.CreatedAt, From: state, To: to})
		state = to
	}
	if state != now {
		return nil, untold("tells a history of the issue that does not lead to the state that it has", nil)
	}
	return moves, nil
}

// user is an account as GitLab writes it.
type user struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

// automation is what GitLab calls the accounts of access tokens, of services and of
// itself.
var automation = regexp.MustCompile(`^(?:(?:project|group)_[0-9]+_bot(?:_?[0-9a-f]*)|service_account_.*|(?:support|alert|security|migration|automation|duo|visual-review|release)-bot[0-9]*|GitLab-.*-Bot)$`)

// identity returns who a user is. A deleted account leaves its issues to the ghost.
func (u *user) identity() change.Identity {
	if u == nil || u.ID <= 0 || strings.HasPrefix(u.Username, "ghost") && u.Name == "Ghost User" {
		return change.Identity{Kind: change.Unknown}
	}
	kind := change.Human
	if automation.MatchString(u.Username) {
		kind = change.Bot
	}
	return change.Identity{Kind: kind, Account: change.NewAccountID(change.GitLab, u.ID), Login: u.Username, Name: u.Name}
}

// get sends a GET and decodes its answer.
func (t *Tracker) get(ctx context.Context, path string, query, out any) (*gl.Response, error) {
	token, err := t.config.Token()
	if err != nil {
		return nil, untold("cannot be asked: the server's token for it cannot be had", err)
	}
	var missing string
	ctx = context.WithValue(ctx, missingKey{}, &missing)
	r, err := t.client.NewRequest(http.MethodGet, path, query, []gl.RequestOptionFunc{
		gl.WithContext(ctx), gl.WithToken(gl.PrivateToken, strings.TrimSpace(string(token))),
	})
	if err != nil {
		return nil, untold("cannot be asked", err)
	}
	response, err := t.client.Do(r, out)
	var refused *gl.ErrorResponse
	switch {
	case errors.Is(err, gl.ErrNotFound):
		return nil, notFound(missing)
	case errors.As(err, &refused) && refused.Response != nil:
		return nil, refusal(refused.Response)
	}
	if err != nil && (response == nil || response.Response == nil) {
		return nil, untold("cannot be reached", err)
	}
	if err != nil {
		return nil, untold("gave an answer that cannot be read", err)
	}
	return response, nil
}

// hush is how long to leave GitLab alone when it does not say how long.
const hush = time.Minute

// notFound returns what a 404 means, by what it says.
func notFound(body string) error {
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal([]byte(body), &said) != nil && body != "" {
		return untold("is not what answers at its address (404); check the base URL", nil)
	}
	if strings.Contains(strings.ToLower(said.Message), "project") {
		return untold("does not show the project to this server's account (404)", nil)
	}
	return fmt.Errorf("%w: GitLab answers 404", change.ErrNoIssue)
}

// refusal returns what another answer than 200 means.
func refusal(r *http.Response) error {
	switch code := r.StatusCode; code {
	case http.StatusUnauthorized:
		return untold("does not accept this server's token (401)", nil)
	case http.StatusForbidden:
		return untold("refuses this server's account (403); check what it may read", nil)
	case http.StatusTooManyRequests:
		after := hush
		if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && n > 0 {
			after = time.Duration(min(n, 3600)) * time.Second
		}
		return &change.UnansweredError{Why: "GitLab asks to be left alone for a while (429)", After: after}
	default:
		return untold(fmt.Sprintf("answered %d", code), nil)
	}
}

// untold says for a record why GitLab did not tell. What happened is for the log.
func untold(why string, err error) error {
	return &change.UnansweredError{Why: "GitLab " + why, Err: err}
}
