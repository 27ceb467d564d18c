package change

import "errors"

// A Receipt says where the record of a decision lies.
type Receipt struct {
	Index  uint64 `json:"index"`  // position in the transparency log
	Digest string `json:"digest"` // hexadecimal SHA-256 of the record's DSSE pre-authentication encoding
	Chain  string `json:"chain"`  // the protected ref, such as "refs/heads/main"
	N      uint64 `json:"n"`      // the record's number in that chain, from 1
}

// A Report is a decision on its way to the forge that shows it.
type Report struct {
	Ref      Ref
	Commit   SHA // the commit to show it on
	Decision Decision
	People   People
	Receipt  Receipt
	Shown    Fact[Shown] // what the forge shows now, to update it in place
}

// A Hint is all that a delivery is trusted with: which changes to look at again,
// and which cached answers are out of date. Everything else is asked afresh.
type Hint struct {
	Refs   []Ref
	Forget []string // keys of cached answers, in the forge adapter's own words
	Owners []string // logins of the owners of repositories whose people have changed roles, or whose floor may be another
}

// ErrNotInstalled is wrapped by what a forge adapter returns for a repository that
// its application is not installed on: nothing can be read there or shown, and
// nothing was asked of us.
var ErrNotInstalled = errors.New("the application is not installed there")

// ErrNotYet is wrapped by what a forge adapter returns when the forge does not show
// yet what an event said: nothing is broken, and the same question is answered soon.
var ErrNotYet = errors.New("the forge's answers lag behind the event")

// A Delivery is one authenticated webhook delivery.
type Delivery struct {
	ID    string // unique; the same on redelivery
	Event string // such as "pull_request"
	Body  []byte
}
