package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/countersign-dev/countersign/policy"
)

// The schema is published beside the documentation.
func TestSchemaIsPublished(t *testing.T) {
	const file = "../docs/policy.schema.json"
	if *update {
		require.NoError(t, os.WriteFile(file, policy.Schema(), 0o644))
	}
	published, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(published), string(policy.Schema()), "run go test ./policy -run SchemaIsPublished -update")
}

// compiled returns the schema ready for use, which it is only when it is a valid
// schema itself.
func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(policy.Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(policy.SchemaID, doc))
	s, err := c.Compile(policy.SchemaID)
	require.NoError(t, err)
	return s
}

// bySchema says what an editor would say of a policy.
func bySchema(s *jsonschema.Schema, text []byte) error {
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return nil // an editor says so, but not by the schema
	}
	data, err := json.Marshal(asJSON(v))
	if err != nil {
		return nil // a number that JSON does not have, such as .nan
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(instance)
}

// asJSON returns a YAML value as editors see it: a date is a text, and so is
// every key.
func asJSON(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.DateOnly)
	case []any:
		for i := range v {
			v[i] = asJSON(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = asJSON(v[k])
		}
	case map[any]any:
		m := map[string]any{}
		for k, inner := range v {
			m[fmt.Sprint(k)] = asJSON(inner)
		}
		return m
	}
	return v
}

// beyondSchema lists the mistakes that no schema can see: they are in how the YAML
// is written, or in how two places of the file go together.
func beyondSchema() []string {
	return []string{
		"a key twice", "not YAML at all", "YAML with a bad escape", "two documents", "a broken second document",
		"an anchor", "an alias", "a merge key", "a tag", "an owner that is a date", "approvals written otherwise",
		"a role that is not declared", "a role that is nothing like a declared one", "an account in two entries",
		"a bad pattern", "a bad path pattern", "a pattern with too many alternatives", "a bad regular expression", "a regular expression that matches an empty key",
		"a regular expression with a hole in it", "a regular expression that never closes",
		"a state that GitHub does not have", "a long role with a slip", "expressions in every style of YAML", "an expression below a line that only YAML sees",
		"an emergency of no time", "an emergency without end",
		"a class twice", "a class of everything", "a class with a slip in its when", "a role and a class of the same entry that are not declared",
		"a when of a class that looks at the class", "a when that comes to a number", "a when that could take too much work", "a when that ends too early",
		"a when with a name that is not known", "a when with a name that is not known, in a folded block", "a when with a name that is not known, in a literal block",
		"a when with a name that is not known, in double quotes over several lines", "a when with a name that is not known, in double quotes",
		"a when with a name that is not known, in single quotes", "a when with a name that is not known, over several lines",
		"more expressions than a policy can have", "two assertions of one name",
		"an automation in two entries", "an automation that is somebody's account", "an automation that an automation answers for", "an automation that answers for itself",
	}
}

// The schema sees every mistake that a schema can see.
func TestSchemaSeesMistakes(t *testing.T) {
	s := compiled(t)
	archive, err := txtar.ParseFile("../testdata/policy/mistakes.txt")
	require.NoError(t, err)
	var unseen []string
	for i := 0; i < len(archive.Files); i += 2 {
		if bad := archive.Files[i]; bySchema(s, bad.Data) == nil {
			unseen = append(unseen, bad.Name)
		}
	}
	require.ElementsMatch(t, beyondSchema(), unseen)
}

// The schema finds no fault with a policy that Parse accepts.
func TestSchemaAcceptsWhatParseAccepts(t *testing.T) {
	s := compiled(t)
	valid := 0
	for _, text := range storyPolicies(t) {
		if _, err := policy.Parse("p.yml", text); err == nil {
			require.NoError(t, bySchema(s, text), "%s", text)
			valid++
		}
	}
	require.Greater(t, valid, 20)
}

// storyPolicies returns every policy of the test data.
func storyPolicies(t testing.TB) [][]byte {
	t.Helper()
	var texts [][]byte
	files, err := filepath.Glob("../testdata/policy/*")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.HasSuffix(file, ".yml") {
			texts = append(texts, data)
			continue
		}
		for _, section := range txtar.Parse(data).Files {
			texts = append(texts, section.Data)
		}
	}
	return texts
}

