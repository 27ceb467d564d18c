package policy

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// Notes says what the two policies of a set make of each other for changes to a
// branch, by key and place: where the repository's is beyond the floor, where it is
// weaker, so that the floor holds in its place, and what the floor adds to it. A
// pattern that stands in either file can be named in place of a branch.
func (s *Set) Notes(branch string) []change.Text {
	if s.Floor == nil || s.Repository == nil {
		return nil
	}
	return s.compare(s.Repository.applyingTo(branch), s.Floor.applyingTo(branch))
}

// notes is Notes for the rules that apply to a change.
func (s *Set) notes(f change.Facts) []change.Text {
	return s.compare(placed(s.ownView(f)), placed(s.floorView(f)))
}

// A placedRule is a rule with its position in its file.
type placedRule struct {
	at   int
	rule *ChangeRule
}

// applyingTo returns the rules that name a branch.
func (p *Policy) applyingTo(branch string) []placedRule {
	var rules []placedRule
	for i := range p.Changes {
		if r := &p.Changes[i]; slices.Contains(r.Branches, branch) || matchesBranch(r.Branches, branch) {
			rules = append(rules, placedRule{i, r})
		}
	}
	return rules
}

// Branches returns the branches, and patterns of branches, that either policy
// names, in order.
func (s *Set) Branches() []string {
	var all []string
	for _, p := range s.policies() {
		for _, r := range p.Changes {
			all = append(all, r.Branches...)
		}
	}
	return sorted(all)
}

// placed returns rules that apply to a change with their positions.
func placed(list []applying) []placedRule {
	var rules []placedRule
	for _, a := range list {
		rules = append(rules, placedRule{a.at, a.rule})
	}
	return rules
}

// compare notes how rules of the repository stand to rules of the floor.
func (s *Set) compare(own, floor []placedRule) []change.Text {
	n := &notes{set: s}
	if len(own) == 0 && len(floor) > 0 {
		n.add("no rule of the repository's policy names the branch; the floor's %s hold%s", rulesOf(floor), thirdPerson(len(floor)))
		return n.list
	}
	if len(floor) == 0 {
		return nil
	}
	for _, c := range controls() {
		if c.id != NoBypassID {
			n.control(c, askersOf(c, own), askersOf(c, floor))
		}
	}
	n.carryOver(own, floor)
	n.conditions(own, floor)
	n.roles()
	return n.list
}

// askersOf returns the rules that ask for a control.
func askersOf(c control, rules []placedRule) []placedRule {
	return slices.DeleteFunc(slices.Clone(rules), func(r placedRule) bool { return !c.askedBy(r.rule) })
}

// rulesOf names rules by their places.
func rulesOf(rules []placedRule) string {
	at := make([]int, len(rules))
	for i, r := range rules {
		at[i] = r.at
	}
	return ruleNames(at)
}

// notes gathers what is noted.
type notes struct {
	set  *Set
	list []change.Text
}

// add notes something. What a file says must be passed through change.Quote.
func (n *notes) add(format string, args ...any) {
	n.list = append(n.list, change.Text(fmt.Sprintf(format, args...)))
}

// control notes how the demands of one control compare.
func (n *notes) control(c control, own, floor []placedRule) {
	switch {
	case len(own) == 0 && len(floor) == 0:
	case len(floor) == 0:
		for _, r := range own {
			n.add("%s.%s is beyond the floor, which does not ask for it", ruleName(r.at), c.id)
		}
	case len(own) == 0:
		for _, r := range floor {
			n.add("the floor's %s.%s holds; the repository's policy does not ask for it", ruleName(r.at), c.id)
		}
	case c.id == PeerReviewID:
		n.peerReview(own, floor)
	case c.id == CodeOwnersID:
		n.side(own, floor, CodeOwnersID+".unowned", func(r *ChangeRule) string { return r.CodeOwners.Unowned })
	case c.id == SignedCommitsID:
		n.side(own, floor, SignedCommitsID+".by-forge", func(r *ChangeRule) string { return r.SignedCommits.ByForge })
	default:
		n.settings(c.id, own, floor)
	}
}

// side notes how a setting compares that allows something or denies it.
func (n *notes) side(own, floor []placedRule, key string, of func(*ChangeRule) string) {
	denies := slices.ContainsFunc(floor, func(r placedRule) bool { return of(r.rule) == Deny })
	for _, r := range own {
		switch side := of(r.rule); {
		case side == Allow && denies:
			n.add("%s.%s is %s; the floor denies it, and that holds", ruleName(r.at), key, side)
		case side == Deny && !denies:
			n.add("%s.%s is %s, beyond the floor, which allows it", ruleName(r.at), key, side)
		}
	}
}

// carryOver notes where one of the two carries approvals over and the other does not.
func (n *notes) carryOver(own, floor []placedRule) {
	strict := func(r placedRule) bool { return r.rule.asksApproval() && r.rule.CarryOver == "" }
	carries := func(r placedRule) bool { return r.rule.asksApproval() && r.rule.CarryOver != "" }
	for _, r := range own {
		switch {
		case carries(r) && slices.ContainsFunc(floor, strict):
			n.add("%s carries approvals over; the floor counts those of the head alone, and that holds", ruleName(r.at))
		case strict(r) && slices.ContainsFunc(floor, carries) && !slices.ContainsFunc(floor, strict):
			n.add("%s counts approvals of the head alone, beyond the floor, which carries them over", ruleName(r.at))
		}
	}
}

