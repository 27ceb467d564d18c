package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// hyphened returns a configuration whose keys are written with hyphens where they were
// written with underscores: base_url is base-url. Only keys that there are change, and
// none of them changes its place, so that what is said of the rest names the right
// line. A key that stands there in both spellings is an error.
func hyphened(name string, text []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
		return text, nil // which the decoder says in full
	}
	rows := strings.SplitAfter(string(text), "\n")
	var rename func(n *yaml.Node, t reflect.Type, prefix string) error
	rename = func(n *yaml.Node, t reflect.Type, prefix string) error {
		if n.Kind != yaml.MappingNode || t.Kind() != reflect.Struct {
			return nil
		}
		first := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, wanted := fieldOf(t, key.Value)
			if field == nil {
				continue
			}
			if line, twice := first[wanted]; twice {
				return fmt.Errorf("%s:%d: %s%s stands in line %d already, as %s and %s are the same key; keep one of them", name, key.Line, prefix, key.Value, line, wanted, strings.ReplaceAll(wanted, "-", "_"))
			}
			first[wanted] = key.Line
			respell(rows, key, wanted)
			if err := rename(n.Content[i+1], field.Type, prefix+wanted+"."); err != nil {
				return err
			}
		}
		return nil
	}
	if err := rename(doc.Content[0], reflect.TypeFor[Config](), ""); err != nil {
		return nil, err
	}
	return []byte(strings.Join(rows, "")), nil
}

// fieldOf returns the field that a key of either spelling sets, with the spelling that
// the decoder knows.
func fieldOf(t reflect.Type, key string) (*reflect.StructField, string) {
	wanted := strings.ReplaceAll(key, "_", "-")
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("yaml") == wanted {
			return &f, wanted
		}
	}
	return nil, ""
}

// respell writes a key in its place as the decoder knows it, which is as long. A key
// that does not stand where the parser says stays as it is.
func respell(rows []string, key *yaml.Node, wanted string) {
	if key.Line < 1 || key.Line > len(rows) {
		return
	}
	row, at := []rune(rows[key.Line-1]), key.Column-1
	if key.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		at++
	}
	old := []rune(key.Value)
	if at >= 0 && at+len(old) <= len(row) && slices.Equal(row[at:at+len(old)], old) {
		rows[key.Line-1] = string(row[:at]) + wanted + string(row[at+len(old):])
	}
}
