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
	for key, value := range pairs(n) {
		d.conditional = true
		switch key.Value {
		case "targets_branch":
			c.branches(key, value, d)
		case "changed_files":
			c.changedFiles(key, value, d)
		default:
			c.stricter(key, "the condition %s cannot be said; the rule applies without it", change.Quote(key.Value))
		}
	}
}

// branches reads which target branches a rule is about.
func (c *converter) branches(key, value *yaml.Node, d *demand) {
	pattern := get(value, "pattern")
	if pattern == nil {
		c.stricter(key, "targets_branch has no pattern; the rule applies to every branch")
		return
	}
	globs, ok := globsOf(pattern.Value)
	if ok = ok && !slices.ContainsFunc(globs, func(g string) bool { return !validBranch(g) }); !ok {
		c.stricter(key, "the branches that match %s cannot be said as patterns; the rule applies to every branch", change.Quote(pattern.Value))
		return
	}
	d.branches = globs
}

// changedFiles reads which touched files a rule is about.
func (c *converter) changedFiles(key, value *yaml.Node, d *demand) {
	if ignored := get(value, "ignore"); ignored != nil && len(ignored.Content) > 0 {
		c.stricter(ignored, "paths cannot be left out again; the rule applies to those under ignore too")
	}
	list := get(value, "paths")
	if list == nil || len(list.Content) == 0 {
		c.stricter(key, "changed_files names no paths; the rule applies to every change")
		return
	}
	var paths []string
	for _, p := range list.Content {
		globs, ok := globsOf(p.Value)
		globs = rooted(globs)
		if !ok || slices.ContainsFunc(globs, func(g string) bool { return !validPath(g) }) {
			c.stricter(key, "the paths that match %s cannot be said as patterns; the rule applies to every change", change.Quote(p.Value))
			return
		}
		paths = append(paths, globs...)
	}
	slices.Sort(paths)
	d.paths = slices.Compact(paths)
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
