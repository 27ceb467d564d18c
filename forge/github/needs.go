package github

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-dev/countersign/change"
)

// An inquiry is what a policy needs to be told about some facts, while it is asked.
type inquiry struct {
	forge  *Forge
	api    *api
	facts  change.Facts
	needs  change.Needs
	roster *change.Roster
	absent reasons
}

// Answer adds to the facts what the policy still needs to know. What GitHub does not
// tell stays absent, and Absent says why; what may pass by itself is an error.
func (f *Forge) Answer(ctx context.Context, facts change.Facts, needs change.Needs) (change.Facts, error) {
	a, err := f.installation(ctx, facts.Ref.Repository)
	if err != nil {
		return facts, err
	}
	q := &inquiry{forge: f, api: a, facts: facts, needs: needs, roster: change.NewRoster(facts.People), absent: reasons{}}
	q.needs.Base = cmp.Or(needs.Base, baseOf(facts))
	for fact, reason := range facts.Absent {
		q.absent.set(fact, reason)
	}
	if err := q.owners(ctx); err != nil { // first, because the teams are to be asked too
		return facts, err
	}
	asked := []func(context.Context) (func(), error){q.members, q.updates, q.attempts, q.runs}
	learned := make([]func(), len(asked))
	group, inner := errgroup.WithContext(ctx)
	for i, ask := range asked {
		group.Go(func() (err error) {
			learned[i], err = ask(inner)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return facts, err
	}
	for _, put := range learned { // in one order, so that equal answers give equal facts
		put()
	}
	q.facts.People, q.facts.Absent = q.roster.People(), q.absent.table()
	return q.facts, nil
}

// optional turns the error of a question into the reason of an absent fact when the
// answer is final.
func (q *inquiry) optional(fact, what string, err error) error {
	if err == nil {
		return nil
	}
	if !refused(err) {
		return fmt.Errorf("asking for %s: %w", what, err)
	}
	q.absent.set(fact, because(what, err))
	return nil
}

// owners answers who owns the touched paths, and adds the teams among them to what is
// asked of the reviewers.
func (q *inquiry) owners(ctx context.Context) error {
	if !q.needs.Owners {
		return nil
	}
	delete(q.absent, "owners") // of a part of an earlier answer
	o, err := q.forge.ownership(ctx, q.api, q.facts, q.needs.Base, q.roster)
	if err != nil {
		return q.optional("owners", "the code owners", err)
	}
	q.facts.Owners = change.Known(o)
	teams, err := owningTeams(o)
	if err != nil {
		q.absent.set("memberships", err.Error())
		return nil
	}
	q.needs.Selectors = slices.Concat(q.needs.Selectors, teams)
	return nil
}

// members answers which reviewers match the selectors.
func (q *inquiry) members(ctx context.Context) (func(), error) {
	list, why, err := q.forge.memberships(ctx, q.api, q.facts, q.needs.Selectors)
	return func() {
		q.facts.Members = change.Known(list)
		if why != "" {
			q.absent.set("memberships", why)
		}
	}, err
}
