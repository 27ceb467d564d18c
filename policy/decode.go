package policy

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

// Bounds of a policy file.
const (
	maxText     = 256 << 10 // bytes
	maxList     = 1000      // entries of one list or mapping
	maxDepth    = 20        // lists and mappings inside each other
	maxScalar   = 1000      // bytes of one text
	maxProblems = 100       // reported at once
)

// A decoder turns YAML nodes into a Policy and notes every problem it meets,
// instead of stopping at the first.
type decoder struct {
	name     string
	problems Problems
	used     []roleUse // where the file names a role

	classed    []roleUse // where an entry of changes names a class
	lines      [][]rune  // of the file
	conditions int       // read so far

	automated  []accountUse // where the file registers an account as an automation
	answerable []accountUse // and where it says who answers for one
}

// A roleUse is a place that names a role, to be checked once all roles are read.
type roleUse struct {
	role string
	at   *yaml.Node
}

// problem notes what is wrong at n. What the file itself says must be passed
// through change.Quote.
func (d *decoder) problem(n *yaml.Node, format string, args ...any) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, Problem{Name: d.name, Line: n.Line, Column: n.Column, Text: fmt.Sprintf(format, args...)})
	}
}

// A field is one key that a mapping may have.
type field struct {
	key      string
	required bool
	read     func(value *yaml.Node)
}

// mapping reads a mapping that has the given fields and no others.
func (d *decoder) mapping(n *yaml.Node, what string, fields ...field) {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	seen := map[string]bool{}
	ok := d.entries(n, what, func(key string, at, value *yaml.Node) {
		seen[key] = true
		for _, f := range fields {
			if f.key == key {
				f.read(value)
				return
			}
		}
		if len(keys) == 0 {
			d.problem(at, "%s has no settings, so %s means nothing here; write {}", what, change.Quote(key))
			return
		}
		d.problem(at, "%s has no key %s; its keys are %s%s", what, change.Quote(key), enumerate(keys, "and"), suggest(key, keys))
	})
	if !ok {
		return
	}
	for _, f := range fields {
		if f.required && !seen[f.key] {
			d.problem(n, "%s needs the key %s; add it", what, f.key)
		}
	}
}

// entries calls each for every entry of a mapping whose keys are free, and
// reports whether n is a mapping.
func (d *decoder) entries(n *yaml.Node, what string, each func(key string, at, value *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		d.problem(n, "%s must be a mapping such as {key: value}, or {} for no settings; here it is %s", what, describe(n))
		return false
	}
	if len(n.Content)/2 > maxList {
		d.problem(n, "%s has more than %d entries; shorten it", what, maxList)
		return false
	}
	first := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			d.problem(key, "a key of %s must be text; here it is %s", what, describe(key))
			continue
		}
		if line, twice := first[key.Value]; twice {
			d.problem(key, "the key %s stands here and in line %d; keep one of them", change.Quote(key.Value), line)
			continue
		}
		first[key.Value] = key.Line
		each(key.Value, key, value)
	}
	return true
}

// empty reads a mapping without keys, which switches a control on.
func (d *decoder) empty(on *bool, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*on = true
		d.mapping(n, what)
	}
}

// list calls each for every item of a list that is not empty.
func (d *decoder) list(n *yaml.Node, what string, each func(item *yaml.Node)) {
	switch {
	case n.Kind != yaml.SequenceNode:
		d.problem(n, "%s must be a list such as [a, b]; here it is %s", what, describe(n))
	case len(n.Content) == 0:
		d.problem(n, "%s is empty; name at least one, or leave the key out where it is optional", what)
	case len(n.Content) > maxList:
		d.problem(n, "%s has more than %d entries; shorten it", what, maxList)
	default:
		for _, item := range n.Content {
			each(item)
		}
	}
}

// text reads text that is not empty.
func (d *decoder) text(n *yaml.Node, what string) string {
	switch {
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		d.problem(n, "%s must be text, in quotes where YAML reads it otherwise; here it is %s", what, describe(n))
	case n.Value == "":
		d.problem(n, "%s is empty; write it", what)
	case len(n.Value) > maxScalar:
		d.problem(n, "%s is longer than %d bytes; shorten it", what, maxScalar)
	default:
		return n.Value
	}
	return ""
}

// number reads a decimal number within bounds, or returns 0.
func (d *decoder) number(n *yaml.Node, what string, least, most int) int {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		d.problem(n, "%s must be a number from %d to %d; here it is %s", what, least, most, describe(n))
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < least || v > most {
		d.problem(n, "%s must be a number from %d to %d, not %s", what, least, most, change.Quote(n.Value))
		return 0
	}
	return v
}

// describe says what a node is, in words for a problem.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + change.Quote(n.Value)
	case "!!bool":
		return "the truth value " + change.Quote(n.Value)
	case "!!timestamp":
		return "the date " + change.Quote(n.Value)
	}
	return "the text " + change.Quote(n.Value)
}
