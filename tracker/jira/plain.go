package jira

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Bounds of the text that is made of a description.
const (
	maxText  = 256 << 10
	maxDepth = 100
)

// node is one of a document in the Atlassian Document Format.
type node struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	Attrs   json.RawMessage `json:"attrs"`
	Marks   []node          `json:"marks"`
	Content []node          `json:"content"`
}

// shown are the attributes that a reader sees or is led to.
var shown = []string{"text", "shortName", "url", "href", "timestamp", "id"}

// plain returns the text of a description, so that an edit of it shows. Of one that is
// no document of that format, or has more text than can be, the digest stands in its
// place.
func plain(description json.RawMessage) string {
	if len(description) == 0 || string(description) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(description, &text) == nil && len(text) <= maxText {
		return text
	}
	var doc node
	var b strings.Builder
	if json.Unmarshal(description, &doc) == nil && doc.write(&b, 0) && b.Len() <= maxText {
		return strings.TrimRight(b.String(), "\n")
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(description))
}

// write writes the text of a node and reports whether all of it could be written.
func (n node) write(b *strings.Builder, depth int) bool {
	if depth > maxDepth || b.Len() > maxText {
		return false
	}
	b.WriteString(n.Text)
	n.writeAttrs(b)
	for _, c := range slices.Concat(n.Marks, n.Content) {
		if !c.write(b, depth+1) {
			return false
		}
	}
	switch n.Type {
	case "hardBreak", "paragraph", "heading", "listItem", "codeBlock", "blockquote", "tableRow", "rule", "panel":
		b.WriteByte('\n')
	}
	return true
}

// writeAttrs writes what stands for a mention, an emoji, a link, a date or a medium.
func (n node) writeAttrs(b *strings.Builder) {
	var attrs map[string]any
	if len(n.Attrs) == 0 || json.Unmarshal(n.Attrs, &attrs) != nil {
		return
	}
	for _, name := range shown {
		if value, ok := attrs[name].(string); ok && value != "" {
			b.WriteString("[" + value + "]")
		}
	}
}
