package policy

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// A Finding is something in a valid policy that its author hardly meant.
type Finding struct {
	Problem
	Never bool // a gate that nothing can ever pass, or a name of something that is not there
	Hint  bool // about what lies outside the policy; neither is a warning
}

// Examine returns what can be proved wrong with a policy from its text alone:
// gates that nobody could satisfy, demands that never apply, and what stands twice.
// The error is that of Parse. Findings are in the order of the file.
func Examine(name string, text []byte) ([]Finding, error) { return ExamineIn(name, text, nil) }

// ExamineIn is Examine with what a forge says of the things that the policy names. It
// finds those that are not there, and counts who holds a role by a team.
func ExamineIn(name string, text []byte, around *Surroundings) ([]Finding, error) {
	p, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	e := &examiner{name: name, policy: p, root: (&decoder{name: name}).document(text), around: around}
	e.roles()
	e.classes()
	for i := range p.Changes {
		e.change(i)
		e.idle(i)
	}
	for i := range p.Deployments {
		e.deployment(i)
	}
	e.automations()
	if around != nil {
		e.surroundings()
	}
	if p.Emergency != nil {
		repeats(e, p.Emergency.AuthorisedBy, "the role", "emergency", "authorised-by")
	}
	slices.SortStableFunc(e.found, func(a, b Finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return e.found, nil
}

// An examiner holds a policy beside the text it was read from.
type examiner struct {
	name   string
	policy *Policy
	root   *yaml.Node
	around *Surroundings // nil where no forge was asked
	found  []Finding
}

// warn notes a finding at the end of a path of keys and positions. What the file
// itself says must be passed through change.Quote.
func (e *examiner) warn(path []any, format string, args ...any) {
	e.note(Finding{}, path, format, args...)
}

// hint notes something outside the policy that would leave it without effect.
func (e *examiner) hint(path []any, format string, args ...any) {
	e.note(Finding{Hint: true}, path, format, args...)
}

// never notes a gate that nothing can ever pass, or a name of something that is not there.
func (e *examiner) never(path []any, format string, args ...any) {
	e.note(Finding{Never: true}, path, format, args...)
}

func (e *examiner) note(f Finding, path []any, format string, args ...any) {
	if len(e.found) == maxProblems {
		return
	}
	n := nodeAt(e.root, path)
	f.Problem = Problem{e.name, n.Line, n.Column, fmt.Sprintf(format, args...)}
	e.found = append(e.found, f)
}

// nodeAt returns the node at the end of a path of keys and positions in what Parse
// has read.
func nodeAt(n *yaml.Node, path []any) *yaml.Node {
	for _, step := range path {
		switch step := step.(type) {
		case int:
			n = n.Content[step]
		case string:
			mapping := n
			for i := 0; i < len(mapping.Content); i += 2 {
				if mapping.Content[i].Value == step {
					n = mapping.Content[i+1]
				}
			}
		}
	}
	return n
}

// under returns the path to something below a path.
func under(path []any, steps ...any) []any { return slices.Concat(path, steps) }
