package policy

// ControlIDs returns the ids of the controls of changes, in the order of a decision.
func ControlIDs() []string {
	var ids []string
	for _, c := range controls() {
		ids = append(ids, c.id)
	}
	return ids
}

// Meaning returns what a control asks for, in a sentence, or nothing for an id that
// is no control's.
func Meaning(control string) string {
	for name, k := range keys() {
		if owner, field, _ := cutField(name); (owner == "ChangeRule" || owner == "DeploymentRule") && kebab(field) == control {
			return k.doc
		}
	}
	return ""
}
