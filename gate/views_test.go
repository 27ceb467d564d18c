package gate_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/gate"
)

const checkRules = rules + "    required-checks: [{name: test, app: github-actions}, {name: lint, app: github-actions}]\n"

var (
	testPosted  = change.Topic{Check: "test"}
	testStarted = change.Topic{Check: "test", Open: true}
	otherPosted = change.Topic{Check: "docs"}
	anything    = change.Topic{}
)

// checked returns what the forge would say of a pull request with the given
// conclusions of the checks test and lint, either of which may be missing.
func checked(approved bool, conclusions ...string) change.Gathered {
	g := reviewed(pull(1), approved)
	g.Policy.Text = checkRules
	checks := []change.Check{}
	for i, c := range conclusions {
		checks = append(checks, change.Check{
			ID: int64(i + 1), Name: []string{"test", "lint"}[i], Source: change.CheckRun, App: "github-actions", AppID: 15368,
			Workflow: ".github/workflows/ci.yml", Commit: sha(10), Status: "completed", Conclusion: c, Completed: now,
		})
	}
	g.Facts.Checks = change.Known(checks)
	return g
}

// looked returns a gate that has looked at a pull request once.
func looked(t *testing.T, says ...change.Gathered) (*gate.Gate, *forge) {
	t.Helper()
	g, f, _ := setUp(t, says...)
	require.NoError(t, g.Assess(t.Context(), says[0].Facts.Ref))
	return g, f
}

func TestWhatThePolicyDoesNotRestOnNeedsNoLook(t *testing.T) {
	for name, c := range map[string]struct {
		says  change.Gathered
		topic change.Topic
		want  change.Urgency
	}{
		"a check that nobody requires":   {checked(true, "success", "success"), otherPosted, change.Idle},
		"a label":                        {checked(true, "success", "success"), change.Topic{Labels: true}, change.Idle},
		"a title":                        {checked(true, "success", "success"), change.Topic{Words: true}, change.Idle},
		"a comment":                      {checked(true, "success", "success"), change.Topic{Comment: true}, change.Idle},
		"a suite of another application": {checked(true, "success", "success"), change.Topic{Suite: "codecov"}, change.Idle},
		"anything":                       {checked(true, "success", "success"), anything, change.Now},
		"a required check of what is let through":            {checked(true, "success", "success"), testPosted, change.Now},
		"a required check that runs again, when let through": {checked(true, "success", "success"), testStarted, change.Now},
		"a suite of the required application":                {checked(true, "success", "success"), change.Topic{Suite: "github-actions"}, change.Now},
		"the last thing that is missing":                     {checked(true, "success"), change.Topic{Check: "lint"}, change.Now},
		"a required check of what nobody has approved":       {checked(false), testPosted, change.Soon},
		"a required check that begins where it is waited":    {checked(true), testStarted, change.Idle},
		"a required check that runs again after it failed":   {checked(true, "failure", "success"), testStarted, change.Now},
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := looked(t, c.says)
			require.Equal(t, c.want, g.Urgency(pull(1), c.topic))
		})
	}
}

// Of several checks that what nobody has approved waits for, the last one that passes
// has it looked at. One that fails is shown at once.
func TestTheLastOfSeveralChecksIsWorthALook(t *testing.T) {
	passed := func(name string) change.Topic { return change.Topic{Check: name, Passed: true} }
	g, _ := looked(t, checked(false))
	require.Equal(t, change.Late, g.Urgency(pull(1), passed("test")))
	require.Equal(t, change.Late, g.Urgency(pull(1), passed("test")), "told twice")
	require.Equal(t, change.Soon, g.Urgency(pull(1), change.Topic{Check: "lint"}), "it failed")
	require.Equal(t, change.Soon, g.Urgency(pull(1), passed("lint")))
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Late, g.Urgency(pull(1), passed("lint")), "after a look it is known what is awaited: both")

	g, _ = looked(t, checked(false, "success"))
	require.Equal(t, change.Soon, g.Urgency(pull(1), passed("lint")), "the other one is known to have ended")
	g, _ = looked(t, checked(true))
	require.Equal(t, change.Now, g.Urgency(pull(1), passed("test")), "nothing else holds it")
	require.NotEqual(t, change.Late, g.Urgency(pull(2), passed("test")), "never looked at")
}

func TestTitlesMatterWhereRequestsAreLinked(t *testing.T) {
	says := checked(true, "success", "success")
	says.Policy.Text += "    linked-request: {pattern: \"SHOP-[0-9]+\"}\n"
	says.Facts.Requests = change.Known([]change.Request(nil))
	g, _ := looked(t, says)
	require.Equal(t, change.Now, g.Urgency(pull(1), change.Topic{Words: true}))
	require.Equal(t, change.Idle, g.Urgency(pull(1), otherPosted))
}

