package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// members returns the judgement of one control of a merge group: the worst of what
// its members came to when each was judged again for the group.
func members(id string) func(change.Facts, *ChangeRule) change.Result {
	return func(f change.Facts, r *ChangeRule) change.Result { return membersOf(f, id, r) }
}

// allMembers is members for a control that a commit which came by no change violates:
// one over approvals and signatures, which nobody gave it, and no-bypass, which every
// rule asks for, so that no policy lets it through.
func allMembers(id string) func(change.Facts, *ChangeRule) change.Result {
	return func(f change.Facts, r *ChangeRule) change.Result {
		out := membersOf(f, id, r)
		g, _ := f.Group.Get()
		if len(g.Unexplained) == 0 {
			return out
		}
		shas := make([]string, len(g.Unexplained))
		var facts []string
		for i, sha := range g.Unexplained {
			shas[i] = abbrev(sha)
			facts = append(facts, "commits/"+string(sha))
		}
		stray := say(change.Fail, "the group holds commits that came by no open change: %s", sample(sorted(shas)))
		stray.Facts = sorted(facts)
		return combine([]change.Result{stray, out})
	}
}

// groupChecks judges the required checks of a merge group: those of its members,
// and those on the commit that the group proposes.
func groupChecks(f change.Facts, r *ChangeRule) change.Result {
	own := checkpoint{facts: f, commit: f.Ref.Commit}.judge(r.RequiredChecks)
	return combine([]change.Result{own, membersOf(f, RequiredChecksID, r)})
}

// membersOf returns the worst result of a control among the members of a group. A
// rule with conditions does not apply to every member: of one that was judged without
// it, it asks for nothing.
func membersOf(f change.Facts, id string, r *ChangeRule) change.Result {
	g, known := f.Group.Get()
	switch {
	case !known:
		return say(change.Undetermined, "%s", absent(f, "group", "what the merge group holds is not known"))
	case len(g.Members) == 0:
		return say(change.Undetermined, "the merge group has no members, so nothing in it was judged")
	}
	members := slices.SortedFunc(slices.Values(g.Members), func(a, b change.Member) int { return cmp.Compare(a.Ref.Number, b.Ref.Number) })
	out := change.Result{Status: change.NotApplicable}
	var held []string
	all := make([]int, len(members))
	for i, m := range members {
		all[i] = m.Ref.Number
		status, why := resultOf(m, id, r)
		out.Status = out.Status.Worse(status)
		out.Facts = append(out.Facts, fmt.Sprintf("members/%d", m.Ref.Number))
		if status.Blocks() {
			held = append(held, fmt.Sprintf("#%d: %s", m.Ref.Number, why))
		}
	}
	out.Facts = sorted(out.Facts)
	out.Reason = change.Text(fmt.Sprintf("holds for every member: %s", numbers(all)))
	if len(held) > 0 {
		slices.SortStableFunc(held, strings.Compare)
		out.Reason = change.Text(sample(held))
	}
	return out
}

// resultOf returns what a control came to for a member, and why. Whoever puts a
// member's results into the group's facts makes them refer to the group's people.
func resultOf(m change.Member, id string, r *ChangeRule) (change.Status, string) {
	status := change.NotApplicable
	var reasons []string
	for _, r := range m.Results {
		if r.Control == id {
			status = status.Worse(r.Status)
			reasons = append(reasons, string(r.Reason))
		}
	}
	judged := slices.ContainsFunc(m.Results, func(r change.Result) bool { return r.Control == NoBypassID }) // which every rule asks for
	switch {
	case reasons == nil && r.conditional() && judged:
		return change.NotApplicable, ""
	case reasons == nil:
		return change.Undetermined, "it was not judged by " + id
	}
	return status, sample(sorted(reasons))
}

// sortedNumbers returns the distinct numbers in order.
func sortedNumbers(list []int) []int {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
