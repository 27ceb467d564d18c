package github

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/countersign-dev/countersign/change"
)

// maxTitle bounds a title, in characters: GitHub cuts longer ones where it lists
// checks.
const maxTitle = 80

// title says in one line what is missing and who can supply it, by the worst control
// that holds the change back, and how many more there are.
func title(d change.Decision, word string, name func(change.Person) string) string {
	lead := func(gist string) string { return plain(word+": "+gist, maxTitle) }
	held := worstFirst(d)
	switch {
	case d.Reason != "":
		return lead(d.Reason.Render(name))
	case len(d.Results) == 0:
		return lead("nothing was judged")
	case len(held) == 0:
		return lead(passes(d))
	}
	more := ""
	if len(held) > 1 {
		more = fmt.Sprintf(" · %d more", len(held)-1)
	}
	gist := clause(held[0].Reason.Render(name))
	if utf8.RuneCountInString(word+": "+gist+more) > maxTitle {
		gist = fewer(gist)
	}
	if who := clause(held[0].Supply.Render(name)); who != "" && !strings.Contains(gist, who) {
		if whole := word + ": " + gist + "; needs " + who + more; utf8.RuneCountInString(whole) <= maxTitle {
			return plain(whole, maxTitle)
		}
	}
	return plain(word+": "+gist, maxTitle-utf8.RuneCountInString(more)) + more
}

// worstFirst returns the results that hold the change back, or let it through by
// exception, the worst first.
func worstFirst(d change.Decision) []change.Result {
	var list []change.Result
	for _, status := range []change.Status{change.Fail, change.Undetermined, change.Pending, change.Exception} {
		for _, r := range d.Results {
			if r.Status == status {
				list = append(list, r)
			}
		}
	}
	return list
}

// passes says how many controls let a change through.
func passes(d change.Decision) string {
	passed := 0
	for _, r := range d.Results {
		if r.Status == change.Pass {
			passed++
		}
	}
	if passed == 1 {
		return "1 control passes"
	}
	return fmt.Sprintf("%d controls pass", passed)
}

// severalNames matches a list of names between quotation marks, and how many more
// there are.
var severalNames = regexp.MustCompile(`^("[^"]*")((?:, "[^"]*")+)(?: and (\d+) more)?|^("[^"]*")( and "[^"]*")`)

// fewer names the first of several things that a text begins with, and how many more
// there are.
func fewer(s string) string {
	at := severalNames.FindStringSubmatchIndex(s)
	if at == nil {
		return s
	}
	part := func(i int) string {
		if at[2*i] < 0 {
			return ""
		}
		return s[at[2*i]:at[2*i+1]]
	}
	more, _ := strconv.Atoi(part(3))
	more += strings.Count(part(2), `, "`) + strings.Count(part(5), ` and "`)
	return fmt.Sprintf("%s%s and %d more%s", part(1), part(4), more, s[at[1]:])
}

// clause returns the first thing that a sentence says, which the rest explains. What
// stands in quotation marks is one word.
func clause(s string) string {
	quoted := false
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted || i == 0:
		case strings.HasPrefix(s[i:], ": "), strings.HasPrefix(s[i:], "; "), strings.HasPrefix(s[i:], ". "), strings.HasPrefix(s[i:], " ("):
			return s[:i]
		}
	}
	return s
}
