package policy

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// What no policy has is nothing, and no panic.
func TestWhatNoPolicyHas(t *testing.T) {
	for _, id := range ControlIDs() {
		require.NotEmpty(t, criteria(id), id)
	}
	require.Nil(t, criteria("no-such-control"))
	require.False(t, setting(&ChangeRule{}, "no-such-control").IsValid())
	require.Empty(t, entries(placedRule{rule: &ChangeRule{}}, "no-such-control"))
	require.Empty(t, labelOf("a word"))
}

// Interest knows what each setting of a required check rests on: no setting more than
// on the runs of its name. A new one has to be thought of there.
func TestInterestKnowsRequiredChecks(t *testing.T) {
	var fields []string
	for i := range reflect.TypeFor[RequiredCheck]().NumField() {
		fields = append(fields, reflect.TypeFor[RequiredCheck]().Field(i).Name)
	}
	require.ElementsMatch(t, []string{"Name", "App", "Workflow", "Attempts", "Accept", "Class", "among", "guards"}, fields)
}

// A policy whose classes look at anything of a change rests on everything.
func TestInterestOfAPolicyWithClasses(t *testing.T) {
	const rule = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n"
	for text, limited := range map[string]bool{rule: true, rule + "classes: [{name: docs, labels: [docs]}]\n": false} {
		p, err := Parse("p.yml", []byte(text))
		require.NoError(t, err)
		require.Equal(t, limited, (&Set{Repository: p}).Interest("main").Limited)
	}
}
