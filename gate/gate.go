package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/policy"
)

// A Forge gathers facts and shows verdicts.
type Forge interface {
	// Gather asks for everything about a change and for the policy of the branch
	// it wants to reach, read from that branch. What could not be read is absent;
	// an error means that nothing can be said at all.
	Gather(ctx context.Context, ref change.Ref) (change.Gathered, error)
	// Answer adds to facts what the policy still needs to know. An answer that
	// cannot be had stays absent and is no error.
	Answer(ctx context.Context, facts change.Facts, needs change.Needs) (change.Facts, error)
	// Report shows a decision, in the place of what it showed before.
	Report(ctx context.Context, report change.Report) error
}

// A Ledger keeps records.
type Ledger interface {
	// Record writes the record of a decision. When it returns without an error
	// the record has been made durable and has its place in the log.
	Record(ctx context.Context, entry evidence.Entry) (change.Receipt, error)
	// Last returns the newest record of a change and whether there is one.
	Last(ctx context.Context, ref change.Ref) (evidence.Latest, bool, error)
	// Keeps reports whether there are records of the branch that ref names.
	Keeps(ctx context.Context, ref change.Ref) (bool, error)
}

// Config is what a Gate is made of. What is not called optional is required.
type Config struct {
	Forge  Forge
	Ledger Ledger
	Log    *slog.Logger
	Now    func() time.Time

	// Observe is told of every assessment once its verdict is shown. Optional.
	Observe func(change.Facts, Assessment)

	// Timeout bounds one assessment from gathering to reporting. Optional; two
	// minutes when zero.
	Timeout time.Duration
}

// A Gate assesses changes. Make it with New.
type Gate struct {
	Config
	turns turns
}

// New returns a gate.
func New(c Config) *Gate {
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Minute
	}
	return &Gate{Config: c, turns: turns{byKey: map[string]*turn{}}}
}

// An Assessment is what became of a change.
type Assessment struct {
	Governed bool // whether the policy names the branch; if not, the rest is empty
	Decision change.Decision
	Receipt  change.Receipt
	Recorded bool // whether this assessment wrote a record, or found its like

	people change.People // of the facts that were judged
	groups []change.Ref  // the merge groups that hold the change
}

