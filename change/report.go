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
	Policy   PolicyFile  // that was judged by
	Awaited  []Awaited   // the touched paths that somebody has yet to approve
}

// An Awaited path is one that a change touches and a control holds back by itself.
type Awaited struct {
	Path    string
	Control string // such as "protected-paths"
	Status  Status
	Reason  Text
	Supply  Text
}

// A Hint is all that a delivery is trusted with: which changes to look at again,
// and which cached answers are out of date. Everything else is asked afresh.
type Hint struct {
	Refs   []Ref
	Forget []string // keys of cached answers, in the forge adapter's own words
	Owners []string // logins of the owners of repositories whose people have changed roles
	Scopes []Scope  // further changes to look at again, by where they are
	Topic  Topic    // what may have changed about Refs

	// Requests are change requests that are not what they were, or may not be there
	// any more.
	Requests []RequestID
}

// A Scope names open changes by where they are. The zero Scope is every repository
// that the application is installed on.
type Scope struct {
	Owner      string     `json:"owner,omitempty"`     // login of an account: the changes of all its repositories
	Repository Repository `json:"repository,omitzero"` // or those of one repository
	Branch     string     `json:"branch,omitempty"`    // of them those that want to reach this branch
	Unseen     bool       `json:"unseen,omitempty"`    // the forge is asked which there are, and not our records alone
	Allowed    bool       `json:"allowed,omitempty"`   // of those in our records the ones that stand let through
	Missed     bool       `json:"missed,omitempty"`    // of the unseen those whose newest record is not of their head
}

// String returns what to call the scope in a log line.
func (s Scope) String() string {
	switch {
	case s.Repository != (Repository{}) && s.Branch != "":
		return s.Repository.Name + " " + Quote(s.Branch)
	case s.Repository != (Repository{}):
		return s.Repository.Name
	case s.Owner != "":
		return Quote(s.Owner)
	}
	return "every installation"
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
