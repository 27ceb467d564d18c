package policy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// begin tells who is who and opens the change with a commit.
func (h *happening) begin() {
	fmt.Fprintf(&h.story, "bot release-bot\nstranger build@nowhere.example\n")
	if len(h.rules.readersOnly) > 0 {
		fmt.Fprintf(&h.story, "reader %s\n", strings.Join(h.rules.readersOnly, " "))
	}
	fmt.Fprintf(&h.story, "team acme/engineers %s\nteam acme/platform %s\n", strings.Join(h.rules.engineers, " "), strings.Join(h.rules.platform, " "))
	h.target = h.one("main", "main", "main", "main", "release")
	through := ""
	if h.chance(15) {
		through = " through part-1" // in the middle of a stack
	}
	fmt.Fprintf(&h.story, "target %s%s\n", h.target, through)
	if h.key = h.chance(60); h.key {
		fmt.Fprintln(&h.story, "title SHOP-42 sort the basket")
	}
	h.opener = h.somebody()
	h.say("author %s", h.opener)
	h.path = h.chance(40)
	if h.path {
		fmt.Fprintln(&h.story, "touch "+touched)
	}
	if h.other = h.chance(40); h.other {
		fmt.Fprintln(&h.story, "touch "+beside)
	}
	for range h.IntN(4) {
		h.owns()
	}
	h.commit()
}

// owns writes a line of the code owners file.
func (h *happening) owns() {
	l := line{path: h.one(touched, beside), people: h.some(20), platform: h.chance(25)}
	words := []string{"/" + l.path}
	for _, login := range l.people {
		words = append(words, "@"+login)
	}
	if l.platform {
		words = append(words, "@acme/platform")
	}
	fmt.Fprintln(&h.story, "owners "+strings.Join(words, " "))
	h.lines = append(h.lines, l)
}

// commit is one commit, pushed.
func (h *happening) commit() {
	v := version{author: h.opener}
	if h.chance(25) {
		v.author = h.somebody()
	}
	if h.chance(3) {
		v.author = "build@nowhere.example"
	}
	pusher := v.author
	if strings.Contains(pusher, "@") || h.chance(15) {
		pusher = h.somebody()
	}
	v.committer = v.author
	line := "commit " + v.author
	if h.chance(15) {
		v.committer = h.one("forge", h.somebody())
		line += " committer " + v.committer
	}
	if h.chance(10) {
		v.together = h.somebody()
		line += " co-author " + v.together
	}
	line += " pusher " + pusher
	if len(h.line) > 0 && h.chance(25) {
		v.empty = true
		line += fmt.Sprintf(" files of-%d", h.head)
		if v.merge = h.chance(30); v.merge {
			line += " merges 900"
		}
	}
	if v.committer != "forge" {
		switch v.signer = h.one("", "author", "author", "author", "author", "author", "author", "committer", h.somebody(), "-", "UNKNOWN_KEY", "INVALID", "none"); v.signer {
		case "":
		case "-":
			line += " signed-by nobody"
		case "UNKNOWN_KEY", "INVALID", "none":
			line += " signature " + v.signer
		case "author", "committer":
			if v.signer = map[string]string{"author": v.author, "committer": v.committer}[v.signer]; strings.Contains(v.signer, "@") {
				v.signer = "grace"
			}
			fallthrough
		default:
			line += " signed-by " + v.signer
		}
	}
	h.say("%s", line)
	h.made++
	v.n = h.made
	h.line, h.head = append(h.line, v), v.n
	h.moves = append(h.moves, move{pusher, []int{v.n}})
}

// event is anything that can happen to an open change.
func (h *happening) event() {
	switch n := h.IntN(100); {
	case n < 18:
		h.commit()
	case n < 23:
		h.remake()
	case n < 30:
		h.update()
	default:
		h.event2(n)
	}
}

// event2 is anything that can happen to a change that has landed, too.
func (h *happening) event2(n int) {
	switch {
	case n < 60:
		h.review(h.somebody(), h.one("approved", "approved", "approved", "changes_requested", "commented"))
	case n < 68 && len(h.words) > 0:
		h.dismiss()
	case n < 74:
		h.aim()
	case n < 95:
		h.check(h.one("test", "lint"), h.one("github-actions", "github-actions", "github-actions", "other-ci"),
			h.one("success", "success", "success", "failure", "skipped", "neutral", "in_progress", "cancelled"))
	default:
		// A status of a check's name is posted by somebody and counts for nothing.
		h.say("status %s by %s success", h.one("test", "lint"), h.somebody())
	}
}

