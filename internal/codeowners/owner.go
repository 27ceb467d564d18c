package codeowners

import (
	"regexp"
	"strings"
)

// An Owner is one owner of a line: an account, a team or an e-mail address. Exactly
// one of Login, Team and Email is set.
type Owner struct {
	Login string // of an account, without the @
	Team  string // organisation/team, without the @
	Email string
}

// The forms of owners. They are wider than GitHub's own rules for names, because a
// name that nobody has owns nothing, while a line that is skipped gives its paths to
// somebody else. An account that an enterprise manages has an underscore in its login.
var (
	loginForm = regexp.MustCompile(`^@[A-Za-z0-9_-]{1,100}$`)
	teamForm  = regexp.MustCompile(`^@[A-Za-z0-9_-]{1,100}/[A-Za-z0-9_.-]{1,200}$`)
	emailForm = regexp.MustCompile(`^[^@\s]{1,64}@[^@\s]{1,255}$`)
)

// parseOwner reads an owner, and reports whether the word is one.
func parseOwner(word string) (Owner, bool) {
	name := strings.TrimPrefix(word, "@")
	switch {
	case loginForm.MatchString(word):
		return Owner{Login: name}, true
	case teamForm.MatchString(word):
		return Owner{Team: name}, true
	case emailForm.MatchString(word):
		return Owner{Email: word}, true
	}
	return Owner{}, false
}
