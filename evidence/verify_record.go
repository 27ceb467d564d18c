package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/countersign-dev/countersign/change"
)

// checked is what was found out about one entry of the log.
type checked struct {
	index    int64
	record   string   // digest, as the log has it
	problems []string // in words for an auditor
	body     bool     // the envelope was there
	readable bool     // so was the statement; the following are set
	sequence Sequence
	chain    string
	landed   bool
	verdict  change.Verdict
	replayed bool
	erased   bool
}

func (c *checked) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// check checks one entry and the record behind it. It goes on after a problem,
// so that what was changed is named and not only that something was.
func (r *run) check(index int64, data []byte) checked {
	c := checked{index: index}
	entry, err := parseLeaf(data)
	if err != nil {
		c.problem("the log's entry is damaged: %v", err)
		return c
	}
	c.record = hexOf(entry.digest)
	signed := false
	switch {
	case !bytes.Equal(entry.spki, r.public.spki):
		c.problem("it was signed with another key than %s", r.public.keyID)
	case !r.public.verifies(entry.digest, entry.signature):
		c.problem("its signature is not valid")
	default:
		signed = true
	}
	body, err := readPlaced(r.bodies.envelopePath(c.record), MaxEnvelope)
	if errors.Is(err, fs.ErrNotExist) {
		c.problem("its body is missing")
		return c
	}
	c.body = true
	if err != nil {
		c.problem("its body cannot be read: %v", err)
		return c
	}
	e, err := ParseEnvelope(body)
	if err != nil {
		c.problem("its body is damaged: %v", err)
		return c
	}
	genuine := r.checkEnvelope(&c, e, entry)
	s, err := ParseStatement(e.Payload)
	if err != nil {
		c.problem("its statement is damaged: %v", err)
		return c
	}
	// A statement that nobody signed is read to name what was changed. It has no
	// say in the chain and in the counts.
	r.checkStatement(&c, e, s)
	if genuine && signed {
		c.readable = true
		r.checkDisclosures(&c, s.Predicate.Facts.People)
	}
	return c
}

// checkEnvelope compares an envelope with the log's entry for it, and reports
// whether it holds what was recorded.
func (r *run) checkEnvelope(c *checked, e Envelope, entry leaf) (genuine bool) {
	genuine = e.digest() == entry.digest
	switch {
	case !genuine && r.public.verifies(e.digest(), e.Signature):
		c.problem("its body was replaced by that of record %s", short(e.Digest()))
	case !genuine:
		c.problem("its content was changed after it was recorded: the log has another digest")
	case !bytes.Equal(e.Signature, entry.signature):
		c.problem("its signature was changed after it was recorded: the log has another one")
	}
	if e.KeyID != r.public.keyID {
		c.problem("its envelope names the key %q and not %s", e.KeyID, r.public.keyID)
	}
	if e.PayloadType != PayloadType {
		c.problem("its envelope holds a %q and not a statement", e.PayloadType)
	}
	return genuine
}

// checkStatement checks that everything in a statement follows from what it
// states, and that the judgement does.
func (r *run) checkStatement(c *checked, e Envelope, s Statement) {
	stated := contentOf(s)
	where := placeOf(stated.facts)
	c.sequence, c.chain, c.landed = s.Predicate.Sequence, where.chain, where.landed
	c.verdict = stated.judgement.Verdict()
	if field, same := follows(e.Payload, stated.statement()); !same {
		c.problem("%s", doesNotFollow(field))
	}
	r.replay(c, stated)
}

// replay performs the judgement again and compares the bytes.
func (r *run) replay(c *checked, stated content) {
	if r.options.Judge == nil {
		return
	}
	again := r.options.Judge(stated.facts, stated.policy)
	want, err := encode(stated.judgement)
	if err != nil {
		c.problem("its judgement cannot be read: %v", err)
		return
	}
	got, err := encode(again)
	if err != nil || !bytes.Equal(got, want) {
		c.problem("judging the recorded facts by the recorded policy again gives another judgement: recorded is %s (%s), again %s (%s)",
			stated.judgement.Verdict(), stated.judgement.Status, again.Verdict(), again.Status)
		return
	}
	c.replayed = true
}

// checkDisclosures checks that those who are named are those who were signed.
func (r *run) checkDisclosures(c *checked, withheld change.People) {
	opened, err := r.bodies.disclosures(c.record)
	if errors.Is(err, fs.ErrNotExist) {
		c.erased = len(withheld) > 0
		return
	}
	if err != nil {
		c.problem("the disclosures of its people are damaged: %v", err)
		return
	}
	_, whole, err := opened.Open(withheld)
	if err != nil {
		c.problem("the disclosures of its people were changed: %v", err)
	}
	c.erased = !whole && err == nil
}