// Whatever takes the ground from under what was seen makes the next delivery worth a
// look, whatever it tells of.
func TestWhatWasSeenIsReliedOnOnlyWhileItHolds(t *testing.T) {
	good := checked(false, "success", "success") // what stands let through is looked at again at once
	for name, then := range map[string]func(t *testing.T, g *gate.Gate, f *forge){
		"another change shows another policy": func(t *testing.T, g *gate.Gate, f *forge) {
			other := reviewed(pull(2), true)
			other.Policy.Text = strings.ReplaceAll(checkRules, "lint", "docs")
			other.Facts.Head = change.Known(change.Head{Branch: "other", Commit: sha(20), Tree: sha(21), Repository: 7})
			f.says[pull(2).Key()] = other
			require.NoError(t, g.Assess(t.Context(), pull(2)))
		},
		"a push changes the policy": func(t *testing.T, g *gate.Gate, f *forge) {
			push := pushedUnder(good.Policy)
			push.Facts.Files = change.Known([]change.File{{Path: ".countersign.yml", Status: "modified"}})
			f.says[push.Facts.Ref.Key()] = push
			g.Later = func(context.Context, change.Hint) error { return nil } // when is another matter
			require.NoError(t, g.Assess(t.Context(), push.Facts.Ref))
		},
		"a push changes nobody knows what": func(t *testing.T, g *gate.Gate, f *forge) {
			push := pushedUnder(good.Policy)
			push.Facts.Files = change.Fact[[]change.File]{}
			f.says[push.Facts.Ref.Key()] = push
			g.Later = func(context.Context, change.Hint) error { return nil } // when is another matter
			require.NoError(t, g.Assess(t.Context(), push.Facts.Ref))
		},
		"somebody's role, or the floor, changes": func(t *testing.T, g *gate.Gate, _ *forge) {
			_, err := g.Affected(t.Context(), "acme")
			require.NoError(t, err)
		},
		"a look fails": func(t *testing.T, g *gate.Gate, f *forge) {
			f.gather = func(change.Ref) error { return errors.New("502") }
			require.Error(t, g.Assess(t.Context(), pull(1)))
		},
		"showing fails": func(t *testing.T, g *gate.Gate, f *forge) {
			f.report = func(change.Report) error { return errors.New("502") }
			require.Error(t, g.Assess(t.Context(), pull(1)))
		},
		"it is given up": func(t *testing.T, g *gate.Gate, _ *forge) {
			require.NoError(t, g.GiveUp(t.Context(), pull(1), errors.New("502")))
		},
		"another pull request has the same head": func(t *testing.T, g *gate.Gate, f *forge) {
			f.says[pull(1).Key()], f.says[pull(2).Key()] = sharing(pull(1), true, pull(2), "main"), sharing(pull(2), true, pull(1), "main")
			require.NoError(t, g.Assess(t.Context(), pull(2)))
		},
		"a fact cannot be had": func(t *testing.T, g *gate.Gate, f *forge) {
			says := checked(true, "success", "success")
			says.Facts.Files = change.Fact[[]change.File]{}
			says.Facts.Checks = change.Fact[[]change.Check]{}
			f.says[pull(1).Key()] = says
			require.NoError(t, g.Assess(t.Context(), pull(1)))
		},
		"the policy cannot be read": func(t *testing.T, g *gate.Gate, f *forge) {
			says := checked(true, "success", "success")
			says.Policy.Text = "version: 9"
			f.says[pull(1).Key()] = says
			require.NoError(t, g.Assess(t.Context(), pull(1)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, f := looked(t, good)
			require.Equal(t, change.Idle, g.Urgency(pull(1), otherPosted))
			then(t, g, f)
			require.Equal(t, change.Now, g.Urgency(pull(1), otherPosted))
		})
	}
}

// A look that began before the policy changed, and ends after, tells nothing of what
// the policy rests on now.
func TestALookThatWasOvertakenIsNotReliedOn(t *testing.T) {
	g, f, _ := setUp(t, checked(true, "success", "success"))
	f.report = func(change.Report) error { _, err := g.Affected(t.Context(), "acme"); return err }
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Now, g.Urgency(pull(1), otherPosted))
}

func TestNothingIsReliedOnForEver(t *testing.T) {
	clock := now
	f, l := &forge{says: map[string]change.Gathered{pull(1).Key(): checked(true, "success", "success")}}, &ledger{}
	g := gate.New(gate.Config{Forge: f, Ledger: l, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock }})
	require.Equal(t, change.Now, g.Urgency(pull(1), otherPosted), "nothing is known after a start")
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Idle, g.Urgency(pull(1), otherPosted))
	clock = clock.Add(time.Hour)
	require.Equal(t, change.Now, g.Urgency(pull(1), otherPosted))
}

// pushedUnder returns what the forge would say of a direct push to main under a policy.
func pushedUnder(p change.PolicyFile) change.Gathered {
	g := pushed()
	g.Policy = p
	return g
}

