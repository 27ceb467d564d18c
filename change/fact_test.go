package change_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// Absent and empty mean different things to a control, in Go and in JSON.
func TestAbsentIsNotEmpty(t *testing.T) {
	absent, none := change.Facts{}, change.Facts{Reviews: change.Known[[]change.Review](nil)}

	_, known := absent.Reviews.Get()
	require.False(t, known)
	reviews, known := none.Reviews.Get()
	require.True(t, known)
	require.Empty(t, reviews)

	a, err := json.Marshal(absent)
	require.NoError(t, err)
	n, err := json.Marshal(none)
	require.NoError(t, err)
	require.NotContains(t, string(a), `"reviews"`)
	require.Contains(t, string(n), `"reviews":[]`)

	for _, f := range []change.Facts{absent, none} {
		data, err := json.Marshal(f)
		require.NoError(t, err)
		back, err := change.ParseFacts(strings.NewReader(string(data)))
		require.NoError(t, err)
		require.Equal(t, f.Reviews.IsKnown(), back.Reviews.IsKnown())
		again, err := json.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, string(data), string(again))
	}
}

// A null is how some JSON writers say "I do not know": it never becomes "none".
func TestNullIsAbsent(t *testing.T) {
	f, err := change.ParseFacts(strings.NewReader(`{"ref":{"repository":{"forge":"github","host":"h","id":1,"name":"a/b"},"kind":"pull_request"},"gatheredAt":"2026-01-02T03:04:05Z","people":{},"reviews":null}`))
	require.NoError(t, err)
	require.False(t, f.Reviews.IsKnown())
}

// A field that this version does not know may say something a judgement needs.
func TestUnknownFieldsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"at the top":        `{"revews":[]}`,
		"within a fact":     `{"reviews":[{"id":1,"verdict":"approved"}]}`,
		"after the facts":   `{} {}`,
		"not an object":     `[]`,
		"cut in the middle": `{"reviews":[`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := change.ParseFacts(strings.NewReader(text))
			require.ErrorContains(t, err, "reading facts:")
		})
	}
}

// Forges list things in an order of their own; the facts do not keep it.
func TestCanonicalForgetsOrderAndZone(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 890, time.FixedZone("", 3600))
	one, two := change.Review{ID: 1, By: "p1", At: at}, change.Review{ID: 2, By: "p2", At: at.UTC()}
	a := change.Facts{Reviews: change.Known([]change.Review{one, two}), Labels: change.Known([]string{"b", "a"})}
	b := change.Facts{Reviews: change.Known([]change.Review{two, one}), Labels: change.Known([]string{"a", "b"})}
	require.Equal(t, a.Canonical(), b.Canonical())
	require.Equal(t, []string{"b", "a"}, a.Labels.Or(nil), "the argument is left as it was")
}

func FuzzParseFacts(f *testing.F) {
	f.Add(`{"people":{"p1":{"kind":"human"}},"reviews":[{"id":1,"by":"p1","state":"approved","at":"2026-01-02T03:04:05Z"}]}`)
	f.Add(`{"reviews":null,"landing":{"landed":true},"absent":{"files":"why"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		facts, err := change.ParseFacts(strings.NewReader(text))
		if err != nil {
			return
		}
		first, err := json.Marshal(facts.Canonical())
		require.NoError(t, err)
		back, err := change.ParseFacts(strings.NewReader(string(first)))
		require.NoError(t, err)
		second, err := json.Marshal(back.Canonical())
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}
