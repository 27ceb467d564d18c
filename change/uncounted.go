package change

// An Uncounted is an approval that a control did not count, and why.
type Uncounted struct {
	Review int64  `json:"review"` // id of the review
	By     Person `json:"by"`
	Why    Text   `json:"why"`
}

// A Carry is an approval of an older head that counts for a later one, because all
// that lies between them is proved to add nothing. To approve by it is a choice of
// the policy.
type Carry struct {
	Review int64 `json:"review"` // id of the review
	From   SHA   `json:"from"`   // the commit that it was given on
	To     SHA   `json:"to"`     // the head
	Over   []SHA `json:"over"`   // the pure updates from the base between them, the newest first; beside them there are empty commits at most
}
