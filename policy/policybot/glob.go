package policybot

import (
	"regexp/syntax"
	"strings"
)

// maxGlobs bounds how many patterns one regular expression may become.
const maxGlobs = 16

// A piece is a part of what a regular expression matches: a literal text, or when
// it is empty, any text.
type piece struct {
	literal string
	begin   bool // nothing stands before it
	end     bool // nothing stands behind it
}

// globsOf returns doublestar patterns that together match at least what a regular
// expression matches anywhere in a text, and whether there are any. They may match
// more, as what repeats or may be any character becomes any text, and never less.
func globsOf(expression string) ([]string, bool) {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, false
	}
	ways, ok := expand(re)
	if !ok {
		return nil, false
	}
	var globs []string
	for _, way := range ways {
		gs, ok := patterns(way)
		if globs = append(globs, gs...); !ok || len(globs) > maxGlobs {
			return nil, false
		}
	}
	return globs, len(globs) > 0
}

// expand returns every way in which an expression can match, as lists of pieces.
func expand(re *syntax.Regexp) ([][]piece, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return [][]piece{{}}, true
	case syntax.OpLiteral:
		return [][]piece{{{literal: string(re.Rune)}}}, re.Flags&syntax.FoldCase == 0
	case syntax.OpBeginText:
		return [][]piece{{{begin: true}}}, true
	case syntax.OpEndText:
		return [][]piece{{{end: true}}}, true
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return [][]piece{{{}}}, true // any text, which is at least what they match
	case syntax.OpCharClass:
		return characters(re.Rune)
	case syntax.OpQuest:
		ways, ok := expand(re.Sub[0])
		return append(ways, []piece{}), ok
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpAlternate:
		return alternate(re.Sub)
	case syntax.OpConcat:
		return concat(re.Sub)
	}
	return nil, false
}

// characters returns the ways of a class: its characters where they are few, any
// text where they are many.
func characters(ranges []rune) ([][]piece, bool) {
	var ways [][]piece
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(ways) == maxGlobs/2 {
				return [][]piece{{{}}}, true
			}
			ways = append(ways, []piece{{literal: string(r)}})
		}
	}
	return ways, len(ways) > 0
}

func alternate(subs []*syntax.Regexp) ([][]piece, bool) {
	var all [][]piece
	for _, sub := range subs {
		ways, ok := expand(sub)
		if all = append(all, ways...); !ok || len(all) > maxGlobs {
			return nil, false
		}
	}
	return all, true
}

func concat(subs []*syntax.Regexp) ([][]piece, bool) {
	all := [][]piece{{}}
	for _, sub := range subs {
		ways, ok := expand(sub)
		if !ok || len(all)*len(ways) > maxGlobs {
			return nil, false
		}
		var next [][]piece
		for _, before := range all {
			for _, way := range ways {
				next = append(next, append(append([]piece(nil), before...), way...))
			}
		}
		all = next
	}
	return all, true
}

// patterns returns the patterns of one way. What is not anchored may stand anywhere.
func patterns(way []piece) ([]string, bool) {
	var parts []piece // literals and gaps, never two of a kind together
	add := func(p piece) {
		if n := len(parts); n > 0 && (parts[n-1].literal == "") == (p.literal == "") {
			parts[n-1].literal += p.literal
			return
		}
		parts = append(parts, p)
	}
	closed := false
	for i, p := range way {
		switch {
		case p.begin && i > 0, closed:
			return nil, false // an anchor in the middle
		case i == 0 && !p.begin:
			add(piece{})
		}
		if p.end {
			closed = true
		} else if !p.begin {
			add(p)
		}
	}
	if !closed {
		add(piece{})
	}
	return join(parts)
}

// join writes literals and gaps as patterns. A gap may hold slashes; doublestar
// knows that only for whole parts of a path, so one behind other characters becomes
// two patterns.
func join(parts []piece) ([]string, bool) {
	if len(parts) == 1 && parts[0].literal == "" {
		return []string{everyBranch}, true
	}
	globs := []string{""}
	for _, p := range parts {
		if p.literal != "" {
			for i := range globs {
				globs[i] += escape(p.literal)
			}
			continue
		}
		var next []string
		for _, g := range globs {
			if g == "" || strings.HasSuffix(g, "/") {
				next = append(next, g+"**/*")
				continue
			}
			next = append(next, g+"*", g+"*/**/*")
		}
		if globs = next; len(globs) > maxGlobs {
			return nil, false
		}
	}
	return globs, globs[0] != ""
}

// escape returns a literal as a pattern that matches only itself.
func escape(literal string) string {
	var b strings.Builder
	for _, r := range literal {
		if strings.ContainsRune(`*?[]{}\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
