package change

import "time"

// An Automation is one of the people whom the policy registers as an automation.
// Which account the policy means is looked up once, when facts are resolved, so that
// the judgement needs no account.
type Automation struct {
	Person Person `json:"person"`
	Entry  int    `json:"entry"`           // position in the policy's automations, from 0
	Floor  bool   `json:"floor,omitempty"` // whether that is the organisation's floor, where both it and the repository's policy govern

	// Accountable is who answers for it, as the policy says; empty where that is
	// whoever started its run.
	Accountable Person `json:"accountable,omitempty"`
}

// RunSkew is how far the times of a run and of what was done by it may lie apart:
// different parts of a forge stamp them, and to the second only.
const RunSkew = time.Minute

// AtWork reports whether the run was at work at a moment, give or take RunSkew. A
// run that has not ended is at work ever since it started.
func (r Run) AtWork(at time.Time) bool {
	if r.Started.IsZero() || at.IsZero() || at.Before(r.Started.Add(-RunSkew)) {
		return false
	}
	return r.Updated.IsZero() || !at.After(r.Updated.Add(RunSkew))
}
