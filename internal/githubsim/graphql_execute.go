package githubsim

import (
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxNodes is GitHub's limit on the nodes that one query may ask for.
const maxNodes = 500_000

// graphNode is an object of the graph. field returns a plain value, a graphNode,
// a list of either, or nil.
type graphNode interface {
	typeName() string
	field(name string, a arguments) (any, error)
}

// arguments of one field.
type arguments map[string]any

func (a arguments) text(name string) string {
	s, _ := a[name].(string)
	return s
}

func (a arguments) int(name string) (int, bool) { return asInt(a[name]) }

// execution is one run of a query.
type execution struct {
	sim        *Sim
	token      *token
	doc        *ast.QueryDocument
	variables  map[string]any
	nodes      int
	selections int
	errors     []record
	invalid    record // set once the query turned out to be invalid
}

// object answers the selections on one object.
func (x *execution) object(n graphNode, selections ast.SelectionSet, path []any) record {
	out := record{}
	keys, fields := x.collect(n.typeName(), selections)
	for _, key := range keys {
		if x.invalid != nil {
			return nil
		}
		same := fields[key]
		out[key] = x.value(n, same, append(path[:len(path):len(path)], key))
	}
	return out
}

// collect gathers the fields that apply to an object of a type, those of one
// response key together.
func (x *execution) collect(typ string, selections ast.SelectionSet) ([]string, map[string][]*ast.Field) {
	var keys []string
	fields := map[string][]*ast.Field{}
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if x.included(s.Directives) {
					if fields[s.Alias] == nil {
						keys = append(keys, s.Alias)
					}
					fields[s.Alias] = append(fields[s.Alias], s)
				}
			case *ast.InlineFragment:
				if x.included(s.Directives) && isA(typ, s.TypeCondition) {
					walk(s.SelectionSet)
				}
			case *ast.FragmentSpread:
				f := x.doc.Fragments.ForName(s.Name)
				if f == nil {
					x.stop(invalidQuery("undefinedFragment", "Fragment %s was used, but not defined", s.Name), nil, s.Position)
				} else if x.included(s.Directives) && isA(typ, f.TypeCondition) {
					walk(f.SelectionSet)
				}
			}
		}
	}
	walk(selections)
	return keys, fields
}

// included applies @include and @skip.
func (x *execution) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		arg := d.Arguments.ForName("if")
		if arg == nil {
			continue
		}
		v, err := arg.Value.Value(x.variables)
		on, _ := v.(bool)
		if err != nil || (d.Name == "include" && !on) || (d.Name == "skip" && on) {
			return false
		}
	}
	return true
}

func (x *execution) stop(err error, path []any, pos *ast.Position) {
	if x.invalid == nil {
		x.invalid = errorJSON(err, path, pos)
	}
}

// value answers one response key.
func (x *execution) value(n graphNode, same []*ast.Field, path []any) any {
	f := same[0]
	if f.Name == "__typename" {
		return n.typeName()
	}
	a := arguments{}
	for _, arg := range f.Arguments {
		v, err := arg.Value.Value(x.variables)
		if err != nil {
			x.stop(invalidQuery("argumentLiteralsIncompatible", "%s", err), path, f.Position)
			return nil
		}
		a[arg.Name] = v
	}
	v, err := n.field(f.Name, a)
	if err != nil {
		var g *graphError
		if errors.As(err, &g) && g.kind == "" {
			x.stop(err, path, f.Position)
			return nil
		}
		x.errors = append(x.errors, errorJSON(err, path, f.Position))
		return nil
	}
	var selections ast.SelectionSet
	for _, s := range same {
		selections = append(selections, s.SelectionSet...)
	}
	return x.complete(v, selections, path, f)
}

