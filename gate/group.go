package gate

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/countersign-dev/countersign/change"
)

// atOnce bounds how many members of one group are judged at the same time.
const atOnce = 8

// members judges every member of a merge group again, as the change it is, and
// puts what came out among the facts of the group. What the members were worth
// when they entered the queue is no evidence of what they are worth now.
func (g *Gate) members(ctx context.Context, f change.Facts) (change.Facts, error) {
	group, known := f.Group.Get()
	if !known {
		return f, nil
	}
	group.Members = slices.Clone(group.Members)
	people := make([]change.People, len(group.Members))
	each, ctx := errgroup.WithContext(ctx)
	each.SetLimit(atOnce)
	for i := range group.Members {
		each.Go(func() error {
			m := &group.Members[i]
			a, err := g.assess(ctx, m.Ref)
			if err != nil {
				return fmt.Errorf("judging a member of the group again: %w", err)
			}
			if a.head == m.Head { // of another head than the group holds, a judgement says nothing
				m.Results, m.Record, people[i] = a.Decision.Results, a.Receipt.Digest, a.people
			}
			return nil
		})
	}
	if err := each.Wait(); err != nil {
		return f, err
	}
	roster := change.NewRoster(f.People)
	for i := range group.Members {
		group.Members[i].Results = adopt(roster, people[i], group.Members[i].Results)
	}
	f.Group, f.People = change.Known(group), roster.People()
	return f, nil
}

// adopt returns a member's results with the people they speak of as the group
// refers to them. Which accounts are one human was decided with the member.
func adopt(roster *change.Roster, people change.People, results []change.Result) []change.Result {
	to := func(p change.Person) change.Person {
		id := people[p]
		id.SameAs, id.Joined = "", false
		return roster.Add(id)
	}
	adopted := slices.Clone(results)
	for i := range adopted {
		r := &adopted[i]
		r.Reason, r.Supply = r.Reason.Refer(to), r.Supply.Refer(to)
		r.Uncounted = slices.Clone(r.Uncounted)
		for j := range r.Uncounted {
			u := &r.Uncounted[j]
			u.By, u.Why = to(u.By), u.Why.Refer(to)
		}
	}
	return adopted
}

// explained returns the merged changes that brought every commit of a push, and
// whether there are any. Their own records tell how the branch moved, so the push
// needs none. No merged change explains a history that was rewritten.
func explained(f change.Facts) ([]int, bool) {
	landing, known := f.Landing.Get()
	if f.Ref.Kind != change.Push || !known || landing.How == change.ForcePush || landing.How == change.Deletion {
		return nil, false
	}
	return landing.Explained, len(landing.Explained) > 0
}

// assessEach assesses the pull requests of a push's repository by number.
func (g *Gate) assessEach(ctx context.Context, push change.Ref, numbers []int) error {
	kind := change.PullRequest
	if push.Repository.Forge == change.GitLab {
		kind = change.MergeRequest
	}
	each, ctx := errgroup.WithContext(ctx)
	each.SetLimit(atOnce)
	for _, n := range numbers {
		each.Go(func() error {
			return g.Assess(ctx, change.Ref{Repository: push.Repository, Kind: kind, Number: n})
		})
	}
	return each.Wait()
}
