package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/change"
)

// workflowRun is one attempt of a run of a workflow, as REST writes it.
type workflowRun struct {
	ID      int64      `json:"id"`
	Attempt int        `json:"run_attempt"`
	Path    string     `json:"path"`
	Event   string     `json:"event"`
	Head    change.SHA `json:"head_sha"`
	Status  string     `json:"status"`
	Actor   *account   `json:"actor"`
	Starter *account   `json:"triggering_actor"`
	Created time.Time  `json:"created_at"`
	Started time.Time  `json:"run_started_at"`
	Updated time.Time  `json:"updated_at"`
}

// runList is a page of runs.
type runList struct {
	Total int           `json:"total_count"`
	Runs  []workflowRun `json:"workflow_runs"`
}

const runsOnPage = 100

// workflowRuns reads one page of a search for runs, the newest first.
func (a *api) workflowRuns(ctx context.Context, repository, search string) (runList, error) {
	var data json.RawMessage
	path := fmt.Sprintf("repos/%s/actions/runs?%s&per_page=%d&exclude_pull_requests=true", repository, search, runsOnPage)
	if _, err := a.get(ctx, path, &data); err != nil {
		return runList{}, err
	}
	return decodeRuns(data)
}

// decodeRuns reads a page of runs.
func decodeRuns(data []byte) (runList, error) {
	var list runList
	if err := json.Unmarshal(data, &list); err != nil {
		return runList{}, fmt.Errorf("decoding workflow runs: %w", err)
	}
	for _, r := range list.Runs {
		if err := r.valid(); err != nil {
			return runList{}, err
		}
	}
	return list, nil
}

// valid refuses what cannot be told from another run or put into time.
func (r workflowRun) valid() error {
	if r.ID <= 0 || r.Created.IsZero() || r.Status == "" {
		return final("GitHub shows a workflow run without an id, a time or a status")
	}
	return nil
}

// workflowRun reads a run, or "ID/attempts/N" of it.
func (a *api) workflowRun(ctx context.Context, repository, which string) (workflowRun, error) {
	var r workflowRun
	if _, err := a.get(ctx, fmt.Sprintf("repos/%s/actions/runs/%s?exclude_pull_requests=true", repository, which), &r); err != nil {
		return r, err
	}
	return r, r.valid()
}

// A run that is at work at some moment was created at most this long before: GitHub
// lets a run be started again for 30 days, and work or wait for 35.
const longestRun = (30 + 35) * 24 * time.Hour

// Bounds of the search for runs that were at work.
const (
	maxSearched = 3000 // runs that are looked through
	maxSearch   = 1000 // that GitHub lists of one search
	maxEarlier  = 50   // attempts that are asked for one by one
	maxAtWork   = 500  // runs that are kept
)

// runs answers which runs were at work when an automation did something. What was at
// work at a moment in the past does not change any more, so it is asked once.
func (q *inquiry) runs(ctx context.Context) (func(), error) {
	moments := q.needs.Starters
	if len(moments) == 0 {
		return func() {}, nil
	}
	list, err := q.runsAt(ctx, moments)
	if err != nil && refused(err) {
		return func() { q.absent.set("runs", because("the workflow runs that were at work", err)) }, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the workflow runs that were at work: %w", err)
	}
	return func() {
		runs := make([]change.Run, 0, len(list))
		for _, r := range list {
			runs = append(runs, r.run(q.roster))
		}
		q.facts.Runs = change.Known(runs)
	}, nil
}

// runsAt returns the runs that were at work at any of the moments, by their ids.
func (q *inquiry) runsAt(ctx context.Context, moments []time.Time) ([]workflowRun, error) {
	repo, now := q.facts.Ref.Repository, q.forge.config.Now()
	last := slices.MaxFunc(moments, time.Time.Compare)
	key := fmt.Sprint(repo.ID)
	for _, m := range moments {
		key += " " + m.UTC().Format(time.RFC3339)
	}
	if list, known := q.forge.runs.Get(key); known {
		return list, nil
	}
	s := &runSearch{api: q.api, repository: repo.Name, moments: moments}
	if err := s.all(ctx); err != nil {
		return nil, err
	}
	q.forge.recall(q.facts.Ref.Key(), s)
	for _, m := range moments {
		if now.Sub(m) < fresh && !slices.ContainsFunc(s.found, func(r workflowRun) bool { return r.atWork(m) }) {
			return nil, notYet("no workflow run shows that was at work at %s", m.UTC().Format(time.RFC3339))
		}
	}
	slices.SortFunc(s.found, func(a, b workflowRun) int {
		if a.ID != b.ID {
			return int(min(max(a.ID-b.ID, -1), 1))
		}
		return a.Attempt - b.Attempt
	})
	if now.Sub(last) > fresh+change.RunSkew { // before, the list may lag
		q.forge.runs.Add(key, s.found)
	}
	return s.found, nil
}

