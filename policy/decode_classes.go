package policy

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// classes reads the classes of changes.
func (d *decoder) classes(n *yaml.Node) []Class {
	var classes []Class
	line := map[string]int{}
	d.list(n, "classes", func(n *yaml.Node) {
		var c Class
		d.mapping(n, "a class",
			field{"name", true, func(n *yaml.Node) { c.Name = d.className(n, line) }},
			field{"paths", false, func(n *yaml.Node) { c.Paths = d.paths(n) }},
			field{"labels", false, func(n *yaml.Node) {
				d.list(n, "labels", func(n *yaml.Node) { c.Labels = append(c.Labels, d.text(n, "a label")) })
			}},
			field{"authors", false, func(n *yaml.Node) {
				d.list(n, "authors", func(n *yaml.Node) { c.Authors = append(c.Authors, d.author(n)) })
			}},
			field{"when", false, func(n *yaml.Node) {
				when := d.condition(n, "when", expression.OfClass)
				c.When = &when
			}},
		)
		d.criteria(n, c)
		classes = append(classes, c)
	})
	return classes
}

// className reads the name of a class.
func (d *decoder) className(n *yaml.Node, line map[string]int) string {
	name := d.text(n, "name")
	switch first, twice := line[name]; {
	case name == "":
	case !wordForm.MatchString(name):
		d.problem(n, "the class %s must have lower-case letters, digits and hyphens only, such as standard or emergency", change.Quote(name))
	case name == NormalClass:
		d.problem(n, "%s is the class of every change that no other class takes, and cannot be another; leave it out", NormalClass)
	case twice:
		d.problem(n, "the class %s stands here and in line %d; keep one of them", change.Quote(name), first)
	default:
		line[name] = n.Line
	}
	return name
}

// author reads an account of a forge, with or without the beginning of a selector.
func (d *decoder) author(n *yaml.Node) Author {
	s := d.text(n, "an author")
	if s == "" {
		return ""
	}
	s = strings.TrimPrefix(s, userPrefix)
	id := d.account(n, s, "github:301")
	if _, forge := id.Forge(); id != "" && !forge {
		d.problem(n, "%s is an account of a tracker, and nobody makes changes with it; name the account of the forge", change.Quote(s))
	}
	return Author(s)
}

// criteria notes a class that would take every change, so that none were normal.
func (d *decoder) criteria(n *yaml.Node, c Class) {
	others := len(c.Paths)+len(c.Labels)+len(c.Authors) > 0
	switch {
	case n.Kind != yaml.MappingNode || others:
	case c.When == nil:
		d.problem(n, "a class without criteria would take every change; add paths, labels, authors or when")
	case c.When.compiled != nil && c.When.compiled.Constant().Holds:
		d.problem(n, "the class takes every change, because its when holds always, so that none would be %s; write a when that looks at the change", NormalClass)
	}
}

// classesOf reads the classes of changes that an entry of changes speaks of.
func (d *decoder) classesOf(n *yaml.Node) []string {
	var classes []string
	d.list(n, "classes", func(n *yaml.Node) {
		if name := d.text(n, "a class"); name != "" {
			classes = append(classes, name)
			d.classed = append(d.classed, roleUse{name, n})
		}
	})
	return classes
}

// checkClasses notes every use of a class that is not declared.
func (d *decoder) checkClasses(declared []Class) {
	known := []string{NormalClass}
	for _, c := range declared {
		known = append(known, c.Name)
	}
	for _, u := range d.classed {
		if !slices.Contains(known, u.role) {
			d.problem(u.at, "the class %s is not declared; add it under classes%s", change.Quote(u.role), suggest(u.role, known))
		}
	}
}

// assertions reads demands in the policy's own words.
func (d *decoder) assertions(n *yaml.Node) []Assertion {
	var assertions []Assertion
	line := map[string]int{}
	d.list(n, AssertionsID, func(n *yaml.Node) {
		var a Assertion
		d.mapping(n, "an assertion",
			field{"name", true, func(n *yaml.Node) {
				a.Name = d.text(n, "name")
				if first, twice := line[a.Name]; twice && a.Name != "" {
					d.problem(n, "the assertion %s stands here and in line %d; keep one of them", change.Quote(a.Name), first)
				}
				line[a.Name] = n.Line
			}},
			field{"that", true, func(n *yaml.Node) { a.That = d.condition(n, "that", expression.OfRule) }},
			field{"message", false, func(n *yaml.Node) { a.Message = d.text(n, "message") }},
		)
		assertions = append(assertions, a)
	})
	return assertions
}
