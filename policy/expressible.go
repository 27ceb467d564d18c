package policy

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// maxContested is how many contested labels expressions are tried without and with.
const maxContested = 6

// A world is a change as expressions see it, with the contested labels that it has.
type world struct {
	change expression.Change
	absent map[string]string // why a variable is not known
}

// meets says whether an expression holds of the change. Where it rests on contested
// labels it is tried with and without each of them.
func (s *subject) meets(c *Condition, class change.Fact[string]) finding {
	var hold, not []finding
	literals := literalsOf(c.Text)
	for _, w := range s.worlds(c) {
		w.change.Class, w.change.Labels = class, spelled(w.change.Labels, literals)
		switch f := s.answer(c, w); f.is {
		case holds:
			hold = append(hold, f)
		case holdsNot:
			not = append(not, f)
		default:
			return f
		}
	}
	switch {
	case len(not) == 0:
		return hold[0]
	case len(hold) == 0:
		return not[0]
	}
	return finding{contested, not[0].why}
}

// inQuotes is a text in quotes.
var inQuotes = regexp.MustCompile(`"([^"\\]*)"|'([^'\\]*)'`)

// literalsOf returns the texts that stand in quotes in an expression.
func literalsOf(text string) []string {
	var list []string
	for _, m := range inQuotes.FindAllStringSubmatch(text, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}

// spelled returns labels, each in the case in which an expression names it where it
// does: names of labels are one whatever their case, as they are to the forge.
func spelled(labels change.Fact[[]string], literals []string) change.Fact[[]string] {
	list, known := labels.Get()
	if !known {
		return labels
	}
	out := slices.Clone(list)
	for i, name := range out {
		if at := slices.IndexFunc(literals, func(l string) bool { return strings.EqualFold(l, name) }); at >= 0 {
			out[i] = literals[at]
		}
	}
	return change.Known(out)
}

// answer evaluates an expression in one world.
func (s *subject) answer(c *Condition, w world) finding {
	r := s.spent.Evaluate(c.compiled, expression.On(w.change))
	switch {
	case r.Wrong != "":
		return finding{unknowable, fmt.Sprintf("the expression %s has no answer: %s", change.Quote(c.Text), change.Quote(r.Wrong))}
	case !r.Known:
		whys := make([]string, len(r.Absent))
		for i, v := range r.Absent {
			why := w.absent[v]
			if v == classVariable {
				why = "the class of the change is " + string(s.class().reason())
			}
			whys[i] = v + " is not known: " + why
		}
		return finding{unknowable, sample(whys)}
	case r.Holds:
		return finding{holds, "its expression holds"}
	}
	return finding{holdsNot, join("; ", "its expression does not hold", s.contestedLabels(c))}
}

// classVariable is the variable for the class.
const classVariable = "change.class"

// contestedLabels says why labels are contested that an expression rests on.
func (s *subject) contestedLabels(c *Condition) string {
	var whys []string
	for _, name := range s.named() {
		if f := s.label(name); f.is == contested && looksAt(c, name) {
			whys = append(whys, f.why)
		}
	}
	return sample(whys)
}

// worlds returns the change as an expression sees it, once for every choice among the
// contested labels that it looks at.
func (s *subject) worlds(c *Condition) []world {
	if s.seen == nil {
		one := s.world()
		s.seen = &one
	}
	if !slices.Contains(c.compiled.Uses(), expression.LabelsVariable) {
		return []world{*s.seen}
	}
	certain, doubtful, why := s.countedLabels(c)
	if why != "" {
		w := *s.seen
		w.absent = maps.Clone(w.absent)
		w.absent[expression.LabelsVariable] = why
		return []world{w}
	}
	var worlds []world
	for choice := range 1 << len(doubtful) {
		w := *s.seen
		labels := slices.Clone(certain)
		for i, l := range doubtful {
			if choice>>i&1 == 1 {
				labels = append(labels, l)
			}
		}
		w.change.Labels = change.Known(sorted(labels))
		worlds = append(worlds, w)
	}
	return worlds
}

// looksAt reports whether a label can matter to an expression.
func looksAt(c *Condition, label string) bool {
	names, other := c.compiled.Labels()
	return other || slices.Contains(names, strings.ToLower(label))
}

// named returns the labels that the change has or was given, in order.
func (s *subject) named() []string {
	names := slices.Clone(s.facts.Labels.Or(nil))
	for _, e := range s.facts.Timeline.Or(nil) {
		if e.Kind == change.Labeled {
			names = append(names, e.Detail)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
	return slices.CompactFunc(names, strings.EqualFold)
}

// countedLabels returns the labels that count, those that are contested and that an
// expression looks at, and why they are not known where they are not.
func (s *subject) countedLabels(c *Condition) (certain, doubtful []string, why string) {
	if !s.facts.Labels.IsKnown() || !s.facts.Timeline.IsKnown() || !s.facts.Landing.IsKnown() {
		return nil, nil, s.label("").why
	}
	for _, name := range s.named() {
		switch f := s.label(name); f.is {
		case holds:
			certain = append(certain, name)
		case contested:
			if looksAt(c, name) {
				doubtful = append(doubtful, name)
			}
		case unknowable:
			return nil, nil, f.why
		}
	}
	if len(doubtful) > maxContested {
		return nil, nil, fmt.Sprintf("%d labels were set on something else than what is there now; let somebody who made no part of the change take them away and set again those that hold", len(doubtful))
	}
	return certain, doubtful, ""
}

// world returns the change as expressions see it, without labels and class.
func (s *subject) world() world {
	w := world{absent: map[string]string{}}
	c, f := &w.change, s.facts
	why := func(variables, name, what string) {
		for _, v := range strings.Fields(variables) {
			w.absent[v] = absent(f, name, what)
		}
	}
	c.Kind = change.Known(string(f.Ref.Kind))
	if name := f.Ref.Repository.Name; name != "" {
		c.Repository = change.Known(name)
	}
	w.absent["change.repository"] = "the forge does not tell"
	branch, known := targetBranch(f)
	if known {
		c.Target = change.Known(branch)
	}
	why("change.target", "base", "the target branch is not known")
	if head, known := f.Head.Get(); known {
		c.Branch, c.FromFork = change.Known(head.Branch), change.Known(head.Repository != f.Ref.Repository.ID)
	}
	why("change.branch change.from_fork", "head", "the head is not known")
	if state, known := f.State.Get(); known && state != change.ClosedState {
		c.Draft = change.Known(state == change.Draft)
	}
	why("change.draft", "state", "the state of the change is not known")
	if !f.Opened.IsZero() {
		c.Opened = change.Known(f.Opened.UTC())
	}
	why("change.opened", "opener", "when it was opened is not known")
	if l, known := f.Landing.Get(); known {
		c.Landed, c.LandedBy = change.Known(l.Landed), change.Known(l.How)
		if l.Landed {
			c.LandedAt = change.Known(l.At.UTC())
		}
	}
	why("change.landed change.landed_by", "landing", "whether it has landed is not known")
	why("change.landed_at", "landing", "it has not landed, as far as is known")
	s.titled(&w)
	s.peopled(&w)
	s.listed(&w)
	return w
}

// titled sets the title, as it was when the change landed.
func (s *subject) titled(w *world) {
	title, _ := titleOf(s.facts)
	w.absent["change.title"] = "the forge does not tell"
	if s.landed {
		w.absent["change.title"] = absent(s.facts, "timeline", "the timeline is not known, so it is not either which title it had when it landed")
	}
	if title != "" {
		w.change.Title = change.Known(title)
	}
}

// titleOf returns the title of a change, of one that has landed the title that it had
// then. Without a timeline nobody can tell which that was.
func titleOf(f change.Facts) (title string, known bool) {
	landing, _ := f.Landing.Get()
	if !landing.Landed {
		return f.Title, true
	}
	timeline, known := f.Timeline.Get()
	if !known {
		return "", false
	}
	renamed := slices.DeleteFunc(slices.Clone(timeline), func(e change.Event) bool { return e.Kind != change.Renamed || !e.At.After(landing.At) })
	if len(renamed) > 0 {
		return slices.MinFunc(renamed, func(a, b change.Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Before, b.Before)) }).Before, true
	}
	return f.Title, true
}

// personOf returns somebody as expressions see them.
func (s *subject) personOf(p change.Person) expression.Person {
	return expression.Person{ID: string(s.facts.People.Same(p)), Kind: string(cmp.Or(s.facts.People[p].Kind, change.Unknown))}
}

// peopled sets who opened, made and approved the change.
func (s *subject) peopled(w *world) {
	if opener, known := s.facts.Opener.Get(); known {
		w.change.Opener = change.Known(s.personOf(opener))
	}
	w.absent["change.opener"] = absent(s.facts, "opener", "who opened this change is not known")
	w.absent["change.makers"] = sample(s.makers.unknown)
	if len(s.makers.unknown) == 0 {
		var makers []expression.Person
		for _, p := range slices.SortedFunc(maps.Keys(s.makers.deeds), byNumber) {
			makers = append(makers, expression.Person{ID: string(p), Kind: s.personOf(s.makers.deeds[p].by).Kind})
		}
		w.change.Makers = change.Known(makers)
	}
	t := s.tally(s.from(nil))
	if w.absent["change.approvers"] = sample(slices.Concat(t.unknown, t.unsure)); w.absent["change.approvers"] == "" {
		var approvers []expression.Person
		for _, r := range t.counted {
			approvers = append(approvers, s.personOf(r.review.By))
		}
		slices.SortFunc(approvers, func(a, b expression.Person) int { return cmp.Compare(a.ID, b.ID) })
		w.change.Approvers = change.Known(approvers)
	}
}

// listed sets what comes in lists, apart from people and labels.
func (s *subject) listed(w *world) {
	f := s.facts
	if commits, known := f.Commits.Get(); known {
		var list []expression.Commit
		for _, k := range commits {
			list = append(list, expression.Commit{SHA: string(k.SHA), Author: s.personOf(k.Author), Parents: int64(len(k.Parents))})
		}
		slices.SortFunc(list, func(a, b expression.Commit) int {
			return cmp.Or(cmp.Compare(a.SHA, b.SHA), cmp.Compare(a.Author.ID, b.Author.ID), cmp.Compare(a.Parents, b.Parents))
		})
		w.change.Commits = change.Known(list)
	}
	w.absent["change.commits"] = absent(f, "commits", "the commits are not known")
	if files, known := f.Files.Get(); known {
		w.change.Files = change.Known(filesSeen(files))
	}
	w.absent["change.files"] = absent(f, "files", "the touched files are not known")
	if requests, known := f.Requests.Get(); known {
		var keys []string
		for _, q := range requests {
			keys = append(keys, q.Key)
		}
		w.change.Requests = change.Known(sorted(keys))
	}
	w.absent["change.requests"] = absent(f, "requests", "the linked change requests are not known")
	w.change.Checks, w.absent["change.checks"] = s.checksSeen()
}

// filesSeen returns touched files as expressions see them. A rename is two: who asks
// whether every path lies in a directory must meet the one that a file was moved
// away from.
func filesSeen(files []change.File) []expression.File {
	var list []expression.File
	for _, f := range files {
		list = append(list, expression.File{Path: f.Path, Previous: f.Previous, Status: f.Status})
		if f.Previous != "" && f.Status != copied {
			list = append(list, expression.File{Path: f.Previous, Status: "removed"})
		}
	}
	slices.SortFunc(list, func(a, b expression.File) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Previous, b.Previous), cmp.Compare(a.Status, b.Status))
	})
	return slices.Compact(list)
}
