package expression_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// TestGrowthIsRefused: what doubles again and again, and what could run for long on
// texts of outsiders, is no expression.
func TestGrowthIsRefused(t *testing.T) {
	hundred := `"` + strings.Repeat("a", 100) + `"`
	slow := `change.files.exists(f, f.path.matches("(.*x){80}y$"))`
	doubled := func(seed string, by string) string {
		return seed + strings.Repeat(".map(a, "+by+")", 60) + ".size() > 1"
	}
	for _, text := range []string{
		hundred + strings.Repeat(".replace("+`"a", `+hundred+")", 5) + ".size() > 1",
		`lists.range(1000).map(i, "%.1000000f".format([1.5])).size() > 1`,
		doubled(`["a"]`, "a + a"), doubled("[[1]]", "a + a"), doubled("[b'a']", "a + a"), doubled("[1]", "[a, a]"), doubled("[1]", "{1: a}"),
		slow, slow + strings.Repeat(" || "+slow, 7),
		`change.files.all(f, change.files.map(g, g.path).size() > 1)`,
	} {
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Nil(t, e, "%.60s", text)
		require.NotEmpty(t, mistakes)
	}
}

// TestWorkGrowsWithTheProgram: what a regular expression costs grows with its program
// and with the text, not with how long it is written.
func TestWorkGrowsWithTheProgram(t *testing.T) {
	spent := func(text string, files, length int) uint64 {
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Empty(t, mistakes)
		c := known()
		c.Files = change.Known(slices.Repeat([]expression.File{{Path: strings.Repeat("x", length)}}, files))
		var b expression.Budget
		require.True(t, b.Evaluate(e, expression.On(c)).Known)
		return b.Spent()
	}
	short, long := `change.files.exists(f, f.path.matches("(.*x){2}y$"))`, `change.files.exists(f, f.path.matches("(.*x){12}y$"))`
	require.Greater(t, spent(long, 100, 200), 3*spent(short, 100, 200))
	require.Greater(t, spent(long, 100, 200), 3*spent(long, 100, 50))
	require.Greater(t, spent(long, 3000, 256), uint64(3000*256*30/10))
	require.Less(t, spent(`change.files.map(f, f.path).size() > 1`, 3000, 40), uint64(100_000))
}

// TestBudget: what is spent on one change by all expressions ends at a bound, and
// after that there is no answer.
func TestBudget(t *testing.T) {
	e, mistakes := expression.Compile(`!change.files.exists(f, f.path.matches("(.*x){12}y$"))`, expression.OfRule)
	require.Empty(t, mistakes)
	c := known()
	c.Files = change.Known(slices.Repeat([]expression.File{{Path: strings.Repeat("x", 244)}}, 3000))
	s := expression.On(c)
	var b expression.Budget
	answers := 0
	for range 64 {
		if r := b.Evaluate(e, s); r.Known {
			require.True(t, r.Holds)
			answers++
		} else {
			require.Equal(t, "the expressions of the policy take too much work together on this change", r.Wrong)
		}
	}
	require.Positive(t, answers)
	require.Less(t, answers, 10)
	require.LessOrEqual(t, b.Spent(), uint64(expression.MaxTotal+expression.MaxCost))
}

// TestBuiltIsBounded: facts that are larger than any reckoned with do not make a text
// or a list larger than its bound.
func TestBuiltIsBounded(t *testing.T) {
	c := known()
	c.Title = change.Known(strings.Repeat("a", 3000))
	c.Requests = change.Known(slices.Repeat([]string{"A-1"}, 6000))
	for _, text := range []string{`(change.title + change.title).size() > 1`, `(change.requests + change.requests).size() > 1`} {
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Empty(t, mistakes)
		require.Equal(t, expression.Result{Wrong: "it takes too much work on this change"}, e.Evaluate(expression.On(c)))
	}
}

// TestLabels: which labels an expression asks for by name is told, and whether it does
// anything else with them.
func TestLabels(t *testing.T) {
	for text, want := range map[string]struct {
		names []string
		other bool
	}{
		"change.draft":         {nil, false},
		`"b" in change.labels`: {[]string{"b"}, false},
		`"b" in change.labels || !("a" in change.labels) && "b" in change.labels`: {[]string{"a", "b"}, false},
		`change.title in change.labels`:                                           {nil, true},
		`"b" in change.labels && change.labels.size() > 1`:                        {[]string{"b"}, true},
		`change.labels.exists(l, l == "b")`:                                       {nil, true},
	} {
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Empty(t, mistakes)
		names, other := e.Labels()
		require.Equal(t, want.names, names, text)
		require.Equal(t, want.other, other, text)
	}
}

// More regular expressions than are remembered are counted all the same.
func TestManyRegularExpressions(t *testing.T) {
	for i := range 1100 {
		_, mistakes := expression.Compile(`change.title.matches("`+strings.Repeat("a", 1+i%900)+strings.Repeat("b", i/900)+`")`, expression.OfRule)
		require.Empty(t, mistakes)
	}
}
