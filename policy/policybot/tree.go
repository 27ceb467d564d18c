package policybot

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

// all reads a list of which everything must hold.
func (c *converter) all(n *yaml.Node, depth int) ([]demand, error) {
	var demands []demand
	for _, item := range n.Content {
		ds, err := c.item(item, depth)
		if err != nil {
			return nil, err
		}
		demands = append(demands, ds...)
	}
	return demands, nil
}

// item reads one entry of such a list: the name of a rule, or a conjunction.
func (c *converter) item(n *yaml.Node, depth int) ([]demand, error) {
	if depth > maxDepth {
		return nil, at(n, "conjunctions stand more than %d deep inside each other", maxDepth)
	}
	if n.Kind == yaml.ScalarNode {
		rule, found := c.rules[n.Value]
		if !found {
			return nil, at(n, "there is no rule %s", change.Quote(n.Value))
		}
		return c.rule(rule), nil
	}
	if and := get(n, "and"); and != nil && len(n.Content) == 2 {
		return c.all(and, depth+1)
	}
	if or := get(n, "or"); or != nil && len(n.Content) == 2 {
		return c.any(or, depth+1)
	}
	return nil, at(n, "the name of a rule, and: or or: belongs here")
}

// An alternative is what one entry of an or: comes to.
type alternative struct {
	demands []demand
	losses  []Loss
}

// less reports whether something was lost without which the alternative asks for
// less.
func (a alternative) less() bool {
	return slices.ContainsFunc(a.losses, func(l Loss) bool { return l.Less })
}

// certain reports whether the alternative was carried over whole and always applies.
func (a alternative) certain() bool {
	return len(a.demands) > 0 && !a.less() && !slices.ContainsFunc(a.demands, func(d demand) bool { return d.conditional })
}

// any reads a list of which one entry must hold. One approval by any of several
// roles is the same in both languages. Everything else is carried over by asking
// for all alternatives, which is stricter.
func (c *converter) any(n *yaml.Node, depth int) ([]demand, error) {
	outer := c.losses
	var alternatives []alternative
	for _, item := range n.Content {
		c.losses = nil
		ds, err := c.item(item, depth)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, alternative{ds, c.losses})
	}
	c.losses = outer
	if whole := slices.ContainsFunc(alternatives, alternative.certain); whole {
		for _, a := range alternatives {
			for i := range a.losses {
				a.losses[i].Less = false // another alternative is still asked for, whole and always
			}
		}
	}
	var demands []demand
	asking := 0
	for _, a := range alternatives {
		c.losses = append(c.losses, a.losses...)
		demands = append(demands, a.demands...)
		if len(a.demands) > 0 {
			asking++
		}
	}
	if one, ok := anyOf(alternatives); ok {
		return []demand{one}, nil
	}
	if asking > 1 {
		c.stricter(n, "of these alternatives all are asked for, because there is no or")
	}
	if asking > 0 && asking < len(alternatives) {
		c.stricter(n, "an alternative of these that asks for no approval, or could not be carried over, is gone; the others are always asked for")
	}
	return demands, nil
}

// anyOf returns the one demand that alternatives come to when each of them is one
// approval by roles, whatever the change.
func anyOf(alternatives []alternative) (demand, bool) {
	var one demand
	for i, a := range alternatives {
		if !a.certain() || len(a.losses) > 0 || len(a.demands) != 1 {
			return demand{}, false
		}
		d := a.demands[0]
		if d.approvals != 1 || len(d.holders) == 0 || d.signed || len(d.asserted) > 0 || i > 0 && d.carry != one.carry {
			return demand{}, false // what must hold beside one approval need not beside another
		}
		if i == 0 {
			one = d
			continue
		}
		one.name += " or " + d.name
		one.holders = append(slices.Clone(one.holders), d.holders...)
	}
	return one, len(alternatives) > 0
}
