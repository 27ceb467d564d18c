package policybot

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// conditions reads the if of a rule. A condition that cannot be said is left out, so
// that the rule applies more often.
func (c *converter) conditions(n *yaml.Node, d *demand) {
	if n.Kind != yaml.MappingNode && n.Tag != "!!null" {
		d.conditional = true
		c.widen(n, d, "if: is a mapping of conditions; what stands here is none, and the rule applies without it")
	}
	for key, value := range pairs(n) {
		d.conditional = true
		switch key.Value {
		case "targets_branch":
			c.branches(key, value, d)
		case "from_branch":
			c.when(key, d, matching("change.branch", get(value, "pattern")))
		case "title":
			c.when(key, d, worded("change.title", value))
		case "repository":
			c.when(key, d, worded("change.repository", value))
		case "changed_files":
			c.changedFiles(key, value, d)
		case "has_labels":
			c.widen(key, d, "the condition has_labels is left out, because a label counts only when somebody set it who made no part of the change; the rule applies without it, or write it as when or as a class")
		default:
			c.widen(key, d, "the condition %s cannot be said; the rule applies without it", change.Quote(key.Value))
		}
	}
}

// widen notes a condition that is left out, so that a demand is made of more changes.
func (c *converter) widen(key *yaml.Node, d *demand, format string, args ...any) {
	d.wider = true
	c.stricter(key, format, args...)
}

// when adds an expression to what a rule depends on, if there is one and it is valid.
func (c *converter) when(key *yaml.Node, d *demand, expression string) {
	if expression == "" || !accepts("branches: [a], when: "+single(expression)) {
		c.widen(key, d, "the condition %s cannot be said as it stands; the rule applies without it", change.Quote(key.Value))
		return
	}
	d.when = append(d.when, expression)
}

// matching returns the expression that a variable matches a regular expression. Both
// languages look for it anywhere in the text, and in RE2's syntax.
func matching(variable string, pattern *yaml.Node) string {
	if pattern == nil || pattern.Kind != yaml.ScalarNode || pattern.Value == "" {
		return ""
	}
	literal := text(pattern.Value)
	if !strings.ContainsAny(pattern.Value, "\"\n\r") {
		literal = `r"` + pattern.Value + `"`
	}
	return variable + ".matches(" + literal + ")"
}

// anyOfThem joins expressions of which one must hold.
func anyOfThem(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " || ") + ")"
}

// worded returns the expression that a variable matches one of the regular expressions
// under matches, or none of those under not_matches. Of both together it returns none.
func worded(variable string, n *yaml.Node) string {
	matches, not := get(n, "matches"), get(n, "not_matches")
	if (matches == nil) == (not == nil) {
		return ""
	}
	list, negate := matches, ""
	if matches == nil {
		list, negate = not, "!"
	}
	var parts []string
	for _, p := range list.Content {
		one := matching(variable, p)
		if one == "" {
			return ""
		}
		parts = append(parts, one)
	}
	if len(parts) == 0 {
		return ""
	}
	return negate + anyOfThem(parts)
}

// branches reads which target branches a rule is about.
func (c *converter) branches(key, value *yaml.Node, d *demand) {
	pattern := get(value, "pattern")
	if pattern == nil {
		c.widen(key, d, "targets_branch has no pattern; the rule applies to every branch")
		return
	}
	globs, ok := globsOf(pattern.Value)
	if ok = ok && !slices.ContainsFunc(globs, func(g string) bool { return !validBranch(g) }); !ok {
		c.when(key, d, matching("change.target", pattern))
		return
	}
	d.branches = globs
}

// changedFiles reads which touched files a rule is about: as patterns where they can be
// said so, and otherwise as an expression. Of a renamed file both paths count.
func (c *converter) changedFiles(key, value *yaml.Node, d *demand) {
	list, ignored := get(value, "paths"), get(value, "ignore")
	if list == nil || len(list.Content) == 0 {
		c.widen(key, d, "changed_files names no paths; the rule applies to every change")
		return
	}
	var paths []string
	sayable := ignored == nil || len(ignored.Content) == 0
	for _, p := range list.Content {
		globs, ok := globsOf(p.Value)
		globs = rooted(globs)
		sayable = sayable && ok && !slices.ContainsFunc(globs, func(g string) bool { return !validPath(g) })
		paths = append(paths, globs...)
	}
	d.files = touching(list, ignored)
	if !sayable {
		c.when(key, d, d.files)
		return
	}
	slices.Sort(paths)
	d.paths = slices.Compact(paths)
}

// touching returns the expression that a touched file matches one of some regular
// expressions and none of those that are ignored.
func touching(list, ignored *yaml.Node) string {
	any := func(n *yaml.Node) (parts []string) {
		for _, p := range n.Content {
			parts = append(parts, matching("f.path", p))
		}
		return parts
	}
	parts := any(list)
	expression := anyOfThem(parts)
	if ignored != nil && len(ignored.Content) > 0 {
		not := any(ignored)
		expression += " && !" + anyOfThem(not)
		parts = append(parts, not...)
	}
	if slices.Contains(parts, "") {
		return ""
	}
	return "change.files.exists(f, " + expression + ")"
}

// rooted returns patterns of paths that begin at the root: one without a slash would
// match at any depth.
func rooted(globs []string) []string {
	out := make([]string, len(globs))
	for i, g := range globs {
		if out[i] = g; !strings.Contains(g, "/") && g != everyBranch {
			out[i] = "/" + g
		}
	}
	return out
}

// accepts reports whether a policy with the given line of its one entry is valid.
func accepts(entry string) bool {
	_, err := policy.Parse("", []byte("{version: 1, owner: a, roles: {a: [permission:admin]}, changes: [{"+entry+"}]}"))
	return err == nil
}

func validBranch(glob string) bool { return accepts("branches: [" + text(glob) + "]") }

func validPath(glob string) bool {
	return accepts("branches: [a], protected-paths: [{paths: [" + text(glob) + "], from: [a]}]")
}

// valid reports whether a selector can stand in a policy.
func valid(s change.Selector) bool {
	_, err := policy.Parse("", []byte("{version: 1, owner: a, roles: {a: ["+text(string(s))+"]}, changes: [{branches: [a]}]}"))
	return err == nil
}
