package evidence

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// Options are what a verification goes by.
type Options struct {
	// Public are the keys that the verifier trusts. Optional: those in the
	// directory, which only prove that the directory agrees with itself; compare
	// Verification.KeyID and LogKey with what was published.
	Public *Public
	// Judge performs the judgement again. It is called from several goroutines and
	// has to be pure. Optional: without it decisions are not judged again.
	Judge func(change.Facts, change.PolicyFile) change.Decision
	// Checkpoint is a signed checkpoint of the log from an earlier visit. Optional:
	// only with one can it be seen that the newest records are gone, or that the
	// whole log was written anew.
	Checkpoint []byte
	// Progress is called as records are done. Optional.
	Progress func(done, total int)
}

// A Finding is something that should not be, in words for an auditor.
type Finding struct {
	Index  int64  `json:"index"`            // in the log; -1 when it is about no single entry
	Record string `json:"record,omitempty"` // digest of the record; empty when it is about no single record
	What   string `json:"what"`
}

// A ChainSummary is what one protected branch's records come to.
type ChainSummary struct {
	Chain   string `json:"chain"` // host, repository number and ref, such as "github.com/1296269/refs/heads/main"
	Records uint64 `json:"records"`
	Last    uint64 `json:"last"` // number of the last record
	Landed  uint64 `json:"landed"`
}

// A Verification is the result of verifying a ledger.
type Verification struct {
	Origin   string                 `json:"origin"`
	KeyID    string                 `json:"keyId"`    // of the key that signed the records
	LogKey   string                 `json:"logKey"`   // C2SP verifier key of the log
	Size     int64                  `json:"size"`     // entries under the signed checkpoint
	Unsigned int64                  `json:"unsigned"` // entries after it, which the next checkpoint will cover
	Records  int                    `json:"records"`  // records checked, whole or not
	Replayed int                    `json:"replayed"` // decisions judged again with the same result
	Erased   int                    `json:"erased"`   // records of which people were erased
	Verdicts map[change.Verdict]int `json:"verdicts"`
	Chains   []ChainSummary         `json:"chains"`

	Findings []Finding `json:"findings"` // any of them: the evidence does not hold
	Gaps     []Finding `json:"gaps"`     // movements of a branch that no record explains; periods may have gone unobserved
	Notes    []Finding `json:"notes"`    // worth knowing
	More     int       `json:"more"`     // findings, gaps and notes beyond what is listed
	failed   bool
}

// maxFindings bounds each list of a verification.
const maxFindings = 1000

// OK reports whether everything that was checked holds.
func (v *Verification) OK() bool { return !v.failed }

func (v *Verification) find(index int64, record, what string) {
	v.failed = true
	v.add(&v.Findings, Finding{index, record, what})
}

func (v *Verification) gap(index int64, record, what string) {
	v.add(&v.Gaps, Finding{index, record, what})
}

func (v *Verification) remark(index int64, record, what string) {
	v.add(&v.Notes, Finding{index, record, what})
}

func (v *Verification) add(list *[]Finding, f Finding) {
	if len(*list) == maxFindings {
		v.More++
		return
	}
	*list = append(*list, f)
}

// sort puts everything in an order that does not depend on the run.
func (v *Verification) sort() {
	for _, list := range [][]Finding{v.Findings, v.Gaps, v.Notes} {
		slices.SortStableFunc(list, func(a, b Finding) int { return int(max(-1, min(1, a.Index-b.Index))) })
	}
	slices.SortFunc(v.Chains, func(a, b ChainSummary) int { return strings.Compare(a.Chain, b.Chain) })
}
