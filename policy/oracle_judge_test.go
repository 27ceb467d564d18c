package policy_test

import (
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// judgedByBoth returns what is asked by a repository's rules and by those of a floor
// that they can only tighten. The floor is judged by what both know of people and by
// what it knows itself, and the worst counts.
func (p past) judgedByBoth(floor *rules) map[string]change.Status {
	if floor == nil {
		return p.judged()
	}
	own, joint, alone := p, p, p
	own.rules.alias, own.rules.answersBot = p.rules.alias || floor.alias, p.rules.answersBot || floor.answersBot
	own.rules.registered, own.rules.guarded = p.rules.registered || floor.registered, p.rules.protected || floor.protected
	own.rules.ownersGuard = append(slices.Clone(p.rules.ownersGuard), floor.owned)
	alone.rules, joint.rules = *floor, *floor
	joint.rules.alias, joint.rules.answersBot = own.rules.alias, own.rules.answersBot
	out := own.judged()
	for _, by := range []past{joint, alone} {
		for control, status := range by.judged() {
			if old, also := out[control]; also {
				status = worst(old, status)
			}
			out[control] = status
		}
	}
	return out
}

// judged returns the status of every control that is asked.
func (p past) judged() map[string]change.Status {
	if p.target != "main" && p.target != "release" {
		return map[string]change.Status{} // nobody governs it
	}
	out := map[string]change.Status{"peer-review": p.peerReview(), "no-bypass": p.noBypass()}
	if p.rules.separation {
		out["segregation-of-duties"] = p.enough(1, func(login string) bool {
			return p.mayWrite(login) || p.rules.role && p.rules.small == 0 && slices.Contains(p.rules.engineers, login)
		})
	}
	if len(p.rules.checks) > 0 {
		out["required-checks"] = worst(p.checks(p.head)...)
	}
	if p.rules.protected {
		out["protected-paths"] = change.NotApplicable
		if p.path {
			out["protected-paths"] = p.enough(1, func(login string) bool { return slices.Contains(p.rules.platform, login) })
		}
	}
	if p.rules.few {
		out["assertions"] = change.Pass
		if p.path && p.other {
			out["assertions"] = change.Pending // files can be taken out again
		}
	}
	if p.rules.owned != "" {
		out["code-owners"] = p.codeOwners()
	}
	if p.rules.signed != "" {
		out["signed-commits"] = p.signatures()
	}
	if p.rules.request {
		out["linked-request"] = change.Pending
		if p.key {
			out["linked-request"] = change.Pass
		}
	}
	if p.end != nil {
		for control, status := range out {
			if status == change.Pending {
				out[control] = change.Fail // nobody can do it any more
			}
		}
	}
	return out
}

func (p past) peerReview() change.Status {
	want := p.rules.approvals
	if p.rules.small > 0 && p.other && !p.path {
		want = p.rules.small
	}
	status := p.enough(want, p.mayReview)
	return p.unlessObjected(status, p.mayReview)
}

// unlessObjected is a status where nobody who may object does.
func (p past) unlessObjected(status change.Status, may func(string) bool) change.Status {
	some, perhaps := p.objections(may)
	if perhaps {
		status = worst(status, change.Undetermined)
	}
	if some {
		status = change.Fail
	}
	return status
}

// codeOwners asks for each touched file that has owners for one of them who may write,
// and that none of them objects.
func (p past) codeOwners() change.Status {
	var files []string
	if p.path {
		files = append(files, touched)
	}
	if p.other {
		files = append(files, beside)
	}
	var all []change.Status
	ownsAny := func(string) bool { return false }
	for _, file := range files {
		var owners line
		for _, l := range p.lines {
			if l.path == file {
				owners = l // the last one holds
			}
		}
		if len(owners.people) == 0 && !owners.platform {
			if p.rules.owned == "deny" {
				all = append(all, change.Fail)
			}
			continue
		}
		before := ownsAny
		owns := func(login string) bool {
			named := slices.ContainsFunc(owners.people, func(o string) bool {
				// Of who has no part in the change only the name is known, and not whose it is.
				return slices.Contains(p.part, o) && p.rules.sameHuman(o, login)
			})
			return p.mayWrite(login) && (named || owners.platform && slices.Contains(p.rules.platform, login))
		}
		ownsAny = func(login string) bool { return before(login) || owns(login) }
		all = append(all, p.enough(1, owns))
	}
	return p.unlessObjected(worst(all...), ownsAny)
}

// sameHuman reports whether two logins are of one human, as far as the policy says.
func (r rules) sameHuman(a, b string) bool {
	one := func(login string) string {
		if human := r.human(login); human != "" {
			return human
		}
		return login
	}
	return one(a) == one(b)
}

// signatures asks that each commit is signed by its author or its committer.
func (p past) signatures() change.Status {
	var all []change.Status
	for _, v := range p.line {
		status := change.Fail
		switch {
		case v.committer == "forge" && p.rules.signed == "allow":
			status = change.Pass
		case v.committer == "forge":
		case v.signer == "" || v.signer == "-" || v.signer == "UNKNOWN_KEY":
			status = change.Undetermined
		case v.signer == "INVALID" || v.signer == "none":
		case p.rules.sameHuman(v.signer, v.author) || p.rules.sameHuman(v.signer, v.committer):
			status = change.Pass
		}
		all = append(all, status)
	}
	return worst(all...)
}

// checks returns what each required check comes to on a commit.
func (p past) checks(on int) []change.Status {
	var all []change.Status
	for _, want := range p.rules.checks {
		var runs []run
		for _, r := range p.runs {
			if r.name == want.name && r.app == "github-actions" && r.on == on && (p.end == nil || r.at <= p.end.at) {
				runs = append(runs, r)
			}
		}
		all = append(all, p.check(want, runs))
	}
	return all
}

// check is the status of a check that ran so often. Without a workflow in the policy
// every workflow that ran it must have passed; with one, that one, and it must be
// certain that it did.
func (p past) check(want wanted, runs []run) change.Status {
	byFile := map[string][]run{}
	var either []run // that are of the workflow, or may be
	for _, r := range runs {
		byFile[r.file] = append(byFile[r.file], r)
		if r.file == want.workflow || r.file == "" {
			either = append(either, r)
		}
	}
	if want.workflow != "" {
		certain, perhaps := p.last(want, byFile[want.workflow]), p.last(want, either)
		if (certain == change.Pass) != (perhaps == change.Pass) {
			return change.Undetermined
		}
		return certain
	}
	if len(runs) == 0 {
		return change.Pending
	}
	var all []change.Status
	for _, of := range byFile {
		all = append(all, p.last(want, of))
	}
	return worst(all...)
}

// last is what the last of some runs comes to, and whether it took too many tries.
func (p past) last(want wanted, runs []run) change.Status {
	if len(runs) == 0 {
		return change.Pending
	}
	good := func(came string) bool { return came == "success" || came == want.accept }
	running := func(came string) bool { return came == "queued" || came == "in_progress" }
	last := runs[len(runs)-1]
	if running(last.came) {
		return change.Pending
	}
	if !good(last.came) {
		return change.Fail
	}
	if want.attempts > 0 {
		tries := last.attempt
		for i, r := range runs {
			if r.attempt == 0 {
				return change.Undetermined
			}
			switch {
			case i == len(runs)-1: // counted already
			case good(r.came) || running(r.came):
				tries += r.attempt - 1 // the others before it
			default:
				tries += r.attempt
			}
		}
		if tries > want.attempts {
			return change.Fail
		}
	}
	return p.honest(last.file)
}

// honest is the status of a success by a workflow: a change that rewrites the only
// workflow it can touch has written its own success, unless it needs the platform
// team for that, or one of the file's owners.
func (p past) honest(file string) change.Status {
	switch {
	case !p.path || p.rules.guarded || p.needsOwner():
		return change.Pass
	case file == "":
		return change.Undetermined
	case file == touched:
		return change.Fail
	}
	return change.Pass
}

// needsOwner reports whether touching that workflow needs one of its owners: where it
// has some, or where everything must have.
func (p past) needsOwner() bool {
	has := false
	for _, l := range p.lines {
		if l.path == touched {
			has = len(l.people) > 0 || l.platform // the last one holds
		}
	}
	return slices.Contains(p.rules.ownersGuard, "deny") || has && slices.Contains(p.rules.ownersGuard, "allow")
}

func (p past) noBypass() change.Status {
	switch {
	case p.end == nil:
		return change.NotApplicable
	case p.end.how == "direct_push" || p.end.how == "force_push":
		return change.Fail
	case p.end.queue && p.end.how != "merge_queue":
		return change.Fail
	case p.end.shown != "success" || p.end.on != p.head || p.end.meant != p.target:
		return change.Fail
	}
	return change.Pass
}

// worst returns whichever status holds back most.
func worst(all ...change.Status) change.Status {
	for _, s := range []change.Status{change.Fail, change.Undetermined, change.Pending, change.Exception, change.Pass} {
		if slices.Contains(all, s) {
			return s
		}
	}
	return change.NotApplicable
}
