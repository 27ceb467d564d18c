package change

// An Uncounted is an approval that a control did not count, and why.
type Uncounted struct {
	Review int64  `json:"review"` // id of the review
	By     Person `json:"by"`
	Why    Text   `json:"why"`
}
