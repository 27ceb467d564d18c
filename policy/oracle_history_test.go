package policy_test

import (
	"fmt"
	"math/rand/v2"
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
		text := fmt.Sprintf("History %d.\n-- policy --\n%s%s-- story --\n%s-- want --\ndeny\n", i, h.rules.policy(), h.floorSection(), h.story.String())
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
		if w := worst(all...); len(all) > 0 && (w == change.Pass || w == change.NotApplicable) {
			verdict = change.Allow
		}
		require.Equal(t, verdict, played.Decision.Verdict(), text)
		verdicts[string(verdict)]++
	}
	t.Logf("%v\n%v", verdicts, statuses)
	require.Greater(t, verdicts[string(change.Allow)], played/20, "the histories are worth judging")
	for _, control := range []string{"peer-review", "segregation-of-duties", "required-checks", "protected-paths", "linked-request", "code-owners", "signed-commits", "no-bypass"} {
		for _, status := range []change.Status{change.Pass, change.Fail, change.Pending, change.Undetermined} {
			if status == change.Undetermined && control == "linked-request" || status == change.Pending && (control == "no-bypass" || control == "signed-commits") {
				continue // a link is there or not, what landed is past, and a signature does not come later
			}
			require.Positive(t, statuses[control+" "+string(status)], "%s is never %s", control, status)
		}
	}
}

// A happening makes one history: the story of it, and what the oracle knows.
type happening struct {
	*rand.Rand
	past
	story strings.Builder
	floor *rules // nil without one
	clock int    // events so far, which are a minute each
	made  int    // commits so far
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
	line := fmt.Sprintf(format, args...)
	fmt.Fprintln(&h.story, line)
	h.part = append(h.part, strings.Fields(line)...)
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
	h.rules = h.decree()
	switch {
	case h.chance(10):
		return h.group()
	case h.chance(10):
		return h.push()
	}
	h.rules.compose(h)
	if h.chance(20) {
		floor := h.decree()
		floor.compose(h)
		floor.engineers, floor.platform, floor.readersOnly = h.rules.engineers, h.rules.platform, h.rules.readersOnly
		h.floor = &floor
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
	return h.past.judgedByBoth(h.floor)
}

// decree draws what a policy asks.
func (h *happening) decree() rules {
	r := rules{
		approvals: 1 + h.IntN(2), role: h.chance(50), separation: h.chance(70), protected: h.chance(50), request: h.chance(25),
		alias: h.chance(85), answersBot: h.chance(35),
	}
	r.registered = !r.answersBot && h.chance(50)
	if h.chance(25) {
		r.owned = h.one("allow", "deny")
	}
	if h.chance(20) {
		r.signed = h.one("allow", "deny")
	}
	r.carries = h.chance(30)
	r.guarded, r.ownersGuard = r.protected, []string{r.owned}
	for _, name := range [][]string{nil, {"test"}, {"test", "lint"}}[h.IntN(3)] {
		w := wanted{name: name}
		if h.chance(25) {
			w.workflow = h.one(touched, ".github/workflows/ci.yml")
		}
		if h.chance(25) {
			w.attempts = 1 + h.IntN(3)
		}
		if h.chance(15) {
			w.accept = h.one("skipped", "neutral")
		}
		r.checks = append(r.checks, w)
	}
	r.engineers, r.platform = h.some(75), h.some(40)
	r.readersOnly = h.some(10)
	return r
}

// policy writes the policy out.
func (r rules) policy() string {
	var b strings.Builder
	b.WriteString("version: 1\nowner: platform-team\nroles:\n  engineer: [team:acme/engineers]\n  platform: [team:acme/platform]\n")
	b.WriteString("changes:\n  - branches: [main, release]\n")
	from := r.from()
	if r.small > 0 {
		fmt.Fprintf(&b, "    classes: [small]\n    peer-review: {approvals: %d%s}\n%s", r.small, from, r.carryOver())
		fmt.Fprintf(&b, "  - branches: [main, release]\n    classes: [normal]\n    peer-review: {approvals: %d%s}\n%s", r.approvals, from, r.carryOver())
		b.WriteString("  - branches: [main, release]\n")
	} else {
		fmt.Fprintf(&b, "    peer-review: {approvals: %d%s}\n", r.approvals, from)
	}
	r.demands(&b)
	if r.dev != nil {
		b.WriteString("  - branches: [dev]\n    peer-review: {approvals: " + fmt.Sprint(r.dev.approvals) + r.dev.from() + "}\n")
		r.dev.demands(&b)
	}
	r.people(&b)
	return b.String()
}

// from writes out whose approvals count.
func (r rules) from() string {
	if r.role {
		return ", from: [engineer]"
	}
	return ""
}

// demands writes out what is asked beside approvals.
func (r rules) demands(b *strings.Builder) {
	if r.few {
		b.WriteString("    assertions: [{name: few, that: 'size(change.files) < 2'}]\n")
	}
	if r.separation {
		b.WriteString("    segregation-of-duties: {}\n")
	}
	for i, w := range r.checks {
		if i == 0 {
			b.WriteString("    required-checks:\n")
		}
		fmt.Fprintf(b, "      - {name: %s, app: github-actions%s}\n", w.name, w.settings())
	}
	if r.request {
		b.WriteString("    linked-request: {pattern: \"SHOP-[0-9]+\"}\n")
	}
	if r.protected {
		b.WriteString("    protected-paths:\n      - {paths: [\".github/workflows/**\"], from: [platform]}\n")
	}
	if r.owned != "" {
		fmt.Fprintf(b, "    code-owners: {unowned: %s}\n", r.owned)
	}
	if r.signed != "" {
		fmt.Fprintf(b, "    signed-commits: {by-forge: %s}\n", r.signed)
	}
	b.WriteString(r.carryOver())
}

// people writes out the classes and who is who.
func (r rules) people(b *strings.Builder) {
	if r.small > 0 {
		b.WriteString("classes: [{name: small, paths: [basket.go]}]\n")
	}
	if r.alias || r.answersBot {
		b.WriteString("people:\n")
	}
	if r.alias {
		b.WriteString("  - {accounts: [github:104, github:204], note: \"mallory's second account\"}\n")
	}
	if r.answersBot {
		b.WriteString("  - {accounts: [github:301, github:101], note: ada answers for release-bot}\n")
	}
	if r.registered {
		b.WriteString("automations: [{account: \"github:301\", accountable: \"github:101\"}]\n")
	}
}

// compose draws what a policy asks of some changes only, and in its own words.
func (r *rules) compose(h *happening) {
	if h.chance(30) {
		r.small = 1 + h.IntN(2)
	}
	r.few = h.chance(15)
}

// carryOver writes out whether approvals are carried over.
func (r rules) carryOver() string {
	if r.carries {
		return "    carry-over: updates\n"
	}
	return ""
}

// settings writes out what a check is asked for beside its name and app.
func (w wanted) settings() string {
	out := ""
	if w.workflow != "" {
		out += ", workflow: " + w.workflow
	}
	if w.attempts > 0 {
		out += fmt.Sprintf(", attempts: %d", w.attempts)
	}
	if w.accept != "" {
		out += ", accept: [" + w.accept + "]"
	}
	return out
}

// floorSection writes the floor out, where there is one.
func (h *happening) floorSection() string {
	if h.floor == nil {
		return ""
	}
	return "-- floor --\n" + h.floor.policy()
}