func TestAMergeIsLookedAtOnce(t *testing.T) {
	for name, pushFirst := range map[string]bool{"the merge is told of first": false, "the push is told of first": true} {
		t.Run(name, func(t *testing.T) {
			merged := checked(true, "success", "success")
			merged.Facts.State = change.Known(change.LandedState)
			merged.Facts.Landing = change.Known(change.Landing{Landed: true, By: "p1", How: change.Squash, Branch: "main",
				Before: sha(1), Commit: sha(30), Tree: sha(31), At: now})
			push := pushedUnder(merged.Policy)
			landing, _ := push.Facts.Landing.Get()
			landing.How, landing.Before, landing.Commit, landing.Explained = change.Squash, sha(1), sha(30), []int{1}
			push.Facts.Landing = change.Known(landing)
			ref := push.Facts.Ref
			ref.Before, ref.Commit = sha(1), sha(30)
			push.Facts.Ref = ref

			g, f := looked(t, checked(true, "success", "success"))
			f.says[pull(1).Key()], f.says[ref.Key()] = merged, push
			f.gathered = nil
			if pushFirst {
				require.NoError(t, g.Assess(t.Context(), ref))
				require.Equal(t, []string{ref.Key(), pull(1).Key()}, f.gathered)
			} else {
				require.NoError(t, g.Assess(t.Context(), pull(1)))
				require.NoError(t, g.Assess(t.Context(), ref))
				require.Equal(t, []string{pull(1).Key()}, f.gathered)
			}
			require.Equal(t, change.Idle, g.Urgency(pull(1), anything), "it has landed")
			require.NoError(t, g.Assess(t.Context(), pull(1)))

			// The branch is set back and the same commit is pushed once more: that is
			// no merge of the pull request.
			f.gathered = nil
			require.NoError(t, g.Assess(t.Context(), ref))
			require.Contains(t, f.gathered, ref.Key())
		})
	}
}

func TestAMergeWhoseNeighboursFailIsLookedAtAgain(t *testing.T) {
	merged := sharing(pull(1), true, pull(2), "main")
	merged.Facts.State = change.Known(change.LandedState)
	merged.Facts.Landing = change.Known(change.Landing{Landed: true, By: "p1", How: change.Squash, Branch: "main",
		Before: sha(1), Commit: sha(30), Tree: sha(31), At: now})
	g, f, _ := setUp(t, merged, sharing(pull(2), false, pull(1), "main"))
	f.gather = func(ref change.Ref) error {
		if ref.Number == 2 {
			return errors.New("502")
		}
		return nil
	}
	require.Error(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Now, g.Urgency(pull(1), anything))
	f.gather = nil
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, change.Idle, g.Urgency(pull(1), anything))
}

func TestAPushToNobodysBranchIsNotGathered(t *testing.T) {
	push := pushedUnder(change.PolicyFile{Found: true, Path: ".countersign.yml", Commit: sha(1), Text: rules})
	push.Facts.Ref.Branch = "playground"
	g, f, l := setUp(t, push)
	require.NoError(t, g.Assess(t.Context(), push.Facts.Ref))
	require.Empty(t, f.gathered)
	require.Empty(t, l.entries)

	// Whatever the floor governs, it governs everywhere.
	push.Policy.Floor = &change.PolicyFile{Found: true, Path: ".countersign.yml", Commit: sha(1), Text: strings.ReplaceAll(rules, "main", "playground")}
	f.says[push.Facts.Ref.Key()] = push
	require.NoError(t, g.Assess(t.Context(), push.Facts.Ref))
	require.Len(t, f.gathered, 1)
}

// A push can bring the policy that governs its own branch from then on: where changes
// wait for that branch it is gathered.
func TestAPushToAWantedBranchIsGathered(t *testing.T) {
	wanted := checked(false)
	wanted.Facts.Base = change.Known(change.Base{Branch: "playground", Target: "playground", Commit: sha(1)})
	push := pushedUnder(wanted.Policy)
	push.Facts.Ref.Branch = "playground"
	g, f := looked(t, wanted)
	f.says[push.Facts.Ref.Key()] = push
	require.Equal(t, change.Idle, g.Urgency(pull(1), testPosted), "nobody's branch")
	require.NoError(t, g.Assess(t.Context(), push.Facts.Ref))
	require.Contains(t, f.gathered, push.Facts.Ref.Key())
}

// While a look goes on nobody relies on what the one before has seen: what is told of
// now may have come after this look has asked.
func TestNothingIsSparedWhileALookGoesOn(t *testing.T) {
	g, f := looked(t, checked(true))
	require.Equal(t, change.Idle, g.Urgency(pull(1), testStarted), "it waits for that check")
	var during []change.Urgency
	f.report = func(change.Report) error {
		during = append(during, g.Urgency(pull(1), testStarted), g.Urgency(pull(1), otherPosted))
		return nil
	}
	f.says[pull(1).Key()] = checked(true, "success", "success")
	require.NoError(t, g.Assess(t.Context(), pull(1)))
	require.Equal(t, []change.Urgency{change.Now, change.Now}, during)
	require.Equal(t, change.Now, g.Urgency(pull(1), testStarted), "it does not wait any more")
}
