package github

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// maxListed bounds how many pages of 100 closed pull requests are read.
const maxListed = 100

// A Past is what has landed in one repository since some day, for a policy that did
// not hold then to be tried on. It writes nothing. It is safe for concurrent use.
type Past struct {
	forge  *Forge
	api    *api
	repo   change.Repository
	branch string // the default one
	since  time.Time

	mu      sync.Mutex
	targets map[string]*shared
}

// shared is the activity of a branch that many changes landed on.
type shared struct {
	mu    sync.Mutex
	moves *activity
}

// A Merged change is a pull request that was merged.
type Merged struct {
	Ref    change.Ref
	Branch string     // that it was merged into
	Commit change.SHA // that the merge made
	At     time.Time
	Title  string
	URL    string
}

// Past returns what has landed in a repository since some day.
func (f *Forge) Past(ctx context.Context, name string, since time.Time) (*Past, error) {
	repo, branch, err := f.repositoryNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	a, err := f.installation(ctx, repo)
	return &Past{forge: f, api: a, repo: repo, branch: branch, since: since, targets: map[string]*shared{}}, err
}

// repositoryNamed asks for a repository and its default branch by its name.
func (f *Forge) repositoryNamed(ctx context.Context, name string) (change.Repository, string, error) {
	none := change.Repository{}
	a, err := f.installation(ctx, change.Repository{Forge: change.GitHub, Host: f.host, Name: name})
	if err != nil {
		return none, "", err
	}
	var answer struct {
		ID     int64  `json:"id"`
		Name   string `json:"full_name"`
		Branch string `json:"default_branch"`
	}
	_, err = a.get(ctx, "repos/"+name, &answer)
	switch {
	case err != nil && refused(err):
		return none, "", errors.New(f.told(because("the repository "+name, err)))
	case err != nil:
		return none, "", fmt.Errorf("asking for the repository %s: %w", name, err)
	case answer.ID <= 0 || !validName(answer.Name):
		return none, "", fmt.Errorf("asking for the repository %s: the answer holds no id and name", name)
	}
	return change.Repository{Forge: change.GitHub, Host: f.host, ID: answer.ID, Name: answer.Name}, answer.Branch, nil
}

// told puts a reason into the words of whoever asks.
func (f *Forge) told(why string) string {
	if f.reader == nil {
		return why
	}
	return strings.ReplaceAll(why, "this application", "this token")
}

// Repository returns the repository.
func (p *Past) Repository() change.Repository { return p.repo }

// DefaultBranch returns the repository's default branch.
func (p *Past) DefaultBranch() string { return p.branch }

// Merged returns the pull requests that were merged since the day and before until,
// the newest first. GitHub sorts them by when they were last touched, which for one
// that was merged is not before; those that are touched while the list is read move
// to its beginning, which is therefore read again at the end.
func (p *Past) Merged(ctx context.Context, until time.Time) ([]Merged, error) {
	found := map[int]Merged{}
	start := p.forge.config.Now()
	again, err := p.list(ctx, p.since, found)
	if err == nil && again {
		_, err = p.list(ctx, start.Add(-fresh), found)
	}
	if err != nil {
		return nil, err
	}
	var list []Merged
	for _, m := range found {
		if !m.At.Before(p.since) && m.At.Before(until) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Merged) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return b.Ref.Number - a.Ref.Number
	})
	return list, nil
}

// list reads the closed pull requests that were touched since, and reports whether
// that took more than one page.
func (p *Past) list(ctx context.Context, since time.Time, found map[int]Merged) (bool, error) {
	for n := 1; n <= maxListed; n++ {
		var page []struct {
			Number   int        `json:"number"`
			Title    string     `json:"title"`
			URL      string     `json:"html_url"`
			Updated  time.Time  `json:"updated_at"`
			MergedAt *time.Time `json:"merged_at"`
			Commit   change.SHA `json:"merge_commit_sha"`
			Base     struct {
				Ref string `json:"ref"`
			} `json:"base"`
		}
		q := url.Values{"state": {"closed"}, "sort": {"updated"}, "direction": {"desc"}, "per_page": {"100"}, "page": {fmt.Sprint(n)}}
		if _, err := p.api.get(ctx, "repos/"+p.repo.Name+"/pulls?"+q.Encode(), &page); err != nil {
			if refused(err) {
				return false, errors.New(p.forge.told(because("the merged pull requests", err)))
			}
			return false, fmt.Errorf("asking for the merged pull requests: %w", err)
		}
		for _, pr := range page {
			if pr.Updated.Before(since) {
				return n > 1, nil
			}
			if pr.MergedAt != nil {
				ref := change.Ref{Repository: p.repo, Kind: change.PullRequest, Number: pr.Number}
				found[pr.Number] = Merged{ref, pr.Base.Ref, pr.Commit, *pr.MergedAt, pr.Title, pr.URL}
			}
		}
		if len(page) < 100 {
			return n > 1, nil
		}
	}
	return false, fmt.Errorf("more than %d pull requests were closed or touched since %s; begin later", maxListed*100, since.UTC().Format(time.DateOnly))
}

// Gather asks for the facts of a change that landed. Neither the policy that held
// then nor what is enforced today is among them.
func (p *Past) Gather(ctx context.Context, ref change.Ref) (change.Gathered, error) {
	for range maxStarts {
		one := &pull{forge: p.forge, api: p.api, ref: ref, at: p.forge.config.Now(), absent: reasons{}, past: p}
		g, err := one.gather(ctx)
		if err == nil {
			g.Facts.Absent = p.absent(g.Facts.Absent)
			return g, nil
		}
		if !errors.Is(err, errMoved) {
			return change.Gathered{}, fmt.Errorf("gathering the facts of %s: %w", ref, err)
		}
	}
	return change.Gathered{}, fmt.Errorf("gathering the facts of %s: %w", ref, ErrMoved)
}

