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
	tests bool   // requires a check that Countersign cannot name
}

// A world is a change as policy-bot sees it: who approved, who is in which team,
// and what is touched.
type world struct {
	approvers []string
	members   map[string][]string
	touched   string
	tested    bool
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
	if o.path != "" && !strings.HasPrefix(w.touched, o.path) {
		return skipped
	}
	count := 0
	for _, a := range w.approvers {
		if slices.ContainsFunc(o.teams, func(t string) bool { return slices.Contains(w.members[t], a) }) {
			count++
		}
	}
	if count < o.count || o.tests && !w.tested {
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
	if o.path != "" {
		fmt.Fprintf(rules, "    if: {changed_files: {paths: ['^%s']}}\n", o.path)
	}
	fmt.Fprintf(rules, "    requires:\n      count: %d\n      teams: [%s]\n", o.count, strings.Join(o.teams, ", "))
	if o.tests {
		rules.WriteString("      conditions: {has_status: {statuses: [test]}}\n")
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
	o := &original{name: fmt.Sprintf("r%d", *next), count: dice.IntN(3), tests: dice.IntN(6) == 0}
	o.teams = [][]string{{"acme/a"}, {"acme/b"}, {"acme/a", "acme/c"}}[dice.IntN(3)]
	if dice.IntN(3) == 0 {
		o.path = []string{"x/", "y/"}[dice.IntN(2)]
	}
	return o
}

// live returns a random world.
func live(dice *rand.Rand) world {
	w := world{members: map[string][]string{}, touched: []string{"x/1", "y/1", "z"}[dice.IntN(3)], tested: dice.IntN(2) == 0}
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
	fmt.Fprintf(&b, "author ada\ncommit ada\ntouch %s\n", w.touched)
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
// says that it asks for less.
func TestNothingIsLostUnsaid(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 1415))
	allowed, less := 0, 0
	for range 1500 {
		next := 0
		o := grow(dice, 1+dice.IntN(3), &next)
		out, err := policybot.Import("p", []byte(o.text()), options())
		if err != nil {
			require.ErrorContains(t, err, "nothing in it asks for an approval")
			continue
		}
		if out.Less() {
			less++
			continue
		}
		for range 10 {
			w := live(dice)
			if judge(t, w, out.Policy) != change.Allow {
				continue
			}
			allowed++
			// Where every rule is skipped, policy-bot approves nothing; Countersign
			// judges by what is left.
			require.NotEqual(t, pending, o.evaluate(w), "%+v\n%s\n%s", w, o.text(), out.Policy)
		}
	}
	require.Greater(t, allowed, 200)
	require.Greater(t, less, 20)
}
