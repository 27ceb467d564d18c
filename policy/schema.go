package policy

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/expression"
)

// SchemaID names the schema of the policy file.
const SchemaID = "https://countersign.dev/schema/policy/v1.json"

// A schema is a JSON Schema, or a part of one.
type schema map[string]any

// Schema returns a JSON Schema (draft 2020-12) of the policy file, for editors. It
// is made from the Go types that Parse fills in. A file that Parse accepts is valid
// by it; what only a whole file shows, such as a role that is not declared, Parse
// alone refuses.
func Schema() []byte {
	root := schemaOf(reflect.TypeFor[Policy](), key{})
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = SchemaID
	root["title"] = "Countersign policy"
	root["anyOf"] = asksFor("changes", "deployments")
	text, _ := json.MarshalIndent(root, "", "  ") // maps, lists, texts and numbers have a JSON form
	return append(text, '\n')
}

// schemaOf returns the schema of what is read into a Go type. k is the key that it
// stands under.
func schemaOf(t reflect.Type, k key) schema {
	switch t {
	case reflect.TypeFor[change.Selector]():
		return selectorSchema()
	case reflect.TypeFor[change.AccountID]():
		return schema{"type": "string", "pattern": aliasForm}
	case reflect.TypeFor[Condition]():
		return schema{"type": "string", "minLength": 1, "maxLength": expression.MaxText, "pattern": `\S`}
	case reflect.TypeFor[PathPattern]():
		return pathSchema()
	case reflect.TypeFor[time.Duration]():
		return schema{"type": "string", "pattern": durationForm}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), k)
	case reflect.Struct:
		return objectSchema(t)
	case reflect.Slice:
		return listSchema(t, k)
	case reflect.Map:
		return schema{"type": "object", "maxProperties": maxList, "propertyNames": word(), "additionalProperties": schemaOf(t.Elem(), k)}
	case reflect.Bool:
		if k.form != nil {
			return k.form
		}
		return onSwitch()
	}
	return k.form
}

// objectSchema returns the schema of a mapping: a key for every exported field.
func objectSchema(t reflect.Type) schema {
	properties, required := schema{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		k := keys()[t.Name()+"."+f.Name]
		property := schemaOf(f.Type, k)
		property["description"] = k.doc
		properties[kebab(f.Name)] = property
		if k.required {
			required = append(required, kebab(f.Name))
		}
	}
	s := schema{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
	switch t {
	case reflect.TypeFor[LinkedRequest]():
		s["dependentRequired"] = ofTracker()
	case reflect.TypeFor[ChangeRule]():
		bypass := onSwitch()
		bypass["description"] = keys()[noBypassKey].doc
		properties[NoBypassID] = bypass
	case reflect.TypeFor[Class]():
		s["anyOf"] = asksFor("paths", "labels", "authors", "when")
	case reflect.TypeFor[DeploymentRule]():
		s["anyOf"] = asksFor("approved-changes-only", "deployment-approval", "deployer-separation")
	case reflect.TypeFor[RequiredCheck]():
		s["anyOf"] = []schema{{"required": []string{"name", "app"}}, {"required": []string{"class"}, "maxProperties": 1}}
	}
	return s
}

// listSchema returns the schema of a list.
func listSchema(t reflect.Type, k key) schema {
	s := schema{"type": "array", "minItems": 1, "maxItems": maxList, "items": schemaOf(t.Elem(), k)}
	if t.Elem() == reflect.TypeFor[change.AccountID]() {
		s["minItems"], s["uniqueItems"] = 2, true
	}
	return s
}

// onSwitch is the schema of a mapping without keys, which switches a control on.
func onSwitch() schema {
	return schema{"type": "object", "additionalProperties": false, "default": schema{}}
}

// asksFor returns schemas of which a mapping with any of the keys meets one.
func asksFor(keys ...string) []schema {
	var any []schema
	for _, k := range keys {
		any = append(any, schema{"required": []string{k}})
	}
	return any
}

// kebab returns the key in the file of a Go field: PeerReview is peer-review.
func kebab(field string) string {
	var b strings.Builder
	for i, r := range field {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// cutField splits the name of a key into its Go type and field.
func cutField(name string) (owner, field string, ok bool) { return strings.Cut(name, ".") }