// peerReview notes how numbers of approvals compare, and whose they must be.
func (n *notes) peerReview(own, floor []placedRule) {
	most := slices.MaxFunc(floor, func(a, b placedRule) int { return a.rule.PeerReview.Approvals - b.rule.PeerReview.Approvals })
	want := most.rule.PeerReview
	for _, r := range own {
		at, has := ruleName(r.at)+"."+PeerReviewID, r.rule.PeerReview
		switch {
		case has.Approvals < want.Approvals:
			n.add("%s asks for %s; the floor's %d hold%s", at, plural(has.Approvals, "approval"), want.Approvals, thirdPerson(want.Approvals))
		case has.Approvals > want.Approvals:
			n.add("%s asks for %s, beyond the floor's %d", at, plural(has.Approvals, "approval"), want.Approvals)
		}
		n.from(at, has.From, want.From)
	}
}

// from notes how those who may approve compare.
func (n *notes) from(at string, own, floor []string) {
	mine, theirs := n.set.Repository.holders(own), n.set.Floor.holders(floor)
	within := func(a, b []change.Selector) bool {
		return !slices.ContainsFunc(a, func(s change.Selector) bool { return !slices.Contains(b, s) })
	}
	switch {
	case within(mine, theirs) && within(theirs, mine):
	case len(floor) == 0 || len(own) > 0 && within(mine, theirs):
		n.add("%s.from takes approvals of fewer people than the floor does", at)
	case len(own) == 0 || within(theirs, mine):
		n.add("%s.from takes approvals of more people than the floor does; those of %s hold", at, enumerate(slices.Clone(floor), "or"))
	default:
		n.add("%s.from takes approvals of other people than the floor does; both hold", at)
	}
}

// holders returns the selectors of roles, in order.
func (p *Policy) holders(roles []string) []change.Selector {
	var all []change.Selector
	for _, role := range roles {
		all = append(all, p.Roles[role]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// settings notes how the settings of any other control compare: entry by entry
// where it is a list, otherwise key by key. Of settings that differ both hold.
func (n *notes) settings(id string, own, floor []placedRule) {
	for _, r := range own {
		for _, e := range entries(r, id) {
			if !slices.ContainsFunc(floor, func(f placedRule) bool { return has(f, id, e) }) {
				n.add("%s is beyond the floor%s", e.at, e.label)
			}
		}
	}
	for _, r := range floor {
		for _, e := range entries(r, id) {
			if !slices.ContainsFunc(own, func(o placedRule) bool { return has(o, id, e) }) {
				n.add("the floor's %s holds as well%s", e.at, e.label)
			}
		}
	}
}

// An entry is one demand of a control.
type entry struct {
	at    string // such as "changes[0].required-checks[1]"
	label string // what it is about, ": " before it; empty where the place says enough
	form  []byte // equal for equal demands
}

// entries returns the demands of a control in a rule.
func entries(r placedRule, id string) []entry {
	at, value := ruleName(r.at)+"."+id, setting(r.rule, id)
	if !value.IsValid() {
		return nil
	}
	if value.Kind() != reflect.Slice {
		return []entry{{at: at, form: wire(value.Interface())}}
	}
	var list []entry
	for i := range value.Len() {
		v := value.Index(i).Interface()
		list = append(list, entry{fmt.Sprintf("%s[%d]", at, i), labelOf(v), wire(v)})
	}
	return list
}

// setting returns the field of a rule that holds a control's settings.
func setting(r *ChangeRule, id string) reflect.Value {
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if kebab(v.Type().Field(i).Name) == id {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// labelOf says what an entry of a list is about.
func labelOf(v any) string {
	switch v := v.(type) {
	case RequiredCheck:
		return ": the " + v.label()
	case Assertion:
		return ": " + change.Quote(v.Name)
	case ProtectedPaths:
		paths := make([]string, len(v.Paths))
		for i, p := range v.Paths {
			paths[i] = change.Quote(p.Text)
		}
		return ": " + sample(paths)
	}
	return ""
}

// has reports whether a rule makes the very demand.
func has(r placedRule, id string, want entry) bool {
	return slices.ContainsFunc(entries(r, id), func(e entry) bool { return bytes.Equal(e.form, want.form) })
}

// conditions notes what classes and expressions of the files have no effect on: each
// file's choose among its own rules.
func (n *notes) conditions(own, floor []placedRule) {
	chosen := func(rules []placedRule) []placedRule {
		return slices.DeleteFunc(slices.Clone(rules), func(r placedRule) bool { return !r.rule.conditional() })
	}
	mine, theirs := chosen(own), chosen(floor)
	if len(mine) > 0 {
		n.add("classes and when of %s choose among the rules of the repository's policy only; the floor's %s hold%s whatever they come to", rulesOf(mine), rulesOf(floor), thirdPerson(len(floor)))
	}
	for _, r := range theirs {
		n.add("the floor's %s holds for some changes only, by the floor's own classes and when", ruleName(r.at))
	}
	for _, c := range n.set.Repository.Classes {
		if len(mine) > 0 && slices.ContainsFunc(n.set.Floor.Classes, func(o Class) bool { return o.Name == c.Name && !bytes.Equal(wire(o), wire(c)) }) {
			n.add("the class %s means something else in the floor; each holds for its own file", change.Quote(c.Name))
		}
	}
}

// roles notes roles that both files name and give to others.
func (n *notes) roles() {
	for _, role := range slices.Sorted(maps.Keys(n.set.Repository.Roles)) {
		theirs, both := n.set.Floor.Roles[role]
		if both && !slices.Equal(n.set.Repository.holders([]string{role}), n.set.Floor.holders([]string{role})) && theirs != nil {
			n.add("roles.%s names other holders than the floor's role of that name; each holds for its own file", role)
		}
	}
}

// plural returns "1 approval" or "2 approvals".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
