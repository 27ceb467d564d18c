package policy_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/story"
)

// histories is how many are played, fewHistories with -short.
const (
	histories    = 10_000
	fewHistories = 1_000
)

// TestHistoriesAgainstTheOracle plays random histories and has both judges judge
// them. A history that they disagree on is printed as the story that it is.
func TestHistoriesAgainstTheOracle(t *testing.T) {
	verdicts, statuses := map[string]int{}, map[string]int{}
	played := histories
	if testing.Short() {
		played = fewHistories
	}
	for i := range uint64(played) {
		h := &happening{Rand: rand.New(rand.NewPCG(2026, i))}
		want := h.happen()
		text := fmt.Sprintf("History %d.\n-- policy --\n%s-- story --\n%s-- want --\ndeny\n", i, h.policy(), h.story.String())
		s, err := story.Parse("history.txtar", []byte(text))
		require.NoError(t, err, text)
		played, err := s.Play("")
		require.NoError(t, err, text)
		got := map[string]change.Status{}
		all := []change.Status{}
		for _, r := range played.Decision.Results {
			got[r.Control] = r.Status
		}
		for control, status := range want {
			all = append(all, status)
			statuses[control+" "+string(status)]++
		}
		require.Equal(t, want, got, "%s\n%s", text, story.Tell(played))
		verdict := change.Deny
		if w := worst(all...); w == change.Pass || w == change.NotApplicable {
			verdict = change.Allow
		}
		require.Equal(t, verdict, played.Decision.Verdict(), text)
		verdicts[string(verdict)]++
	}
	t.Logf("%v\n%v", verdicts, statuses)
	require.Greater(t, verdicts[string(change.Allow)], played/20, "the histories are worth judging")
	for _, control := range []string{"peer-review", "segregation-of-duties", "required-checks", "protected-paths"} {
		for _, status := range []change.Status{change.Pass, change.Fail, change.Pending, change.Undetermined} {
			require.Positive(t, statuses[control+" "+string(status)], "%s is never %s", control, status)
		}
	}
}

// A happening makes one history: the story of it, and what the oracle knows.
type happening struct {
	*rand.Rand
	past
	story strings.Builder
	clock int // events so far, which are a minute each
	made  int // commits so far
}

// people are who can have a part. The first five are humans.
func people() []string {
	return []string{"ada", "grace", "linus", "mallory", "margaret", "mallory-alt", "release-bot"}
}

// say writes a line. It returns the time of the event.
func (h *happening) say(format string, args ...any) int {
	if h.clock > 1 && h.chance(6) {
		fmt.Fprintln(&h.story, "same-moment")
	} else {
		h.clock++
	}
	fmt.Fprintf(&h.story, format+"\n", args...)
	return h.clock
}

func (h *happening) chance(percent int) bool { return h.IntN(100) < percent }

// one returns one of the words.
func (h *happening) one(words ...string) string { return words[h.IntN(len(words))] }

// somebody returns a human mostly, and sometimes an account that is stranger.
func (h *happening) somebody() string {
	if h.chance(85) {
		return h.one(people()[:5]...)
	}
	return h.one(people()[5:]...)
}

// some returns each login with a chance.
func (h *happening) some(percent int) (list []string) {
	for _, login := range people()[:6] {
		if h.chance(percent) {
			list = append(list, login)
		}
	}
	return list
}

// happen plays one history and returns what the oracle makes of it.
func (h *happening) happen() map[string]change.Status {
	h.decree()
	switch {
	case h.chance(10):
		return h.group()
	case h.chance(10):
		return h.push()
	}
	h.begin()
	for range 2 + h.IntN(14) {
		h.event()
	}
	h.favour()
	if h.chance(35) {
		h.land()
		for range h.IntN(3) {
			h.event2(h.IntN(100))
		}
	}
	return h.past.judged()
}

// decree draws the policy.
func (h *happening) decree() {
	h.rules = rules{approvals: 1 + h.IntN(2), role: h.chance(50), separation: h.chance(70), protected: h.chance(50), answersBot: h.chance(60)}
	h.rules.checks = [][]string{nil, {"test"}, {"test", "lint"}}[h.IntN(3)]
	h.rules.engineers, h.rules.platform = h.some(75), h.some(40)
	h.rules.readersOnly = h.some(10)
}

