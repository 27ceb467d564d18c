package policy_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// composed is a policy with classes, conditions and assertions of every sort, over
// which nothing is asked twice: the classes choose.
const composed = `version: 1
owner: platform-team
classes:
  - {name: standard, labels: [a], paths: ["*.go", "deploy/*"]}
  - {name: configuration, paths: ["deploy/*", CODEOWNERS]}
  - {name: routine, authors: ["github:101", "github:102"]}
  - {name: small, when: "size(change.files) < 2 && !('b' in change.labels)"}
changes:
  - branches: [main]
    when: change.class != "routine" || change.approvers.exists(p, p.kind == "human")
    segregation-of-duties: {}
    required-checks:
      - {name: test, app: github-actions}
  - branches: ["**"]
    classes: [normal, configuration]
    peer-review: {approvals: 1}
  - branches: ["**"]
    classes: [standard, small, routine]
    assertions:
      - {name: checked, that: "change.checks.all(c, c.conclusion == 'success')"}
      - {name: few hands, that: "size(change.makers) < 4 && change.commits.all(c, c.parents < 2)"}
      - {name: labelled, that: "change.labels.size() < 2"}
`

// eachComposed calls try with random facts under the composed policy.
func eachComposed(t *testing.T, try func(t *testing.T, d dice, p *policy.Policy, f change.Facts)) {
	t.Helper()
	p, err := policy.Parse("policy.yml", []byte(composed))
	require.NoError(t, err)
	for seed := range uint64(cases() / 2) {
		d := newDice(seed)
		try(t, d, p, d.tagged(p.Resolve(d.facts(), "")))
	}
}

// tagged returns the facts with labels set and taken away by all sorts of people.
func (d dice) tagged(f change.Facts) change.Facts {
	timeline, known := f.Timeline.Get()
	if !known {
		return f
	}
	labels := []string{}
	for _, name := range []string{"a", "b", "A"} {
		set := false
		for range d.IntN(3) {
			set = !set
			timeline = append(timeline, tagging(name, set, pick(d, d.maker(), d.reviewer(), d.reviewer()), start().Add(time.Duration(8+d.IntN(8))*time.Minute)))
		}
		if set != d.in(12) {
			labels = append(labels, name)
		}
	}
	f.Timeline, f.Labels = change.Known(timeline), perhaps(d, labels)
	f.State, f.Opened = perhaps(d, pick(d, change.Open, change.Draft, change.LandedState, change.ClosedState)), start()
	return f
}

// tagging is somebody's setting of a label, or taking it away.
func tagging(name string, set bool, by change.Person, at time.Time) change.Event {
	kind := change.Unlabeled
	if set {
		kind = change.Labeled
	}
	return change.Event{Kind: kind, By: by, At: at, Detail: name}
}

// The facts that the composed policy is tried on are of every class, and of classes
// that are not settled or not known, and each control comes to everything.
func TestComposedFactsReachEveryClass(t *testing.T) {
	classes, seen := map[string]int{}, map[string]map[change.Status]int{}
	eachComposed(t, func(_ *testing.T, _ dice, p *policy.Policy, f change.Facts) {
		d := p.Evaluate(f)
		name := d.Class
		if d.ClassReason != "" && name == "" {
			name = string(d.ClassReason[:len("not known")])
		}
		classes[name]++
		for control, s := range statuses(d) {
			if seen[control] == nil {
				seen[control] = map[change.Status]int{}
			}
			seen[control][s]++
		}
	})
	for _, name := range []string{"standard", "configuration", "routine", "small", "normal", "not known", "not settl"} {
		require.Greater(t, classes[name], cases()/400, "%s: %v", name, classes)
	}
	for _, control := range []string{"", policy.PeerReviewID, policy.AssertionsID} {
		for _, s := range []change.Status{change.Pass, change.Fail, change.Pending, change.Undetermined} {
			require.Positive(t, seen[control][s], "%s %s", control, s)
		}
	}
}

// What is absent lets nothing through, the order of the facts changes no byte, and
// recorded facts decide the same again, whatever classes and expressions there are.
func TestComposedPolicyKeepsThePromises(t *testing.T) {
	blocked := 0
	eachComposed(t, func(t *testing.T, d dice, p *policy.Policy, f change.Facts) {
		decided := p.Evaluate(f)
		want := wireOf(decided)
		if got := wireOf(p.Evaluate(d.shuffled(f))); !bytes.Equal(want, got) {
			require.Equal(t, string(want), string(got), "shuffled:\n%s", wireOf(f))
		}
		again, err := change.ParseFacts(bytes.NewReader(wireOf(f)))
		require.NoError(t, err)
		for person, id := range again.People {
			again.People[person] = id.Withhold("withheld")
		}
		if got := wireOf(p.Evaluate(again.Canonical())); !bytes.Equal(want, got) {
			require.Equal(t, string(want), string(got), "replayed")
		}
		if !decided.Status.Blocks() {
			return
		}
		blocked++
		for _, name := range factNames() {
			less := f
			forget(&less, name)
			if d := p.Evaluate(less); !d.Status.Blocks() {
				require.Failf(t, "allowed", "without %s: %s\n%s", name, wireOf(d), wireOf(f))
			}
		}
	})
	require.Greater(t, blocked, cases()/8)
}

// Whatever a maker, or an automation, does with labels, nothing passes that was held.
func TestMakersLabelsNeverAllow(t *testing.T) {
	tried := 0
	eachComposed(t, func(t *testing.T, d dice, p *policy.Policy, f change.Facts) {
		timeline, knowsTimeline := f.Timeline.Get()
		labels, knowsLabels := f.Labels.Get()
		if !knowsTimeline || !knowsLabels || f.Ref.Kind != change.PullRequest || !p.Evaluate(f).Status.Blocks() {
			return
		}
		for _, maker := range makersIn(f) {
			for _, name := range []string{"a", "b"} {
				there := slices.Contains(labels, name)
				more := f
				more.Timeline = change.Known(append(slices.Clone(timeline), tagging(name, !there, maker, start().Add(9*time.Minute+30*time.Second))))
				if !there {
					more.Labels = change.Known(append(slices.Clone(labels), name))
				} else {
					more.Labels = change.Known(slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return l == name }))
				}
				tried++
				after := p.Evaluate(more)
				require.True(t, after.Status.Blocks(), "%s by %s: %s\n%s", name, maker, wireOf(after), wireOf(more))
			}
		}
	})
	require.Greater(t, tried, cases()/8)
}