// complete answers what is selected below a value.
func (x *execution) complete(v any, selections ast.SelectionSet, path []any, f *ast.Field) any {
	switch v := v.(type) {
	case graphNode:
		if len(selections) == 0 {
			x.stop(invalidQuery("selectionMismatch", "Field must have selections (field '%s' returns %s but has no selections.)", f.Name, v.typeName()), path, f.Position)
			return nil
		}
		return x.object(v, selections, path)
	case []graphNode:
		list := make([]any, len(v))
		for i, n := range v {
			if n != nil {
				list[i] = x.complete(n, selections, append(path[:len(path):len(path)], i), f)
			}
		}
		return list
	}
	if v != nil && len(selections) > 0 {
		x.stop(invalidQuery("selectionMismatch", "Selections can't be made on scalars (field '%s')", f.Name), path, f.Position)
	}
	return v
}

// countNodes counts what a query can return at most, as GitHub does before it
// runs one: the product of the page sizes on the way down.
func (x *execution) countNodes(selections ast.SelectionSet, times int) (int, error) {
	return x.countBelow(selections, times, 0)
}

// maxDepth bounds how deep selections and fragments may nest, maxSelections how
// many there may be once every fragment is spread.
const (
	maxDepth      = 50
	maxSelections = 50_000
)

func (x *execution) countBelow(selections ast.SelectionSet, times, depth int) (int, error) {
	if depth > maxDepth {
		return 0, invalidQuery("maxDepth", "Query has a depth that exceeds the maximum of %d", maxDepth)
	}
	if x.selections += len(selections); x.selections > maxSelections {
		return 0, invalidQuery("maxSelections", "Query has more than %d selections", maxSelections)
	}
	total := 0
	for _, s := range selections {
		var below ast.SelectionSet
		each := times
		switch s := s.(type) {
		case *ast.Field:
			below = s.SelectionSet
			n, err := x.pageSize(s)
			if err != nil {
				return 0, err
			}
			if n > 0 {
				each = times * n
				total += each
			}
		case *ast.InlineFragment:
			below = s.SelectionSet
		case *ast.FragmentSpread:
			if f := x.doc.Fragments.ForName(s.Name); f != nil {
				below = f.SelectionSet
			}
		}
		n, err := x.countBelow(below, each, depth+1)
		if err != nil {
			return 0, err
		}
		if total += n; total > maxNodes {
			return 0, &graphError{kind: "MAX_NODE_LIMIT_EXCEEDED", message: "This query requests more than the maximum limit of 500,000 possible nodes."}
		}
	}
	return total, nil
}

// pageSize returns the first or last argument of a field, 0 when it has none.
func (x *execution) pageSize(f *ast.Field) (int, error) {
	for _, name := range []string{"first", "last"} {
		arg := f.Arguments.ForName(name)
		if arg == nil {
			continue
		}
		v, err := arg.Value.Value(x.variables)
		if err != nil || v == nil {
			continue
		}
		n, ok := asInt(v)
		if !ok || n < 1 || n > 100 {
			return 0, &graphError{kind: "EXCESSIVE_PAGINATION", message: "Requesting " + f.Name + " with `" + name + "` out of bounds: it must be 1 to 100 records."}
		}
		return n, nil
	}
	return 0, nil
}

// isA reports whether an object of a type is also of another: itself, or an
// interface or union that the served types belong to.
func isA(typ, condition string) bool {
	switch condition {
	case "", typ:
		return true
	case "Node":
		return typ != "Query" && typ != "GitActor" && typ != "RateLimit"
	case "Actor":
		return typ == TypeUser || typ == TypeBot || typ == TypeMannequin || typ == typeOrganization
	case "RepositoryOwner":
		return typ == TypeUser || typ == typeOrganization
	case "GitObject":
		return typ == "Commit" || typ == "Tree" || typ == "Blob"
	case "GitSignature":
		return typ == "GpgSignature"
	case "RequestedReviewer":
		return typ == TypeUser || typ == "Team"
	case "StatusCheckRollupContext":
		return typ == "CheckRun" || typ == "StatusContext"
	}
	return false
}
