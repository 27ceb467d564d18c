package github

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// Bounds of the question how often runs were started.
const (
	maxRunPages = 10 // of 100 runs on one commit; GitHub lists a thousand
	maxRunCalls = 20 // for single runs that the list leaves out
)

// attemptsFact names the attempts of the checks among facts.
const attemptsFact = "checks/attempt"

// attempts answers how often the workflow runs behind the checks were started. All the
// runs on a commit are one list, which is asked again only when another check run is
// there: a run that is started again makes new ones.
func (q *inquiry) attempts(ctx context.Context) (func(), error) {
	none := func() {}
	checks, known := q.facts.Checks.Get()
	if !q.needs.Attempts || !known {
		return none, nil
	}
	onCommit := map[change.SHA][]change.Check{}
	for _, c := range checks {
		if c.Run > 0 && c.Attempt == 0 {
			onCommit[c.Commit] = append(onCommit[c.Commit], c)
		}
	}
	times := map[int64]int{}
	for commit, checks := range onCommit {
		some, err := q.attemptsOn(ctx, commit, checks)
		if err != nil && refused(err) {
			return func() { q.absent.set(attemptsFact, because("how often checks were run", err)) }, nil
		}
		if err != nil {
			return nil, fmt.Errorf("asking how often checks were run: %w", err)
		}
		for id, n := range some {
			times[id] = n
		}
	}
	if len(times) == 0 {
		return none, nil
	}
	return func() {
		checks := slices.Clone(checks)
		for i := range checks {
			if c := &checks[i]; c.Run > 0 && c.Attempt == 0 {
				c.Attempt = times[c.Run]
			}
		}
		q.facts.Checks = change.Known(checks)
	}, nil
}

// attemptsOn returns the attempts of the runs behind the checks on one commit.
func (q *inquiry) attemptsOn(ctx context.Context, commit change.SHA, checks []change.Check) (map[int64]int, error) {
	repo := q.facts.Ref.Repository
	want, ids := map[int64]bool{}, []int64{}
	for _, c := range checks {
		want[c.Run] = true
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	key := fmt.Sprintf("%d %s %x", repo.ID, commit, sha256.Sum256(fmt.Append(nil, ids)))
	if times, known := q.forge.attempts.Get(key); known {
		return times, nil
	}
	times := map[int64]int{}
	for page := 1; page <= maxRunPages && len(times) < len(want); page++ {
		list, err := q.api.workflowRuns(ctx, repo.Name, fmt.Sprintf("head_sha=%s&page=%d", commit, page))
		if err != nil {
			return nil, err
		}
		for _, r := range list.Runs {
			if want[r.ID] && r.Attempt > 0 {
				times[r.ID] = r.Attempt
			}
		}
		if len(list.Runs) < runsOnPage {
			break
		}
	}
	calls := 0
	for id := range want {
		if times[id] > 0 {
			continue
		}
		if calls++; calls > maxRunCalls {
			return nil, final("GitHub's list leaves out more than %d of the runs on %s", maxRunCalls, commit.Short())
		}
		r, err := q.api.workflowRun(ctx, repo.Name, fmt.Sprintf("%d", id))
		if err != nil {
			return nil, err
		}
		if r.ID == id && r.Attempt > 0 {
			times[id] = r.Attempt
		}
	}
	q.forge.attempts.Add(key, times)
	return times, nil
}
