package policybot

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

// A demand is what one rule asks for, in Countersign's words.
type demand struct {
	name        string // of the rule
	line        int    // where it asks
	branches    []string
	approvals   int
	paths       []string // only where these are touched; nil for every change
	holders     []change.Selector
	conditional bool // the rule had an if
	wider       bool // a part of the if was left out, so that more changes are asked for it

	when     []string // expressions, all of which must hold for it to be asked
	files    string   // paths as such an expression
	carry    bool     // an approval is carried over pure updates from the base
	signed   bool     // every commit has a valid signature
	asserted []string // expressions that must hold as well
}

// everyBranch matches the name of every branch.
const everyBranch = "**"

// rule reads one rule. It comes to one demand, or to none when it asks for nothing
// or nothing of it can be said.
func (c *converter) rule(n *yaml.Node) []demand {
	d, before := demand{line: n.Line, branches: []string{everyBranch}}, slices.Clone(c.losses)
	var requires *yaml.Node
	if c.usual != nil {
		c.settings(c.usual, &d)
	}
	for key, value := range pairs(n) {
		switch key.Value {
		case "name":
			d.name = value.Value
		case "description":
		case "if":
			c.conditions(value, &d)
		case "options":
			c.settings(value, &d)
		case "requires":
			requires = value
		default:
			c.unknown(key)
		}
	}
	c.always = c.always || !d.conditional
	if requires == nil || !c.requires(requires, &d) {
		c.losses = slices.DeleteFunc(c.losses, func(l Loss) bool { return !l.Less && !slices.Contains(before, l) })
		c.free(n, requires, d)
		return nil // what it depends on, and who could approve, no longer matters
	}
	return c.expressible(requires, d)
}

// free notes a rule that let a change through without any approval.
func (c *converter) free(rule, requires *yaml.Node, d demand) {
	switch {
	case d.approvals > 0: // which is lost, and was said
	case d.conditional:
		c.stricter(rule, "the rule %s asks for no approval and is left out; a change to which only such rules apply passed, and is held now", change.Quote(d.name))
	case requires == nil || get(requires, "count") == nil:
		c.stricter(rule, "the rule %s has no count, so it asks for no approval; it is left out", change.Quote(d.name))
	default:
		c.stricter(rule, "the rule %s asks for no approval; it is left out", change.Quote(d.name))
	}
}

// expressible returns a demand as Countersign can say it.
func (c *converter) expressible(requires *yaml.Node, d demand) []demand {
	if d.approvals > 0 && len(d.holders) == 0 {
		c.less(requires, "nobody whom the rule %s names could be carried over; the rule is left out", change.Quote(d.name))
		return nil
	}
	named := slices.DeleteFunc(slices.Clone(d.holders), func(s change.Selector) bool { return !strings.HasPrefix(string(s), "user:") })
	if len(named) == len(d.holders) && len(named) < d.approvals {
		c.less(requires, "the rule %s asks for %d approvals and only %d of those whom it names could be carried over; the rule is left out", change.Quote(d.name), d.approvals, len(named))
		return nil
	}
	if d.paths != nil && (d.approvals != 1 || d.signed || len(d.asserted) > 0) {
		c.onlyTouching(&d)
	}
	return []demand{d}
}

// onlyTouching makes a demand about paths one that applies only to a change that
// touches them.
func (c *converter) onlyTouching(d *demand) {
	d.paths = nil
	c.when(&yaml.Node{Line: d.line, Value: "changed_files"}, d, d.files)
}

// requires reads how many approvals are asked for, and whose, and reports whether
// any are, or anything else that can be asked for.
func (c *converter) requires(n *yaml.Node, d *demand) bool {
	const most = 50
	if n.Kind != yaml.MappingNode && n.Tag != "!!null" {
		c.less(n, "requires: is a mapping; what stands here is none, and nothing is asked for")
	}
	actors := false
	for key, value := range pairs(n) {
		switch key.Value {
		case "count":
			count, err := strconv.Atoi(value.Value)
			if err != nil || count > most {
				c.less(key, "the count %s is no number up to %d", change.Quote(value.Value), most)
				count = min(max(count, 0), most)
			}
			d.approvals = count
		case "conditions":
			for condition, asked := range pairs(value) {
				c.condition(condition, asked, d)
			}
		default:
			actors = true
			c.actors(key, value, d)
		}
	}
	if d.approvals > 0 && !actors {
		c.less(n, "the rule %s does not say whose approval counts; it is left out", change.Quote(d.name))
		return false
	}
	d.holders = distinct(d.holders)
	return d.approvals > 0 || d.signed || len(d.asserted) > 0
}

