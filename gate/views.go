package gate

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// Bounds of what is remembered between looks. What is forgotten is looked at again,
// and so is what is older than viewAge: a lost delivery may have made it out of date.
const (
	manyViews = 10_000
	viewAge   = 10 * time.Minute
)

// A view is what the last look at a change left in memory, so that deliveries which
// cannot have changed its verdict cost nothing. Nothing is ever judged by it.
type view struct {
	at       time.Time
	branch   string            // key of the protected branch in views.policies
	policy   [sha256.Size]byte // digest of the policy that it was judged by
	interest change.Interest
	held     bool     // by a control that rests on no check
	waits    bool     // for a required check, which holds it too
	awaited  []string // required checks of which none had ended, and of which no delivery has said so since
	settled  bool     // it has landed and was judged: no look can tell anything new
}

// views are the changes that were looked at, and the policy that each protected
// branch was last seen to have.
type views struct {
	now func() time.Time

	mu       sync.Mutex
	byKey    *lru.Cache[string, view]              // by Ref.Key
	policies *lru.Cache[string, [sha256.Size]byte] // by branchKey
	landings *lru.Cache[string, landing]           // by branchKey
	targets  *lru.Cache[string, struct{}]          // branchKeys of what changes were seen to want to reach
	// round counts the calls of forget. What a look that began in an earlier round has
	// read may be out of date, so nothing of it is kept.
	round uint64
}

// A landing is the last movement of a branch that a merged change was judged for. The
// delivery of the push that made it tells nothing more.
type landing struct {
	before, after change.SHA
	at            time.Time
}

// landingAge is how long that delivery may take.
const landingAge = time.Minute

func newViews(now func() time.Time) *views {
	byKey, err := lru.New[string, view](manyViews)
	if err != nil {
		panic(err) // of a size that is not above zero
	}
	policies, err := lru.New[string, [sha256.Size]byte](manyViews)
	if err != nil {
		panic(err)
	}
	landings, err := lru.New[string, landing](manyViews)
	if err != nil {
		panic(err)
	}
	targets, err := lru.New[string, struct{}](manyViews)
	if err != nil {
		panic(err)
	}
	return &views{now: now, byKey: byKey, policies: policies, landings: landings, targets: targets}
}

// Urgency returns how soon a change is to be looked at because of what a delivery can
// have changed. It asks nobody: of a change that was not looked at lately, or of which
// the policy may be another by now, it says now.
func (g *Gate) Urgency(ref change.Ref, t change.Topic) change.Urgency {
	v, known := g.views.get(ref)
	switch {
	case known && v.settled:
		return change.Idle
	case !known || !v.interest.Limited || t == change.Topic{}:
		return change.Now
	case !v.interest.In(t):
		return change.Idle
	case t.Check == "" && t.Suite == "":
		return change.Now
	case t.Open && v.waits: // what has not ended lets nothing through, and holds back nothing that is not held
		return change.Idle
	case v.held && t.Passed && g.views.awaitsOthers(ref, t.Check):
		return change.Late
	case v.held:
		return change.Soon
	}
	return change.Now
}

// awaitsOthers notes that a required check of a change is said to have ended, and
// reports whether there are others of which that has not been said yet.
func (vs *views) awaitsOthers(ref change.Ref, check string) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v, known := vs.byKey.Peek(ref.Key())
	if !known {
		return false
	}
	v.awaited = slices.DeleteFunc(slices.Clone(v.awaited), func(name string) bool { return name == check })
	vs.byKey.Add(ref.Key(), v)
	return len(v.awaited) > 0
}

// awaited returns the names of required checks of which none has ended on the head.
func awaited(in change.Interest, f change.Facts) []string {
	head := shownOn(f)
	ended := func(name string) bool {
		return slices.ContainsFunc(f.Checks.Or(nil), func(c change.Check) bool {
			return c.Name == name && c.Commit == head && c.Status == "completed"
		})
	}
	var names []string
	for _, c := range in.Checks {
		if !ended(c.Name) && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// get returns the view of a change unless something speaks against relying on it.
func (vs *views) get(ref change.Ref) (view, bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v, known := vs.byKey.Get(ref.Key())
	if !known || v.settled {
		return v, known
	}
	current, seen := vs.policies.Get(v.branch)
	return v, seen && current == v.policy && vs.now().Sub(v.at) < viewAge
}

// drop forgets a change.
func (vs *views) drop(ref change.Ref) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.byKey.Remove(ref.Key())
}

// begin returns the round in which a look begins.
func (vs *views) begin() uint64 {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.round
}

// forget forgets which policy the branches have whose keys begin so.
func (vs *views) forget(name string) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.round++
	prefix := strings.ToLower(name)
	for _, key := range vs.policies.Keys() {
		if strings.HasPrefix(key, prefix) {
			vs.policies.Remove(key)
		}
	}
}

