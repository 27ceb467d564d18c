package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/internal/turns"
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
	// Open returns the open changes of a scope as the forge lists them, or smaller
	// scopes. Each change's Commit is its head in the list.
	Open(ctx context.Context, scope change.Scope) (change.Hint, error)
	// Policy returns the policy that a push is judged by, as Gather would.
	Policy(ctx context.Context, push change.Ref) (change.PolicyFile, error)
}

// A Ledger keeps records.
type Ledger interface {
	// Record writes the record of a decision. When it returns without an error
	// the record has been made durable and has its place in the log.
	Record(ctx context.Context, entry evidence.Entry) (change.Receipt, error)
	// Last returns the newest record of a change and whether there is one, and
	// LastProposed the newest from before it landed.
	Last(ctx context.Context, ref change.Ref) (evidence.Latest, bool, error)
	LastProposed(ctx context.Context, ref change.Ref) (evidence.Latest, bool, error)
	// Open returns the newest record of every open change in the repositories of an
	// owner, or in all with "".
	Open(ctx context.Context, owner string) ([]evidence.Latest, error)
	// Linked returns the changes whose newest records rest on what a tracker says of
	// a request, or would if it had answered, and which are not settled.
	Linked(ctx context.Context, request change.RequestID) ([]change.Ref, error)
	// Standing returns the newest record of every open pull request of a
	// repository that was last judged at the commit.
	Standing(ctx context.Context, repository change.Repository, head change.SHA) ([]evidence.Latest, error)
	// Keeps reports whether there are records of the branch that ref names.
	Keeps(ctx context.Context, ref change.Ref) (bool, error)
}

// Config is what a Gate is made of. What is not called optional is required.
type Config struct {
	Forge  Forge
	Ledger Ledger
	Log    *slog.Logger
	Now    func() time.Time

	// Trackers are where linked change requests are looked up, by the names that
	// policies have for them. What another tracker knows stays unknown. Optional.
	Trackers map[string]Tracker

	// Observe is told of every assessment once its verdict is shown. Optional.
	Observe func(change.Facts, Assessment)

	// Later has changes assessed after the present run, and keeps in mind that they
	// are to be: when it returns without an error that is durable. Optional; without
	// it they are assessed in the run that found them.
	Later func(context.Context, change.Hint) error

	// Timeout bounds one assessment from gathering to reporting. Optional; two
	// minutes when zero.
	Timeout time.Duration
}

// A Gate assesses changes. Make it with New.
type Gate struct {
	Config
	turns *turns.Turns[Assessment]
	shows locks // by commit: see report

	// strangers are pull requests, with their heads, that were seen to want to reach
	// branches that are nobody's concern: no record tells so.
	strangers *lru.Cache[string, struct{}]
	tickets   *tickets

	views *views // what needs no look
}

// manyStrangers bounds the memory of those; one that is forgotten is looked at again.
const manyStrangers = 10_000

// New returns a gate.
func New(c Config) *Gate {
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Minute
	}
	strangers, err := lru.New[string, struct{}](manyStrangers)
	if err != nil {
		panic(err) // of a size that is not above zero
	}
	return &Gate{Config: c, strangers: strangers, tickets: newTickets(c), views: newViews(c.Now), turns: turns.New[Assessment](0), shows: locks{byKey: map[string]*lock{}}}
}

// An Assessment is what became of a change. It is empty for one that is nobody's
// concern.
type Assessment struct {
	Decision change.Decision
	Receipt  change.Receipt
	Recorded bool // whether this assessment wrote a record, or found its like

	head    change.SHA    // the head that was judged
	people  change.People // of the facts that were judged
	touch   []change.Ref  // the changes whose verdicts rest on this one's
	shares  bool          // whether others have the same head
	settled bool          // whether it has landed and this is the last word on it
	waits   bool          // whether one of those has not been judged at it yet
}

// Assess brings a change's verdict up to date, and then those that rest on it: of
// the merge groups it waits in, because what is no longer approved must not land
// with its group; of the changes that share its head commit; and, when it has
// changed the policy, of what the old one let through. An error means that
// something new was not shown and that it should be tried again.
func (g *Gate) Assess(ctx context.Context, ref change.Ref) error {
	a, err := g.assess(ctx, ref)
	if err != nil {
		return err
	}
	var failed []error
	moved := a.waits
	for _, other := range a.touch {
		b, err := g.assess(ctx, other)
		failed = append(failed, err)
		moved = moved || b.Recorded
	}
	if moved && a.shares {
		// What shares the head stands otherwise than when this one was shown.
		_, err = g.assess(ctx, ref)
		failed = append(failed, err)
	}
	err = errors.Join(failed...)
	if err == nil && a.settled {
		g.views.settle(ref)
	}
	return err
}

