package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// lines prints lines until one fails, and keeps the error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) print(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
	}
}

// plural returns "1 record" or "2 records".
func plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// visible returns s without what a terminal would obey.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return '·'
		}
		return r
	}, s)
}

// progress returns a function that tells, on a terminal only and after two
// seconds, how far something has come. It is called from one goroutine at a time.
func (c *command) progress(what string, now func() time.Time) func(done, total int) {
	if !onTerminal(c.err) {
		return nil
	}
	begun, last := now(), time.Time{}
	return func(done, total int) {
		t := now()
		if t.Sub(begun) < 2*time.Second || done < total && t.Sub(last) < 200*time.Millisecond {
			return
		}
		last = t
		fmt.Fprintf(c.err, "\r%s: %d of %d", what, done, total)
		if done >= total {
			fmt.Fprintln(c.err)
		}
	}
}
