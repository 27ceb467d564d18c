package evidence

import (
	"cmp"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// ourCheck is the name of the check run that reports our decision.
const ourCheck = "countersign"

// enforcementOf says whether the forge itself held the change until our check
// passed. It does so only when the rules of the branch require our check from
// one application: a check required from anybody can be posted by anybody.
func enforcementOf(f change.Facts, d change.Decision) Enforcement {
	e := Enforcement{Mode: "unknown", BypassUsed: bypassUsed(d)}
	enforced, known := f.Enforced.Get()
	if !known {
		return e
	}
	e.Mode = "observed"
	for _, r := range enforced.Rules {
		for _, c := range r.Checks {
			if c.Name == ourCheck && c.AppID != 0 {
				e.Mode = "blocking"
			}
		}
	}
	rules := slices.Clone(enforced.Rules)
	slices.SortStableFunc(rules, func(a, b change.Rule) int {
		return cmp.Or(cmp.Compare(a.Ruleset, b.Ruleset), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Digest, b.Digest))
	})
	if data, err := encode(rules); err == nil { // plain strings and numbers: it cannot fail
		e.RulesetDigest = sha256Digest(data)
	}
	if actors, known := enforced.Bypass.Get(); known {
		e.BypassActors = actors
	}
	return e
}

// bypassUsed returns what the no-bypass control found out, nil when it could not.
func bypassUsed(d change.Decision) *bool {
	r, judged := result(d, noBypass)
	if !judged || (r.Status != change.Pass && r.Status != change.Fail) {
		return nil
	}
	used := r.Status == change.Fail
	return &used
}
