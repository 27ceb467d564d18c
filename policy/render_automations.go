package policy

// automations writes who answers for which automation.
func (d *document) automations() {
	if len(d.policy.Automations) == 0 {
		return
	}
	d.para("## Automations")
	d.para("The accounts below are automations, and no approval by them counts. Whoever answers for one is a maker of the changes that it has a part in. Where an automation touches other paths than those it is trusted with, or pushes commits that are not its own, it is not known who made the change, and the change is held.")
	for _, a := range d.policy.Automations {
		who := code(a.Accountable) + " answers for it"
		if a.Accountable == Starter {
			who = code(Starter) + " answers for it, which is whoever set off or started a workflow run that was at work when it acted"
		}
		trusted := "every path"
		if len(a.Paths) > 0 {
			paths := make([]string, len(a.Paths))
			for i, p := range a.Paths {
				paths[i] = code(p.Text)
			}
			trusted = enumerate(paths, "and")
		}
		note := ""
		if a.Note != "" {
			note = " (" + code(a.Note) + ")"
		}
		d.put("- %s%s: %s; it is trusted with %s", code(string(a.Account)), note, who, trusted)
	}
	d.put("")
}