// update merges the base into the change, by somebody who may add something to it.
func (h *happening) update() {
	v := version{author: h.somebody(), committer: "forge", merge: true, update: h.chance(70)}
	line := fmt.Sprintf("update %s", v.author)
	if h.chance(30) {
		line += " to 93"
	}
	if !v.update {
		line += " by-hand"
	}
	h.say("%s", line)
	h.made++
	v.n = h.made
	h.line, h.head = append(h.line, v), v.n
	h.moves = append(h.moves, move{v.author, []int{v.n}})
}

// remake rebases: every commit is made again by one account, with new files. Whoever
// does that can claim that somebody else is the author, and leave co-authors out.
func (h *happening) remake() {
	by, as, alone := h.somebody(), "", h.chance(20)
	line := "rebase " + by
	if h.chance(20) {
		as = h.somebody()
		line += " as " + as
	}
	if h.chance(20) {
		line += fmt.Sprintf(" files of-%d", h.head)
	}
	if h.chance(20) {
		line += " onto 800"
	}
	if alone {
		line += " alone"
	}
	h.say("%s", line)
	h.past.past = append(h.past.past, h.line...)
	h.line = slices.Clone(h.line)
	var brought []int
	for i := range h.line {
		h.made++
		v := &h.line[i]
		v.n, v.committer, v.empty, v.merge, v.update, v.signer = h.made, by, false, false, false, ""
		if as != "" {
			v.author = as
		}
		if alone {
			v.together = ""
		}
		brought = append(brought, v.n)
	}
	h.head = h.made
	h.moves = append(h.moves, move{by, brought})
}

func (h *happening) review(by, says string) {
	on := h.head
	line := fmt.Sprintf("review %s %s", by, says)
	if h.made > 1 && h.chance(15) {
		on = 1 + h.IntN(h.made)
		line += fmt.Sprintf(" of %d", on)
	}
	h.words = append(h.words, word{by: by, says: says, on: on, at: h.say("%s", line)})
}

// dismiss takes the last review of somebody out of force that still is in it.
func (h *happening) dismiss() {
	whose := h.words[h.IntN(len(h.words))].by
	for i := len(h.words) - 1; i >= 0; i-- {
		w := &h.words[i]
		if w.by != whose || w.dismisser != "" || w.says == "commented" {
			if w.by == whose && w.dismisser == "" {
				return // the forge has nothing to dismiss in a comment
			}
			continue
		}
		w.dismisser, w.silent = h.somebody(), h.chance(15)
		line := fmt.Sprintf("dismiss %s by %s", whose, w.dismisser)
		if w.silent {
			line += " silently"
		}
		w.dismissed = h.say("%s", line)
		return
	}
}

// aim makes the target another, or rewrites it. The target of what has landed can
// only be rewritten.
func (h *happening) aim() {
	if h.end != nil || h.chance(50) {
		h.bases = append(h.bases, h.say("rewrite-base %s", h.somebody()))
		return
	}
	old := h.target
	h.target = h.one("main", "main", "main", "main", "main", "main", "release", "release", "release", "topic")
	h.bases = append(h.bases, h.say("retarget %s %s %s", h.somebody(), old, h.target))
}

// The files that a history's change may touch.
const (
	touched = ".github/workflows/release.yml" // which may run its checks
	beside  = "basket.go"
)

func (h *happening) check(name, app, came string) {
	file, told := h.one("", "", touched, ".github/workflows/ci.yml", ".github/workflows/ci.yml"), ""
	if file != "" {
		told = " workflow " + file
	}
	attempt := h.one("0", "1", "1", "1", "2", "3")
	if attempt != "0" {
		told += " attempt " + attempt
	}
	h.runs = append(h.runs, run{name, app, came, file, int(attempt[0] - '0'), h.head, h.say("check %s from %s %s%s", name, app, came, told)})
}

// favour lets some changes end well, which chance seldom does.
func (h *happening) favour() {
	if !h.chance(60) {
		return
	}
	for _, name := range []string{"test", "lint"} {
		h.check(name, "github-actions", "success")
	}
	for _, login := range []string{"grace", "linus", "margaret"} {
		if h.chance(80) {
			h.words = append(h.words, word{by: login, says: "approved", on: h.head, at: h.say("review %s approved", login)})
		}
	}
}

// land ends the change.
func (h *happening) land() {
	e := &ending{queue: h.chance(20), on: h.head, shown: h.one("success", "success", "success", "failure", "in_progress")}
	if e.queue {
		fmt.Fprintln(&h.story, "enforced merge_queue")
	}
	line := "shown " + e.shown
	if h.chance(15) {
		e.on = 1 + h.IntN(h.made)
		line += fmt.Sprintf(" of %d", e.on)
	}
	e.meant = h.target
	if h.chance(10) {
		e.meant = h.one("main", "release")
	}
	h.say("%s for %s", line, e.meant)
	e.how = h.one("merge", "squash", "rebase", "merge_queue", "merge_queue", "direct_push")
	e.at = h.say("land %s %s", h.somebody(), e.how)
	h.end = e
}