// Answer adds to the facts what the policy must be told, as it is today.
func (p *Past) Answer(ctx context.Context, facts change.Facts, needs change.Needs) (change.Facts, error) {
	facts, err := p.forge.Answer(ctx, facts, needs)
	facts.Absent = p.absent(facts.Absent)
	return facts, err
}

func (p *Past) absent(table map[string]string) map[string]string {
	out := reasons{}
	for fact, why := range table {
		out.set(fact, p.forge.told(why))
	}
	return out.table()
}

// target returns what was read of a branch's movements so far.
func (p *Past) target(branch string) *shared {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.targets[branch] == nil {
		p.targets[branch] = &shared{moves: p.api.activity(p.repo.Name, branch)}
	}
	return p.targets[branch]
}

// movement returns the movement of a branch by which a change landed, or nil when
// GitHub's activity does not go back so far.
func (p *Past) movement(ctx context.Context, branch string, commit change.SHA, at time.Time) (*movement, error) {
	t := p.target(branch)
	t.mu.Lock()
	defer t.mu.Unlock()
	move, err := t.moves.find(ctx, "", commit, at.Add(-time.Hour))
	if move == nil {
		return nil, err
	}
	one := *move
	return &one, err
}

// Pushes returns the movements of a branch since the day and before until that were
// no merge, as facts to be judged, the newest first. A push by which GitHub marked
// one of the merged pull requests as merged is left out: it is judged with that. The
// reason says why the list may not be whole.
func (p *Past) Pushes(ctx context.Context, branch string, until time.Time, merged []Merged) (list []change.Facts, why string, err error) {
	known := map[change.SHA]bool{}
	for _, m := range merged {
		known[m.Commit] = m.Branch == branch || known[m.Commit]
	}
	t := p.target(branch)
	t.mu.Lock()
	defer t.mu.Unlock()
	err = t.moves.until(ctx, func(moves []movement) bool {
		return len(moves) > 0 && moves[len(moves)-1].Timestamp.Before(p.since)
	})
	if err != nil && refused(err) {
		why, err = p.forge.told(because("who pushed to "+branch, err)), nil
	} else if err != nil {
		return nil, "", fmt.Errorf("asking for the activity of %s: %w", branch, err)
	}
	for _, m := range t.moves.moves {
		direct := m.Type != typePullMerge && m.Type != typeQueueMerge && !known[m.After]
		if !direct || m.Timestamp.Before(p.since) || !m.Timestamp.Before(until) {
			continue
		}
		facts, err := p.pushed(ctx, branch, m)
		if err != nil {
			return nil, "", err
		}
		list = append(list, facts)
	}
	return list, why, nil
}

// pushed returns the facts of a movement. Which commits it brought is asked only of
// one that created the branch, which may have brought none: what no merge brought,
// nobody reviewed.
func (p *Past) pushed(ctx context.Context, branch string, m movement) (change.Facts, error) {
	ref := change.Ref{Repository: p.repo, Kind: change.Push, Branch: branch, Commit: m.After, Before: m.Before}
	if m.Type == typeCreation {
		g, err := p.forge.gatherPush(ctx, p.api, ref)
		g.Facts.Absent = p.absent(g.Facts.Absent)
		return g.Facts, err
	}
	b := p.forge.builder(reasons{})
	by := b.branchPush(m)
	commit := m.After
	if commit == "" {
		commit = m.Before
	}
	return change.Facts{
		Ref: ref, GatheredAt: p.forge.config.Now().UTC(), State: change.Known(change.LandedState), Opened: m.Timestamp,
		URL:    fmt.Sprintf("%s/%s/commits/%s", p.forge.web, p.repo.Name, commit),
		Opener: change.Known(by.By), Pushes: change.Known([]change.BranchPush{by}),
		Base:    change.Known(change.Base{Branch: branch, Target: branch, Commit: m.Before}),
		Landing: change.Known(change.Landing{Landed: true, By: by.By, How: pushedHow(m.Type, &ranged{answer: &branchAnswer{}}), Branch: branch, Before: m.Before, Commit: m.After, At: m.Timestamp}),
		People:  b.roster.People(),
	}, nil
}

// Branches returns the names of the repository's branches.
func (p *Past) Branches(ctx context.Context) ([]string, error) {
	tips, err := p.forge.branches(ctx, p.api, p.repo.Name)
	return sortedNames(tips), err
}

func sortedNames(tips map[string]change.SHA) []string { return slices.Sorted(maps.Keys(tips)) }

// maxBranches bounds how many pages of 100 branches are read.
const maxBranches = 50

// branches returns the tips of a repository's branches.
func (f *Forge) branches(ctx context.Context, a *api, repository string) (map[string]change.SHA, error) {
	tips := map[string]change.SHA{}
	for n := 1; n <= maxBranches; n++ {
		var page []struct {
			Name   string `json:"name"`
			Commit struct {
				SHA change.SHA `json:"sha"`
			} `json:"commit"`
		}
		if _, err := a.get(ctx, fmt.Sprintf("repos/%s/branches?per_page=100&page=%d", repository, n), &page); err != nil {
			if refused(err) {
				return nil, errors.New(f.told(because("the branches", err)))
			}
			return nil, fmt.Errorf("asking for the branches: %w", err)
		}
		for _, b := range page {
			tips[b.Name] = b.Commit.SHA
		}
		if len(page) < 100 {
			return tips, nil
		}
	}
	return nil, fmt.Errorf("the repository has more than %d branches", maxBranches*100)
}
