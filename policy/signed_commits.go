package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// signedCommits asks that every commit of a change, merges too, carries a valid
// signature, and that whose it is made the commit: its author or its committer, by any
// account of that human. What a signature proves is only who signed. One by somebody
// else is of a commit that was forged, or passed on, and is no better than none.
//
// A commit without such a signature is a violation, not something still missing: only
// another commit mends it. What lands by a squash or a rebase, the forge makes and
// signs; it is no commit of the change.
func signedCommits(s *subject, r *ChangeRule) change.Result {
	commits, known := s.facts.Commits.Get()
	if !known {
		return say(change.Undetermined, "%s", absent(s.facts, "commits", "the commits are not known"))
	}
	if !s.facts.Head.IsKnown() {
		return say(change.Undetermined, "%s", absent(s.facts, "head", "the head is not known"))
	}
	if why := headMissing(s.facts, commits); why != "" {
		return say(change.Undetermined, "%s", why)
	}
	signed := map[signed][]string{}
	var facts []string
	for _, c := range commits {
		what := s.signed(c, r.SignedCommits)
		signed[what] = append(signed[what], abbrev(c.SHA))
		facts = append(facts, "commits/"+string(c.SHA))
	}
	out := signatures(signed)
	out.Facts = sorted(facts)
	if s.landed {
		out.Supply = "" // nobody can make it again any more
	}
	return out
}

// A signed is what there is to say of one commit's signature, and of every other like
// it.
type signed struct {
	status change.Status
	says   string // with the commits to be put in front
	supply string
}

// again is how a commit is mended.
const again = "whoever can make it again, signed with a key of their own account"

// signed judges the signature of one commit.
func (s *subject) signed(c change.Commit, asked *SignedCommits) signed {
	sig, known := c.Signature.Get()
	switch {
	case !known:
		return signed{change.Undetermined, "signed or not, which is not known", ""}
	case !sig.Signed:
		return signed{change.Fail, "not signed", again}
	case !sig.Valid && untold(sig.State):
		return signed{change.Undetermined, "signed, and nobody knows by whom: the forge says " + change.Quote(sig.State), again + ", or whose key it is by adding that to their account"}
	case !sig.Valid:
		return signed{change.Fail, "signed with a signature that is not valid: the forge says " + change.Quote(sig.State), again}
	case c.ByForge && asked.ByForge == Allow:
		return signed{change.Pass, "made and signed by the forge, in the name of " + mark(c.Author), ""}
	case c.ByForge:
		return signed{change.Fail, "made by the forge in the name of " + mark(c.Author) + ", whose own signature it does not carry", again}
	case sig.Signer == "":
		return signed{change.Undetermined, "signed with a key that no account claims", again + ", or whose key it is by adding that to their account"}
	}
	for _, p := range []change.Person{c.Author, c.Committer} {
		if p != "" && s.facts.People.Same(p) == s.facts.People.Same(sig.Signer) {
			return signed{change.Pass, "signed by " + mark(sig.Signer), ""}
		}
	}
	named := mark(c.Author)
	if c.Committer != c.Author {
		named = "the author " + named + " or the committer " + mark(c.Committer)
	}
	return signed{change.Fail, fmt.Sprintf("signed by %s instead of %s", mark(sig.Signer), named), again}
}

// untold reports whether a forge's word for a signature that it does not call valid
// says that it could not tell: it does not know the key, whose that is, or how to read
// the signature, or it could not check it.
func untold(state string) bool {
	return slices.Contains([]string{
		"UNKNOWN_KEY", "NO_USER", "UNKNOWN_SIG_TYPE", "GPGVERIFY_ERROR", "GPGVERIFY_UNAVAILABLE", "OCSP_ERROR", "OCSP_PENDING", // GitHub
		"UNVERIFIED", // GitLab
	}, strings.ToUpper(state))
}

// signatures returns the result over all commits: what holds the change back, or where
// nothing does, who signed.
func signatures(all map[signed][]string) change.Result {
	out := change.Result{Status: change.NotApplicable}
	for what := range all {
		out.Status = out.Status.Worse(what.status)
	}
	var clauses, supplies []string
	for what, commits := range all {
		if out.Status != change.Pass && what.status == change.Pass {
			continue
		}
		clauses = append(clauses, fmt.Sprintf("%s %s %s", someCommits(commits), are(len(commits)), what.says))
		supplies = append(supplies, what.supply)
	}
	out.Reason = change.Text(sample(sorted(clauses)))
	out.Supply = change.Text(join("; ", sorted(supplies)...))
	return out
}

// someCommits names commits, the first few of them.
func someCommits(commits []string) string {
	const most = 3
	commits = sorted(slices.Clone(commits))
	if more := len(commits) - most; more > 0 {
		commits = append(commits[:most], fmt.Sprintf("%d more", more))
	}
	return enumerate(commits, "and")
}

// are returns the verb of n commits.
func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
