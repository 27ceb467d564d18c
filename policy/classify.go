package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A classing says which class a change is of.
type classing struct {
	may     []string // the classes it may be of, in the order of the policy; one where it is settled
	unknown bool     // whether that there are several is because a fact is absent
	why     string
}

// name returns the class, or "" where it is not settled or the policy has none.
func (c classing) name() string {
	if len(c.may) == 1 {
		return c.may[0]
	}
	return ""
}

// reason says why the change is of its class, or why that is not settled.
func (c classing) reason() change.Text {
	switch {
	case len(c.may) == 1:
		return change.Text(c.why)
	case c.unknown:
		return change.Text(fmt.Sprintf("not known, %s: %s", enumerate(slices.Clone(c.may), "or"), c.why))
	}
	return change.Text(fmt.Sprintf("not settled, so that what is asked of %s holds: %s", enumerate(slices.Clone(c.may), "and"), c.why))
}

// classify returns the class of a change: the first that takes it, and normal where
// none does.
func (s *subject) classify() classing {
	var out classing
	var whys, against []string
	settled := false
	for i := range s.policy.Classes {
		c := &s.policy.Classes[i]
		f := s.takes(c)
		if f.is == holdsNot {
			against = append(against, c.Name+": "+f.why)
			continue
		}
		out.may, out.unknown = append(out.may, c.Name), out.unknown || f.is == unknowable
		whys = append(whys, f.why)
		if settled = f.is == holds; settled {
			break
		}
	}
	if len(whys) == 0 {
		return classing{may: []string{NormalClass}, why: "no other class takes it: " + sample(against)}
	}
	if !settled {
		out.may = append(out.may, NormalClass)
	}
	out.why = sample(whys)
	return out
}

// takes says whether a class takes the change.
func (s *subject) takes(c *Class) finding {
	var said []finding
	if len(c.Paths) > 0 {
		said = append(said, s.within(c.Paths))
	}
	if len(c.Labels) > 0 {
		var labels []finding
		for _, l := range c.Labels {
			labels = append(labels, s.label(l))
		}
		said = append(said, anyOf(labels))
	}
	if len(c.Authors) > 0 {
		said = append(said, s.madeBy(c.Authors))
	}
	if c.When != nil {
		said = append(said, s.meets(c.When, change.Fact[string]{}))
	}
	return allOf(said)
}

// within says whether every touched path is one that a class names.
func (s *subject) within(patterns []PathPattern) finding {
	files, known := s.facts.Files.Get()
	if !known {
		return finding{unknowable, absent(s.facts, "files", "the touched files are not known")}
	}
	touched := touchedPaths(files)
	beyond := slices.DeleteFunc(slices.Clone(touched), func(path string) bool {
		return slices.ContainsFunc(patterns, func(p PathPattern) bool { return p.Matches(path) && (!governs(path) || p.names(path)) })
	})
	switch {
	case len(touched) == 0:
		return finding{holdsNot, "no file is touched"}
	case len(beyond) > 0:
		return finding{holdsNot, "it touches " + quoted(beyond[:min(len(beyond), 3)])}
	}
	return finding{holds, "every touched path is one of its paths"}
}

// governs reports whether a path decides how changes are judged: a workflow, an
// action of the repository, a CODEOWNERS file or a policy. Such a path is in a class
// only where a pattern names it, and never because of a pattern that is wide.
func governs(path string) bool {
	name := path[strings.LastIndex(path, "/")+1:]
	return automates(path) || slices.Contains([]string{"CODEOWNERS", ".gitlab-ci.yml", ".countersign.yml", "action.yml", "action.yaml"}, name)
}

// automates reports whether a path, or a pattern by what it begins with, lies where
// GitHub looks for workflows, or where a repository keeps its actions.
func automates(path string) bool {
	return strings.HasPrefix(path, ".github/workflows/") || strings.HasPrefix(path, ".github/actions/")
}

// names reports whether a pattern that matches a path says the name of the file, or
// lies in a directory of workflows or actions by what it begins with.
func (p PathPattern) names(path string) bool {
	text := strings.TrimPrefix(p.Text, "/")
	return automates(text) || text[strings.LastIndex(text, "/")+1:] == path[strings.LastIndex(path, "/")+1:]
}

// madeBy says whether everybody who had a hand in the change has one of the accounts.
func (s *subject) madeBy(authors []Author) finding {
	if len(s.makers.missing) > 0 {
		return finding{unknowable, "who made this change is not known in full: " + sample(s.makers.missing)}
	}
	said := []finding{{holds, "everybody who had a hand in it is one of its authors"}}
	for _, p := range s.makers.hands {
		best := no
		for _, a := range authors {
			is, asked := s.answers[question{a.selector(), p}]
			if !asked {
				is = unsure
			}
			best = max(best, is)
		}
		switch best {
		case no:
			said = append(said, finding{holdsNot, mark(p) + " had a hand in it and is none of its authors"})
		case unsure:
			said = append(said, finding{unknowable, "it is not known whether " + mark(p) + ", who had a hand in it, is one of its authors"})
		}
	}
	return allOf(said)
}

// selector returns the selector that names the account.
func (a Author) selector() change.Selector { return change.Selector(userPrefix + string(a)) }
