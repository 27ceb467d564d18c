package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A ruled result is what a control says by one rule.
type ruled struct {
	rule   int
	result change.Result
}

// ruleName names a rule by its position in the policy.
func ruleName(i int) string { return fmt.Sprintf("changes[%d]", i) }

// ruleNames names several rules.
func ruleNames(rules []int) string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = ruleName(r)
	}
	return strings.Join(names, ", ")
}

// together returns one result for a control that several rules ask for. Each
// reason names its rule, unless all give the same.
func together(said []ruled) change.Result {
	results := make([]change.Result, len(said))
	same := true
	for i, r := range said {
		results[i] = r.result
		same = same && r.result.Reason == said[0].result.Reason
	}
	for i, r := range said {
		if !same {
			results[i].Reason = change.Text(ruleName(r.rule)+": ") + r.result.Reason
		}
	}
	return combine(results)
}

// combine returns one result for several demands of a control, all of which must
// hold, so that the worst counts.
func combine(results []change.Result) change.Result {
	if len(results) == 1 {
		return results[0]
	}
	out := change.Result{Status: change.NotApplicable}
	var reasons, supplies []string
	for _, r := range results {
		out.Status = out.Status.Worse(r.Status)
		out.Facts = append(out.Facts, r.Facts...)
		out.Uncounted = append(out.Uncounted, r.Uncounted...)
		out.Carried = append(out.Carried, r.Carried...)
		reasons = appendNew(reasons, string(r.Reason))
		supplies = appendNew(supplies, string(r.Supply))
	}
	out.Reason = change.Text(strings.Join(reasons, ". "))
	out.Supply = change.Text(strings.Join(supplies, "; "))
	out.Facts = sorted(out.Facts)
	slices.SortFunc(out.Uncounted, func(a, b change.Uncounted) int {
		return cmp.Or(cmp.Compare(a.Review, b.Review), cmp.Compare(a.By, b.By), cmp.Compare(a.Why, b.Why))
	})
	out.Uncounted = slices.Compact(out.Uncounted)
	out.Carried = inReviewOrder(out.Carried)
	return out
}

// appendNew appends words that are neither empty nor there already.
func appendNew(words []string, word string) []string {
	if word == "" || slices.Contains(words, word) {
		return words
	}
	return append(words, word)
}
