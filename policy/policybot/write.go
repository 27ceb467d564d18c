package policybot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/countersign-dev/countersign/change"
)

// An entry is one entry of changes on its way to the file.
type entry struct {
	branches []string
	when     string
	carry    bool
	review   *asked
	paths    []asked
	signed   bool
	asserted []string
}

// An asked is a demand with the role that its holders became; none where it asks for
// no approval.
type asked struct {
	demand
	role string
}

// write returns the text of a policy that makes the demands.
func write(from, owner string, demands []demand) []byte {
	roles, entries := arrange(demands)
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Imported from %s of policy-bot. What could not be carried over was said then.\n", change.Quote(path.Base(from)))
	fmt.Fprintf(&b, "version: 1\nowner: %s\n", text(owner))
	if len(roles) > 0 {
		b.WriteString("roles:\n")
	}
	for _, r := range roles {
		fmt.Fprintf(&b, "  %s: %s\n", text(r.role), list(r.holders))
	}
	b.WriteString("changes:\n")
	for _, e := range entries {
		e.head(&b)
		if e.review != nil {
			fmt.Fprintf(&b, "    # %s\n", change.Quote(e.review.name))
			fmt.Fprintf(&b, "    peer-review: {approvals: %d, from: [%s]}\n", e.review.approvals, text(e.review.role))
		}
		if len(e.paths) > 0 {
			b.WriteString("    protected-paths:\n")
		}
		for _, p := range e.paths {
			fmt.Fprintf(&b, "      # %s\n", change.Quote(p.name))
			fmt.Fprintf(&b, "      - {paths: %s, from: [%s]}\n", list(p.paths), text(p.role))
		}
	}
	return b.Bytes()
}

// head writes what an entry applies to, and what it asks for beside approvals.
func (e *entry) head(b *bytes.Buffer) {
	fmt.Fprintf(b, "  - branches: %s\n", list(e.branches))
	if e.when != "" {
		fmt.Fprintf(b, "    when: %s\n", single(e.when))
	}
	if e.carry {
		b.WriteString("    carry-over: updates\n")
	}
	if e.signed {
		b.WriteString("    signed-commits: {}\n")
	}
	if len(e.asserted) > 0 {
		b.WriteString("    assertions:\n")
	}
	for i, expression := range e.asserted {
		fmt.Fprintf(b, "      - {name: condition %d, that: %s}\n", i+1, single(expression))
	}
}

// alike reports whether an entry applies to what a demand is about, on its terms.
func (e *entry) alike(d demand) bool {
	return slices.Equal(e.branches, d.branches) && e.when == strings.Join(d.when, " && ") && e.carry == d.carry
}

// arrange names a role for every set of holders, and puts demands on the same
// branches into one entry where it has room: for one peer review, and any number of
// protected paths. A demand that is made already is not made again.
func arrange(demands []demand) (roles []asked, entries []*entry) {
	var seen []string
	for _, d := range demands {
		a := asked{demand: d}
		if i := slices.IndexFunc(roles, func(r asked) bool { return slices.Equal(r.holders, d.holders) }); i >= 0 {
			a.role = roles[i].role
		} else if d.approvals > 0 {
			a.role = roleName(d.name, roles)
			roles = append(roles, a)
		}
		key := fmt.Sprintf("%q %d %q %s %q %t %t %q", d.branches, d.approvals, d.paths, a.role, d.when, d.carry, d.signed, d.asserted)
		if slices.Contains(seen, key) {
			continue
		}
		seen = append(seen, key)
		i := slices.IndexFunc(entries, func(e *entry) bool {
			return e.alike(d) && (d.paths != nil || d.approvals == 0 || e.review == nil)
		})
		if i < 0 {
			i = len(entries)
			entries = append(entries, &entry{branches: d.branches, when: strings.Join(d.when, " && "), carry: d.carry})
		}
		entries[i].signed = entries[i].signed || d.signed
		for _, expression := range d.asserted {
			if !slices.Contains(entries[i].asserted, expression) {
				entries[i].asserted = append(entries[i].asserted, expression)
			}
		}
		switch {
		case d.paths != nil:
			entries[i].paths = append(entries[i].paths, a)
		case d.approvals > 0:
			entries[i].review = &a
		}
	}
	return roles, entries
}

// roleName makes the name of a role out of a rule's, unlike those there are.
func roleName(rule string, roles []asked) string {
	const most = 50
	var b strings.Builder
	for _, r := range strings.ToLower(rule) {
		if r < unicode.MaxASCII && (unicode.IsLower(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
		if b.Len() == most {
			break
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" {
		base = "role"
	}
	name := base
	for n := 2; slices.ContainsFunc(roles, func(r asked) bool { return r.role == name }); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// text writes a text as YAML reads it back: a JSON string is one in YAML too.
func text(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(fmt.Sprintf("policybot: a text has no JSON form: %v", err)) // every string has one
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// single writes an expression between single quotes, in which nothing is escaped but
// themselves.
func single(expression string) string {
	if strings.ContainsFunc(expression, unicode.IsControl) {
		return text(expression)
	}
	return "'" + strings.ReplaceAll(expression, "'", "''") + "'"
}

// list writes texts as a list.
func list[T ~string](items []T) string {
	out := make([]string, len(items))
	for i, s := range items {
		out[i] = text(string(s))
	}
	return "[" + strings.Join(out, ", ") + "]"
}