// Assess brings a change's verdict up to date, and then that of the merge groups
// it waits in: what is no longer approved must not land with its group. An error
// means that something new was not shown and that it should be tried again.
func (g *Gate) Assess(ctx context.Context, ref change.Ref) error {
	a, err := g.assess(ctx, ref)
	if err != nil {
		return err
	}
	for _, group := range a.groups {
		if _, err := g.assess(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gate) assess(ctx context.Context, ref change.Ref) (Assessment, error) {
	return g.turns.do(ctx, ref.Key(), func() (Assessment, error) {
		// The run may serve callers that came later than this one, so it must not
		// end because this one gave up waiting.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.Timeout)
		defer cancel()
		a, err := g.run(ctx, ref)
		if err != nil {
			return Assessment{}, fmt.Errorf("assessing %s: %w", ref, err)
		}
		return a, nil
	})
}

// run is the path.
func (g *Gate) run(ctx context.Context, ref change.Ref) (Assessment, error) {
	gathered, err := g.Forge.Gather(ctx, ref)
	if errors.Is(err, change.ErrNotInstalled) {
		g.Log.WarnContext(ctx, "not assessed", "change", ref.String(), "err", err)
		return Assessment{}, nil
	}
	if err != nil {
		return Assessment{}, fmt.Errorf("gathering: %w", err)
	}
	governed, err := g.governed(ctx, gathered)
	if err != nil || !governed {
		return Assessment{}, err
	}
	if changes, whole := explained(gathered.Facts); whole {
		return Assessment{}, g.assessEach(ctx, gathered.Facts.Ref, changes)
	}
	facts, err := g.complete(ctx, gathered)
	if err != nil {
		return Assessment{}, err
	}
	decision := policy.Judge(facts, gathered.Policy)
	a, err := g.record(ctx, evidence.Entry{Facts: facts, Policy: gathered.Policy, Decision: decision})
	if err != nil {
		return Assessment{}, fmt.Errorf("recording: %w", err)
	}
	a.people, a.groups = facts.People, gathered.Groups
	g.Log.InfoContext(ctx, "assessed", "change", ref.String(), "status", decision.Status, "record", a.Receipt.Index, "new", a.Recorded)
	if err := g.report(ctx, facts, a, gathered.Shown); err != nil {
		return Assessment{}, fmt.Errorf("reporting: %w", err)
	}
	if g.Observe != nil {
		g.Observe(facts, a)
	}
	return a, nil
}

// governed reports whether the change wants to reach, or has moved, a branch that
// the policy speaks of. A policy that is missing or cannot be read governs: not
// knowing the rules is no reason to let a change through. Pushes are the
// exception, because every branch of every repository is pushed to: without a
// policy they count only on a branch that records have been kept of.
func (g *Gate) governed(ctx context.Context, gathered change.Gathered) (bool, error) {
	target := Target(gathered.Facts)
	if !gathered.Policy.Found {
		if gathered.Facts.Ref.Kind != change.Push {
			return true, nil
		}
		return g.Ledger.Keeps(ctx, gathered.Facts.Ref)
	}
	p, err := policy.Parse(gathered.Policy.Path, []byte(gathered.Policy.Text))
	if err != nil || target == "" {
		return true, nil
	}
	return p.Governs(target), nil
}

// Target returns the short name of the protected branch that some facts are
// about, or "" when they do not say.
func Target(f change.Facts) string {
	if base, known := f.Base.Get(); known && base.Target != "" {
		return base.Target
	}
	if landing, known := f.Landing.Get(); known && landing.Branch != "" {
		return landing.Branch
	}
	return f.Ref.Branch
}

// complete adds what the policy needs to the facts and puts them in order.
func (g *Gate) complete(ctx context.Context, gathered change.Gathered) (change.Facts, error) {
	facts := gathered.Facts
	p, err := policy.Parse(gathered.Policy.Path, []byte(gathered.Policy.Text))
	if !gathered.Policy.Found || err != nil {
		return facts.Canonical(), nil // Judge says what is wrong with the policy
	}
	if facts, err = g.members(ctx, facts); err != nil {
		return facts, err
	}
	if facts, err = g.Forge.Answer(ctx, facts, p.Needs(facts)); err != nil {
		return facts, fmt.Errorf("answering the policy: %w", err)
	}
	return p.Resolve(facts, gathered.Description).Canonical(), nil
}

// record writes the entry unless the last record of the change says the same.
func (g *Gate) record(ctx context.Context, entry evidence.Entry) (Assessment, error) {
	a := Assessment{Governed: true, Decision: entry.Decision}
	last, found, err := g.Ledger.Last(ctx, entry.Facts.Ref)
	if err != nil {
		return a, err
	}
	if found && last.Fingerprint == evidence.Fingerprint(entry) {
		a.Receipt = last.Receipt
		return a, nil
	}
	a.Receipt, err = g.Ledger.Record(ctx, entry)
	a.Recorded = err == nil
	return a, err
}

// report shows the decision where the forge shows such things. A change that has
// ended is left as it was when that was right: touching the verdict after a merge
// would make it look as if it had been given too late.
func (g *Gate) report(ctx context.Context, f change.Facts, a Assessment, shown change.Fact[change.Shown]) error {
	commit := shownOn(f)
	state := f.State.Or(change.Open)
	if commit == "" || state == change.ClosedState || ended(f) && !a.Decision.Status.Blocks() {
		return nil
	}
	return g.Forge.Report(ctx, change.Report{
		Ref: f.Ref, Commit: commit, Decision: a.Decision, People: f.People, Receipt: a.Receipt, Shown: shown,
	})
}

// ended reports whether the change has reached its branch.
func ended(f change.Facts) bool {
	landing, known := f.Landing.Get()
	return known && landing.Landed
}

// shownOn returns the commit that carries the verdict.
func shownOn(f change.Facts) change.SHA {
	if f.Ref.Kind == change.Push || f.Ref.Kind == change.MergeGroup {
		return f.Ref.Commit
	}
	head, _ := f.Head.Get()
	return head.Commit
}