// group is a merge queue's group. Its members were judged by themselves.
func (h *happening) group() map[string]change.Status {
	want := map[string]change.Status{"peer-review": change.NotApplicable, "no-bypass": change.NotApplicable}
	if h.rules.separation {
		want["segregation-of-duties"] = change.NotApplicable
	}
	if h.rules.protected {
		want["protected-paths"] = change.NotApplicable
	}
	if len(h.rules.checks) > 0 {
		want["required-checks"] = change.NotApplicable
	}
	if h.rules.request {
		want["linked-request"] = change.NotApplicable
	}
	if h.rules.owned != "" {
		want["code-owners"] = change.NotApplicable
	}
	if h.rules.signed != "" {
		want["signed-commits"] = change.NotApplicable
	}
	h.say("group main")
	members := h.IntN(4)
	for n := range members {
		if h.chance(8) {
			h.say("unjudged %d", 50+n)
			for control := range want {
				want[control] = worst(want[control], change.Undetermined)
			}
			continue
		}
		for _, control := range slices.Sorted(maps.Keys(want)) {
			status := change.Pass
			if h.chance(15) {
				status = change.Status(h.one("fail", "pending", "unknown", "not-applicable"))
			}
			h.say("member %d %s %s because", 50+n, control, status)
			want[control] = worst(want[control], status)
		}
	}
	if members == 0 {
		for control := range want {
			want[control] = change.Undetermined
		}
	}
	if h.chance(10) {
		h.say("stray 80")
		for _, control := range []string{"peer-review", "segregation-of-duties", "code-owners", "signed-commits", "no-bypass"} {
			if _, asked := want[control]; asked {
				want[control] = change.Fail // nobody looked at it
			}
		}
	}
	if len(h.rules.checks) > 0 {
		h.head, h.past.path = groupHead, false // what its members touch is judged on each of them
		for _, w := range h.rules.checks {
			h.check(w.name, "github-actions", h.one("success", "success", "success", "failure", "queued"))
		}
		want["required-checks"] = worst(want["required-checks"], worst(h.past.checks(groupHead)...))
	}
	return want
}

// groupHead is the number of the commit that a group proposes.
const groupHead = 95

// push is a movement of a protected branch that no pull request is judged by.
func (h *happening) push() map[string]change.Status {
	how := h.one("direct_push", "force_push", "branch_creation", "branch_deletion", "merge", "squash")
	explained, reachable := h.chance(50), how == "branch_creation" && h.chance(50)
	line := fmt.Sprintf("push %s %s", h.somebody(), how)
	fewer := func(string) bool { return false }
	if reachable {
		from := h.one("release", "dev")
		line += " reachable " + from
		if from == "dev" {
			dev := h.decree()
			h.rules.dev, fewer = &dev, func(control string) bool { return !h.rules.askedOf(dev, control) }
		}
	}
	if explained {
		line += " explained 40 41"
	}
	h.say("%s", line)
	approvals, bypass := change.NotApplicable, change.Pass
	if !explained && !reachable {
		approvals, bypass = change.Fail, change.Fail
	}
	if how == "force_push" || how == "branch_deletion" {
		bypass = change.Fail
	}
	want := map[string]change.Status{"peer-review": approvals, "no-bypass": bypass}
	if h.rules.separation {
		want["segregation-of-duties"] = approvals
	}
	if h.rules.owned != "" {
		want["code-owners"] = approvals
	}
	if h.rules.signed != "" {
		want["signed-commits"] = approvals
	}
	if h.rules.protected {
		want["protected-paths"] = change.NotApplicable
	}
	if len(h.rules.checks) > 0 {
		want["required-checks"] = change.NotApplicable
	}
	if h.rules.request {
		want["linked-request"] = change.NotApplicable
	}
	for control := range want {
		if fewer(control) {
			want[control] = change.Fail
		}
	}
	return want
}

// askedOf reports whether a control is asked of changes to dev as it is of those to main.
func (r rules) askedOf(dev rules, control string) bool {
	carried := dev.carries && !r.carries
	switch control {
	case "peer-review":
		return dev.approvals >= r.approvals && dev.role == r.role && !carried
	case "segregation-of-duties":
		return dev.separation && !carried
	case "code-owners":
		return (dev.owned == "deny" || dev.owned == r.owned) && !carried
	case "signed-commits":
		return dev.signed == "deny" || dev.signed == r.signed
	case "linked-request":
		return dev.request && !carried
	case "protected-paths":
		return dev.protected && !carried
	case "required-checks":
		for _, w := range r.checks {
			if !slices.Contains(dev.checks, w) {
				return false
			}
		}
	}
	return true
}
