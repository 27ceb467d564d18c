package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A Survey asks whether the things that a policy names are there. Its errors are
// final refusals in words for people, or failures that may pass.
type Survey struct {
	forge *Forge
	api   *api
	repo  change.Repository
	trunk string
	tips  map[string]change.SHA // by branch
}

// Survey returns a survey of a repository.
func (f *Forge) Survey(ctx context.Context, name string) (*Survey, error) {
	repo, trunk, err := f.repositoryNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	a, err := f.installation(ctx, repo)
	return &Survey{forge: f, api: a, repo: repo, trunk: trunk}, err
}

// Name returns the repository's name as GitHub writes it.
func (s *Survey) Name() string { return s.repo.Name }

// Branches returns the names of the branches, the default one first.
func (s *Survey) Branches(ctx context.Context) ([]string, error) {
	tips, err := s.forge.branches(ctx, s.api, s.repo.Name)
	if err != nil {
		return nil, err
	}
	s.tips = tips
	names := sortedNames(tips)
	if i := slices.Index(names, s.trunk); i > 0 {
		names = append([]string{s.trunk}, slices.Delete(names, i, i+1)...)
	}
	return names, nil
}

// Team returns the humans in a team, or the teams that its organisation has where it
// is not among those that may be seen.
func (s *Survey) Team(ctx context.Context, name string) (members []change.AccountID, found bool, others []string, err error) {
	team, err := s.forge.team(ctx, s.api, name)
	switch {
	case err == nil:
		for id := range team {
			members = append(members, id)
		}
		slices.Sort(members)
		return members, true, nil, nil
	case status(err) == http.StatusNotFound:
		others, err = s.teams(ctx, name)
		return nil, false, others, err
	}
	return nil, false, nil, s.refusal("the members of the team "+name, err)
}

// teams returns the teams of the organisation that a team is said to be of.
func (s *Survey) teams(ctx context.Context, name string) ([]string, error) {
	org, _, _ := strings.Cut(name, "/")
	var names []string
	for n := 1; n <= maxTeam; n++ {
		var page []struct {
			Slug string `json:"slug"`
		}
		if _, err := s.api.get(ctx, fmt.Sprintf("orgs/%s/teams?per_page=100&page=%d", url.PathEscape(org), n), &page); err != nil {
			return nil, s.refusal("the teams of "+org, err)
		}
		for _, t := range page {
			names = append(names, org+"/"+t.Slug)
		}
		if len(page) < 100 {
			break
		}
	}
	return names, nil
}

// Account returns who has an account id on this GitHub.
func (s *Survey) Account(ctx context.Context, id string) (who change.Identity, found bool, err error) {
	var answer account
	_, err = s.api.get(ctx, "user/"+url.PathEscape(id), &answer)
	if status(err) == http.StatusNotFound {
		return who, false, nil
	}
	return answer.identity(), err == nil, s.refusal("the account "+id, err)
}

// HasFile reports whether a branch has a file.
func (s *Survey) HasFile(ctx context.Context, branch, path string) (bool, error) {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	_, err := s.api.get(ctx, "repos/"+s.repo.Name+"/contents/"+strings.Join(parts, "/")+"?ref="+url.QueryEscape(branch), nil)
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	return err == nil, s.refusal("the file "+path+" of "+branch, err)
}

// A Ran check is one that ran on a commit: a check run, or a commit status, behind
// which stands no application.
type Ran struct {
	Name   string
	App    string
	AppID  int64
	Status bool
}

// maxLately is how many pull requests into a branch are looked at for what has run.
const maxLately = 10

// Lately returns which checks have run on the newest pull requests into a branch.
func (s *Survey) Lately(ctx context.Context, branch string) ([]Ran, error) {
	var pulls []struct {
		Head struct {
			SHA change.SHA `json:"sha"`
		} `json:"head"`
	}
	q := url.Values{"state": {"all"}, "base": {branch}, "sort": {"updated"}, "direction": {"desc"}, "per_page": {strconv.Itoa(maxLately)}}
	if _, err := s.api.get(ctx, "repos/"+s.repo.Name+"/pulls?"+q.Encode(), &pulls); err != nil {
		return nil, s.refusal("the pull requests into "+branch, err)
	}
	var ran []Ran
	for _, p := range pulls {
		some, err := s.ranOn(ctx, p.Head.SHA)
		if err != nil {
			return nil, s.refusal("the checks on "+p.Head.SHA.Short(), err)
		}
		for _, r := range some {
			if !slices.Contains(ran, r) {
				ran = append(ran, r)
			}
		}
	}
	return ran, nil
}

// ranOn returns the checks and statuses of a commit, as many as one page holds.
func (s *Survey) ranOn(ctx context.Context, commit change.SHA) ([]Ran, error) {
	var checks struct {
		Runs []struct {
			Name string `json:"name"`
			App  struct {
				ID   int64  `json:"id"`
				Slug string `json:"slug"`
			} `json:"app"`
		} `json:"check_runs"`
	}
	if _, err := s.api.get(ctx, fmt.Sprintf("repos/%s/commits/%s/check-runs?per_page=100", s.repo.Name, commit), &checks); err != nil {
		return nil, err
	}
	var statuses struct {
		Statuses []struct {
			Context string `json:"context"`
		} `json:"statuses"`
	}
	if _, err := s.api.get(ctx, fmt.Sprintf("repos/%s/commits/%s/status?per_page=100", s.repo.Name, commit), &statuses); err != nil {
		return nil, err
	}
	var ran []Ran
	for _, r := range checks.Runs {
		ran = append(ran, Ran{r.Name, r.App.Slug, r.App.ID, false})
	}
	for _, r := range statuses.Statuses {
		ran = append(ran, Ran{Name: r.Context, Status: true})
	}
	return ran, nil
}

// Required returns the checks that rulesets require on a branch.
func (s *Survey) Required(ctx context.Context, branch string) ([]change.Pinned, error) {
	rules, err := s.api.rules(ctx, s.repo.Name, branch)
	var pins []change.Pinned
	for _, r := range rules {
		pins = append(pins, r.Checks...)
	}
	return pins, s.refusal("the rules of "+branch, err)
}

// OwnersFile returns the path of a branch's code owners file, empty when there is
// none, and what in it means nothing.
func (s *Survey) OwnersFile(ctx context.Context, branch string) (path string, problems []string, err error) {
	files, err := s.forge.ownersFilesAt(ctx, s.api, s.repo, s.tips[branch])
	if err != nil {
		return "", nil, s.refusal("the code owners of "+branch, err)
	}
	path, entry := files.first()
	if entry == nil {
		return "", nil, nil
	}
	file, err := s.forge.ownersFile(ctx, s.api, s.repo, path, entry)
	if err != nil {
		return path, nil, s.refusal("the code owners of "+branch, err)
	}
	for _, p := range file.Problems {
		problems = append(problems, p.String())
	}
	return path, problems, nil
}

// refusal puts a final refusal into words; any other error is returned as it is.
func (s *Survey) refusal(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case refused(err):
		return errors.New(s.forge.told(because(what, err)))
	}
	return fmt.Errorf("asking for %s: %w", what, err)
}