// policy writes the policy out.
func (h *happening) policy() string {
	var b strings.Builder
	r := h.rules
	b.WriteString("version: 1\nowner: platform-team\nroles:\n  engineer: [team:acme/engineers]\n  platform: [team:acme/platform]\n")
	b.WriteString("changes:\n  - branches: [main, release]\n")
	from := ""
	if r.role {
		from = ", from: [engineer]"
	}
	fmt.Fprintf(&b, "    peer-review: {approvals: %d%s}\n", r.approvals, from)
	if r.separation {
		b.WriteString("    segregation-of-duties: {}\n")
	}
	for i, name := range r.checks {
		if i == 0 {
			b.WriteString("    required-checks:\n")
		}
		fmt.Fprintf(&b, "      - {name: %s, app: github-actions}\n", name)
	}
	if r.protected {
		b.WriteString("    protected-paths:\n      - {paths: [\".github/workflows/**\"], from: [platform]}\n")
	}
	b.WriteString("people:\n  - {accounts: [github:104, github:204], note: \"mallory's second account\"}\n")
	if r.answersBot {
		b.WriteString("  - {accounts: [github:301, github:101], note: ada answers for release-bot}\n")
	}
	return b.String()
}

// begin tells who is who and opens the change with a commit.
func (h *happening) begin() {
	fmt.Fprintf(&h.story, "bot release-bot\nstranger build@nowhere.example\n")
	if len(h.rules.readersOnly) > 0 {
		fmt.Fprintf(&h.story, "reader %s\n", strings.Join(h.rules.readersOnly, " "))
	}
	fmt.Fprintf(&h.story, "team acme/engineers %s\nteam acme/platform %s\n", strings.Join(h.rules.engineers, " "), strings.Join(h.rules.platform, " "))
	h.opener = h.somebody()
	h.say("author %s", h.opener)
	h.path = h.chance(40)
	if h.path {
		fmt.Fprintln(&h.story, "touch "+touched)
	}
	h.commit()
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
	h.say("%s", line)
	h.made++
	v.n = h.made
	h.line, h.head = append(h.line, v), v.n
	h.moves = append(h.moves, move{pusher})
}

// event is anything that can happen to an open change.
func (h *happening) event() {
	switch n := h.IntN(100); {
	case n < 18:
		h.commit()
	case n < 24:
		h.remake()
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
	case n < 74 && h.end == nil:
		h.aim()
	case n < 95:
		h.check(h.one("test", "lint"), h.one("github-actions", "github-actions", "github-actions", "other-ci"),
			h.one("success", "success", "success", "failure", "skipped", "neutral", "in_progress", "cancelled"))
	default:
		// A status of a check's name is posted by somebody and counts for nothing.
		h.say("status %s by %s success", h.one("test", "lint"), h.somebody())
	}
}

// remake rebases: every commit is made again by one account, with new files.
func (h *happening) remake() {
	by := h.somebody()
	h.say("rebase %s", by)
	h.past.past = append(h.past.past, h.line...)
	for i := range h.line {
		h.made++
		h.line[i].n, h.line[i].committer, h.line[i].empty, h.line[i].merge = h.made, by, false, false
	}
	h.head = h.made
	h.moves = append(h.moves, move{by})
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

// aim makes the target another, or rewrites it.
func (h *happening) aim() {
	if h.chance(50) {
		h.rebase = h.say("rewrite-base %s", h.somebody())
		return
	}
	h.rebase = h.say("retarget %s release main", h.somebody())
}

// touched is the one file that a history's change may touch.
const touched = ".github/workflows/release.yml"

func (h *happening) check(name, app, came string) {
	file, told := h.one("", "", touched, ".github/workflows/ci.yml", ".github/workflows/ci.yml"), ""
	if file != "" {
		told = " workflow " + file
	}
	h.runs = append(h.runs, run{name, app, came, file, h.head, h.say("check %s from %s %s%s", name, app, came, told)})
}

// favour lets some changes end well, which chance seldom does.
func (h *happening) favour() {
	if !h.chance(60) {
		return
	}
	for _, name := range h.rules.checks {
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
	h.say("%s for main", line)
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
		want["peer-review"] = change.Fail
		if h.rules.separation {
			want["segregation-of-duties"] = change.Fail
		}
	}
	for _, name := range h.rules.checks {
		came := h.one("success", "success", "success", "failure", "queued")
		h.say("check %s from github-actions %s", name, came)
		want["required-checks"] = worst(want["required-checks"], map[string]change.Status{
			"success": change.Pass, "failure": change.Fail, "queued": change.Pending}[came])
	}
	return want
}

// push is a movement of a protected branch that no pull request is judged by.
func (h *happening) push() map[string]change.Status {
	how := h.one("direct_push", "force_push", "branch_creation", "branch_deletion", "merge", "squash")
	explained, reachable := h.chance(50), how == "branch_creation" && h.chance(50)
	line := fmt.Sprintf("push %s %s", h.somebody(), how)
	if reachable {
		line += " reachable release"
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
	if h.rules.protected {
		want["protected-paths"] = change.NotApplicable
	}
	if len(h.rules.checks) > 0 {
		want["required-checks"] = change.NotApplicable
	}
	return want
}
