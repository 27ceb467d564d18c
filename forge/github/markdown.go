package github

import "strings"

// escape returns s so that it reads the same in GitHub's Markdown and does
// nothing there: no formatting, no HTML, no mention, no link, no table cell.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '@':
			b.WriteRune('＠') // an entity would become a mention again
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case r < ' ' || r == 0x7f:
		case strings.ContainsRune("\\`*_{}[]()#+-.!|<>&~:/=^$\"'", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain returns s for a place that knows no Markdown, such as a title: one line,
// at most most characters, no mention.
func plain(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '@':
			return '＠'
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, s)
	runes := []rune(s)
	if len(runes) > most {
		return strings.TrimRight(string(runes[:most-1]), " ·") + "…"
	}
	return s
}
