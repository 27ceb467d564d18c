package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/forge/github"
)

// Bounds of a backtest: how many changes are looked at at the same time, how often
// one is tried, how long GitHub is waited for, and how many may fail one after the
// other before it ends.
const (
	backtestWidth    = 8
	backtestAttempts = 5
	backtestPatience = 15 * time.Minute
	backtestFailures = 5
)

// A tried change is what a draft makes of one that landed.
type tried struct {
	ref      change.Ref
	branch   string
	title    string
	url      string
	at       time.Time
	by       string // what whoever landed it is called
	people   change.People
	decision change.Decision
	err      error // why it could not be judged
	left     bool  // the run had ended before
}

// run judges the past and says what would have been held.
func (b *backtest) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g := &gathering{backtest: b, stop: cancel}
	var merged []github.Merged
	err := g.again(ctx, func() (err error) {
		if b.past, err = b.forge.Past(ctx, b.repo, b.since); err == nil {
			merged, err = b.past.Merged(ctx, b.until)
		}
		return err
	})
	if err != nil {
		return exit(undecided, "reading what landed: %w", err)
	}
	b.sum.elsewhere = map[string]int{}
	governed := slices.DeleteFunc(slices.Clone(merged), func(m github.Merged) bool {
		other := !b.set.Governs(m.Branch)
		if other {
			b.sum.elsewhere[m.Branch]++
		}
		return other
	})
	since := b.since
	if b.limit > 0 && len(governed) > b.limit {
		b.sum.beyond = len(governed) - b.limit
		governed = governed[:b.limit]
		since = governed[b.limit-1].At
	}
	if err := b.begin(); err != nil {
		return err
	}
	if err := b.pulls(ctx, g, governed); err != nil {
		return err
	}
	if err := b.pushes(ctx, g, merged, since); err != nil {
		return err
	}
	return b.conclude(context.Cause(ctx))
}

// A gathering asks GitHub on behalf of several at the same time.
type gathering struct {
	*backtest
	stop context.CancelCauseFunc

	mu       sync.Mutex
	resume   time.Time // nobody asks before
	failures int       // one after the other
}

// again does something until it succeeds, or fails in a way that does not pass. It
// waits as long as GitHub asks, unless that is too long, which ends the run.
func (g *gathering) again(ctx context.Context, do func() error) error {
	var waited time.Duration
	for n := 1; ; n++ {
		if err := g.wait(ctx); err != nil {
			return err
		}
		err := do()
		var retry *github.RetryError
		if !errors.As(err, &retry) {
			return err
		}
		if waited += retry.After; n == backtestAttempts || waited > backtestPatience {
			g.stop(err)
			return err
		}
		g.mu.Lock()
		if at := time.Now().Add(retry.After); at.After(g.resume) {
			g.resume = at
		}
		g.mu.Unlock()
	}
}

// wait waits for the moment before which nobody asks.
func (g *gathering) wait(ctx context.Context) error {
	g.mu.Lock()
	d := time.Until(g.resume)
	g.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	g.waiting(d)
	return g.pause(ctx, d)
}

// settled counts failures that follow each other; too many end the run.
func (g *gathering) settled(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failures++; err == nil {
		g.failures = 0
	}
	if g.failures >= backtestFailures {
		g.stop(err)
	}
}

// pulls judges merged pull requests, several at the same time, and tells of them in
// their order.
func (b *backtest) pulls(ctx context.Context, g *gathering, merged []github.Merged) error {
	results := make([]chan tried, len(merged))
	for i := range results {
		results[i] = make(chan tried, 1)
	}
	room := make(chan struct{}, backtestWidth)
	var busy sync.WaitGroup
	defer busy.Wait()
	busy.Go(func() {
		for i, m := range merged {
			room <- struct{}{}
			busy.Go(func() {
				defer func() { <-room }()
				results[i] <- g.try(ctx, m)
			})
		}
	})
	progress := b.progress("judging what landed", time.Now)
	for i := range merged {
		t := <-results[i]
		if progress != nil {
			progress(i+1, len(merged))
		}
		if err := b.tell(t); err != nil {
			g.stop(err)
			return err
		}
	}
	return nil
}

