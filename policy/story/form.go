package story

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// An Event is one kind of line of a story.
type Event struct {
	Form string // such as "review LOGIN STATE [of N]"
	Doc  string // what it tells, in a sentence

	play func(h *history, a args)
}

// An event is one line of a story, read.
type event struct {
	line int
	form Event
	args args
}

// args holds the words of a line by their names in its form. Dotted words are in
// rest.
type args struct {
	words map[string]string
	rest  []string
}

// name returns the word that begins the line.
func (e Event) name() string { return strings.Fields(e.Form)[0] }

// events reads the lines of the section story.
func (p *parser) events(lines []line) []event {
	if len(lines) > maxEvents {
		p.problem(lines[maxEvents].number, "a story has at most %d events; shorten it", maxEvents)
		return nil
	}
	byName := map[string]Event{}
	var names []string
	for _, e := range Events() {
		byName[e.name()] = e
		names = append(names, e.name())
	}
	slices.Sort(names)
	var events []event
	for _, l := range lines {
		words, err := split(l.text)
		if err != nil {
			p.problem(l.number, "%v", err)
			continue
		}
		form, found := byName[words[0]]
		if !found {
			p.problem(l.number, "a story has no event %s; %s", change.Quote(words[0]), thereAre(words[0], names))
			continue
		}
		a, err := form.match(words[1:])
		if err != nil {
			p.problem(l.number, "%v; write %s", err, form.Form)
			continue
		}
		events = append(events, event{l.number, form, a})
	}
	return events
}

// split splits a line into words. What stands between quotation marks is one word.
func split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun, quoted := false, false
	for _, r := range text {
		switch {
		case r == '"':
			begun, quoted = true, !quoted
		case unicode.IsSpace(r) && !quoted:
			if begun {
				words = append(words, word.String())
			}
			begun = false
			word.Reset()
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	if quoted {
		return nil, errors.New("a quotation mark is not closed; close it")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

// A slot is a part of a form: a literal word, a named word, or a bracketed part
// that may be left out.
type slot struct {
	words    []string
	optional bool
}

// slots reads the part of a form behind its name.
func (e Event) slots() []slot {
	var slots []slot
	_, rest, _ := strings.Cut(e.Form, " ")
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		if inner, ok := strings.CutPrefix(rest, "["); ok {
			inside, after, _ := strings.Cut(inner, "]")
			slots = append(slots, slot{strings.Fields(inside), true})
			rest = after
			continue
		}
		word, after, _ := strings.Cut(rest, " ")
		slots = append(slots, slot{[]string{word}, false})
		rest = after
	}
	return slots
}

// match reads the words of a line, without its first, by the form. Bracketed parts
// that begin with a literal word may stand in any order.
func (e Event) match(words []string) (args, error) {
	a := args{words: map[string]string{}}
	var optional []slot
	for _, s := range e.slots() {
		if s.optional {
			optional = append(optional, s)
			continue
		}
		var err error
		if words, err = a.take(s.words, words); err != nil {
			return args{}, err
		}
	}
	for len(words) > 0 {
		i := slices.IndexFunc(optional, func(s slot) bool { return named(s.words[0]) || s.words[0] == words[0] })
		if i < 0 {
			return args{}, fmt.Errorf("%s does not belong here", change.Quote(words[0]))
		}
		var err error
		if words, err = a.take(optional[i].words, words); err != nil {
			return args{}, err
		}
		optional = slices.Delete(optional, i, i+1)
	}
	return a, nil
}

// take reads the words of one slot and returns those that follow.
func (a *args) take(slot, words []string) ([]string, error) {
	after := ""
	for _, want := range slot {
		if len(words) == 0 {
			return nil, fmt.Errorf("%s is missing", strings.TrimSuffix(want, "..."))
		}
		switch {
		case strings.HasSuffix(want, "..."):
			a.rest = words
			return nil, nil
		case named(want):
			if words[0] == "" {
				return nil, fmt.Errorf("%s is empty", want)
			}
			name := want
			if after != "" {
				name = after
			}
			a.words[name] = words[0]
		case want != words[0]:
			return nil, fmt.Errorf("%s stands where %q belongs", change.Quote(words[0]), want)
		default:
			if after = want; len(slot) == 1 {
				a.words[want] = want
			}
		}
		words = words[1:]
	}
	return words, nil
}

// named reports whether a word of a form stands for one of the writer's.
func named(word string) bool { return unicode.IsUpper(rune(word[0])) }

// thereAre names the event that was perhaps meant, or all of them.
func thereAre(word string, names []string) string {
	if near := policy.Nearest(word, names); near != "" {
		return "did you mean " + change.Quote(near) + "?"
	}
	return "its events are " + strings.Join(names, ", ")
}
