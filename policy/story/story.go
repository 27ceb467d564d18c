package story

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// Bounds of a story.
const (
	MaxBytes  = 1 << 20 // of one file
	maxEvents = 10_000
)

// A Story is one parsed story.
type Story struct {
	File   string
	About  string // what the story begins with
	Policy string // empty when the story brings none
	Floor  string // of the organisation; empty when there is none

	events []event
	wants  []want
}

// A Problem is one thing wrong with a story, and what to do about it.
type Problem struct {
	File string
	Line int // from 1
	Text string
}

// Error returns the problem as "file:line: text".
func (p Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Problems is all that is wrong with a story. Parse and Play return it as their
// error.
type Problems []Problem

// Error returns the problems, one a line.
func (pp Problems) Error() string {
	lines := make([]string, len(pp))
	for i, p := range pp {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// A line is one line of a section, with where it stands in the file.
type line struct {
	number int
	text   string
}

// A section is one section of the archive, with the line of its mark.
type section struct {
	mark int
	text string
}

// Parse reads a story. Everything that can be told to be wrong without playing it
// is an error, a Problems that lists all of it.
func Parse(file string, data []byte) (*Story, error) {
	p := &parser{file: file}
	if len(data) > MaxBytes {
		p.problem(1, "the story has more than %d bytes; shorten it", MaxBytes)
		return nil, p.problems
	}
	if !utf8.Valid(data) {
		for i, text := range bytes.Split(data, []byte("\n")) {
			if !utf8.Valid(text) {
				p.problem(i+1, "this line is not UTF-8; save the story as UTF-8")
			}
		}
		return nil, p.problems
	}
	s := p.story(data)
	if len(p.problems) > 0 {
		slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, p.problems
	}
	return s, nil
}

// A parser reads one story and notes every problem.
type parser struct {
	file     string
	problems Problems
}

func (p *parser) problem(line int, format string, args ...any) {
	const most = 100
	if len(p.problems) < most {
		p.problems = append(p.problems, Problem{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)})
	}
}

// story reads the sections of a story.
func (p *parser) story(data []byte) *Story {
	archive := txtar.Parse(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	s := &Story{File: p.file, About: strings.TrimSpace(string(archive.Comment))}
	if s.About == "" {
		p.problem(1, "a story begins by saying what it is about; write a sentence above its first section")
	}
	sections := p.sections(archive)
	if text, found := sections["policy"]; found {
		if s.Policy = text.text; strings.TrimSpace(s.Policy) == "" {
			p.problem(text.mark, "the policy is empty; write it, or leave the section out to use your own")
		}
	}
	if text, found := sections["floor"]; found {
		if s.Floor = text.text; strings.TrimSpace(s.Floor) == "" {
			p.problem(text.mark, "the floor is empty; write it, or leave the section out")
		}
	}
	for _, name := range []string{"story", "want"} {
		text, found := sections[name]
		lines := text.lines()
		if !found {
			p.problem(1, "the section %s is missing; add a line -- %s -- and write it", name, name)
		} else if len(lines) == 0 {
			p.problem(text.mark, "the section %s is empty; write it", name)
		}
	}
	s.events = p.events(sections["story"].lines())
	s.wants = p.wants(sections["want"].lines())
	if !s.wantsUndetermined() {
		p.readable("policy", sections["policy"])
		p.readable("floor", sections["floor"])
	}
	return s
}

// readable notes what is wrong with a policy that the story brings. By one that cannot
// be read nothing is ever allowed, so that a story which wants deny would pass by it.
func (p *parser) readable(name string, s section) {
	if strings.TrimSpace(s.text) == "" {
		return
	}
	var problems policy.Problems
	_, err := policy.Parse(name, []byte(s.text))
	if !errors.As(err, &problems) && err != nil {
		problems = policy.Problems{{Text: err.Error()}}
	}
	for _, one := range problems {
		p.problem(s.mark+one.Line, "the %s cannot be read: %s; a story that is about this wants a line: unknown: REASON", name, one.Text)
	}
}

// sections returns the sections of an archive by name.
func (p *parser) sections(archive *txtar.Archive) map[string]section {
	known := []string{"policy", "floor", "story", "want"}
	sections := map[string]section{}
	at := 1 + bytes.Count(archive.Comment, []byte("\n"))
	for _, f := range archive.Files {
		if first, twice := sections[f.Name]; twice {
			p.problem(at, "the section %s stands here and in line %d; keep one of them", f.Name, first.mark)
		} else if !slices.Contains(known, f.Name) {
			p.problem(at, "a story has no section %s; its sections are %s", change.Quote(f.Name), strings.Join(known, ", "))
		}
		sections[f.Name] = section{at, string(f.Data)}
		at += 1 + bytes.Count(f.Data, []byte("\n"))
	}
	return sections
}

// lines returns the lines that say something.
func (s section) lines() []line {
	var lines []line
	for i, text := range strings.Split(s.text, "\n") {
		if text = strings.TrimSpace(text); text != "" && !strings.HasPrefix(text, "#") {
			lines = append(lines, line{s.mark + 1 + i, text})
		}
	}
	return lines
}

// Played is what came of a story.
type Played struct {
	Facts    change.Facts
	Policy   change.PolicyFile
	Decision change.Decision
}

// Play plays the story and judges it, on the path that a server takes: gather what
// happened, ask what the policy needs, answer it, resolve, judge. The story's own
// policy goes before text, which is the reader's. A reader's floor is set as Floor.
func (s *Story) Play(text string) (Played, error) {
	if s.Policy != "" {
		text = s.Policy
	}
	h := newHistory()
	for _, e := range s.events {
		h.line = e.line
		e.form.play(h, e.args)
		if h.wrong != "" {
			return Played{}, Problems{{File: s.File, Line: e.line, Text: h.wrong}}
		}
	}
	file := change.PolicyFile{Found: !h.noPolicy, Path: ".countersign.yml", Commit: CommitID(99), Text: text}
	if s.Floor != "" {
		file.Floor = &change.PolicyFile{Found: true, Path: ".countersign.yml", Commit: CommitID(98), Text: s.Floor}
	}
	facts := h.told(change.Needs{})
	if p, err := policy.Read(file); err == nil {
		if problems := h.strayMembers(s.File, p); len(problems) > 0 {
			return Played{}, problems
		}
		facts = p.Resolve(h.told(p.Needs(facts)), h.description)
		facts = p.Resolve(h.lookUp(p, facts), h.description).Canonical()
	}
	return Played{facts, file, policy.Judge(facts, file)}, nil
}
