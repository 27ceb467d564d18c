package change

import "slices"

// A Topic is what alone a delivery can have changed about the changes that it hints
// at. It decides whether looking is worth a request, and nothing else. The zero Topic
// limits nothing: anything may have changed.
type Topic struct {
	Check   string // name of the check run, or context of the commit status, that was posted
	Suite   string // slug of the application of which a suite of checks moved, whose runs have deliveries of their own
	Open    bool   // the check or the suite has not ended
	Passed  bool   // the check has ended, in success
	Labels  bool   // the labels were changed
	Words   bool   // the title or the description was
	Comment bool   // a review was submitted that neither approves nor asks for changes
}

// An Interest is what a policy rests on, of all that a Topic can name. The zero
// Interest is in everything.
type Interest struct {
	Limited  bool    // whether it is in no more than what follows
	Checks   []Named // the checks that it requires
	Labels   bool
	Words    bool
	Comments bool
}

// A Named check is one that a policy requires.
type Named struct {
	Name string
	App  string // slug of the application that has to run it, or its numeric id in decimal
}

// In reports whether a policy with this interest may rest on what the topic names.
// A check of the same name counts whoever posted it, so that whoever waits for the
// right one is told of the wrong one.
func (i Interest) In(t Topic) bool {
	return !i.Limited || t == Topic{} || t.Labels && i.Labels || t.Words && i.Words || t.Comment && i.Comments ||
		slices.ContainsFunc(i.Checks, func(c Named) bool { return t.Check != "" && c.Name == t.Check || t.Suite != "" && c.mayBeOf(t.Suite) })
}

// mayBeOf reports whether the application with the slug may be the one that has to
// run the check. A number does not tell whose it is.
func (n Named) mayBeOf(slug string) bool {
	return n.App == slug || n.App != "" && n.App[0] >= '0' && n.App[0] <= '9'
}

// And returns the interest of two policies that govern together.
func (i Interest) And(o Interest) Interest {
	if !i.Limited || !o.Limited {
		return Interest{}
	}
	return Interest{
		Limited: true, Checks: slices.Concat(i.Checks, o.Checks),
		Labels: i.Labels || o.Labels, Words: i.Words || o.Words, Comments: i.Comments || o.Comments,
	}
}

// Urgency is how soon a change is to be looked at because of a topic.
type Urgency int

// From looking at once, which is the zero Urgency, to not at all.
const (
	Now  Urgency = iota
	Soon         // it is held back whatever the topic comes to, so it may wait for others
	Late         // it is so, and what else it waits for will have it looked at, or a while from now
	Idle         // nothing that its verdict rests on has changed
)