// assess runs the path for one change. A run waits for no other run of a change
// that may share its head, or two would wait for each other.
func (g *Gate) assess(ctx context.Context, ref change.Ref) (Assessment, error) {
	return g.turns.Do(ctx, ref.Key(), func() (Assessment, error) {
		// The run may serve callers that came later than this one, so it must not
		// end because this one gave up waiting.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.Timeout)
		defer cancel()
		a, err := g.run(ctx, ref)
		var blind *blindError
		if errors.As(err, &blind) {
			err = errors.Join(err, g.withdraw(ctx, ref, blind))
		}
		if err != nil {
			g.views.drop(ref)
			return Assessment{}, fmt.Errorf("assessing %s: %w", ref, err)
		}
		return a, nil
	})
}

// run is the path, for what it has to be gone.
func (g *Gate) run(ctx context.Context, ref change.Ref) (Assessment, error) {
	if g.views.isSettled(ref) {
		last, _, err := g.Ledger.Last(ctx, ref)
		return Assessment{Decision: last.Decision, Receipt: last.Receipt, head: last.Head}, err
	}
	begun := g.views.begin()
	g.views.drop(ref) // by what this look may change, no delivery is spared a look
	if ref.Kind == change.Push {
		if nobodys, err := g.unconcerned(ctx, ref); nobodys || err != nil {
			return Assessment{}, g.unlessAbsent(ctx, ref, err)
		}
	}
	r, err := g.gather(ctx, ref)
	if err != nil {
		return Assessment{}, g.unlessAbsent(ctx, ref, err)
	}
	r.begun = begun
	governed, err := g.governed(ctx, &r)
	if err != nil {
		return Assessment{}, err
	}
	if !governed {
		return g.ungoverned(ctx, r)
	}
	if changes, whole := explained(r.Facts); whole {
		err := g.assessEach(ctx, r.Facts.Ref, changes)
		g.views.landed(r.Facts.Ref) // this push was it
		return Assessment{}, err
	}
	return g.judge(ctx, r)
}

// unlessAbsent says of an error that only tells that the application is not installed
// there that there is nothing to do.
func (g *Gate) unlessAbsent(ctx context.Context, ref change.Ref, err error) error {
	if errors.Is(err, change.ErrNotInstalled) {
		g.Log.WarnContext(ctx, "not assessed", "change", ref.String(), "err", err)
		return nil
	}
	return err
}

// judge judges what was gathered, records it and shows it.
func (g *Gate) judge(ctx context.Context, r round) (Assessment, error) {
	ref := r.Facts.Ref
	if a, settled, err := g.landed(ctx, &r); err != nil || settled {
		return a, err
	}
	if err := g.complete(ctx, &r); err != nil {
		return Assessment{}, err
	}
	a, err := g.record(ctx, evidence.Entry{Facts: r.Facts, Policy: r.Policy, Decision: policy.Judge(r.Facts, r.Policy)})
	if err != nil {
		return Assessment{}, fmt.Errorf("recording: %w", err)
	}
	g.Log.InfoContext(ctx, "assessed", "change", ref.String(), "status", a.Decision.Status, "record", a.Receipt.Index, "new", a.Recorded)
	if a.Decision.Ungoverned {
		g.strangers.Add(stranger(ref, shownOn(r.Facts)), struct{}{})
	}
	if err := g.report(ctx, r, &a); err != nil {
		return Assessment{}, fmt.Errorf("reporting: %w", err)
	}
	repoliced, err := g.repoliced(ctx, r)
	if err != nil {
		return Assessment{}, err
	}
	a.touch = append(a.touch, repoliced...)
	a.people, a.head = r.Facts.People, shownOn(r.Facts)
	g.views.keep(r, a)
	if a.settled = ended(r.Facts) && ref.Kind != change.Push && a.Decision.Status != change.Undetermined; a.settled {
		g.views.land(r.Facts)
	}
	if a.settled && len(a.touch) == 0 {
		g.views.settle(ref)
	}
	if g.Observe != nil {
		g.Observe(r.Facts, a)
	}
	return a, nil
}

// ungoverned sees to a change of a branch that the policy does not speak of. A push
// there may still bring the policy that does.
func (g *Gate) ungoverned(ctx context.Context, r round) (a Assessment, err error) {
	g.strangers.Add(stranger(r.Facts.Ref, shownOn(r.Facts)), struct{}{})
	a.touch, a.shares = r.resting(nil), len(r.Siblings.Or(nil)) > 0
	g.views.keep(r, a)
	if r.Facts.Files.IsKnown() {
		var repoliced []change.Ref
		repoliced, err = g.repoliced(ctx, r)
		a.touch = append(a.touch, repoliced...)
	}
	return a, err
}

// record writes the entry unless the last record of the change says the same.
func (g *Gate) record(ctx context.Context, entry evidence.Entry) (Assessment, error) {
	a := Assessment{Decision: entry.Decision}
	last, found, err := g.Ledger.Last(ctx, entry.Facts.Ref)
	if err != nil {
		return a, err
	}
	entry.Print = evidence.Fingerprint(entry)
	if found && last.Fingerprint == entry.Print {
		a.Receipt = last.Receipt
		return a, nil
	}
	a.Receipt, err = g.Ledger.Record(ctx, entry)
	a.Recorded = err == nil
	return a, err
}
