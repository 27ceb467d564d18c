package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Of two policies it is said, by key and place, which is stricter where.
func TestNotes(t *testing.T) {
	const head = "version: 1\nowner: a\nroles: {engineer: [team:acme/engineers], platform: [team:acme/platform]}\nchanges:\n  - branches: [main]\n"
	review := func(n, from string) string { return "    peer-review: {approvals: " + n + from + "}\n" }
	for name, c := range map[string]struct {
		own, floor string
		want       []string
	}{
		"equal":       {review("1", ""), review("1", ""), nil},
		"weaker":      {review("1", ""), review("2", ""), []string{"changes[0].peer-review asks for 1 approval; the floor's 2 hold"}},
		"weaker by 1": {review("1", ""), review("1", ", from: [engineer]"), []string{"changes[0].peer-review.from takes approvals of more people than the floor does; those of engineer hold"}},
		"tighter":     {review("3", ""), review("2", ""), []string{"changes[0].peer-review asks for 3 approvals, beyond the floor's 2"}},
		"fewer people": {review("1", ", from: [engineer]"), review("1", ", from: [engineer, platform]"),
			[]string{"changes[0].peer-review.from takes approvals of fewer people than the floor does"}},
		"other people": {review("1", ", from: [engineer]"), review("1", ", from: [platform]"),
			[]string{"changes[0].peer-review.from takes approvals of other people than the floor does; both hold"}},
		"asked by one": {"    segregation-of-duties: {}\n", review("1", ""), []string{
			"the floor's changes[0].peer-review holds; the repository's policy does not ask for it",
			"changes[0].segregation-of-duties is beyond the floor, which does not ask for it"}},
		"checks": {"    required-checks: [{name: test, app: ci}, {name: lint, app: ci}]\n", "    required-checks: [{name: test, app: ci}, {name: sast, app: scanner}]\n", []string{
			`changes[0].required-checks[1] is beyond the floor: the check "lint" of "ci"`,
			`the floor's changes[0].required-checks[1] holds as well: the check "sast" of "scanner"`}},
		"a class of checks": {"    required-checks: [{name: noop, app: ci, class: sast}]\n", "    required-checks: [{class: sast}]\n", []string{
			`changes[0].required-checks[0] is beyond the floor: the check "noop" of "ci"`,
			`the floor's changes[0].required-checks[0] holds as well: the check of the class "sast"`}},
		"requests": {"    linked-request: {pattern: \"A-[0-9]+\"}\n", "    linked-request: {pattern: \"B-[0-9]+\"}\n", []string{
			"changes[0].linked-request is beyond the floor", "the floor's changes[0].linked-request holds as well"}},
		"paths": {"    protected-paths: [{paths: [a], from: [platform]}]\n", "    protected-paths: [{paths: [b, \"@{p1}\"], from: [platform]}]\n", []string{
			`changes[0].protected-paths[0] is beyond the floor: "a"`, `the floor's changes[0].protected-paths[0] holds as well: "b"; "＠{p1}"`}},
		"unowned paths allowed":   {"    code-owners: {}\n", "    code-owners: {unowned: deny}\n", []string{"changes[0].code-owners.unowned is allow; the floor denies it, and that holds"}},
		"unowned paths denied":    {"    code-owners: {unowned: deny}\n", "    code-owners: {unowned: allow}\n", []string{"changes[0].code-owners.unowned is deny, beyond the floor, which allows it"}},
		"unowned paths by both":   {"    code-owners: {unowned: deny}\n", "    code-owners: {unowned: deny}\n", nil},
		"unowned paths by none":   {"    code-owners: {unowned: allow}\n", "    code-owners: {}\n", nil},
		"the forge's commits":     {"    signed-commits: {by-forge: allow}\n", "    signed-commits: {}\n", []string{"changes[0].signed-commits.by-forge is allow; the floor denies it, and that holds"}},
		"no commits of the forge": {"    signed-commits: {}\n", "    signed-commits: {by-forge: allow}\n", []string{"changes[0].signed-commits.by-forge is deny, beyond the floor, which allows it"}},
		"carried over": {review("1", "") + "    carry-over: updates\n", review("1", ""), []string{
			"changes[0] carries approvals over; the floor counts those of the head alone, and that holds"}},
		"carried over by the floor": {review("1", ""), review("1", "") + "    carry-over: updates\n", []string{
			"changes[0] counts approvals of the head alone, beyond the floor, which carries them over"}},
		"carried over by both": {review("1", "") + "    carry-over: updates\n", review("1", "") + "    carry-over: updates\n", nil},
		"carried over by one of the floor's": {review("1", ""), review("1", "") + "    carry-over: updates\n  - branches: [main]\n    segregation-of-duties: {}\n", []string{
			"the floor's changes[1].segregation-of-duties holds; the repository's policy does not ask for it"}},
		"nothing to carry over in the floor": {review("1", "") + "    carry-over: updates\n", "    signed-commits: {}\n", []string{
			"changes[0].peer-review is beyond the floor, which does not ask for it",
			"the floor's changes[0].signed-commits holds; the repository's policy does not ask for it"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, n := range mustRead(t, head+c.own, head+c.floor).Notes("main") {
				got = append(got, string(n))
			}
			require.Equal(t, c.want, got)
		})
	}
}

