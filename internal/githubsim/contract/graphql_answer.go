package contract

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// walker compares an answer with the types of the schema.
type walker struct {
	schema *ast.Schema
	wrong  []string
}

func (w *walker) fault(path, format string, args ...any) {
	w.wrong = append(w.wrong, path+": "+fmt.Sprintf(format, args...))
}

// object checks what was selected of one object of type def.
func (w *walker) object(def *ast.Definition, selections ast.SelectionSet, data map[string]any, path string) {
	for _, s := range selections {
		switch s := s.(type) {
		case *ast.InlineFragment:
			w.fragment(def, s.TypeCondition, s.SelectionSet, data, path)
		case *ast.FragmentSpread:
			w.fragment(def, s.Definition.TypeCondition, s.Definition.SelectionSet, data, path)
		case *ast.Field:
			v, there := data[s.Alias]
			switch {
			case there:
				w.value(s.Definition.Type, s.SelectionSet, v, path+"."+s.Alias)
			case len(s.Directives) == 0 && s.Name != "__typename":
				w.fault(path, "%s is not there", s.Alias)
			}
		}
	}
}

// fragment checks a fragment where it applies for certain: where the object's
// type is known, by __typename or because there is only one.
func (w *walker) fragment(def *ast.Definition, condition string, selections ast.SelectionSet, data map[string]any, path string) {
	name := def.Name
	if t, ok := data["__typename"].(string); ok {
		name = t
	}
	own := w.schema.Types[name]
	if own == nil || own.Kind != ast.Object {
		return
	}
	if condition == "" || condition == name || slices.Contains(w.schema.GetPossibleTypes(w.schema.Types[condition]), own) {
		// A fragment with @include may be missing altogether, so only what is
		// there is checked.
		for _, s := range selections {
			if f, ok := s.(*ast.Field); ok {
				if v, there := data[f.Alias]; there {
					w.value(f.Definition.Type, f.SelectionSet, v, path+"."+f.Alias)
				}
				continue
			}
			w.object(own, ast.SelectionSet{s}, data, path)
		}
	}
}

// value checks one value.
func (w *walker) value(t *ast.Type, selections ast.SelectionSet, v any, path string) {
	if v == nil {
		if t.NonNull {
			w.fault(path, "null, but %s is not nullable", t)
		}
		return
	}
	if t.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			w.fault(path, "%T, not a list", v)
			return
		}
		for i, e := range list {
			w.value(t.Elem, selections, e, fmt.Sprintf("%s[%d]", path, i))
		}
		return
	}
	def := w.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.Object, ast.Interface, ast.Union:
		m, ok := v.(map[string]any)
		if !ok {
			w.fault(path, "%T, not a %s", v, def.Name)
			return
		}
		w.object(def, selections, m, path)
	case ast.Enum:
		if s, _ := v.(string); def.EnumValues.ForName(s) == nil {
			w.fault(path, "%v is not a %s", v, def.Name)
		}
	case ast.Scalar:
		w.scalar(def.Name, v, path)
	}
}

// scalar checks the JSON kind of a scalar.
func (w *walker) scalar(name string, v any, path string) {
	ok := true
	switch name {
	case "Int", "Float":
		_, ok = v.(float64)
	case "Boolean":
		_, ok = v.(bool)
	default: // String, ID, DateTime, URI, GitObjectID, BigInt and the like
		_, ok = v.(string)
	}
	if !ok {
		w.fault(path, "%v (%T) is not a %s", v, v, name)
	}
}
