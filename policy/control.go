package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// The ids of the controls, in the order in which a decision lists them.
const (
	PeerReviewID     = "peer-review"
	SegregationID    = "segregation-of-duties"
	RequiredChecksID = "required-checks"
	LinkedRequestID  = "linked-request"
	ProtectedPathsID = "protected-paths"
	CodeOwnersID     = "code-owners"
	SignedCommitsID  = "signed-commits"
	AssertionsID     = "assertions"
	NoBypassID       = "no-bypass"
)

// A control is one question that a policy can ask of a change.
type control struct {
	id       string
	askedBy  func(r *ChangeRule) bool
	proposal func(s *subject, r *ChangeRule) change.Result // of a pull request, open or landed
	push     func(f change.Facts) change.Result            // of a movement of a protected branch
	group    func(f change.Facts, r *ChangeRule) change.Result
}

// controls returns every control, in the order of a decision.
func controls() []control {
	always := func(*ChangeRule) bool { return true }
	return []control{
		{PeerReviewID, func(r *ChangeRule) bool { return r.PeerReview != nil }, peerReview, unreviewedPush, allMembers(PeerReviewID)},
		{SegregationID, func(r *ChangeRule) bool { return r.SegregationOfDuties }, segregation, unreviewedPush, allMembers(SegregationID)},
		{RequiredChecksID, func(r *ChangeRule) bool { return len(r.RequiredChecks) > 0 }, requiredChecks, notOfPushes, groupChecks},
		{LinkedRequestID, func(r *ChangeRule) bool { return r.LinkedRequest != nil }, linkedRequest, notOfPushes, members(LinkedRequestID)},
		{ProtectedPathsID, func(r *ChangeRule) bool { return len(r.ProtectedPaths) > 0 }, protectedPaths, notOfPushes, members(ProtectedPathsID)},
		{CodeOwnersID, func(r *ChangeRule) bool { return r.CodeOwners != nil }, codeOwners, unreviewedPush, allMembers(CodeOwnersID)},
		{SignedCommitsID, func(r *ChangeRule) bool { return r.SignedCommits != nil }, signedCommits, unsignedPush, allMembers(SignedCommitsID)},
		{AssertionsID, func(r *ChangeRule) bool { return len(r.Assertions) > 0 }, assertions, notOfPushes, members(AssertionsID)},
		{NoBypassID, always, noBypass, noBypassPush, allMembers(NoBypassID)},
	}
}

// say returns a result whose reason is a format filled in. Outside strings must
// be passed through change.Quote or abbrev, people through mark.
func say(s change.Status, format string, args ...any) change.Result {
	return change.Result{Status: s, Reason: change.Text(fmt.Sprintf(format, args...))}
}

// mark returns what a text calls a person.
func mark(p change.Person) string {
	if p == "" {
		return "somebody"
	}
	return p.Mark()
}

// abbrev returns what a text calls a commit.
func abbrev(s change.SHA) string {
	switch {
	case s == "":
		return "an unknown commit"
	case s.Valid():
		return s.Short()
	}
	return change.Quote(string(s))
}

// absent says that a fact is absent, and why where the forge told. name is the
// fact's name in JSON.
func absent(f change.Facts, name, what string) string {
	if why := f.Absent[name]; why != "" {
		return what + ": " + change.Quote(why)
	}
	return what
}

// sample joins clauses for a reason, the first few of them in full.
func sample(clauses []string) string {
	const most = 5
	if len(clauses) <= most {
		return strings.Join(clauses, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(clauses[:most], "; "), len(clauses)-most)
}

// sorted returns the distinct words in order.
func sorted[T ~string](words []T) []T {
	slices.Sort(words)
	return slices.Compact(words)
}