// A branch that one of the files does not name.
func TestNotesOfABranchThatOneDoesNotName(t *testing.T) {
	set := mustRead(t, "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n",
		"version: 1\nowner: a\nchanges:\n  - branches: [\"release/**\"]\n    peer-review: {approvals: 2}\n")
	require.Empty(t, set.Notes("main"))
	require.Len(t, set.Notes("release/1"), 1)
	require.Equal(t, "no rule of the repository's policy names the branch; the floor's changes[0] holds", string(set.Notes("release/1")[0]))
	require.Empty(t, set.Notes("topic"))
}

// Roles of one name in both files are told apart.
func TestNotesOnRoles(t *testing.T) {
	const rule = "changes:\n  - branches: [main]\n    peer-review: {approvals: 1, from: [engineer]}\n"
	set := mustRead(t, "version: 1\nowner: a\nroles: {engineer: [\"user:github:101\"]}\n"+rule, "version: 1\nowner: a\nroles: {engineer: [\"user:github:102\"]}\n"+rule)
	notes := set.Notes("main")
	require.Equal(t, "roles.engineer names other holders than the floor's role of that name; each holds for its own file", string(notes[len(notes)-1]))
	for _, n := range notes {
		require.NotContains(t, string(n), "github:10", "a note is signed and names no account")
	}
}

// Classes and expressions choose among the rules of their own file.
func TestNotesOnClasses(t *testing.T) {
	file := func(classes, rule string) string {
		return "version: 1\nowner: a\nclasses: [" + classes + "]\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n" + rule
	}
	const (
		docs, wide, bots = "{name: docs, paths: [docs/]}", "{name: docs, paths: [docs/, web/]}", "{name: bots, authors: [\"github:1\"]}"
		some             = "  - branches: [main]\n    classes: [docs]\n    segregation-of-duties: {}\n"
		chooses          = "classes and when of changes[1] choose among the rules of the repository's policy only; the floor's changes[0] holds whatever they come to"
		otherwise        = "the class \"docs\" means something else in the floor; each holds for its own file"
	)
	for _, c := range []struct {
		own, floor string
		want       []string
	}{
		{file(docs, ""), file(wide, ""), nil},
		{file(docs, some), file(docs, ""), []string{"changes[1].segregation-of-duties is beyond the floor, which does not ask for it", chooses}},
		{file(docs, some), file(bots+", "+wide, ""), []string{"changes[1].segregation-of-duties is beyond the floor, which does not ask for it", chooses, otherwise}},
		{file(docs+", "+bots, some), file(bots, ""), []string{"changes[1].segregation-of-duties is beyond the floor, which does not ask for it", chooses}},
	} {
		var got []string
		for _, n := range mustRead(t, c.own, c.floor).Notes("main") {
			got = append(got, string(n))
		}
		require.Equal(t, c.want, got)
	}
}
