package evidence

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// links is a chain as far as it has been followed.
type links struct {
	summary ChainSummary
	digest  string // of the last record
	tip     change.SHA
	// ends holds the first eight bytes of every commit that the branch was moved
	// to; loose are movements that start somewhere else.
	ends  map[uint64]struct{}
	loose []looseEnd
}

// A looseEnd is a movement of a branch from where no record had left it. A later
// record may still explain it, because records are not in the order of movements.
type looseEnd struct {
	index    int64
	record   string
	from, to change.SHA
}

// link checks that a record follows the one before it in its chain.
func (r *run) link(c checked) {
	l := r.links[c.chain]
	if l == nil {
		l = &links{summary: ChainSummary{Chain: c.chain}, ends: map[uint64]struct{}{}}
		r.links[c.chain] = l
	}
	n, last := c.sequence.N, l.summary.Last
	switch {
	case n == last+1 && c.sequence.Prev["sha256"] == l.digest:
	case n == last+1:
		r.v.find(c.index, c.record, fmt.Sprintf("it does not follow record %d of its chain: it names %s as the one before, which is %s",
			last, short(c.sequence.Prev["sha256"]), short(l.digest)))
	case n > last+1 && r.damaged[c.sequence.Prev["sha256"]]:
		// The record before it is in the log and damaged, which was said.
	case n > last+1:
		r.v.find(c.index, c.record, fmt.Sprintf("%s missing from the chain %s before it", span(last+1, n-1), c.chain))
	case c.record == l.digest:
		r.v.find(c.index, c.record, fmt.Sprintf("it stands in the log twice: it is record %d of its chain again", n))
	case n == last:
		r.v.find(c.index, c.record, fmt.Sprintf("the chain %s forks: two records are number %d", c.chain, n))
	default:
		r.v.find(c.index, c.record, fmt.Sprintf("it is record %d of its chain but comes after record %d: it was recorded twice, or entries were moved", n, last))
	}
	l.summary.Records++
	if n >= last {
		l.summary.Last, l.digest = n, c.record
	}
	if c.landed {
		l.move(c)
	}
}

// move follows the branch.
func (l *links) move(c checked) {
	l.summary.Landed++
	from, to := c.sequence.Before, c.sequence.After
	if from.Valid() && !isZero(from) && l.tip != "" && !l.reached(from) {
		l.loose = append(l.loose, looseEnd{index: c.index, record: c.record, from: l.tip, to: from})
	}
	if l.tip == "" && from.Valid() {
		l.ends[prefix(from)] = struct{}{} // where observation began
	}
	if to.Valid() && !isZero(to) {
		l.ends[prefix(to)] = struct{}{}
		l.tip = to
	}
}

func (l *links) reached(c change.SHA) bool {
	_, there := l.ends[prefix(c)]
	return there
}

// finishChains names what is still unexplained at the end of the log.
func (r *run) finishChains() {
	for _, l := range r.links {
		for _, end := range l.loose {
			if !l.reached(end.to) {
				r.v.gap(end.index, end.record, fmt.Sprintf("in %s the branch moved from %s to %s and no record says how", l.summary.Chain, end.from.Short(), end.to.Short()))
			}
		}
		r.v.Chains = append(r.v.Chains, l.summary)
	}
}

// prefix returns the first eight bytes of a valid object id.
func prefix(c change.SHA) uint64 {
	b, _ := hex.DecodeString(string(c[:16])) // Valid has seen the digits
	return binary.BigEndian.Uint64(b)
}

// isZero reports whether c is the id that forges write for "no commit".
func isZero(c change.SHA) bool {
	for _, digit := range c {
		if digit != '0' {
			return false
		}
	}
	return true
}

func span(from, to uint64) string {
	if from == to {
		return fmt.Sprintf("record %d is", from)
	}
	return fmt.Sprintf("records %d to %d are", from, to)
}

// short returns enough of a digest to recognise it.
func short(digest string) string {
	if digest == "" {
		return "none"
	}
	if len(digest) > 12 {
		return digest[:12] + "…"
	}
	return digest
}
