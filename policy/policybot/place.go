package policybot

import (
	"errors"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// A mistake is why a policy cannot be converted, with its line.
type mistake struct {
	line int
	text string
}

// Error returns the mistake as a policy file names it.
func (m *mistake) Error() string { return fmt.Sprintf("line %d: %s", m.line, m.text) }

// at returns a mistake at a node.
func at(n *yaml.Node, format string, args ...any) error {
	return &mistake{n.Line, fmt.Sprintf(format, args...)}
}

// ofYAML is how the parser begins to say what is no YAML.
var ofYAML = regexp.MustCompile(`^yaml: line (\d+): `)

// placed returns an error as file:line: text where it has a line.
func placed(name string, err error) error {
	if m := (*mistake)(nil); errors.As(err, &m) {
		return fmt.Errorf("%s:%d: %s", name, m.line, m.text)
	}
	if m := ofYAML.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("%s:%s: %s", name, m[1], err.Error()[len(m[0]):])
	}
	return fmt.Errorf("%s: %w", name, err)
}
