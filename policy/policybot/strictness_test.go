package policybot_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/policybot"
	"github.com/countersign-dev/countersign/policy/story"
)

// An original is a policy of policy-bot, as a tree that can be evaluated naively:
// a rule, or a conjunction of others.
type original struct {
	op    string // and, or; empty for a rule
	parts []*original

	name  string
	count int
	teams []string
	path  string // only when it is touched; empty for always
	title string // only when the title begins with it
	into  string // only on the branch
	core  bool   // only when everybody with a part is in a team, which Countersign cannot say
	tests bool   // requires a check that Countersign cannot name
	words string // requires that the title ends with it
}

// A world is a change as policy-bot sees it: who approved, who is in which team,
// what is touched, how it is called and where it lands.
type world struct {
	approvers    []string
	members      map[string][]string
	touched      string
	title        string
	into         string
	core, tested bool
}

// The outcomes of an original. A rule whose condition does not hold is skipped, and
// is as if it were not there.
const (
	skipped = iota
	pending
	approved
)

func (o *original) evaluate(w world) int {
	if o.op == "" {
		return o.rule(w)
	}
	var outcomes []int
	for _, p := range o.parts {
		if r := p.evaluate(w); r != skipped {
			outcomes = append(outcomes, r)
		}
	}
	switch {
	case len(outcomes) == 0:
		return skipped
	case o.op == "and":
		return slices.Min(outcomes)
	}
	return slices.Max(outcomes)
}

func (o *original) rule(w world) int {
	if !strings.HasPrefix(w.touched, o.path) || !strings.HasPrefix(w.title, o.title) || o.into != "" && w.into != o.into || o.core && !w.core {
		return skipped
	}
	count := 0
	for _, a := range w.approvers {
		if slices.ContainsFunc(o.teams, func(t string) bool { return slices.Contains(w.members[t], a) }) {
			count++
		}
	}
	if count < o.count || o.tests && !w.tested || !strings.HasSuffix(w.title, o.words) {
		return pending
	}
	return approved
}

// text writes the policy as policy-bot reads it.
func (o *original) text() string {
	var rules strings.Builder
	tree := o.tree(&rules)
	return fmt.Sprintf("policy: {approval: [%s]}\napproval_rules:\n%s", tree, rules.String())
}

func (o *original) tree(rules *strings.Builder) string {
	if o.op != "" {
		parts := make([]string, len(o.parts))
		for i, p := range o.parts {
			parts[i] = p.tree(rules)
		}
		return fmt.Sprintf("{%s: [%s]}", o.op, strings.Join(parts, ", "))
	}
	fmt.Fprintf(rules, "  - name: %s\n", o.name)
	var conditions []string
	if o.path != "" {
		conditions = append(conditions, fmt.Sprintf("changed_files: {paths: ['^%s']}", o.path))
	}
	if o.title != "" {
		conditions = append(conditions, fmt.Sprintf("title: {matches: ['^%s']}", o.title))
	}
	if o.into != "" {
		conditions = append(conditions, fmt.Sprintf("targets_branch: {pattern: '^%s$'}", o.into))
	}
	if o.core {
		conditions = append(conditions, "only_has_contributors_in: {teams: [acme/core]}")
	}
	if len(conditions) > 0 {
		fmt.Fprintf(rules, "    if: {%s}\n", strings.Join(conditions, ", "))
	}
	fmt.Fprintf(rules, "    requires:\n      count: %d\n      teams: [%s]\n", o.count, strings.Join(o.teams, ", "))
	conditions = nil
	if o.tests {
		conditions = append(conditions, "has_status: {statuses: [test]}")
	}
	if o.words != "" {
		conditions = append(conditions, fmt.Sprintf("title: {matches: ['%s$']}", o.words))
	}
	if len(conditions) > 0 {
		fmt.Fprintf(rules, "      conditions: {%s}\n", strings.Join(conditions, ", "))
	}
	return o.name
}

