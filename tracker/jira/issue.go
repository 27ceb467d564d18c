package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// issueKey is what the key of an issue looks like: its project's and a number.
var issueKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,99}-[1-9][0-9]{0,11}$`)

// fields are what is looked at of an issue.
const fields = "summary,description,issuetype,status,created,resolutiondate,statuscategorychangedate,reporter,creator"

// Lookup returns the issue with a key, such as SHOP-42, or with an address below the
// site's /browse/.
func (t *Tracker) Lookup(ctx context.Context, _ change.Ref, key string) (change.Issue, error) {
	key = strings.TrimPrefix(key, t.base.String()+"/browse/")
	if !issueKey.MatchString(key) {
		return change.Issue{}, &change.UnansweredError{Why: "Jira has issues such as SHOP-42, and the key names none"}
	}
	var a answer
	header, err := t.get(ctx, "/rest/api/3/issue/"+key+"?fields="+fields+"&expand=changelog", &a)
	if errors.Is(err, errMissing) {
		if err := t.known(ctx, header); err != nil {
			return change.Issue{}, err
		}
		return change.Issue{}, fmt.Errorf("%w: Jira has no %s that its account may see", change.ErrNoIssue, key)
	}
	if err != nil {
		return change.Issue{}, err
	}
	issue, err := a.issue()
	if err != nil {
		return change.Issue{}, err
	}
	if issue.Moves, err = t.moves(ctx, a); err != nil {
		return change.Issue{}, err
	}
	if !strings.HasSuffix(t.base.Host, "api.atlassian.com") {
		issue.URL = t.base.String() + "/browse/" + issue.Key
	}
	return issue, nil
}

// known returns an error unless Jira knows who asks. To somebody it does not know every
// issue is missing, and a token that has ended makes us somebody like that.
func (t *Tracker) known(ctx context.Context, h http.Header) error {
	const strangers = "does not know who asks (404 for everybody); check this server's credentials"
	if reason := h.Get("X-Seraph-LoginReason"); strings.Contains(reason, "FAILED") || strings.Contains(reason, "DENIED") {
		return untold(strangers, errors.New(reason))
	}
	if t.bears() || h.Get("X-AACCOUNTID") != "" {
		return nil
	}
	var me struct {
		AccountID string `json:"accountId"`
	}
	_, err := t.get(ctx, "/rest/api/3/myself", &me)
	switch {
	case errors.Is(err, errMissing):
		return nil // whoever does not serve that does not tell strangers apart either
	case err == nil && me.AccountID == "":
		return untold(strangers, nil)
	}
	return err
}

// answer is an issue as Jira writes it.
type answer struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	Fields struct {
		Summary     string          `json:"summary"`
		Description json.RawMessage `json:"description"`
		IssueType   struct {
			Name string `json:"name"`
		} `json:"issuetype"`
		Status struct {
			Name     string `json:"name"`
			Category struct {
				Key string `json:"key"`
			} `json:"statusCategory"`
		} `json:"status"`
		Created        moment `json:"created"`
		ResolutionDate moment `json:"resolutiondate"`
		CategorySince  moment `json:"statuscategorychangedate"`
		Reporter       *user  `json:"reporter"`
		Creator        *user  `json:"creator"`
	} `json:"fields"`
	Changelog struct {
		Total     int       `json:"total"`
		Histories []history `json:"histories"`
	} `json:"changelog"`
}

// history is one change of an issue, of several fields maybe.
type history struct {
	ID      string `json:"id"`
	Created moment `json:"created"`
	Items   []struct {
		Field      string `json:"field"`
		FieldType  string `json:"fieldtype"`
		FromString string `json:"fromString"`
		ToString   string `json:"toString"`
	} `json:"items"`
}

// moment is a time as Jira writes it: 2026-03-01T09:00:00.000+0000.
type moment struct{ time.Time }

// UnmarshalJSON reads either of the two ways to write the offset, or null.
func (m *moment) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil || s == "" {
		return err
	}
	at, err := time.Parse("2006-01-02T15:04:05.999-0700", s)
	if err != nil {
		at, err = time.Parse(time.RFC3339, s)
	}
	m.Time = at.UTC()
	return err
}

// issue returns the issue without its moves, or an error for an answer that is not
// whole.
func (a answer) issue() (change.Issue, error) {
	f := a.Fields
	if a.ID == "" || !issueKey.MatchString(a.Key) || f.Created.IsZero() || f.Status.Name == "" {
		return change.Issue{}, untold("gave an answer that is not a whole issue", nil)
	}
	closed := f.ResolutionDate.Time
	if closed.IsZero() && f.Status.Category.Key == "done" {
		closed = cmp.Or(f.CategorySince.Time, f.Created.Time)
	}
	return change.Issue{
		Snapshot: change.Snapshot{
			Body: plain(f.Description), Closed: closed, Created: f.Created.Time, ID: a.ID, Key: a.Key, State: f.Status.Name,
			Title: f.Summary, Tracker: change.Jira, Type: f.IssueType.Name,
		},
		Requester: f.Reporter.identity(), Creator: f.Creator.identity(),
	}, nil
}

// Bounds of the history that is read: anybody who may comment can make it long.
const (
	historyPage = 100
	maxPages    = 10
)

// moves returns the changes of the issue's status, the oldest first.
func (t *Tracker) moves(ctx context.Context, a answer) ([]change.Move, error) {
	all := a.Changelog.Histories
	if a.Changelog.Total > len(all) {
		all = nil
		for page := 0; ; page++ {
			if page == maxPages {
				return nil, untold(fmt.Sprintf("tells a history of the issue that has more than %d entries", historyPage*maxPages), nil)
			}
			var p struct {
				Total  int       `json:"total"`
				IsLast bool      `json:"isLast"`
				Values []history `json:"values"`
			}
			if _, err := t.get(ctx, fmt.Sprintf("/rest/api/3/issue/%s/changelog?startAt=%d&maxResults=%d", a.ID, len(all), historyPage), &p); err != nil {
				if errors.Is(err, errMissing) {
					err = untold("does not tell the history of the issue", err)
				}
				return nil, err
			}
			all = append(all, p.Values...)
			if p.IsLast || len(all) >= p.Total && len(p.Values) > 0 {
				break
			}
			if len(p.Values) == 0 {
				return nil, untold("does not tell the history of the issue to its end", nil)
			}
		}
	}
	var moves []change.Move
	for _, h := range all {
		for _, i := range h.Items {
			if i.Field == "status" && (i.FieldType == "" || i.FieldType == "jira") {
				moves = append(moves, change.Move{At: h.Created.Time, From: i.FromString, To: i.ToString})
			}
		}
	}
	slices.SortStableFunc(moves, func(a, b change.Move) int { return a.At.Compare(b.At) })
	return moves, nil
}