// try judges one pull request.
func (g *gathering) try(ctx context.Context, m github.Merged) tried {
	t := tried{ref: m.Ref, branch: m.Branch, title: m.Title, url: m.URL, at: m.At}
	if ctx.Err() != nil {
		t.err, t.left = context.Cause(ctx), true
		return t
	}
	var facts change.Facts
	t.err = g.again(ctx, func() error {
		gathered, err := g.past.Gather(ctx, m.Ref)
		if err != nil {
			return err
		}
		if facts, err = g.past.Answer(ctx, gathered.Facts, g.set.Needs(gathered.Facts)); err != nil {
			return fmt.Errorf("answering the policy: %w", err)
		}
		facts, err = g.withTickets(ctx, g.set.Resolve(facts, gathered.Description), gathered.Description)
		return err
	})
	g.settled(t.err)
	if t.left = t.err != nil && ctx.Err() != nil; t.err == nil {
		g.judge(&t, facts)
	}
	return t
}

// withTickets asks GitHub for the issues that the policy rests on. No other tracker is
// asked, because nothing says where and as whom.
func (b *backtest) withTickets(ctx context.Context, facts change.Facts, description string) (change.Facts, error) {
	ask, answers := b.set.Lookups(facts)
	if len(ask)+len(answers) == 0 {
		return facts, nil
	}
	for _, l := range ask {
		if l.Tracker != string(change.GitHub) {
			answers[l] = change.Answer{Why: "a backtest asks no tracker but the issues of GitHub"}
			continue
		}
		issue, err := b.forge.Lookup(ctx, facts.Ref, l.Key)
		issue.Tracker = l.Tracker
		var silent *change.UnansweredError
		switch {
		case err == nil:
			answers[l] = change.Answer{Issue: &issue}
		case errors.Is(err, change.ErrNoIssue):
			answers[l] = change.Answer{}
		case errors.As(err, &silent) && silent.After == 0:
			answers[l] = change.Answer{Why: silent.Why}
		case errors.As(err, &silent):
			return facts, &github.RetryError{After: silent.After, Err: err}
		default:
			return facts, fmt.Errorf("asking for %s: %w", l.Key, err)
		}
	}
	return b.set.Resolve(facts.WithTickets(answers), description), nil
}

// judge fills in what the draft says of some facts.
func (b *backtest) judge(t *tried, facts change.Facts) {
	facts = facts.Canonical()
	t.people, t.decision = facts.People, b.set.Evaluate(facts)
	if base, known := facts.Base.Get(); known && base.Target != "" {
		t.branch = base.Target
	}
	if l, known := facts.Landing.Get(); known && l.By != "" {
		t.by = facts.People[l.By].Label()
	}
}

// pushes judges what moved the branches that the policy names, and was no merge.
func (b *backtest) pushes(ctx context.Context, g *gathering, merged []github.Merged, since time.Time) error {
	names, err := b.branches(ctx, g, merged)
	if err != nil {
		b.sum.unread = append(b.sum.unread, err.Error())
	}
	var all []tried
	for _, branch := range names {
		var found []change.Facts
		var why string
		err := g.again(ctx, func() (err error) {
			found, why, err = b.past.Pushes(ctx, branch, b.until, merged)
			return err
		})
		if err != nil {
			why = fmt.Sprintf("who pushed to %s: %v", branch, err)
		}
		if why != "" {
			b.sum.unread = append(b.sum.unread, why)
		}
		for _, facts := range found {
			t := tried{ref: facts.Ref, branch: branch, url: facts.URL, at: facts.Opened}
			if l, _ := facts.Landing.Get(); !l.At.IsZero() {
				t.at = l.At
			}
			if t.at.Before(since) {
				continue
			}
			b.judge(&t, b.set.Resolve(facts, ""))
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(x, y tried) int { return y.at.Compare(x.at) })
	for _, t := range all {
		if err := b.tell(t); err != nil {
			return err
		}
	}
	return nil
}

// branches returns the branches that the policy names: those that the repository has,
// and those that something was merged into.
func (b *backtest) branches(ctx context.Context, g *gathering, merged []github.Merged) ([]string, error) {
	var names []string
	err := g.again(ctx, func() (err error) {
		names, err = b.past.Branches(ctx)
		return err
	})
	for _, m := range merged {
		names = append(names, m.Branch)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return !b.set.Governs(name) }), err
}
