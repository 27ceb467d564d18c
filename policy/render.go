package policy

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A Source says which file a policy was read from.
type Source struct {
	Name   string
	Digest string // of its bytes, such as "SHA-256 9f86d0…"
}

// Render writes the policy as a document in Markdown, for somebody to read and
// sign: every rule in plain English, who holds which role, and which criteria each
// control evidences. What the file itself says stands in code spans, in which
// nothing is markup.
func Render(w io.Writer, p *Policy, from Source) error {
	return render(w, &document{policy: p, set: &Set{Repository: p}}, from)
}

// RenderSet writes the repository's policy of a set as Render does, and what it and
// the floor make of each other.
func RenderSet(w io.Writer, s *Set, from, floor Source) error {
	return render(w, &document{policy: s.Repository, set: s, floorFrom: floor}, from)
}

func render(w io.Writer, d *document, from Source) error {
	d.head(from)
	d.terms()
	d.roles()
	d.classes()
	d.changes()
	d.deployments()
	d.emergency()
	d.people()
	d.automations()
	d.floor()
	d.criteria()
	d.signatures()
	if _, err := io.WriteString(w, d.text.String()); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}

// A document is a policy on its way to paper.
type document struct {
	policy    *Policy
	set       *Set
	floorFrom Source // of the set's floor, where it has one
	text      strings.Builder
}

// put writes a line. What the file says must be passed through code or codes.
func (d *document) put(format string, args ...any) { fmt.Fprintf(&d.text, format+"\n", args...) }

// para writes a paragraph.
func (d *document) para(format string, args ...any) { d.put(format+"\n", args...) }

func (d *document) head(from Source) {
	d.para("# Change management policy")
	d.put("- Owner: %s", code(d.policy.Owner))
	d.put("- Policy file: %s, form %d", code(from.Name), d.policy.Version)
	d.para("- Digest of the file: %s", code(from.Digest))
	d.para("This document says in plain English what the policy file with the digest above demands. Countersign judges every change to a protected branch by that file, holds the change until the demands below are met, and writes a signed record of each decision. Where this document and the file differ, the file governs. What the file itself says stands in `this type`.")
}

// terms says what the words of the rules mean; the package comment and Evaluate
// are where they come from.
func (d *document) terms() {
	d.para("## What the words mean")
	d.put("- **The makers of a change** are whoever opened it, every author, committer and co-author of its commits and of those that a force push took away, everybody who ever pushed to its branch, whoever answers for an automation among them, and every other account of those people.")
	d.put("- **An approval counts** when a human who is not one of the makers gave it, it is that person's last word, it was not dismissed, and it is of exactly what lands and where, or of what an entry below carries it over from.")
	d.put("- **Held** means that the check of Countersign does not pass, so that the forge refuses the merge wherever it requires that check. What lands all the same leaves a record that denies it.")
	d.para("- **What is not known never passes.** Where a fact cannot be established, the change is held and the record says which fact.")
}

func (d *document) roles() {
	d.para("## Who holds which role")
	if len(d.policy.Roles) == 0 {
		d.para("The policy names no roles. Anyone who may write to the repository and is not one of the makers can approve.")
		return
	}
	for _, role := range slices.Sorted(maps.Keys(d.policy.Roles)) {
		var holders []string
		for _, s := range d.policy.Roles[role] {
			holders = append(holders, holder(s))
		}
		d.put("- %s: %s%s", code(role), enumerate(holders, "or"), d.unasked(role))
	}
	d.put("")
}

// holder says whom a selector names.
func holder(s change.Selector) string {
	kind, _, _ := strings.Cut(string(s), ":")
	switch kind {
	case "team":
		return "the members of " + code(string(s))
	case "permission":
		return "whoever has at least " + code(string(s)) + " on the repository"
	}
	return "the account " + code(string(s))
}

// unasked notes a role that no rule asks for.
func (d *document) unasked(role string) string {
	if slices.Contains(d.policy.askedRoles(), role) {
		return ""
	}
	return ". No rule asks for this role."
}

func (d *document) people() {
	if len(d.policy.People) == 0 {
		return
	}
	d.para("## Accounts of one human")
	d.para("The accounts of each line below belong to one human, or are automations that this human answers for. They count as one.")
	for _, a := range d.policy.People {
		accounts := make([]string, len(a.Accounts))
		for i, id := range a.Accounts {
			accounts[i] = code(string(id))
		}
		note := ""
		if a.Note != "" {
			note = ": " + code(a.Note)
		}
		d.put("- %s%s", enumerate(accounts, "and"), note)
	}
	d.put("")
}

// floor says what the floor of the organisation makes of the policy.
func (d *document) floor() {
	if d.set.Floor == nil {
		return
	}
	d.para("## The floor of the organisation")
	d.put("- Owner: %s", code(d.set.Floor.Owner))
	d.put("- Policy file: %s, form %d", code(d.floorFrom.Name), d.set.Floor.Version)
	d.para("- Digest of the file: %s", code(d.floorFrom.Digest))
	d.para("The floor is a policy as well, and is judged beside this one with roles of its own: what either demands must hold, so that this policy can only tighten it. It can be rendered as a document by itself.")
	for _, branch := range d.set.Branches() {
		notes := d.set.Notes(branch)
		if len(notes) == 0 {
			continue
		}
		d.para("For changes to %s:", branches([]string{branch}))
		for _, n := range notes {
			d.put("- %s", code(string(n)))
		}
		d.put("")
	}
}

func (d *document) emergency() {
	e := d.policy.Emergency
	if e == nil {
		return
	}
	d.para("## Emergencies")
	d.para("A holder of %s may let a change through without the demands above; what was let through must be reviewed within %s afterwards. This version of Countersign knows this rule and does not let anything through by it yet.",
		anyRole(e.AuthorisedBy), span(e.ReviewWithin))
}

func (d *document) signatures() {
	d.para("## Approval of this policy")
	d.para("I have read this document and approve the policy file with the digest above.")
	d.put("| name | function | date | signature |")
	d.put("|---|---|---|---|")
	for range 2 {
		d.put("| | | | |")
	}
}
