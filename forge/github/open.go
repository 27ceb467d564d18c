package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Bounds of what is listed, in pages of a hundred. What is left out of a list is
// looked at with its own next event.
const (
	maxInstallationPages = 100
	maxRepositoryPages   = 100
	maxOpenPages         = 50
)

// Open returns the open changes of a scope as GitHub lists them: of a repository the
// changes themselves, of anything larger the scopes that it consists of. A change's
// Commit is its head in the list. What the application is not installed on, or not
// any more, has none.
func (f *Forge) Open(ctx context.Context, scope change.Scope) (change.Hint, error) {
	var h change.Hint
	var err error
	switch {
	case scope.Repository != (change.Repository{}):
		h.Refs, err = f.openPulls(ctx, scope)
	case scope.Owner != "":
		h.Scopes, err = f.openRepositories(ctx, scope)
	default:
		h.Scopes, err = f.installations(ctx, scope)
	}
	if errors.Is(err, change.ErrNotInstalled) {
		return change.Hint{}, nil
	}
	if err != nil {
		return change.Hint{}, fmt.Errorf("listing the open changes of %s: %w", scope, err)
	}
	return h, nil
}

// installations returns the accounts that the application is installed on. One that
// has suspended it can neither be read nor shown anything.
func (f *Forge) installations(ctx context.Context, scope change.Scope) ([]change.Scope, error) {
	type installation struct {
		Account     payloadAccount `json:"account"`
		SuspendedAt *string        `json:"suspended_at"`
	}
	list, err := pages[installation](ctx, f, f.app, "app/installations?", "", maxInstallationPages)
	var scopes []change.Scope
	for _, i := range list {
		if i.Account.Login != "" && i.SuspendedAt == nil {
			scopes = append(scopes, change.Scope{Owner: i.Account.Login, Unseen: scope.Unseen, Missed: scope.Missed})
		}
	}
	return scopes, err
}

// openRepositories returns the repositories of an account that the application may
// see and that can have open changes: GitHub counts those among the open issues.
func (f *Forge) openRepositories(ctx context.Context, scope change.Scope) ([]change.Scope, error) {
	a, err := f.installationOn(ctx, scope.Owner)
	if err != nil {
		return nil, err
	}
	type repository struct {
		payloadRepository
		OpenIssues *int  `json:"open_issues_count"`
		HasIssues  *bool `json:"has_issues"`
		Archived   bool  `json:"archived"` // nothing can land there
	}
	list, err := pages[repository](ctx, f, a, "installation/repositories?", "repositories", maxRepositoryPages)
	var scopes []change.Scope
	for _, r := range list {
		repo, ok := f.repository(r.payloadRepository)
		counted := r.OpenIssues != nil && r.HasIssues != nil && *r.HasIssues
		if !ok || r.Archived || counted && *r.OpenIssues == 0 {
			continue
		}
		scopes = append(scopes, change.Scope{Repository: repo, Branch: scope.Branch, Unseen: scope.Unseen, Missed: scope.Missed})
	}
	return scopes, err
}

// openPulls lists the open pull requests of a repository. What the list says of each
// is a guess like any other: see guess.
func (f *Forge) openPulls(ctx context.Context, scope change.Scope) ([]change.Ref, error) {
	a, err := f.installation(ctx, scope.Repository)
	if err != nil {
		return nil, err
	}
	path := "repos/" + scope.Repository.Name + "/pulls?state=open&sort=created&direction=asc&"
	if scope.Branch != "" {
		path += "base=" + url.QueryEscape(scope.Branch) + "&"
	}
	list, err := pages[payloadPull](ctx, f, a, path, "", maxOpenPages)
	var refs []change.Ref
	for _, p := range list {
		if p.Number <= 0 || p.Base.Repo.ID != scope.Repository.ID {
			continue // the name belongs to another repository by now
		}
		f.guess(scope.Repository, p)
		refs = append(refs, change.Ref{Repository: scope.Repository, Kind: change.PullRequest, Number: p.Number, Commit: valid(change.SHA(p.Head.SHA))})
	}
	return refs, err
}

// installationOn returns GitHub as the installation on an account sees it.
func (f *Forge) installationOn(ctx context.Context, owner string) (*api, error) {
	if !validName(owner + "/x") {
		return nil, fmt.Errorf("%s is not an account's name", change.Quote(owner))
	}
	key := "installation on " + strings.ToLower(owner)
	id, err := remember(ctx, f.answers, key, installationKey(owner), func(ctx context.Context) (int64, error) {
		var answer struct {
			ID int64 `json:"id"`
		}
		_, err := f.app.get(ctx, "orgs/"+owner+"/installation", &answer)
		if status(err) == 404 {
			_, err = f.app.get(ctx, "users/"+owner+"/installation", &answer)
		}
		switch {
		case status(err) == 404:
			return 0, fmt.Errorf("%w: %w", change.ErrNotInstalled, err)
		case err == nil && answer.ID <= 0:
			return 0, errors.New("the answer holds no id")
		}
		return answer.ID, err
	})
	if err != nil {
		return nil, fmt.Errorf("finding the installation on %s: %w", owner, err)
	}
	return f.as(id), nil
}

// pages reads a list of GitHub's from its first page to its last; under is the field
// that holds it, "" where the answer is the list. A list with more than most pages
// is cut there, with a line in the log.
func pages[T any](ctx context.Context, f *Forge, a *api, path, under string, most int) ([]T, error) {
	var all []T
	for n := 1; ; n++ {
		if n > most {
			f.config.Log.WarnContext(ctx, "a list is longer than is read; what it leaves out is looked at with its own next event", "list", path, "read", len(all))
			return all, nil
		}
		var raw json.RawMessage
		if _, err := a.get(ctx, path+"per_page=100&page="+strconv.Itoa(n), &raw); err != nil {
			return nil, err
		}
		some, err := listIn[T](raw, under)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < 100 {
			return all, nil
		}
	}
}

// listIn decodes a list that is an answer, or a field of it.
func listIn[T any](raw json.RawMessage, under string) (list []T, err error) {
	if under != "" {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, fmt.Errorf("reading a list: %w", err)
		}
		raw = fields[under]
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("reading a list: %w", err)
	}
	return list, nil
}
