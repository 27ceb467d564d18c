package policy

import (
	"fmt"
	"strings"
)

// classes writes which sorts of change there are, and what makes a change one.
func (d *document) classes() {
	if len(d.policy.Classes) == 0 {
		return
	}
	d.para("## Classes of change")
	d.para("A change is of the first class below that takes it, and of the class `%s` where none does. A class takes a change that meets all of its criteria. Where a fact is missing that this rests on, the class is not known, and what is asked of changes of some classes only does not pass. A change that has landed is of the class that it had then.", NormalClass)
	for _, c := range d.policy.Classes {
		d.put("- %s: %s", code(c.Name), strings.Join(c.demands(), "; "))
	}
	d.put("- `%s`: every other change", NormalClass)
	d.put("")
}

// demands says what makes a change one of the class.
func (c Class) demands() []string {
	var out []string
	if len(c.Paths) > 0 {
		paths := make([]string, len(c.Paths))
		for i, p := range c.Paths {
			paths[i] = code(p.Text)
		}
		out = append(out, "every touched path, old names of renamed files too, matches "+enumerate(paths, "or")+", where a workflow, a CODEOWNERS file or a policy matches only what names it")
	}
	if len(c.Labels) > 0 {
		out = append(out, "it has the label "+anyRole(c.Labels)+", and a human who made no part of it set that last, after the last push and change of the base")
	}
	if len(c.Authors) > 0 {
		accounts := make([]string, len(c.Authors))
		for i, a := range c.Authors {
			accounts[i] = code(string(a))
		}
		out = append(out, "whoever had a hand in it did so by the account "+enumerate(accounts, "or"))
	}
	if c.When != nil {
		out = append(out, "this holds of it: "+expressed(*c.When))
	}
	return out
}

// scope says to which of the changes to its branches a rule applies.
func (r *ChangeRule) scope() string {
	var out []string
	if len(r.Classes) > 0 {
		out = append(out, "changes of the class "+anyRole(r.Classes))
	}
	if r.When != nil {
		out = append(out, "changes of which this holds: "+expressed(*r.When))
	}
	return "It applies only to " + strings.Join(out, ", and of those to ") + ". Where it is not known whether it does, nothing that it asks for passes."
}

// expressed returns an expression on one line.
func expressed(c Condition) string {
	return code(strings.Join(strings.FieldsFunc(c.Text, func(r rune) bool { return r == '\n' || r == '\r' }), " "))
}

// assertionDemand says what an assertion asks for.
func assertionDemand(a Assertion) string {
	said := fmt.Sprintf("%s: %s must hold", code(a.Name), expressed(a.That))
	if a.Message != "" {
		said += ". Otherwise: " + code(a.Message)
	}
	return said + "."
}