// The schema and the decoder know the same keys, ask for the same ones, and every
// key is described. The decoder is asked by mistakes: it answers an unknown key with
// the keys there are, and an empty mapping with those it needs.
func TestSchemaHasTheKeysOfTheDecoder(t *testing.T) {
	var root map[string]any
	require.NoError(t, json.Unmarshal(policy.Schema(), &root))
	for path, at := range map[string]string{
		"":                                  "%s",
		"changes":                           "changes: [%s]",
		"changes/peer-review":               "changes: [{peer-review: %s}]",
		"changes/segregation-of-duties":     "changes: [{segregation-of-duties: %s}]",
		"changes/required-checks":           "changes: [{required-checks: [%s]}]",
		"changes/linked-request":            "changes: [{linked-request: %s}]",
		"changes/protected-paths":           "changes: [{protected-paths: [%s]}]",
		"changes/code-owners":               "changes: [{code-owners: %s}]",
		"changes/signed-commits":            "changes: [{signed-commits: %s}]",
		"changes/no-bypass":                 "changes: [{no-bypass: %s}]",
		"deployments":                       "deployments: [%s]",
		"deployments/approved-changes-only": "deployments: [{approved-changes-only: %s}]",
		"deployments/deployment-approval":   "deployments: [{deployment-approval: %s}]",
		"deployments/deployer-separation":   "deployments: [{deployer-separation: %s}]",
		"emergency":                         "emergency: %s",
		"people":                            "people: [%s]",
		"automations":                       "automations: [%s]",
	} {
		t.Run(path, func(t *testing.T) {
			object := objectAt(t, root, path)
			properties, _ := object["properties"].(map[string]any)
			var known []string
			for key, property := range properties {
				known = append(known, key)
				require.NotEmpty(t, property.(map[string]any)["description"], key)
			}
			slices.Sort(known)
			require.Equal(t, known, decoderKeys(t, fmt.Sprintf(at, "{zzzzzzzzzzzz: 1}")))
			required := []string{}
			needs := object
			if forms := list(object["anyOf"]); path == "changes/required-checks" {
				needs = forms[0].(map[string]any) // the other form is of a class alone
			}
			for _, key := range list(needs["required"]) {
				required = append(required, key.(string))
			}
			slices.Sort(required)
			require.Equal(t, required, decoderNeeds(fmt.Sprintf(at, "{}"), path))
		})
	}
}

func list(v any) []any { l, _ := v.([]any); return l }

// objectAt returns the schema of the mapping at a path, through lists.
func objectAt(t *testing.T, s map[string]any, path string) map[string]any {
	t.Helper()
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
		inner, ok := s["properties"].(map[string]any)[step].(map[string]any)
		require.True(t, ok, "the schema has %s", step)
		if items, ok := inner["items"].(map[string]any); ok {
			inner = items
		}
		s = inner
	}
	return s
}

// decoderKeys returns the keys that Parse names when it meets an unknown one.
func decoderKeys(t *testing.T, text string) []string {
	t.Helper()
	_, err := policy.Parse("p.yml", []byte(text))
	require.Error(t, err)
	for _, line := range strings.Split(err.Error(), "\n") {
		if !strings.Contains(line, "zzzzzzzzzzzz") {
			continue
		}
		_, names, ok := strings.Cut(line, "; its keys are ")
		if !ok {
			require.Contains(t, line, "has no settings")
			return nil
		}
		known := strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
		known = slices.DeleteFunc(known, func(w string) bool { return w == "and" })
		slices.Sort(known)
		return known
	}
	t.Fatalf("Parse says nothing of an unknown key in %s: %v", text, err)
	return nil
}

// decoderNeeds returns the keys that Parse misses in the innermost mapping.
func decoderNeeds(text, path string) []string {
	_, err := policy.Parse("p.yml", []byte(text))
	needs := []string{}
	column := fmt.Sprintf("p.yml:1:%d:", strings.Index(text, "{}")+1)
	if path == "" {
		column = "p.yml:1:1:"
	}
	for _, line := range strings.Split(fmt.Sprint(err), "\n") {
		if _, named, ok := strings.Cut(line, " needs the key "); ok && strings.HasPrefix(line, column) {
			needs = append(needs, strings.TrimSuffix(named, "; add it"))
		}
	}
	slices.Sort(needs)
	return needs
}

// FuzzSchema: the schema finds no fault with any text that Parse accepts.
func FuzzSchema(f *testing.F) {
	s := compiled(f)
	for _, text := range storyPolicies(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := policy.Parse("p.yml", text); err == nil {
			require.NoError(t, bySchema(s, text))
		}
	})
}

// Every control says what it means.
func TestMeaning(t *testing.T) {
	for _, id := range policy.ControlIDs() {
		require.NotEmpty(t, policy.Meaning(id), id)
	}
	require.Empty(t, policy.Meaning("owner"))
}