// recall adds the runs that were seen at work before and are not listed any more, and
// remembers all for the next time. Whoever may write can delete a run once it has
// ended, and with it who started it; while it is at work GitHub refuses to.
func (f *Forge) recall(change string, s *runSearch) {
	listed := map[[2]int64]bool{}
	for _, r := range s.found {
		listed[[2]int64{r.ID, int64(r.Attempt)}] = true
	}
	was, _ := f.seenRuns.Get(change)
	for _, r := range was {
		if !listed[[2]int64{r.ID, int64(r.Attempt)}] && slices.ContainsFunc(s.moments, r.atWork) {
			s.found = append(s.found, r)
		}
	}
	f.seenRuns.Add(change, slices.Clone(s.found))
}

// A runSearch looks for the runs that were at work at some moments.
type runSearch struct {
	api        *api
	repository string
	moments    []time.Time
	found      []workflowRun
	earlier    int // attempts asked for one by one
}

// all looks through every run that may have been at work. A search lists a thousand,
// the newest first, so that the next one goes on from the oldest of them.
func (s *runSearch) all(ctx context.Context) error {
	from := slices.MinFunc(s.moments, time.Time.Compare).Add(-longestRun)
	until := slices.MaxFunc(s.moments, time.Time.Compare).Add(change.RunSkew)
	seen := map[int64]bool{}
	for len(seen) <= maxSearched {
		before, oldest, whole := len(seen), until, false
		for page := 1; page <= maxSearch/runsOnPage && !whole; page++ {
			span := url.QueryEscape(from.UTC().Format(time.RFC3339) + ".." + until.UTC().Format(time.RFC3339))
			list, err := s.api.workflowRuns(ctx, s.repository, fmt.Sprintf("created=%s&page=%d", span, page))
			if err != nil {
				return err
			}
			if list.Total > maxSearched {
				return tooManyRuns(from)
			}
			for _, r := range list.Runs {
				if r.Created.Before(oldest) {
					oldest = r.Created
				}
				if seen[r.ID] {
					continue
				}
				seen[r.ID] = true
				if err := s.look(ctx, r); err != nil {
					return err
				}
			}
			whole = len(list.Runs) < runsOnPage
		}
		if whole {
			return nil
		}
		if until = oldest; len(seen) == before {
			return final("GitHub does not list all the runs from before %s", oldest.UTC().Format(time.RFC3339))
		}
	}
	return tooManyRuns(from)
}

func tooManyRuns(from time.Time) error {
	return final("more than %d have been set off since %s, when the oldest that may have been at work began", maxSearched, from.UTC().Format(time.DateOnly))
}

// look keeps the attempts of a run that were at work. A run shows its latest attempt;
// the ones before that it has to be asked for, as far back as they may have been at
// work.
func (s *runSearch) look(ctx context.Context, r workflowRun) error {
	for {
		if slices.ContainsFunc(s.moments, r.atWork) {
			if s.found = append(s.found, r); len(s.found) > maxAtWork {
				return final("more than %d were", maxAtWork)
			}
		}
		if r.Attempt <= 1 || !slices.ContainsFunc(s.moments, r.mayBeEarlier) {
			return nil
		}
		if s.earlier++; s.earlier > maxEarlier {
			return final("runs were started again more than %d times since", maxEarlier)
		}
		before, err := s.api.workflowRun(ctx, s.repository, fmt.Sprintf("%d/attempts/%d", r.ID, r.Attempt-1))
		if err != nil {
			return err
		}
		if before.ID != r.ID || before.Attempt != r.Attempt-1 {
			return final("GitHub shows another attempt of run %d than the one that was asked for", r.ID)
		}
		r = before
	}
}

// mayBeEarlier reports whether an earlier attempt may have been at work at a moment:
// the run had been set off, and this attempt had not long begun.
func (r workflowRun) mayBeEarlier(at time.Time) bool {
	return !at.After(r.began().Add(change.RunSkew)) && !at.Before(r.Created.Add(-change.RunSkew))
}

func (r workflowRun) began() time.Time {
	if r.Started.IsZero() {
		return r.Created
	}
	return r.Started
}

func (r workflowRun) ended() time.Time {
	if r.Status != "completed" || r.Updated.Before(r.began()) {
		return time.Time{} // still at work
	}
	return r.Updated
}

func (r workflowRun) atWork(at time.Time) bool {
	return change.Run{Started: r.began(), Updated: r.ended()}.AtWork(at)
}

// run returns the run among facts. An account that is gone is somebody all the same.
func (r workflowRun) run(roster *change.Roster) change.Run {
	path, _, _ := strings.Cut(r.Path, "@") // GitHub may write which ref it is of
	starter := r.Starter
	if starter == nil && r.Attempt <= 1 {
		starter = r.Actor
	}
	out := change.Run{
		ID: r.ID, Attempt: r.Attempt, Workflow: path, Event: r.Event, Commit: valid(r.Head), Started: r.began(), Updated: r.ended(),
		Actor: roster.Add(r.Actor.identity()),
	}
	out.Starter = out.Actor
	if starter != r.Actor {
		out.Starter = roster.Add(starter.identity())
	}
	return out
}
