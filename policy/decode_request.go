package policy

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/change"
)

// ofTracker lists the keys that mean something only beside a tracker, each with what
// it needs.
func ofTracker() map[string][]string {
	needs := []string{"tracker"}
	return map[string][]string{"types": needs, "states": needs, "created-before": needs, "independent": needs}
}

// linkedRequest reads what the key of a change request looks like, and what is asked
// of the ticket behind it.
func (d *decoder) linkedRequest(n *yaml.Node) *LinkedRequest {
	r := &LinkedRequest{}
	at := map[string]*yaml.Node{}
	note := func(key string, read func(*yaml.Node)) field {
		return field{key, false, func(n *yaml.Node) { at[key] = n; read(n) }}
	}
	d.mapping(n, LinkedRequestID,
		field{"pattern", true, func(n *yaml.Node) { d.keyPattern(n, r) }},
		note("tracker", func(n *yaml.Node) { r.Tracker = d.choice(n, "tracker", trackerIDs()) }),
		note("types", func(n *yaml.Node) { r.Types = d.words(n, "types", "a type") }),
		note("states", func(n *yaml.Node) { r.States = d.words(n, "states", "a state") }),
		note("created-before", func(n *yaml.Node) {
			r.CreatedBefore = d.choice(n, "created-before", []string{BeforeMerge, BeforeFirstCommit})
		}),
		note("independent", func(n *yaml.Node) { r.Independent = d.truth(n, "independent") }),
	)
	if at["tracker"] != nil {
		if r.CreatedBefore == "" {
			r.CreatedBefore = BeforeMerge
		}
		d.states(at["states"], r)
		return r
	}
	for _, key := range sortedKeys(ofTracker()) {
		if n := at[key]; n != nil {
			d.problem(n, "%s is asked of a ticket, and without tracker no ticket is looked up; add tracker, or leave %s out", key, key)
		}
	}
	return r
}

// keyPattern reads what the whole key of a request matches.
func (d *decoder) keyPattern(n *yaml.Node, r *LinkedRequest) {
	r.Pattern = d.text(n, "pattern")
	if r.Pattern == "" {
		return
	}
	within, err := regexp.Compile(r.Pattern)
	if err != nil {
		d.problem(n, "the pattern is not a regular expression (RE2): %s", change.Quote(err.Error()))
		return
	}
	whole, err := regexp.Compile(`\A(?:` + r.Pattern + `)\z`)
	if err != nil {
		d.problem(n, "the pattern does not end where it should; close its \\Q with \\E")
		return
	}
	if whole.MatchString("") {
		d.problem(n, "the pattern matches an empty key, so that every change would have one; make it ask for at least one character")
		return
	}
	r.within, r.whole = within, whole
}

// states notes states that the tracker does not have, where those are few and fixed.
func (d *decoder) states(n *yaml.Node, r *LinkedRequest) {
	i := slices.IndexFunc(trackers(), func(t tracker) bool { return t.id == r.Tracker })
	if n == nil || i < 0 || trackers()[i].states == nil || n.Kind != yaml.SequenceNode {
		return
	}
	has := trackers()[i]
	for _, item := range n.Content {
		if item.Value != "" && !oneOf(has.states, item.Value) {
			d.problem(item, "%s has no state %s; its states are %s%s", has.name, change.Quote(item.Value), enumerate(has.states, "and"), suggest(item.Value, has.states))
		}
	}
}

// words reads a list of texts.
func (d *decoder) words(n *yaml.Node, what, item string) []string {
	var words []string
	d.list(n, what, func(n *yaml.Node) {
		if s := d.text(n, item); s != "" {
			words = append(words, s)
		}
	})
	return words
}

// choice reads one of several words.
func (d *decoder) choice(n *yaml.Node, what string, known []string) string {
	s := d.text(n, what)
	if s == "" {
		return ""
	}
	if !slices.Contains(known, s) {
		d.problem(n, "%s cannot be %s; write %s%s", what, change.Quote(s), enumerate(known, "or"), suggest(s, known))
		return ""
	}
	return s
}

// truth reads true or false.
func (d *decoder) truth(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		d.problem(n, "%s must be true or false; here it is %s", what, describe(n))
		return false
	}
	return strings.EqualFold(n.Value, "true")
}