// condition reads one condition that must hold beside the approvals.
func (c *converter) condition(key, value *yaml.Node, d *demand) {
	assert := func(expression string) bool {
		if expression == "" || !accepts("branches: [a], assertions: [{name: a, that: "+single(expression)+"}]") {
			return false
		}
		d.asserted = append(d.asserted, expression)
		return true
	}
	said := false
	switch key.Value {
	case "has_valid_signatures":
		said = value.Value == "true"
		if d.signed = d.signed || said; said {
			c.stricter(key, "has_valid_signatures becomes signed-commits, which asks that whoever made a commit signed it")
		}
	case "title":
		said = assert(worded("change.title", value))
	case "repository":
		said = assert(worded("change.repository", value))
	case "from_branch":
		said = assert(matching("change.branch", get(value, "pattern")))
	case "targets_branch":
		said = assert(matching("change.target", get(value, "pattern")))
	}
	if !said {
		c.less(key, "%s cannot be asked for%s", change.Quote(key.Value), hint(key.Value))
	}
}

// distinct returns the selectors without those that stand there already.
func distinct(selectors []change.Selector) []change.Selector {
	var out []change.Selector
	for _, s := range selectors {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// hint says how to ask for a condition in another way, where there is one.
func hint(condition string) string {
	switch condition {
	case "has_status", "has_successful_status", "has_status_check", "has_workflow_result":
		return "; write it as required-checks, with the app that runs the check"
	case "title":
		return "; write it as linked-request where it is about a ticket"
	}
	return ""
}

// actors reads one key that says whose approval counts.
func (c *converter) actors(key, value *yaml.Node, d *demand) {
	switch key.Value {
	case "teams":
		for _, team := range value.Content {
			if s := change.Selector("team:" + team.Value); valid(s) {
				d.holders = append(d.holders, s)
			} else {
				c.stricter(team, "%s is no team of an organisation; it is left out", change.Quote(team.Value))
			}
		}
	case "users":
		for _, user := range value.Content {
			c.user(user, d)
		}
	case "permissions":
		for _, permission := range value.Content {
			if s := change.Selector("permission:" + permission.Value); valid(s) {
				d.holders = append(d.holders, s)
			} else {
				c.stricter(permission, "%s is no permission; it is left out", change.Quote(permission.Value))
			}
		}
	case "organizations":
		for _, o := range value.Content {
			c.stricter(o, "all members of the organisation %s cannot be named; they are left out, name a team or a permission instead", change.Quote(o.Value))
		}
	case "admins", "write_collaborators":
		if value.Value == "true" {
			d.holders = append(d.holders, map[string]change.Selector{"admins": "permission:admin", "write_collaborators": "permission:write"}[key.Value])
		}
	default:
		c.unknown(key)
	}
}

// user reads a login, which only its account id makes safe to name.
func (c *converter) user(n *yaml.Node, d *demand) {
	id, known := c.options.Accounts[n.Value]
	if !known {
		c.stricter(n, "the login %s is left out, because a login can be renamed and taken by somebody else; give its numeric id, as in --account LOGIN=583231", change.Quote(n.Value))
		return
	}
	d.holders = append(d.holders, change.Selector("user:"+string(id)))
}

// settings reads the options of a rule. Countersign has none: what they could loosen
// it always holds to.
func (c *converter) settings(n *yaml.Node, d *demand) {
	for key, value := range pairs(n) {
		switch key.Value {
		case "allow_author", "allow_contributor", "allow_non_author_contributor":
			if value.Value == "true" {
				c.stricter(key, "%s is left out: nobody approves what they had a part in", key.Value)
			}
		case "invalidate_on_push":
			if value.Value == "false" {
				c.stricter(key, "%s is left out: a push always invalidates the approvals of what was there before", key.Value)
			}
		case "ignore_update_merges":
			if d.carry = value.Value == "true"; d.carry {
				c.stricter(key, "ignore_update_merges becomes carry-over: only where a merge of the base changed nothing by itself, and whoever made it still has a part in the change")
			}
		case "ignore_commits_by":
			c.stricter(key, "%s is left out: every commit counts, and an approval is of exactly what lands", key.Value)
		case "methods":
			c.stricter(key, "methods are left out: only a review approves, no comment does")
		case "request_review":
			c.stricter(key, "request_review is left out: reviewers are not assigned; CODEOWNERS can do that")
		case "ignore_edited_comments": // no comment approves
		default:
			c.unknown(key)
		}
	}
}
