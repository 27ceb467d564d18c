package githubsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// graphError is an error of GitHub's GraphQL API. An invalid query gives no data
// at all; any other error leaves its own field null.
type graphError struct {
	kind    string // such as NOT_FOUND; "" for an invalid query
	message string
	code    string // such as undefinedField, for an invalid query
}

func (e *graphError) Error() string { return e.message }

func invalidQuery(code, format string, args ...any) error {
	return &graphError{code: code, message: fmt.Sprintf(format, args...)}
}

func unresolved(format string, args ...any) error {
	return &graphError{kind: "NOT_FOUND", message: fmt.Sprintf(format, args...)}
}

// undefinedField is the answer for a field that the simulator does not serve: it
// is never silently null.
func undefinedField(typ, name string) error {
	return invalidQuery("undefinedField", "Field '%s' doesn't exist on type '%s'", name, typ)
}

// queryCache keeps parsed queries: a client sends the same few again and again.
type queryCache struct {
	mu   sync.Mutex
	docs map[string]*ast.QueryDocument
}

// mostQueries bounds the cache; it starts afresh when it is full.
const mostQueries = 256

func newQueryCache() *queryCache { return &queryCache{docs: map[string]*ast.QueryDocument{}} }

func (q *queryCache) parse(text string) (*ast.QueryDocument, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if doc := q.docs[text]; doc != nil {
		return doc, nil
	}
	doc, err := parser.ParseQuery(&ast.Source{Name: "query", Input: text})
	if err != nil {
		return nil, invalidQuery("parseError", "%s", err)
	}
	if len(q.docs) >= mostQueries {
		clear(q.docs)
	}
	q.docs[text] = doc
	return doc, nil
}

// serveGraphQL answers a query. Errors of GraphQL come with status 200.
func serveGraphQL(c *call) (int, any, error) {
	var in struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	if err := c.input(&in); err != nil {
		return 0, nil, err
	}
	if in.Query == "" {
		return 0, nil, refuse(400, "A query attribute must be specified and must be a string.")
	}
	c.w.Header().Set("X-RateLimit-Resource", "graphql")
	data, errs := c.sim.query(c.token, in.Query, in.OperationName, in.Variables)
	answer := record{}
	if data != nil {
		answer["data"] = data
	}
	if len(errs) > 0 {
		answer["errors"] = errs
	}
	return http.StatusOK, answer, nil
}

// query runs one operation.
func (s *Sim) query(t *token, text, name string, variables map[string]any) (record, []record) {
	doc, err := s.queries.parse(text)
	if err != nil {
		return nil, []record{errorJSON(err, nil, nil)}
	}
	op := doc.Operations.ForName(name)
	switch {
	case op == nil:
		return nil, []record{errorJSON(invalidQuery("missingOperation", "No operation named %q", name), nil, nil)}
	case op.Operation != ast.Query:
		return nil, []record{errorJSON(invalidQuery("undefinedOperation", "the simulator serves queries only"), nil, nil)}
	}
	x := &execution{sim: s, token: t, doc: doc, variables: defaults(op, variables)}
	if x.nodes, err = x.countNodes(op.SelectionSet, 1); err != nil {
		return nil, []record{errorJSON(err, nil, nil)}
	}
	data := x.object(queryRoot{x}, op.SelectionSet, nil)
	if x.invalid != nil {
		return nil, []record{x.invalid}
	}
	return data, x.errors
}

// defaults returns the variables with the defaults of those that were not sent.
func defaults(op *ast.OperationDefinition, sent map[string]any) map[string]any {
	all := map[string]any{}
	for _, v := range op.VariableDefinitions {
		if value, ok := sent[v.Variable]; ok {
			all[v.Variable] = value
		} else if v.DefaultValue != nil {
			if value, err := v.DefaultValue.Value(nil); err == nil {
				all[v.Variable] = value
			}
		}
	}
	return all
}

// errorJSON writes one entry of errors[].
func errorJSON(err error, path []any, pos *ast.Position) record {
	j := record{"message": err.Error()}
	if path != nil {
		j["path"] = path
	}
	if pos != nil {
		j["locations"] = []record{{"line": pos.Line, "column": pos.Column}}
	}
	var g *graphError
	switch {
	case !errors.As(err, &g):
		j["type"] = "INTERNAL"
	case g.kind != "":
		j["type"] = g.kind
	default:
		j["extensions"] = record{"code": g.code}
	}
	return j
}

// asInt reads an integer argument, however JSON or the parser wrote it.
func asInt(v any) (int, bool) {
	switch n := v.(type) {
	case int64:
		return int(n), true
	case float64:
		return int(n), n == float64(int(n))
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
	}
	return 0, false
}
