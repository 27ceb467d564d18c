package github

import (
	"fmt"
	"strings"
	"unicode/utf8"

	gh "github.com/google/go-github/v60/github"

	"github.com/countersign-dev/countersign/change"
)

// Bounds of the annotations: GitHub takes so many with one request, and one more
// request is not worth what it shows.
const (
	maxAnnotations    = 50
	maxAnnotation     = 4_000 // bytes of a message; GitHub takes 64 KB
	maxAnnotationName = 255   // characters of a title
)

// annotations puts a note on each touched path that somebody has yet to approve, at
// its first line: the whole file is meant. GitHub keeps what was noted once, so a
// note says what the policy asks for, and only the check run what is still missing.
func annotations(r change.Report, name func(change.Person) string) []*gh.CheckRunAnnotation {
	var list []*gh.CheckRunAnnotation
	for _, a := range r.Awaited {
		if len(list) == maxAnnotations {
			break
		}
		if a.Path == "" || strings.ContainsRune(a.Path, 0) {
			continue
		}
		level := "notice"
		if a.Status != change.Pending {
			level = "warning"
		}
		message := plain(clause(a.Reason.Render(name)), maxCell)
		if who := plain(a.Supply.Render(name), maxCell); who != "" {
			message += "\nWho can supply it: " + who
		}
		message += "\nThe check says whether that is still missing."
		one, title := 1, plain(a.Control, maxAnnotationName)
		message = shorten(message, maxAnnotation)
		list = append(list, &gh.CheckRunAnnotation{Path: &a.Path, StartLine: &one, EndLine: &one, AnnotationLevel: &level, Message: &message, Title: &title})
	}
	return list
}

// unannotated says how many paths no note was put on.
func unannotated(r change.Report) string {
	switch more := len(r.Awaited) - maxAnnotations; {
	case more <= 0:
		return ""
	case more == 1:
		return fmt.Sprintf("%d paths that need an approval are annotated, 1 more is not.\n\n", maxAnnotations)
	default:
		return fmt.Sprintf("%d paths that need an approval are annotated, %d more are not.\n\n", maxAnnotations, more)
	}
}

// shorten cuts a text to so many bytes, at the end of a character.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	most -= len("…")
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
