package expression_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

var update = flag.Bool("update", false, "write what came out into the golden files")

// known is a change of which everything is known that the answers below rest on, but
// its labels, its approvers and when it landed.
func known() expression.Change {
	ada, bot := expression.Person{ID: "p1", Kind: "human"}, expression.Person{ID: "p2", Kind: "bot"}
	return expression.Change{
		Kind: change.Known("pull_request"), Repository: change.Known("acme/shop"), Title: change.Known("Sort the basket"),
		Target: change.Known("main"), Branch: change.Known("sort-basket"), FromFork: change.Known(false), Draft: change.Known(false),
		Opened: change.Known(time.Date(2026, 3, 6, 23, 30, 0, 0, time.FixedZone("", 2*60*60))), Landed: change.Known(false), LandedBy: change.Known(""),
		Opener: change.Known(ada), Makers: change.Known([]expression.Person{ada, bot}),
		Commits:  change.Known([]expression.Commit{{SHA: "c1", Author: ada, Parents: 1}, {SHA: "c2", Author: bot, Parents: 2}}),
		Files:    change.Known([]expression.File{{Path: "docs/a.md", Previous: "b.md", Status: "renamed"}, {Path: "docs/c.md", Status: "added"}}),
		Requests: change.Known([]string{"SHOP-1"}), Class: change.Known("normal"),
		Checks: change.Known([]expression.Check{{App: "github-actions", Name: "test", Status: "completed", Conclusion: "success"}}),
	}
}

// TestAnswers shows what expressions come to, or what is wrong with them. The golden
// file has an expression a line, and behind => what is said of it.
func TestAnswers(t *testing.T) {
	const file = "testdata/answers.txt"
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var out strings.Builder
	for line := range strings.Lines(string(data)) {
		text, _, _ := strings.Cut(strings.TrimSpace(line), "  =>")
		if text == "" || strings.HasPrefix(text, "#") {
			fmt.Fprintln(&out, text)
			continue
		}
		fmt.Fprintf(&out, "%s  => %s\n", text, answer(text))
	}
	golden(t, file, out.String())
}

