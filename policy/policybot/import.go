package policybot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// Bounds of what is read.
const (
	maxText  = 256 << 10 // bytes
	maxRules = 500
	maxDepth = 10 // of conjunctions inside each other
)

// Options says what the file itself does not.
type Options struct {
	Owner    string                      // of the policy that comes of it
	Accounts map[string]change.AccountID // of logins; policy-bot names people by login, Countersign never does
}

// A Loss is something that could not be carried over as it was.
type Loss struct {
	Line int    // from 1
	Text string // what it is, and what became of it
	Less bool   // the policy asks for less than before
}

// Imported is what came of a policy.
type Imported struct {
	Policy []byte // the text of a valid policy file
	Losses []Loss // in the order of the file
}

// Less reports whether the policy asks for less than the one it came from.
func (i Imported) Less() bool {
	return slices.ContainsFunc(i.Losses, func(l Loss) bool { return l.Less })
}

// Import converts a policy of policy-bot. The error says why there is nothing to
// convert, with the line.
func Import(name string, text []byte, o Options) (Imported, error) {
	if len(text) > maxText {
		return Imported{}, fmt.Errorf("%s: more than %d bytes", name, maxText)
	}
	root, err := document(text)
	if err != nil {
		return Imported{}, placed(name, err)
	}
	c := &converter{options: o}
	demands, err := c.file(root)
	if err != nil {
		return Imported{}, placed(name, err)
	}
	if !c.always {
		c.held(demands)
	}
	slices.SortStableFunc(c.losses, func(a, b Loss) int { return a.Line - b.Line })
	out := Imported{Losses: slices.Compact(c.losses)}
	if len(demands) == 0 {
		return out, fmt.Errorf("%s: nothing in it asks for an approval that could be carried over", name)
	}
	out.Policy = write(name, o.Owner, demands)
	if _, err := policy.Parse("the policy that came of it", out.Policy); err != nil {
		return out, err
	}
	return out, nil
}

// document returns the root of the one YAML document in a text.
func document(text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, at(root, "a policy of policy-bot is a mapping")
	}
	return root, plain(root, 0)
}

// plain refuses aliases, which would let a small file stand for a large one.
func plain(n *yaml.Node, depth int) error {
	const most = 50
	if n.Kind == yaml.AliasNode {
		return at(n, "an alias stands here; write out what it stands for")
	}
	if depth > most {
		return at(n, "lists and mappings stand more than %d deep inside each other", most)
	}
	for _, c := range n.Content {
		if err := plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// A converter turns rules into demands and notes what is lost.
type converter struct {
	options Options
	rules   map[string]*yaml.Node
	usual   *yaml.Node // the options of every rule; nil for none
	always  bool       // some rule applies to every change
	losses  []Loss
}

// stricter notes something left out that lets fewer changes through.
func (c *converter) stricter(n *yaml.Node, format string, args ...any) {
	c.losses = append(c.losses, Loss{Line: n.Line, Text: fmt.Sprintf(format, args...)})
}

// less notes something left out that lets more changes through.
func (c *converter) less(n *yaml.Node, format string, args ...any) {
	c.losses = append(c.losses, Loss{Line: n.Line, Text: fmt.Sprintf(format, args...), Less: true})
}

// unknown notes a key that this program does not know, which may ask for anything.
func (c *converter) unknown(key *yaml.Node) {
	c.less(key, "the key %s is not known; it is left out", change.Quote(key.Value))
}

// file reads the root of a policy.
func (c *converter) file(root *yaml.Node) ([]demand, error) {
	var approval *yaml.Node
	c.rules = map[string]*yaml.Node{}
	for key, value := range pairs(root) {
		switch key.Value {
		case "policy":
			approval = c.policy(value)
		case "approval_rules":
			if len(value.Content) > maxRules {
				return nil, at(value, "more than %d rules", maxRules)
			}
			for _, rule := range value.Content {
				name := get(rule, "name")
				if name == nil {
					continue
				}
				if first, twice := c.rules[name.Value]; twice {
					return nil, at(name, "the rule %s stands in line %d already; rename one of them", change.Quote(name.Value), first.Line)
				}
				c.rules[name.Value] = rule
			}
		case "approval_defaults":
			for key, value := range pairs(value) {
				if key.Value != "options" {
					c.unknown(key)
					continue
				}
				c.usual = value
			}
		case "remote":
			return nil, at(key, "the policy lies in another repository, %s; import the file from there", change.Quote(value.Value))
		default:
			c.unknown(key)
		}
	}
	if approval == nil || len(approval.Content) == 0 {
		return nil, at(root, "it asks for no approval; there is no policy.approval, or nothing in it")
	}
	return c.all(approval, 0)
}

// policy reads the key policy and returns its approval.
func (c *converter) policy(n *yaml.Node) *yaml.Node {
	var approval *yaml.Node
	for key, value := range pairs(n) {
		switch key.Value {
		case "approval":
			approval = value
		case "disapproval":
			c.disapproval(key, value)
		default:
			c.unknown(key)
		}
	}
	return approval
}

// held sees to it that a change to which no rule applies stays held, as policy-bot
// holds it where all rules were skipped. Countersign holds a change to which no entry
// applies, so every demand becomes an entry that applies where its rule did; of one
// that applies more often it is said that it lets more through.
func (c *converter) held(demands []demand) {
	for i := range demands {
		d := &demands[i]
		if d.paths != nil {
			c.onlyTouching(d)
		}
		if d.wider {
			c.less(&yaml.Node{Line: d.line}, "no rule applies to every change, and policy-bot holds one to which none applies; the rule %s, without its condition, lets it through when it is satisfied", change.Quote(d.name))
		}
	}
}

// disapproval notes who could disapprove. Countersign lets whoever can approve hold
// a change by asking for changes, and nobody else.
func (c *converter) disapproval(key, value *yaml.Node) {
	for part, value := range pairs(value) {
		switch part.Value {
		case "requires":
			if len(value.Content) > 0 {
				c.less(key, "who can disapprove cannot be named; only those who could approve hold a change by asking for changes")
			}
		case "if":
			for condition := range pairs(value) {
				c.less(condition, "%s does not disapprove by itself; write it as an assertion that it does not hold", change.Quote(condition.Value))
			}
		case "options":
			c.stricter(part, "how to disapprove is left out: only a review asks for changes or takes that back, no comment does")
		default:
			c.unknown(part)
		}
	}
}

// pairs iterates over the keys and values of a mapping.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// get returns the value of a key, or nil.
func get(n *yaml.Node, name string) *yaml.Node {
	for key, value := range pairs(n) {
		if key.Value == name {
			return value
		}
	}
	return nil
}
