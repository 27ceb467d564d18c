package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
	"github.com/countersign-dev/countersign/policy/story"
)

// What landed before the policy held is judged as it stood in the moment before: what
// it lacked was still to come, and no verdict is asked for. How it landed counts.
func TestHindsight(t *testing.T) {
	for name, c := range map[string]struct {
		told  string
		floor int // approvals that the floor asks for; 0 for no floor
		want  map[string]change.Status
	}{
		"approved and merged, with no verdict, past a queue": {
			told: "review grace approved\nenforced merge_queue\nshown nothing\nland ada merge",
			want: map[string]change.Status{"peer-review": change.Pass, "no-bypass": change.NotApplicable},
		},
		"merged by the queue, against a verdict": {
			told: "review grace approved\nshown failure\nland ada merge_queue",
			want: map[string]change.Status{"peer-review": change.Pass, "no-bypass": change.NotApplicable},
		},
		"approved after the merge": {
			told: "enforced pull_request\nland ada squash\nreview grace approved",
			want: map[string]change.Status{"peer-review": change.Pending, "no-bypass": change.NotApplicable},
		},
		"approved, and pushed by hand": {
			told: "review grace approved\nland ada direct_push",
			want: map[string]change.Status{"peer-review": change.Pass, "no-bypass": change.Fail},
		},
		"enough for the policy and not for the floor": {
			told: "review grace approved\nenforced pull_request\nland ada merge", floor: 2,
			want: map[string]change.Status{"peer-review": change.Pending, "no-bypass": change.NotApplicable},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := story.Parse(name, []byte(name+".\n-- story --\nauthor ada\ncommit ada\n"+c.told+"\n-- want --\ndeny\n"))
			require.NoError(t, err)
			played, err := s.Play(minimal("    peer-review: {approvals: 1}"))
			require.NoError(t, err)
			set, err := policy.Read(played.Policy)
			require.NoError(t, err)
			if c.floor > 0 {
				set.Floor, err = policy.Parse("floor.yml", []byte(minimal("    peer-review: {approvals: 2}")))
				require.NoError(t, err)
			}
			got := map[string]change.Status{}
			for _, r := range set.Hindsight().Evaluate(played.Facts).Results {
				got[r.Control] = r.Status
			}
			require.Equal(t, c.want, got)
			require.NotEqual(t, change.NotApplicable, of(set.Evaluate(played.Facts), "no-bypass"), "the set itself is as it was")
		})
	}
	floor, err := policy.Parse("floor.yml", []byte(minimal("    peer-review: {approvals: 2}")))
	require.NoError(t, err)
	require.Nil(t, (&policy.Set{Floor: floor}).Hindsight().Repository)
}

// of returns what a control says in a decision.
func of(d change.Decision, control string) change.Status {
	for _, r := range d.Results {
		if r.Control == control {
			return r.Status
		}
	}
	return ""
}
