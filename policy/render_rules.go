package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func (d *document) changes() {
	for i := range d.policy.Changes {
		r := &d.policy.Changes[i]
		d.para("## Changes to %s", branches(r.Branches))
		d.para("Entry %d of %d; in a record it is called `%s`. Every entry that names a branch applies to it.", i+1, len(d.policy.Changes), ruleName(i))
		if r.conditional() {
			d.para("%s", r.scope())
		}
		var missing []string
		for _, c := range controls() {
			if !c.askedBy(r) {
				missing = append(missing, "`"+c.id+"`")
				continue
			}
			d.para("### %s", c.id)
			d.para("%s", Meaning(c.id))
			for _, demand := range demands(r, c.id) {
				d.put("- %s", demand)
			}
			d.put("- Evidences %s.", evidences(c.id))
			d.put("")
		}
		if r.CarryOver != "" {
			d.para("### carry-over")
			d.para("%s", Meaning("carry-over"))
			d.put("- %s\n", carryDemand(r.CarryOver))
		}
		if len(missing) > 0 {
			d.para("This entry does not ask for %s.", enumerate(missing, "or"))
		}
	}
}

// branches says which branches patterns name.
func branches(patterns []string) string {
	out := make([]string, len(patterns))
	for i, p := range patterns {
		if out[i] = code(p); strings.ContainsAny(p, `*?[{\`) {
			out[i] = "every branch that matches " + out[i]
		}
	}
	return enumerate(out, "and")
}

// demands says what a rule asks for by one control, beyond what the control means.
func demands(r *ChangeRule, control string) []string {
	switch control {
	case PeerReviewID:
		return []string{approvals(r.PeerReview) + "."}
	case RequiredChecksID:
		var out []string
		for _, c := range r.RequiredChecks {
			out = append(out, checkDemand(c))
		}
		return out
	case LinkedRequestID:
		return requestDemands(r.LinkedRequest)
	case AssertionsID:
		var out []string
		for _, a := range r.Assertions {
			out = append(out, assertionDemand(a))
		}
		return out
	case ProtectedPathsID:
		var out []string
		for _, entry := range r.ProtectedPaths {
			var paths []string
			for _, p := range entry.Paths {
				paths = append(paths, code(p.Text))
			}
			out = append(out, fmt.Sprintf("A change that touches %s needs one approval that counts by a holder of %s.", enumerate(paths, "or"), anyRole(entry.From)))
		}
		return out
	case CodeOwnersID:
		return []string{ownerDemand(r.CodeOwners)}
	case SignedCommitsID:
		return []string{signatureDemand(r.SignedCommits)}
	}
	return nil
}

// carryDemand says what it means that a rule carries approvals over something.
func carryDemand(over string) string {
	return "Approvals are carried over " + code(over) + ": by this entry one also counts for a later head where nothing was added since but empty commits and merges of the target branch that the forge's data prove to add nothing: their files are exactly what merging without any conflict gives. Whoever made such a merge is a maker of the change. The record names each approval that was carried over, and what it was carried over."
}

// ownerDemand says what is asked of code owners.
func ownerDemand(o *CodeOwners) string {
	unowned := "A touched path that nobody owns needs none of this (" + code(o.Unowned) + ")."
	if o.Unowned == Deny {
		unowned = "A touched path that nobody owns holds the change back (" + code(o.Unowned) + ")."
	}
	return "Who owns a path is what the code owners file of the target branch says; what the change itself makes of that file does not count. A line of the file that cannot be read holds the change back. " + unowned
}

// signatureDemand says what is asked of signatures.
func signatureDemand(c *SignedCommits) string {
	byForge := "A commit that the forge made in somebody's name, as by its web pages, holds the change back (" + code(c.ByForge) + ")."
	if c.ByForge == Allow {
		byForge = "A commit that the forge made in somebody's name, as by its web pages, and signed itself needs no other signature (" + code(c.ByForge) + ")."
	}
	return "Merge commits are commits too. The accounts of one human count as one. " + byForge
}

// checkDemand says what is asked of one required check.
func checkDemand(c RequiredCheck) string {
	if c.Name == "" {
		return fmt.Sprintf("Some check of the class %s is required by name on the branch, by whichever entry, and passes.", code(c.Class))
	}
	said := fmt.Sprintf("%s, run by the app %s", code(c.Name), code(c.App))
	if c.Workflow != "" {
		said += " from the workflow file " + code(c.Workflow)
	}
	if c.Class != "" {
		said += ", of the class " + code(c.Class)
	}
	if len(c.Accept) > 0 {
		accepted := make([]string, len(c.Accept))
		for i, word := range c.Accept {
			accepted[i] = code(word)
		}
		said += "; " + enumerate(accepted, "or") + " is accepted too"
	}
	if c.Attempts > 0 {
		said += "; at most " + attempts(c.Attempts) + " may stand behind a success"
	}
	return said + "."
}

// approvals says how many approvals are wanted, and whose.
func approvals(r *PeerReview) string {
	wanted := "One approval that counts"
	if r.Approvals > 1 {
		wanted = fmt.Sprintf("%d approvals that count, by different people", r.Approvals)
	}
	if len(r.From) == 0 {
		return wanted + ", by anyone who may write to the repository"
	}
	return wanted + ", by a holder of " + anyRole(r.From)
}

// anyRole names roles of which one is enough.
func anyRole(roles []string) string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = code(r)
	}
	return enumerate(out, "or")
}

func (d *document) deployments() {
	for i, r := range d.policy.Deployments {
		out := make([]string, len(r.Environments))
		for j, e := range r.Environments {
			out[j] = code(e)
		}
		d.para("## Deployments to %s", enumerate(out, "and"))
		d.para("Entry %d of %d. This version of Countersign knows these rules and does not judge deployments by them yet.", i+1, len(d.policy.Deployments))
		if r.ApprovedChangesOnly {
			d.put("- approved-changes-only: %s", Meaning("approved-changes-only"))
		}
		if r.DeploymentApproval != nil {
			d.put("- deployment-approval: %s %s.", Meaning("deployment-approval"), approvals(r.DeploymentApproval))
		}
		if r.DeployerSeparation {
			d.put("- deployer-separation: %s", Meaning("deployer-separation"))
		}
		d.put("")
	}
}

// frameworks returns what a framework is called, by its short name.
func frameworks() map[string]string {
	return map[string]string{
		soc2: "SOC 2", iso: "ISO/IEC 27001:2022", pci: "PCI DSS v4.0.1", nist: "NIST SP 800-53 Rev. 5", ssdf: "NIST SSDF v1.1", euDRA: "DORA",
	}
}

// evidences says which criteria a control evidences.
func evidences(control string) string {
	var out []string
	by := criteria(control)
	for _, framework := range slices.Sorted(maps.Keys(by)) {
		ids := make([]string, len(by[framework]))
		for i, id := range by[framework] {
			ids[i] = article(id)
		}
		out = append(out, frameworks()[framework]+" "+strings.Join(ids, ", "))
	}
	return strings.Join(out, "; ")
}

// article returns a criterion's id as it stands beside its framework's name: the
// regulation's own articles are told from those of its technical standard.
func article(id string) string {
	if of, ok := strings.CutPrefix(id, "DORA "); ok {
		return "Art. " + of
	}
	return id
}

// criteria writes the other way round which controls evidence a criterion.
func (d *document) criteria() {
	controlsOf := map[string]map[string][]string{}
	for _, c := range controls() {
		if !slices.ContainsFunc(d.policy.Changes, func(r ChangeRule) bool { return c.askedBy(&r) }) {
			continue
		}
		for framework, ids := range criteria(c.id) {
			if controlsOf[framework] == nil {
				controlsOf[framework] = map[string][]string{}
			}
			for _, id := range ids {
				controlsOf[framework][id] = append(controlsOf[framework][id], c.id)
			}
		}
	}
	if len(controlsOf) == 0 {
		return
	}
	d.para("## Criteria, and the controls that evidence them")
	d.put("| framework | criterion | controls in this policy |")
	d.put("|---|---|---|")
	for _, framework := range slices.Sorted(maps.Keys(controlsOf)) {
		for _, id := range slices.Sorted(maps.Keys(controlsOf[framework])) {
			d.put("| %s | %s | %s |", frameworks()[framework], article(id), strings.Join(controlsOf[framework][id], ", "))
		}
	}
	d.put("")
}

// code returns text as a Markdown code span that nothing in it can end. What a
// reader would not see is replaced.
func code(s string) string {
	s = printable(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) == "" || strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// span writes a span of time as people say it.
func span(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d%unit.of != 0 {
			continue
		}
		if d == unit.of {
			return "one " + unit.name
		}
		return fmt.Sprintf("%d %ss", d/unit.of, unit.name)
	}
	return d.String()
}
