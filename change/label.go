package change

import (
	"strings"
	"unicode"
)

// Label returns what to call the identity on a page: its login, or what else is
// known. It is never used to tell people apart. A name and an e-mail address are
// whatever a commit says, so they stand between quotation marks, and no label can
// begin a line, move a cursor or turn the direction of what follows.
func (i Identity) Label() string {
	switch {
	case i.Login != "":
		return inert(i.Login)
	case i.Name != "":
		return `"` + inert(i.Name) + `" (no account)`
	case i.Email != "":
		return `"` + inert(i.Email) + `" (no account)`
	case i.Account != "":
		return inert(string(i.Account))
	}
	return "somebody"
}

// longestLabel is how many characters of an outside string a label shows. GitHub's
// logins have at most 39, and a few more with the suffix of an app.
const longestLabel = 60

// inert returns the beginning of an outside string without what ends a quotation
// or is obeyed rather than read. An @ stays, because an address has one; whoever
// writes a label where it would call people disarms it there.
func inert(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > longestLabel {
			b.WriteString("…")
			break
		}
		switch {
		case r == '"':
			b.WriteByte('\'')
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			b.WriteString("·")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
