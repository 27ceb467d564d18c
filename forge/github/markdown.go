package github

import (
	"strings"
	"unicode"
)

// visible returns what a character is shown as, or -1 for one that nobody sees or
// that turns the direction of what follows. A line that breaks becomes a space.
func visible(r rune) rune {
	switch {
	case r == '@':
		return '＠' // an entity would become a mention again
	case r == '\n' || r == '\r' || r == '\t' || r == 0x2028 || r == 0x2029 || r == 0x85:
		return ' '
	case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co) || r == unicode.ReplacementChar:
		return -1
	}
	return r
}

// escape returns s so that it reads the same in GitHub's Markdown and does
// nothing there: no formatting, no HTML, no mention, no link, no table cell.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r = visible(r); r < 0 {
			continue
		}
		if strings.ContainsRune("\\`*_{}[]()#+-.!|<>&~:/=^$\"'", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plain returns s for a place that knows no Markdown, such as a title: one line,
// at most most characters, no mention.
func plain(s string, most int) string {
	runes := []rune(strings.Map(visible, s))
	if len(runes) > most {
		return strings.TrimRight(string(runes[:most-1]), " ·") + "…"
	}
	return string(runes)
}
