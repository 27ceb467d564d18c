package githubsim

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// plain is an object whose fields are at hand. A value may be a func() (any,
// error), which is called when the field is asked for.
type plain struct {
	typ    string
	fields record
}

func (p plain) typeName() string { return p.typ }

func (p plain) field(name string, _ arguments) (any, error) {
	v, ok := p.fields[name]
	if !ok {
		return nil, undefinedField(p.typ, name)
	}
	if later, ok := v.(func() (any, error)); ok {
		return later()
	}
	return v, nil
}

// connection is a page of a list.
type connection struct {
	typ   string // of the connection, such as CommitConnection
	total int
	from  int // index of the first item in the whole list
	items []graphNode
}

// connect cuts out of count items the page that the arguments ask for. Only its
// own items are made.
func connect(typ string, count int, a arguments, item func(i int) (graphNode, error)) (graphNode, error) {
	from, to := 0, count
	if c := a.text("after"); c != "" {
		n, err := cursorIndex(c)
		if err != nil {
			return nil, err
		}
		from = min(n+1, count)
	}
	if c := a.text("before"); c != "" {
		n, err := cursorIndex(c)
		if err != nil {
			return nil, err
		}
		to = max(min(n, to), from)
	}
	first, hasFirst := a.int("first")
	last, hasLast := a.int("last")
	switch {
	case hasFirst:
		to = min(to, from+first)
	case hasLast:
		from = max(from, to-last)
	default:
		return nil, &graphError{kind: "MISSING_PAGINATION_BOUNDARIES", message: "You must provide a `first` or `last` value to properly paginate the `" + typ + "` connection."}
	}
	c := connection{typ: typ, total: count, from: from, items: make([]graphNode, 0, to-from)}
	for i := from; i < to; i++ {
		n, err := item(i)
		if err != nil {
			return nil, err
		}
		c.items = append(c.items, n)
	}
	return c, nil
}

// cursor is an opaque position in a list.
func cursor(i int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "cursor:v2:%d", i))
}

func cursorIndex(c string) (int, error) {
	raw, err := base64.StdEncoding.DecodeString(c)
	if err == nil {
		if n, err := strconv.Atoi(strings.TrimPrefix(string(raw), "cursor:v2:")); err == nil && n >= 0 {
			return n, nil
		}
	}
	return 0, &graphError{kind: "INVALID_CURSOR_ARGUMENTS", message: "`" + c + "` does not appear to be a valid cursor."}
}

func (c connection) typeName() string { return c.typ }

func (c connection) field(name string, _ arguments) (any, error) {
	switch name {
	case "totalCount":
		return c.total, nil
	case "nodes":
		return c.items, nil
	case "edges":
		edges := make([]graphNode, len(c.items))
		for i, n := range c.items {
			edges[i] = plain{strings.TrimSuffix(c.typ, "Connection") + "Edge", record{"cursor": cursor(c.from + i), "node": n}}
		}
		return edges, nil
	case "pageInfo":
		return c.pageInfo(), nil
	}
	return nil, undefinedField(c.typ, name)
}

func (c connection) pageInfo() graphNode {
	info := record{
		"hasNextPage": c.from+len(c.items) < c.total, "hasPreviousPage": c.from > 0, "startCursor": nil, "endCursor": nil,
	}
	if len(c.items) > 0 {
		info["startCursor"], info["endCursor"] = cursor(c.from), cursor(c.from+len(c.items)-1)
	}
	return plain{"PageInfo", info}
}

// listOf is a connection of a list that is at hand.
func listOf[T any](typ string, list []T, a arguments, node func(T) graphNode) (graphNode, error) {
	return connect(typ, len(list), a, func(i int) (graphNode, error) { return node(list[i]), nil })
}
