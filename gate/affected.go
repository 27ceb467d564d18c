package gate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/policy"
)

// Affected returns the open changes whose verdicts may be others now that people of
// an owner have changed roles, by the records: those that stand let through, first,
// because what let them through may not hold any more, and those that are held by
// something that a role decides. With "" it is those of every owner that stand let
// through, to be looked at after a time in which nobody was looking.
func (g *Gate) Affected(ctx context.Context, owner string) ([]change.Ref, error) {
	g.views.forget(owner + "/") // with the roles, the floor may be another
	return g.standing(ctx, owner, func(l evidence.Latest) bool {
		return !l.Decision.Status.Blocks() || l.State == "" || owner != "" && restsOnRoles(l.Decision)
	})
}

// Within returns what a scope consists of: open changes, or smaller scopes that are
// to be asked about in turn. Beside an error it returns what is on record.
func (g *Gate) Within(ctx context.Context, scope change.Scope) (h change.Hint, err error) {
	g.views.forgetScope(scope) // whatever makes us look again, it may be the policy
	if !scope.Unseen || scope.Repository.ID != 0 && !scope.Missed {
		// The forge's list of a branch lacks the changes that reach it through others, and
		// may be cut off.
		if h.Refs, err = g.onRecord(ctx, scope); err != nil || !scope.Unseen {
			return h, err
		}
	}
	open, err := g.Forge.Open(ctx, scope)
	if err != nil {
		return h, err
	}
	h.Scopes = open.Scopes
	for _, ref := range open.Refs {
		head := ref.Commit
		ref.Commit = "" // no part of what names a change
		if scope.Missed {
			if seen, err := g.seenAt(ctx, ref, head); err != nil {
				return h, err
			} else if seen {
				continue
			}
		}
		if !slices.ContainsFunc(h.Refs, func(r change.Ref) bool { return r.Key() == ref.Key() }) {
			h.Refs = append(h.Refs, ref)
		}
	}
	return h, nil
}

// onRecord returns the open changes of a scope by our own records.
func (g *Gate) onRecord(ctx context.Context, scope change.Scope) ([]change.Ref, error) {
	owner := scope.Owner
	if name, _, ok := strings.Cut(scope.Repository.Name, "/"); ok {
		owner = name
	}
	return g.standing(ctx, owner, func(l evidence.Latest) bool {
		return (!scope.Allowed || !l.Decision.Status.Blocks() || l.State == "") &&
			(scope.Repository.ID == 0 || l.Ref.Repository.ID == scope.Repository.ID) &&
			(scope.Branch == "" || strings.TrimPrefix(l.Receipt.Chain, "refs/heads/") == scope.Branch)
	})
}

// seenAt reports whether a change needs no look at a start: at its head it stands let
// through, which is looked at anyway, or its branch was seen to be nobody's concern.
// What is held may have been approved, or asked less of, while nobody was listening.
func (g *Gate) seenAt(ctx context.Context, ref change.Ref, head change.SHA) (bool, error) {
	if g.strangers.Contains(stranger(ref, head)) {
		return true, nil
	}
	last, found, err := g.Ledger.Last(ctx, ref)
	if err != nil {
		return false, fmt.Errorf("looking for the newest record of %s: %w", ref, err)
	}
	return found && head != "" && last.Head == head && (last.State == change.Open || last.State == change.Draft) && !last.Decision.Status.Blocks(), nil
}

// standing returns the open changes of an owner, or of all with "", whose newest
// records are meant, those that stand let through first.
func (g *Gate) standing(ctx context.Context, owner string, meant func(evidence.Latest) bool) ([]change.Ref, error) {
	open, err := g.Ledger.Open(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("looking for the open changes: %w", err)
	}
	var first, rest []change.Ref
	for _, l := range open {
		switch {
		case !meant(l):
		case l.Decision.Status.Blocks():
			rest = append(rest, l.Ref)
		default:
			first = append(first, l.Ref)
		}
	}
	return append(first, rest...), nil
}

// restsOnRoles reports whether a decision that holds a change back could be another
// with other people in the roles: a control is not satisfied that has weighed
// somebody's review, could not be judged, or is none that is known to ask nobody.
func restsOnRoles(d change.Decision) bool {
	if len(d.Results) == 0 || d.Class != "" { // a class may ask who the makers are
		return true
	}
	return slices.ContainsFunc(d.Results, func(r change.Result) bool {
		switch {
		case !r.Status.Blocks():
			return false
		case r.Status == change.Undetermined, len(r.Uncounted) > 0:
			return true
		case slices.ContainsFunc(r.Facts, func(f string) bool { return strings.HasPrefix(f, "reviews/") }):
			return true
		}
		return !slices.Contains([]string{
			// Nobody's review was weighed, so nobody's role can matter.
			policy.PeerReviewID, policy.SegregationID, policy.ProtectedPathsID, policy.CodeOwnersID,
			// These ask nothing about people's roles.
			policy.RequiredChecksID, policy.LinkedRequestID, policy.SignedCommitsID, policy.NoBypassID,
		}, r.Control)
	})
}

// repoliced has the open changes looked at that want to reach a branch whose policy,
// or whose code owners where the policy asks for them, a landed change has touched, or
// may have: they are to be judged by both as they are now. It returns those that are
// to be assessed in this run.
func (g *Gate) repoliced(ctx context.Context, r round) ([]change.Ref, error) {
	files, known := r.Facts.Files.Get()
	touches := slices.ContainsFunc(files, func(f change.File) bool { return r.rulesStandIn(f.Path) || r.rulesStandIn(f.Previous) })
	if !ended(r.Facts) || known && !touches {
		return nil, nil
	}
	g.views.forget(r.Facts.Ref.Repository.Name + ":")
	scope := change.Scope{Repository: r.Facts.Ref.Repository, Branch: Target(r.Facts), Unseen: true}
	if g.Later != nil {
		return nil, g.Later(ctx, change.Hint{Scopes: []change.Scope{scope}})
	}
	h, err := g.Within(ctx, scope)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(h.Refs, func(ref change.Ref) bool { return ref.Key() == r.Facts.Ref.Key() }), nil
}

// ownersFile is what every forge calls the file that says who owns which paths,
// wherever it may lie.
const ownersFile = "CODEOWNERS"

// rulesStandIn reports whether open changes are judged by what stands at a path of the
// branch that they want to reach.
func (r round) rulesStandIn(file string) bool {
	return file == r.Policy.Path || path.Base(file) == ownersFile && (r.rules == nil || r.rules.AsksOwners(Target(r.Facts)))
}
