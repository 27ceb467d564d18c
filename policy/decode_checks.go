package policy

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

const (
	// maxAppID is the largest numeric id of an app that every JSON reader keeps exact.
	maxAppID = 1 << 52

	// maxAttempts is more than anybody would wait for.
	maxAttempts = 100
)

// workflowForm is the path of a workflow file from the root of the repository.
var workflowForm = regexp.MustCompile(`^[^/\\\s][^\\]*\.ya?ml$`)

// acceptable returns the conclusions that a policy can let pass beside success. All
// others say that something went wrong, or that nothing has ended.
func acceptable() []string { return []string{"neutral", "skipped"} }

// requiredCheck reads one required check.
func (d *decoder) requiredCheck(n *yaml.Node) RequiredCheck {
	var c RequiredCheck
	named := !onlyClass(n)
	d.mapping(n, "a required check",
		field{"name", named, func(n *yaml.Node) { c.Name = d.text(n, "name") }},
		// Without it, any writer could post the check that lets a change through.
		field{"app", named, func(n *yaml.Node) { c.App = d.app(n) }},
		field{"workflow", false, func(n *yaml.Node) { c.Workflow = d.workflow(n) }},
		field{"attempts", false, func(n *yaml.Node) { c.Attempts = d.number(n, "attempts", 1, maxAttempts) }},
		field{"accept", false, func(n *yaml.Node) { c.Accept = d.accept(n) }},
		field{"class", false, func(n *yaml.Node) { c.Class = d.class(n) }},
	)
	return c
}

// onlyClass reports whether a required check has no key but its class, and so
// stands for any check of the class that is named elsewhere.
func onlyClass(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "class"
}

// app reads the application of a check: its slug or its numeric id.
func (d *decoder) app(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" {
		d.number(n, "the numeric id of an app", 1, maxAppID)
		return n.Value
	}
	return d.text(n, "app")
}

// workflow reads the path of a workflow file.
func (d *decoder) workflow(n *yaml.Node) string {
	path := d.text(n, "workflow")
	if path != "" && !workflowForm.MatchString(path) {
		d.problem(n, "%s is no path of a workflow file; write it from the root of the repository, such as .github/workflows/ci.yml", change.Quote(path))
	}
	return path
}

// accept reads the conclusions that pass beside success.
func (d *decoder) accept(n *yaml.Node) []string {
	var accepted []string
	d.list(n, "accept", func(n *yaml.Node) {
		word := d.text(n, "a conclusion")
		if word != "" && !slices.Contains(acceptable(), word) {
			d.problem(n, "the conclusion %s cannot be accepted; beside success only %s can%s",
				change.Quote(word), enumerate(acceptable(), "and"), suggest(word, acceptable()))
		}
		accepted = append(accepted, word)
	})
	return accepted
}

// class reads what a check looks for.
func (d *decoder) class(n *yaml.Node) string {
	class := d.text(n, "class")
	if class != "" && !wordForm.MatchString(class) {
		d.problem(n, "the class %s must have lower-case letters, digits and hyphens only, such as test or sast", change.Quote(class))
	}
	return class
}
