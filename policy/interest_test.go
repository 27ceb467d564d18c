package policy

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

const interested = `version: 1
owner: platform-team
roles: {engineer: [team:acme/engineers]}
changes:
  - branches: [main]
    peer-review: {approvals: 1, from: [engineer]}
    segregation-of-duties: {}
    required-checks: [{name: test, app: github-actions, class: test}, {name: scan, app: "57789"}]
    protected-paths: [{paths: [Makefile], from: [engineer]}]
  - branches: [release/*]
    linked-request: {pattern: "SHOP-[0-9]+"}
`

func TestInterest(t *testing.T) {
	p, err := Parse("policy", []byte(interested))
	require.NoError(t, err)
	floor, err := Parse("floor", []byte(strings.NewReplacer("{name: test, app: github-actions, class: test}", "{class: test}", "scan", "sbom").Replace(interested)))
	require.NoError(t, err)
	both := &Set{Repository: p, Floor: floor}
	for name, c := range map[string]struct {
		branch string
		topic  change.Topic
		in     bool
	}{
		"anything":                      {"main", change.Topic{}, true},
		"a required check":              {"main", change.Topic{Check: "test"}, true},
		"the floor's":                   {"main", change.Topic{Check: "sbom"}, true},
		"one that is not required":      {"main", change.Topic{Check: "docs"}, false},
		"required on another branch":    {"release/1", change.Topic{Check: "test"}, false},
		"a suite of its application":    {"main", change.Topic{Suite: "github-actions"}, true},
		"one that has a number":         {"main", change.Topic{Suite: "sonarqubecloud"}, true},
		"a suite that nobody waits for": {"release/1", change.Topic{Suite: "github-actions"}, false},
		"words where requests are told": {"release/1", change.Topic{Words: true}, true},
		"words where they are not":      {"main", change.Topic{Words: true}, false},
		"labels":                        {"main", change.Topic{Labels: true}, false},
		"a comment":                     {"main", change.Topic{Comment: true}, false},
		"on nobody's branch":            {"playground", change.Topic{Check: "test"}, false},
	} {
		require.Equal(t, c.in, both.Interest(c.branch).In(c.topic), name)
	}
	p.Emergency = &Emergency{}
	require.True(t, both.Interest("main").In(change.Topic{Comment: true}), "somebody may break the glass")
	require.False(t, both.Interest("main").In(change.Topic{Check: "docs"}))
}

// A control that Interest does not know rests on everything: every field of a rule and
// of a policy is either named in interest.go or makes it so.
func TestInterestIsInEverythingThatIsUnknown(t *testing.T) {
	known := map[string]bool{"Branches": true, "PeerReview": true, "SegregationOfDuties": true, "RequiredChecks": true, "LinkedRequest": true, "ProtectedPaths": true,
		"CodeOwners": true, "SignedCommits": true, "CarryOver": true}
	rule := reflect.TypeFor[ChangeRule]()
	for i := range rule.NumField() {
		r := ChangeRule{}
		field := reflect.ValueOf(&r).Elem().Field(i)
		if !field.CanSet() {
			continue
		}
		field.Set(filled(field.Type()))
		require.Equal(t, known[rule.Field(i).Name], r.interest().Limited, rule.Field(i).Name)
	}
	known = map[string]bool{"Version": true, "Owner": true, "Roles": true, "Changes": true, "Deployments": true, "Emergency": true, "People": true, "Automations": true}
	policy := reflect.TypeFor[Policy]()
	for i := range policy.NumField() {
		p := Policy{}
		field := reflect.ValueOf(&p).Elem().Field(i)
		if !field.CanSet() {
			continue
		}
		field.Set(filled(field.Type()))
		require.Equal(t, known[policy.Field(i).Name], p.isKnownWhole(), policy.Field(i).Name)
	}
}

// filled returns a value of a type that is not its zero value.
func filled(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(1)
	case reflect.String:
		v.SetString("x")
	default:
		panic("no value for a " + t.String())
	}
	return v
}
