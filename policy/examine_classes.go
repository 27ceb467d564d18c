package policy

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// classes notes classes that take no change, that nothing speaks of, or that whoever
// makes a change can choose.
func (e *examiner) classes() {
	for i := range e.policy.Classes {
		c, at := &e.policy.Classes[i], []any{"classes", i}
		repeats(e, c.Labels, "the label", under(at, "labels")...)
		repeats(e, c.Authors, "the account", under(at, "authors")...)
		first := slices.IndexFunc(e.policy.Classes[:i], func(o Class) bool { return o.takesAll(c) })
		switch constant := c.When.constant(); {
		case constant == no:
			e.warn(under(at, "when"), "this never holds, so that no change is of the class %s; leave the class out", change.Quote(c.Name))
		case first >= 0:
			e.warn(at, "no change is of the class %s, because %s in line %d takes every such change first; leave one of them out",
				change.Quote(c.Name), change.Quote(e.policy.Classes[first].Name), nodeAt(e.root, []any{"classes", first}).Line)
		default:
			if constant == yes {
				e.warn(under(at, "when"), "this always holds, so that it makes no difference; leave it out")
			}
			e.chosen(c, at)
		}
		e.unspoken(c.Name, at)
	}
	if len(e.policy.Classes) > 0 {
		e.unspoken(NormalClass, []any{"classes"})
	}
}

// takesAll reports whether a class takes every change that another one does.
func (c *Class) takesAll(o *Class) bool {
	in := func(p PathPattern) bool {
		return slices.ContainsFunc(c.Paths, func(q PathPattern) bool { return p.Text == q.Text })
	}
	paths := len(c.Paths) == 0 || len(o.Paths) > 0 && !slices.ContainsFunc(o.Paths, func(p PathPattern) bool { return !in(p) })
	when := c.When == nil || o.When != nil && c.When.Text == o.When.Text
	return paths && when && within(o.Labels, c.Labels) && within(o.Authors, c.Authors)
}

// within reports whether the first of two criteria is met only where the second is;
// an empty one is met always.
func within[T comparable](narrow, wide []T) bool {
	if len(wide) == 0 {
		return true
	}
	return len(narrow) > 0 && !slices.ContainsFunc(narrow, func(v T) bool { return !slices.Contains(wide, v) })
}

// unspoken notes a class of which a change would always be held, or which makes no
// difference.
func (e *examiner) unspoken(name string, at []any) {
	named, spoken := false, false
	for _, r := range e.policy.Changes {
		here := slices.Contains(r.Classes, name)
		named = named || len(r.Classes) > 0 || r.usesClass()
		spoken = spoken || here || len(r.Classes) == 0
	}
	switch {
	case !spoken && len(e.policy.Changes) > 0:
		e.never(at, "a change of the class %s can never pass, because every entry of changes is for other classes; add %s to one of them", change.Quote(name), change.Quote(name))
	case !named && name != NormalClass:
		e.warn(at, "no entry of changes tells the class %s from others, so that nothing else is asked of it; name it under classes of an entry, or leave it out", change.Quote(name))
	}
}

// usesClass reports whether an expression of the rule looks at the class.
func (r *ChangeRule) usesClass() bool {
	return r.When.uses(classVariable) || slices.ContainsFunc(r.Assertions, func(a Assertion) bool { return a.That.uses(classVariable) })
}

// uses reports whether an expression looks at any of the variables.
func (c *Condition) uses(variables ...string) bool {
	return c != nil && slices.ContainsFunc(c.compiled.Uses(), func(v string) bool { return slices.Contains(variables, v) })
}

// constant reports whether an expression always holds or never does; unsure where
// that depends on the change.
func (c *Condition) constant() answer {
	if c == nil {
		return unsure
	}
	switch r := c.compiled.Constant(); {
	case r.Known && r.Holds:
		return yes
	case r.Known:
		return no
	}
	return unsure
}

// makersChoice lists the variables that whoever makes a change writes or chooses.
func makersChoice() []string {
	return []string{"change.title", "change.branch", "change.requests", "change.draft", "change.from_fork", "change.opener", "change.opened", "change.commits"}
}

// chosen notes a class that whoever makes a change puts it into, where less is asked
// of it than of a normal change.
func (e *examiner) chosen(c *Class, at []any) {
	if len(c.Paths)+len(c.Labels)+len(c.Authors) > 0 || !c.When.uses(makersChoice()...) || !e.asksLess(c.Name) {
		return
	}
	e.warn(under(at, "when"), "whoever makes a change chooses %s, and so whether it is of the class %s, of which less is asked than of a normal change; decide the class by paths, labels or authors as well",
		enumerate(c.When.chosenBy(), "and"), change.Quote(c.Name))
}

// chosenBy returns the variables of an expression that whoever makes a change writes.
func (c *Condition) chosenBy() []string {
	return slices.DeleteFunc(c.compiled.Uses(), func(v string) bool { return !slices.Contains(makersChoice(), v) })
}

// asksLess reports whether an entry is for normal changes and not for a class.
func (e *examiner) asksLess(class string) bool {
	return slices.ContainsFunc(e.policy.Changes, func(r ChangeRule) bool {
		return slices.Contains(r.Classes, NormalClass) && !slices.Contains(r.Classes, class) || r.When.uses(classVariable)
	})
}

// conditions notes an entry that applies always or never, or that whoever makes a
// change can take it out of, and assertions that ask for nothing or for too much.
func (e *examiner) conditions(r *ChangeRule, at []any) {
	repeats(e, r.Classes, "the class", under(at, "classes")...)
	switch r.When.constant() {
	case yes:
		e.warn(under(at, "when"), "this always holds, so that it makes no difference; leave it out")
	case no:
		e.warn(under(at, "when"), "this never holds, so that the entry applies to no change; leave the entry out")
	default:
		if r.When.uses(makersChoice()...) {
			e.warn(under(at, "when"), "whoever makes a change chooses %s, and so whether this entry applies to it; look at files or labels, or ask for it of every change", enumerate(r.When.chosenBy(), "and"))
		}
	}
	for i := range r.Assertions {
		path := under(at, AssertionsID, i, "that")
		switch r.Assertions[i].That.constant() {
		case yes:
			e.warn(path, "this always holds, so that the assertion asks for nothing; leave it out")
		case no:
			e.never(path, "this never holds, so that no change can ever pass; leave it out or mend it")
		}
	}
}
