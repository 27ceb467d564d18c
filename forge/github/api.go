package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	gh "github.com/google/go-github/v60/github"

	"github.com/countersign-dev/countersign/change"
)

// api is GitHub as one installation of the application sees it.
type api struct {
	rest         *gh.Client
	graphqlPath  string
	timeout      time.Duration
	now          func() time.Time
	log          *slog.Logger
	unauthorized func() // called when GitHub no longer takes our token
}

// do sends one REST call and decodes its answer into out.
func (a *api) do(ctx context.Context, method, path string, body, out any) (*gh.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	request, err := a.rest.NewRequest(method, path, body)
	if err != nil {
		return nil, fmt.Errorf("building a request: %w", err)
	}
	response, err := a.rest.Do(ctx, request, out)
	if err != nil {
		if status(err) == http.StatusUnauthorized && a.unauthorized != nil {
			a.unauthorized()
		}
		return response, classify(err, a.now())
	}
	return response, nil
}

// get sends a GET.
func (a *api) get(ctx context.Context, path string, out any) (*gh.Response, error) {
	return a.do(ctx, http.MethodGet, path, nil, out)
}

// A queryError is one entry of errors[] in a GraphQL answer.
type queryError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

// limited reports whether the error says that the rate limit is exhausted.
func (e queryError) limited() bool { return e.Type == "RATE_LIMITED" || e.Type == "RATE_LIMIT" }

// passes reports whether the error is trouble of GitHub's own and not an answer: it
// is of such a type, or it names no field that it is about.
func (e queryError) passes() bool {
	switch strings.ToUpper(e.Type) {
	case "INTERNAL", "INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "UNAVAILABLE", "SERVICE_TIMEOUT", "TIMEOUT":
		return true
	}
	return len(e.Path) == 0
}

// query sends a GraphQL query and decodes data into out. GitHub answers 200 with
// errors[] beside partial data; those are returned, and the caller must hold
// every fact they touch for absent. An exhausted rate limit and trouble of GitHub's
// own, which may touch anything and passes, are a *RetryError.
func (a *api) query(ctx context.Context, document string, variables map[string]any, out any) ([]queryError, error) {
	var answer struct {
		Data   content      `json:"data"`
		Errors []queryError `json:"errors"`
	}
	answer.Data.into = out
	body := map[string]any{"query": document, "variables": variables}
	response, err := a.do(ctx, http.MethodPost, a.graphqlPath, body, &answer)
	if err != nil {
		return nil, err
	}
	for _, e := range answer.Errors {
		if e.limited() {
			return nil, &RetryError{After: a.untilReset(response), Err: errors.New("the GraphQL rate limit is exhausted")}
		}
	}
	for _, e := range answer.Errors {
		if e.passes() {
			return nil, &RetryError{After: outage, Err: fmt.Errorf("GraphQL could not answer: %s", words([]queryError{e}))}
		}
	}
	if !answer.Data.there {
		return nil, fmt.Errorf("GraphQL gave no data: %s", words(answer.Errors))
	}
	if err := answer.Data.err; err != nil {
		return nil, fmt.Errorf("decoding a GraphQL answer: %w", err)
	}
	return answer.Errors, nil
}

// content is the data of a GraphQL answer, decoded in place: of a change with many
// commits it is long, and read once.
type content struct {
	into  any
	there bool
	err   error
}

// UnmarshalJSON decodes the data. An error is kept, because what stands beside the data
// may say more.
func (c *content) UnmarshalJSON(data []byte) error {
	if c.there = string(data) != "null"; c.there {
		c.err = json.Unmarshal(data, c.into)
	}
	return nil
}

func (a *api) untilReset(response *gh.Response) time.Duration {
	if reset := response.Rate.Reset; !reset.IsZero() {
		return atLeast(min(reset.Sub(a.now()), time.Hour))
	}
	return secondaryLag
}

// words joins the messages of errors for a person to read.
func words(errs []queryError) string {
	if len(errs) == 0 {
		return "no reason given"
	}
	var all []string
	for _, e := range errs[:min(len(errs), 3)] {
		all = append(all, change.Quote(e.Message))
	}
	return strings.Join(all, ", ")
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$`)

// validName reports whether name can stand in a path as owner/name.
func validName(name string) bool {
	if !repositoryName.MatchString(name) {
		return false
	}
	owner, repo, _ := strings.Cut(name, "/")
	return owner != "." && owner != ".." && repo != "." && repo != ".."
}

// An installation is what the application is to a repository.
type installation struct {
	ID          int64 `json:"id"`
	Permissions struct {
		Issues string `json:"issues"`
	} `json:"permissions"`
}

// readsIssues reports whether the installation was granted to read issues.
func (i installation) readsIssues() bool {
	return i.Permissions.Issues == "read" || i.Permissions.Issues == "write"
}

// installation returns GitHub as the installation on repo sees it.
func (f *Forge) installation(ctx context.Context, repo change.Repository) (*api, error) {
	if f.reader != nil {
		return f.reader, nil
	}
	i, err := f.installed(ctx, repo.Name)
	if err != nil {
		return nil, err
	}
	return f.as(i.ID), nil
}

// installed returns the installation on a repository.
func (f *Forge) installed(ctx context.Context, name string) (installation, error) {
	if !validName(name) {
		return installation{}, fmt.Errorf("%s is not a repository's name", change.Quote(name))
	}
	owner, _, _ := strings.Cut(name, "/")
	key := "installation " + strings.ToLower(name)
	i, err := remember(ctx, f.answers, key, installationKey(owner), func(ctx context.Context) (installation, error) {
		var answer installation
		if _, err := f.app.get(ctx, "repos/"+name+"/installation", &answer); err != nil {
			if status(err) == http.StatusNotFound {
				err = fmt.Errorf("%w: %w", change.ErrNotInstalled, err)
			}
			return answer, err
		}
		if answer.ID <= 0 {
			return answer, errors.New("the answer holds no id")
		}
		return answer, nil
	})
	if err != nil {
		return i, fmt.Errorf("finding the installation on %s: %w", name, err)
	}
	return i, nil
}

// as returns the API of one installation. Two callers at the same time may each
// make one; the loser's costs a token request.
func (f *Forge) as(id int64) *api {
	if a, ok := f.apis.Get(id); ok {
		return a
	}
	transport := ghinstallation.NewFromAppsTransport(f.apps, id)
	// Everything the installation grants: without options the library would send
	// the body "null", which GitHub's description does not allow.
	transport.InstallationTokenOptions = &gh.InstallationTokenOptions{}
	a := f.newAPI(transport)
	// A token can be revoked before it expires: the next attempt gets another.
	a.unauthorized = func() { f.apis.Remove(id) }
	if earlier, ok, _ := f.apis.PeekOrAdd(id, a); ok {
		return earlier
	}
	return a
}
