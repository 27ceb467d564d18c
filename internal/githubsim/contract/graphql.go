package contract

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// loadSchema loads GitHub's GraphQL schema. Two fields of EnterpriseOwnerInfo
// are in it twice, which the parser refuses; the second ones are renamed.
func loadSchema(file string) (*ast.Schema, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("loading GitHub's GraphQL schema: %w", err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: renameTwins(string(data), "EnterpriseOwnerInfo")})
	if err != nil {
		return nil, fmt.Errorf("loading GitHub's GraphQL schema: %w", err)
	}
	return schema, nil
}

// renameTwins gives the second of two fields of the same name in a type another.
func renameTwins(schema, typ string) string {
	head, body, ok := strings.Cut(schema, "\ntype "+typ+" {\n")
	if !ok {
		return schema
	}
	body, tail, _ := strings.Cut(body, "\n}\n")
	lines := strings.Split(body, "\n")
	seen := map[string]bool{}
	for i, line := range lines {
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "   ") {
			continue
		}
		name := line[2:]
		if end := strings.IndexAny(name, "(:"); end > 0 && isName(name[:end]) {
			name = name[:end]
			if seen[name] {
				lines[i] = "  " + name + "Twin" + line[2+len(name):]
			}
			seen[name] = true
		}
	}
	return head + "\ntype " + typ + " {\n" + strings.Join(lines, "\n") + "\n}\n" + tail
}

func isName(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// checkQuery validates a GraphQL call and the data it was answered with.
func checkQuery(schema *ast.Schema, request, answer []byte) error {
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if err := json.Unmarshal(request, &in); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	doc, errs := gqlparser.LoadQueryWithRules(schema, in.Query, rules.NewDefaultRules())
	if len(errs) > 0 {
		return fmt.Errorf("query: %w", errs)
	}
	var out struct {
		Data   map[string]any `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if out.Data == nil && len(out.Errors) == 0 {
		return fmt.Errorf("answer: neither data nor errors")
	}
	if out.Data == nil || len(out.Errors) > 0 {
		return nil // an error may leave any field null
	}
	w := walker{schema: schema}
	w.object(schema.Query, doc.Operations[0].SelectionSet, out.Data, "data")
	if len(w.wrong) > 0 {
		return fmt.Errorf("answer: %s", strings.Join(w.wrong, "; "))
	}
	return nil
}
