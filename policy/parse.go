package policy

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

// Parse reads the text of a policy file. It is strict: an unknown key, a wrong
// type, a rule that nobody could satisfy and YAML that hides what it says
// (anchors, aliases, merge keys, tags, several documents) are errors. The error is
// a Problems that lists everything found, each with name, line and column.
func Parse(name string, text []byte) (*Policy, error) {
	d := &decoder{name: name}
	for line := range strings.Lines(string(text[:min(len(text), maxText)])) {
		d.lines = append(d.lines, []rune(line))
	}
	root := d.document(text)
	if root != nil {
		d.plain(root, 0)
	}
	if len(d.problems) > 0 {
		return nil, d.problems.inOrder()
	}
	p := d.policy(root)
	if len(d.problems) > 0 {
		return nil, d.problems.inOrder()
	}
	return p, nil
}

// document returns the root node of the one YAML document in text, or notes why
// there is none.
func (d *decoder) document(text []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	if len(text) > maxText {
		d.problem(start, "the policy has more than %d bytes; shorten it", maxText)
		return nil
	}
	var doc, more yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(text))
	err := in.Decode(&doc)
	if errors.Is(err, io.EOF) {
		d.problem(start, "the policy is empty; write at least version, owner and changes")
		return nil
	}
	if err == nil {
		if err = in.Decode(&more); err == nil {
			d.problem(&more, "a second document begins here; a policy is one document")
			return nil
		}
	}
	if !errors.Is(err, io.EOF) {
		d.syntax(err)
		return nil
	}
	return doc.Content[0]
}

// syntaxLine finds the line in an error of the YAML library, which has no type
// that holds it.
var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntax notes an error of the YAML library.
func (d *decoder) syntax(err error) {
	at, words := &yaml.Node{Line: 1, Column: 1}, err.Error()
	if m := syntaxLine.FindStringSubmatch(words); m != nil {
		words = m[2]
		if line, err := strconv.Atoi(m[1]); err == nil {
			at.Line = line
		}
	}
	d.problem(at, "it is not valid YAML: %s", change.Quote(words))
}

// plain notes every use of YAML that makes a policy say something other than
// what a reader sees.
func (d *decoder) plain(n *yaml.Node, depth int) {
	switch {
	case depth > maxDepth:
		d.problem(n, "lists and mappings stand more than %d deep inside each other; flatten them", maxDepth)
		return
	case n.Kind == yaml.AliasNode:
		d.problem(n, "an alias stands here; write out what it stands for")
		return
	case n.Anchor != "":
		d.problem(n, "an anchor stands here; leave it out and write out its uses")
	case n.Style&yaml.TaggedStyle != 0:
		d.problem(n, "a tag stands here; leave it out")
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		d.problem(n, "a merge key stands here; write out what it merges")
	}
	for _, c := range n.Content {
		d.plain(c, depth+1)
	}
}

// policy reads the root of a policy.
func (d *decoder) policy(n *yaml.Node) *Policy {
	p := &Policy{Roles: map[string][]change.Selector{}}
	d.mapping(n, "a policy",
		field{"version", true, func(n *yaml.Node) { p.Version = d.version(n) }},
		field{"owner", true, func(n *yaml.Node) { p.Owner = d.text(n, "owner") }},
		field{"roles", false, func(n *yaml.Node) { d.roles(n, p.Roles) }},
		field{"changes", false, func(n *yaml.Node) {
			d.list(n, "changes", func(n *yaml.Node) { p.Changes = append(p.Changes, d.changeRule(n)) })
		}},
		field{"classes", false, func(n *yaml.Node) { p.Classes = d.classes(n) }},
		field{"deployments", false, func(n *yaml.Node) {
			d.list(n, "deployments", func(n *yaml.Node) { p.Deployments = append(p.Deployments, d.deploymentRule(n)) })
		}},
		field{"emergency", false, func(n *yaml.Node) { p.Emergency = d.emergency(n) }},
		field{"people", false, func(n *yaml.Node) { p.People = d.people(n) }},
		field{"automations", false, func(n *yaml.Node) { p.Automations = d.automations(n) }},
	)
	if n.Kind == yaml.MappingNode && len(d.problems) == 0 && len(p.Changes)+len(p.Deployments) == 0 {
		d.problem(n, "a policy without changes and deployments governs nothing; add changes")
	}
	d.checkRoles(p.Roles)
	d.checkClasses(p.Classes)
	d.checkAutomations(p.People)
	return p
}

// version reads the version of the file's form.
func (d *decoder) version(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Value != "1" {
		d.problem(n, "version must be the number 1, the only form this program knows; here it is %s", describe(n))
		return 0
	}
	return 1
}