// forgetScope forgets which policy the branches have that a scope is about.
func (vs *views) forgetScope(s change.Scope) {
	switch {
	case s.Repository != (change.Repository{}):
		vs.forget(s.Repository.Name + ":")
	case s.Owner != "":
		vs.forget(s.Owner + "/")
	default:
		vs.forget("")
	}
}

// branchKey returns the key of a branch. A colon is in no repository's name.
func branchKey(repo change.Repository, branch string) string {
	return strings.ToLower(repo.Name) + fmt.Sprintf(":%d:%s:%s", repo.ID, repo.Host, branch)
}

// keep remembers what a look at an open change has shown. What was not judged by a
// policy that can be read, what rests on a fact that could not be had, and what shares
// its head with another change is looked at every time.
func (vs *views) keep(r round, a Assessment) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if r.Facts.Ref.Kind != change.Push {
		vs.targets.Add(branchKey(r.Facts.Ref.Repository, Target(r.Facts)), struct{}{})
	}
	if r.begun != vs.round {
		vs.byKey.Remove(r.Facts.Ref.Key())
		return
	}
	ref, branch := r.Facts.Ref, branchKey(r.Facts.Ref.Repository, Target(r.Facts))
	digest := digestOf(r.Policy)
	if ref.Kind != change.Push && !ended(r.Facts) {
		vs.policies.Add(branch, digest)
	}
	if r.rules == nil || a.shares || ref.Kind == change.Push || ended(r.Facts) || a.Decision.Status == change.Undetermined {
		vs.byKey.Remove(ref.Key())
		return
	}
	v := view{at: vs.now(), branch: branch, policy: digest, interest: r.rules.Interest(Target(r.Facts))}
	v.awaited = awaited(v.interest, r.Facts)
	for _, result := range a.Decision.Results {
		switch {
		case result.Status == change.Undetermined:
			vs.byKey.Remove(ref.Key())
			return
		case result.Control == policy.RequiredChecksID:
			v.waits = v.waits || result.Status == change.Pending
		case result.Status.Blocks():
			v.held = true
		}
	}
	vs.byKey.Add(ref.Key(), v)
}

// isSettled reports whether a change has landed and was judged, and what rested on it
// was too.
func (vs *views) isSettled(ref change.Ref) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v, _ := vs.byKey.Get(ref.Key())
	return v.settled
}

// settle remembers that a change is settled.
func (vs *views) settle(ref change.Ref) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.byKey.Add(ref.Key(), view{settled: true})
}

// land remembers how a branch moved when a change was merged.
func (vs *views) land(f change.Facts) {
	l, _ := f.Landing.Get()
	switch l.How {
	case change.MergeCommit, change.Squash, change.Rebase:
	default:
		return
	}
	if !l.Before.Valid() || !l.Commit.Valid() {
		return
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.landings.Add(branchKey(f.Ref.Repository, l.Branch), landing{l.Before, l.Commit, vs.now()})
}

// landed reports whether a push is the movement of its branch that a merged change was
// judged for last, and forgets that movement: the same one, when it comes again, is
// another push.
func (vs *views) landed(push change.Ref) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	key := branchKey(push.Repository, push.Branch)
	l, known := vs.landings.Get(key)
	vs.landings.Remove(key)
	return known && l.before == push.Before && l.after == push.Commit && vs.now().Sub(l.at) < landingAge
}

// digestOf returns a digest of a policy and of the floor beneath it.
func digestOf(file change.PolicyFile) [sha256.Size]byte {
	text := fmt.Sprintf("%t\x00%s", file.Found, file.Text)
	if file.Floor != nil {
		text += fmt.Sprintf("\x00%t\x00%s", file.Floor.Found, file.Floor.Text)
	}
	return sha256.Sum256([]byte(text))
}

// unconcerned reports whether a push is nobody's concern, for which mostly nothing has
// to be asked: either its policy, which tends to be known, does not govern the branch,
// or the change whose merge it is was judged already.
func (g *Gate) unconcerned(ctx context.Context, ref change.Ref) (bool, error) {
	if g.views.landed(ref) {
		return true, nil
	}
	if g.views.targets.Contains(branchKey(ref.Repository, ref.Branch)) {
		return false, nil // it may bring the policy that governs what wants to reach it
	}
	kept, err := g.Ledger.Keeps(ctx, ref)
	if err != nil || kept {
		return false, err
	}
	file, err := g.Forge.Policy(ctx, ref)
	if err != nil {
		return false, &blindError{fmt.Errorf("gathering the policy: %w", err)}
	}
	rules, err := policy.Read(file)
	return err != nil || !rules.Governs(ref.Branch), nil // as governed says
}