// grow returns a random policy.
func grow(dice *rand.Rand, depth int, next *int) *original {
	if depth > 0 && dice.IntN(3) > 0 {
		o := &original{op: []string{"and", "or"}[dice.IntN(2)]}
		for range 1 + dice.IntN(3) {
			o.parts = append(o.parts, grow(dice, depth-1, next))
		}
		return o
	}
	*next++
	o := &original{name: fmt.Sprintf("r%d", *next), count: dice.IntN(3), tests: dice.IntN(12) == 0, core: dice.IntN(8) == 0}
	o.teams = [][]string{{"acme/a"}, {"acme/b"}, {"acme/a", "acme/c"}}[dice.IntN(3)]
	if dice.IntN(2) == 0 {
		o.path = []string{"x/", "y/"}[dice.IntN(2)]
	}
	if dice.IntN(4) == 0 {
		o.title = "fix"
	}
	if dice.IntN(4) == 0 {
		o.into = []string{"main", "dev"}[dice.IntN(2)]
	}
	if dice.IntN(8) == 0 {
		o.words = "SHOP-1"
	}
	return o
}

// live returns a random world.
func live(dice *rand.Rand) world {
	w := world{members: map[string][]string{}, core: dice.IntN(2) == 0, tested: dice.IntN(2) == 0}
	w.touched = []string{"x/1", "y/1", "z"}[dice.IntN(3)]
	w.title = []string{"fix it", "fix SHOP-1", "add SHOP-1", "add it"}[dice.IntN(4)]
	w.into = []string{"main", "dev", "next"}[dice.IntN(3)]
	for _, login := range []string{"grace", "linus", "mallory"} {
		if dice.IntN(3) > 0 {
			w.approvers = append(w.approvers, login)
		}
		for _, team := range []string{"acme/a", "acme/b", "acme/c"} {
			if dice.IntN(2) == 0 {
				w.members[team] = append(w.members[team], login)
			}
		}
	}
	return w
}

// judge tells the world as a story and returns the verdict on it.
func judge(t *testing.T, w world, text []byte) change.Verdict {
	t.Helper()
	var b strings.Builder
	b.WriteString("A world.\n-- story --\n")
	for _, team := range []string{"acme/a", "acme/b", "acme/c"} {
		if bytes.Contains(text, []byte("team:"+team)) {
			fmt.Fprintf(&b, "team %s %s\n", team, strings.Join(w.members[team], " "))
		}
	}
	fmt.Fprintf(&b, "author ada\ntitle %s\ntarget %s\ncommit ada\ntouch %s\n", w.title, w.into, w.touched)
	for _, login := range w.approvers {
		fmt.Fprintf(&b, "review %s approved\n", login)
	}
	b.WriteString("-- want --\nallow\n")
	s, err := story.Parse("world", []byte(b.String()))
	require.NoError(t, err)
	played, err := s.Play(string(text))
	require.NoError(t, err)
	return played.Decision.Verdict()
}

// Whatever comes of a policy allows nothing that the original did not, unless it
// says that it asks for less. A change to which no rule applies was held, and stays
// held. A rule that is gone is named in what was lost.
func TestNothingIsLostUnsaid(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 1415))
	seen := map[string]int{}
	for range 1500 {
		next := 0
		o := grow(dice, dice.IntN(4), &next)
		out, err := policybot.Import("p", []byte(o.text()), options())
		if err != nil {
			require.ErrorContains(t, err, "nothing in it asks for an approval")
			continue
		}
		for _, r := range o.free() {
			require.Contains(t, told(out.Losses), fmt.Sprintf("the rule %q ", r.name), "%s", o.text())
			seen["free"]++
		}
		if out.Less() {
			seen["less"]++
			continue
		}
		for range 10 {
			w := live(dice)
			was := o.evaluate(w)
			if was == skipped {
				seen["skipped"]++
			}
			if judge(t, w, out.Policy) != change.Allow {
				continue
			}
			seen["allowed"]++
			require.Equal(t, approved, was, "%+v\n%s\n%s", w, o.text(), out.Policy)
		}
	}
	for _, what := range []string{"free", "less", "skipped", "allowed"} {
		require.Greater(t, seen[what], 200, what)
	}
}

// free returns the rules that ask for no approval and for nothing else.
func (o *original) free() []*original {
	if o.op == "" && o.count == 0 && o.words == "" {
		return []*original{o}
	}
	var rules []*original
	for _, p := range o.parts {
		rules = append(rules, p.free()...)
	}
	return rules
}
