package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// aboutPaths are the controls that ask something of each touched path by itself.
func aboutPaths() []string { return []string{ProtectedPathsID, CodeOwnersID} }

// mostWeighed bounds how many files are weighed one by one.
const mostWeighed = 3000

// Awaited returns, of a proposal that a decision holds back, the touched paths that
// are held back by themselves, in the order of the files: what the policies say of a
// change that touches this path alone. They help to see a decision, and are no part
// of it.
func (s *Set) Awaited(f change.Facts, d change.Decision) []change.Awaited {
	files, known := f.Files.Get()
	landing, _ := f.Landing.Get()
	if !known || landing.Landed || f.Ref.Kind != change.PullRequest && f.Ref.Kind != change.MergeRequest {
		return nil
	}
	var list []change.Awaited
	for _, c := range controls() {
		if r := of(d, c.id); !slices.Contains(aboutPaths(), c.id) || r == nil || !r.Status.Blocks() {
			continue
		}
		for _, p := range s.policies() {
			list = append(list, p.awaited(c, f, files[:min(len(files), mostWeighed)])...)
		}
	}
	place := map[string]int{}
	for i, file := range files {
		place[file.Path] = i
	}
	slices.SortStableFunc(list, func(a, b change.Awaited) int { return place[a.Path] - place[b.Path] })
	return slices.CompactFunc(list, func(a, b change.Awaited) bool { return a == b })
}

// awaited weighs files one by one by a control of the policy's rules.
func (p *Policy) awaited(c control, f change.Facts, files []change.File) []change.Awaited {
	var rules []*ChangeRule
	for _, r := range rulesIn(p.view(f)) {
		if c.askedBy(r) {
			rules = append(rules, separately(c, *r)...)
		}
	}
	if len(rules) == 0 {
		return nil
	}
	s := newSubject(p, f)
	var list []change.Awaited
	for _, file := range files {
		one := *s
		one.facts = alone(f, file)
		for _, r := range rules {
			if out := c.proposal(&one, r); out.Status.Blocks() {
				list = append(list, change.Awaited{Path: file.Path, Control: c.id, Status: out.Status, Reason: out.Reason, Supply: out.Supply})
			}
		}
	}
	return list
}

// separately returns a rule once for each demand of a control that can be judged by
// itself, with that demand alone.
func separately(c control, r ChangeRule) (rules []*ChangeRule) {
	if c.id != ProtectedPathsID {
		return []*ChangeRule{&r}
	}
	for _, entry := range r.ProtectedPaths {
		one := r
		one.ProtectedPaths = []ProtectedPaths{entry}
		rules = append(rules, &one)
	}
	return rules
}

// alone returns facts of a change that touches one of its files and no other.
func alone(f change.Facts, file change.File) change.Facts {
	f.Files = change.Known([]change.File{file})
	if o, known := f.Owners.Get(); known {
		o.Paths = slices.DeleteFunc(slices.Clone(o.Paths), func(p change.OwnedPath) bool { return p.Path != file.Path && p.Path != file.Previous })
		f.Owners = change.Known(o)
	}
	return f
}