// answer returns what an expression comes to on the known change.
func answer(text string) string {
	e, mistakes := expression.Compile(text, expression.OfRule)
	if e == nil {
		return fmt.Sprintf("mistake at %d:%d: %s", mistakes[0].Line, mistakes[0].Column, mistakes[0].Text)
	}
	switch r := e.Evaluate(expression.On(known())); {
	case r.Known:
		return fmt.Sprint(r.Holds)
	case r.Wrong != "":
		return "unknown: " + r.Wrong
	default:
		return "unknown without " + strings.Join(r.Absent, ", ")
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// TestEnvironment pins every name and function: a recorded decision must be reached
// again by later versions, so lines may be added and none may change.
func TestEnvironment(t *testing.T) {
	golden(t, "testdata/environment.txt", strings.Join(expression.Environment(), "\n")+"\n")
}

// A class cannot rest on the class.
func TestScope(t *testing.T) {
	e, mistakes := expression.Compile(`change.class == "normal"`, expression.OfClass)
	require.Nil(t, e)
	require.Contains(t, mistakes[0].Text, "undeclared reference")
}

// What is more than one mistake is told at once, and no mistake is without a place.
func TestMistakes(t *testing.T) {
	_, mistakes := expression.Compile("change.titel == ''\n&& change.kinds", expression.OfRule)
	require.Len(t, mistakes, 2)
	require.Equal(t, []int{1, 7, 2, 10}, []int{mistakes[0].Line, mistakes[0].Column, mistakes[1].Line, mistakes[1].Column})
	for _, text := range []string{"", "(", strings.Repeat("(", 100), strings.Repeat("a", expression.MaxText+1), "[" + strings.Repeat("1,", 1500) + "1] == []", strings.Repeat("[", 60) + strings.Repeat("]", 60), "'", "\x00", "//"} {
		_, mistakes := expression.Compile(text, expression.OfRule)
		require.NotEmpty(t, mistakes, "%.20s", text)
		require.Positive(t, mistakes[0].Line)
		require.Positive(t, mistakes[0].Column)
	}
}

// TestConstant: what does not look at the change is told from what does.
func TestConstant(t *testing.T) {
	for text, want := range map[string]expression.Result{
		"1 > 2":                              {Known: true},
		"true || change.draft":               {Known: true, Holds: true},
		`change.kind == ""`:                  {Absent: []string{"change.kind"}},
		"change.files == [] && change.draft": {Absent: []string{"change.draft", "change.files"}},
	} {
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Empty(t, mistakes)
		require.Equal(t, want, e.Constant(), text)
	}
}

// TestWorkIsBounded: on a change that is larger than any reckoned with, the work ends
// at the limit, and that is no answer.
func TestWorkIsBounded(t *testing.T) {
	e, mistakes := expression.Compile(`change.files.all(f, f.path.matches("^(a|b|aa|ab|ba|bb|x)*y?$"))`, expression.OfRule)
	require.Empty(t, mistakes)
	c := known()
	c.Files = change.Known(slices.Repeat([]expression.File{{Path: strings.Repeat("ab", 2000)}}, 3000))
	r := e.Evaluate(expression.On(c))
	require.Equal(t, expression.Result{Wrong: "it takes too much work on this change"}, r)
}

// TestAbsentNeverDecides: forgetting any one thing that a change tells never turns an
// answer into another: it stays, or is unknown.
func TestAbsentNeverDecides(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/answers.txt")
	require.NoError(t, err)
	tried := 0
	for line := range strings.Lines(string(archive.Comment)) {
		text, said, _ := strings.Cut(strings.TrimSpace(line), "  => ")
		if said != "true" && said != "false" {
			continue
		}
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Empty(t, mistakes)
		for i, forget := range forgetters() {
			c := known()
			forget(&c)
			if r := e.Evaluate(expression.On(c)); r.Known {
				require.Equal(t, said, fmt.Sprint(r.Holds), "%s without thing %d", text, i)
			}
			tried++
		}
	}
	require.Greater(t, tried, 100)
}

// forgetters make one thing of a change absent each.
func forgetters() []func(*expression.Change) {
	return []func(*expression.Change){
		func(c *expression.Change) { c.Kind = change.Fact[string]{} },
		func(c *expression.Change) { c.Title = change.Fact[string]{} },
		func(c *expression.Change) { c.Draft = change.Fact[bool]{} },
		func(c *expression.Change) { c.Files = change.Fact[[]expression.File]{} },
		func(c *expression.Change) { c.Commits = change.Fact[[]expression.Commit]{} },
		func(c *expression.Change) { c.Checks = change.Fact[[]expression.Check]{} },
		func(c *expression.Change) { c.Makers = change.Fact[[]expression.Person]{} },
		func(c *expression.Change) { c.Opener = change.Fact[expression.Person]{} },
		func(c *expression.Change) { c.Opened = change.Fact[time.Time]{} },
		func(c *expression.Change) { c.Requests = change.Fact[[]string]{} },
	}
}

// FuzzCompile: no text breaks the compiler, and what compiles can be evaluated.
func FuzzCompile(f *testing.F) {
	data, err := os.ReadFile("testdata/answers.txt")
	require.NoError(f, err)
	for line := range strings.Lines(string(data)) {
		text, _, _ := strings.Cut(line, "  =>")
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, mistakes := expression.Compile(text, expression.OfRule)
		require.Equal(t, e == nil, len(mistakes) > 0)
		if e == nil {
			return
		}
		first, second := e.Evaluate(expression.On(known())), e.Evaluate(expression.On(known()))
		require.Equal(t, first, second)
		require.False(t, first.Known && (first.Wrong != "" || first.Absent != nil))
	})
}

// BenchmarkEvaluate evaluates over files, and makes the change ready.
func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{10, 3000} {
		c := known()
		c.Files = change.Known(slices.Repeat([]expression.File{{Path: "internal/a/directory/file_test.go"}}, n))
		e, _ := expression.Compile(`change.files.all(f, f.path.matches("^[a-z/]+_test[.]go$"))`, expression.OfRule)
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Evaluate(expression.On(c))
			}
		})
	}
}
