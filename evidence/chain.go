package evidence

import (
	"strconv"

	"github.com/countersign-dev/countersign/change"
)

// A place is where a change belongs: the chain of its protected branch, and the
// movement of that branch which it made.
type place struct {
	chain         string // unique in the ledger, such as "github.com/1296269/refs/heads/main"
	ref           string // such as "refs/heads/main"
	before, after change.SHA
	landed        bool
}

// placeOf finds the place of a change in its facts alone, so that a verifier
// finds the same.
func placeOf(f change.Facts) place {
	var p place
	branch := f.Ref.Branch
	if b, known := f.Base.Get(); known {
		if branch = b.Target; branch == "" {
			branch = b.Branch
		}
		p.before, p.after = b.Commit, b.Commit
	}
	if l, known := f.Landing.Get(); known && l.Landed {
		p.landed, p.before, p.after = true, l.Before, l.Commit
		if l.Branch != "" {
			branch = l.Branch
		}
	}
	p.ref = UnknownRef
	if branch != "" {
		p.ref = "refs/heads/" + branch
	}
	p.chain = chainName(f.Ref.Repository, p.ref)
	return p
}

// chainName returns the unique name of the chain of one ref. It holds the
// repository's number, because names change.
func chainName(r change.Repository, ref string) string {
	return r.Host + "/" + strconv.FormatInt(r.ID, 10) + "/" + ref
}
