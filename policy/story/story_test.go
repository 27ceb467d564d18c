package story_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy/story"
)

const ownPolicy = "version: 1\nowner: a\nchanges:\n  - branches: [main]\n    peer-review: {approvals: 1}\n"

// telling returns a story with these events, the first of them in line 3, that
// wants the change denied.
func telling(events ...string) string {
	return "A story.\n-- story --\n" + strings.Join(events, "\n") + "\n-- want --\ndeny\n"
}

// policyOf returns a section with a policy that has another line.
func policyOf(line string) string { return "-- policy --\n" + ownPolicy + line + "\n" }

// play parses and plays a story and returns the error of either.
func play(t *testing.T, text string) (story.Played, error) {
	t.Helper()
	s, err := story.Parse("s.txtar", []byte(text))
	if err != nil {
		return story.Played{}, err
	}
	return s.Play(ownPolicy)
}

// Every mistake in a story is named with its line and what there is instead.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":              {"", "s.txtar:1: a story begins by saying"},
		"no events":            {"A story.\n-- want --\ndeny\n", "s.txtar:1: the section story is missing"},
		"empty events":         {"A story.\n-- story --\n# nothing\n-- want --\ndeny\n", "s.txtar:2: the section story is empty"},
		"no want":              {"A story.\n-- story --\nauthor ada\n", "s.txtar:1: the section want is missing"},
		"section of no kind":   {telling("author ada") + "-- wants --\n", `s.txtar:6: a story has no section "wants"; its sections are policy, floor, story, want`},
		"section twice":        {telling("author ada") + "-- story --\nauthor ada\n", "s.txtar:6: the section story stands here and in line 2"},
		"empty policy":         {telling("author ada") + "-- policy --\n", "s.txtar:6: the policy is empty"},
		"broken policy":        {telling("author ada") + policyOf("nonsense: 1"), `s.txtar:12: the policy cannot be read: a policy has no key "nonsense"`},
		"broken floor":         {telling("author ada") + "-- floor --\nversion: 1\n", `s.txtar:7: the floor cannot be read: a policy needs the key`},
		"broken, pending":      {telling("author ada") + "pending peer-review\n-- policy --\n[\n", "s.txtar:8: the policy cannot be read: "},
		"too long":             {strings.Repeat("x", story.MaxBytes+1), "s.txtar:1: the story has more than 1048576 bytes"},
		"unknown event":        {telling("author ada", "comit ada"), `s.txtar:4: a story has no event "comit"; did you mean "commit"?`},
		"no event near":        {telling("author ada", "explodes ada"), `s.txtar:4: a story has no event "explodes"; its events are account, app, arm, author`},
		"not UTF-8":            {"A story.\n-- story --\ntitle \xff\n", "s.txtar:3: this line is not UTF-8; save the story as UTF-8"},
		"word missing":         {telling("review grace"), "s.txtar:3: STATE is missing; write review LOGIN STATE [of N]"},
		"word left over":       {telling("review grace approved yesterday"), `s.txtar:3: "yesterday" does not belong here; write review`},
		"option without value": {telling("review grace approved of"), "s.txtar:3: N is missing; write review"},
		"option twice":         {telling("commit ada pusher grace pusher linus"), `s.txtar:3: "pusher" does not belong here`},
		"another word":         {telling("check test of github-actions success"), `s.txtar:3: "of" stands where "from" belongs`},
		"empty word":           {telling(`author ""`), "s.txtar:3: LOGIN is empty"},
		"open quotation":       {telling(`title "Sort`), "s.txtar:3: a quotation mark is not closed"},
		"nobody to name":       {telling("team acme/engineers", "reader"), "s.txtar:4: LOGIN is missing; write reader LOGIN..."},
		"unknown person":       {telling("author bob"), `s.txtar:3: nobody is called "bob"; the story knows ada, ci[bot], grace, linus, mallory, mallory-alt, margaret, release-bot; add somebody with: account bob github:ID`},
		"unknown member":       {telling("team acme/engineers ada bob"), `s.txtar:3: nobody is called "bob"`},
		"unknown holder":       {telling("holds write bob"), `s.txtar:3: nobody is called "bob"`},
		"unknown reader":       {telling("reader bob"), `s.txtar:3: nobody is called "bob"`},
		"unknown bot":          {telling("bot bob"), `s.txtar:3: nobody is called "bob"`},
		"account by login":     {telling("account bob github:bob"), `s.txtar:3: "github:bob" is not an account id`},
		"account taken":        {telling("account bob github:101"), "s.txtar:3: github:101 is the account of ada; give bob another"},
		"account too late":     {telling("author ada", "account ada github:7"), `s.txtar:4: "ada" has had a part in the story already`},
		"kind too late":        {telling("author ada", "bot ada"), `s.txtar:4: "ada" has had a part in the story already`},
		"unknown state":        {telling("review grace aproved"), `s.txtar:3: "aproved" is no review; write one of approved, changes_requested, commented`},
		"unknown outcome":      {telling("check test from x sucess"), `s.txtar:3: "sucess" is no outcome of a check; write one of queued`},
		"unknown verdict":      {telling("shown sucess"), `s.txtar:3: "sucess" is no outcome of a check`},
		"unknown fact":         {telling("unknown review"), `s.txtar:3: "review" is no fact; write one of autoMerge, base`},
		"unknown control":      {telling("member 3 peer-reviews pass"), `s.txtar:3: "peer-reviews" is no control; write one of peer-review`},
		"unknown status":       {telling("member 3 peer-review passed"), `s.txtar:3: "passed" is no status; write one of pass`},
		"no number":            {telling("stray one"), `s.txtar:3: "one" is no number`},
		"no commit yet":        {telling("commit ada", "review grace approved of 2"), "s.txtar:4: there is no commit 2 yet, there are 1"},
		"nothing to rebase":    {telling("rebase ada"), "s.txtar:3: there is nothing to rebase yet"},
		"nothing to dismiss":   {telling("commit ada", "dismiss grace by ada"), "s.txtar:4: grace has given no review"},
		"nothing to edit":      {telling("commit ada", "edit grace"), "s.txtar:4: grace has given no review that could be edited"},
		"team of no role":      {telling("team acme/enginers ada") + policyOf("roles: {x: [team:acme/engineers]}"), `s.txtar:3: no role of the policy names "team:acme/enginers"; its roles name team:acme/engineers`},
		"no roles at all":      {telling("holds write ada"), `s.txtar:3: no role of the policy names "permission:write"; it has no roles`},
		"want of no verdict":   {strings.Replace(telling("author ada"), "deny", "denied", 1), `s.txtar:5: "denied" is no verdict; the first line wants one of allow, deny, exception`},
		"want of no status":    {telling("author ada") + "passed peer-review\n", `s.txtar:6: "passed" is no status`},
		"want of no control":   {telling("author ada") + "pass peer-reviews\n", `s.txtar:6: "peer-reviews" is no control`},
		"want twice":           {telling("author ada") + "pass peer-review\nfail peer-review\n", "s.txtar:7: peer-review is wanted here and in line 6"},
		"want of words":        {telling("author ada") + "the peer-review passes\n", "s.txtar:6: write a status, a control"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := play(t, c.text)
			var problems story.Problems
			require.ErrorAs(t, err, &problems)
			require.Contains(t, err.Error(), c.want)
		})
	}
}

// All mistakes of the lines are named at once, in order.
func TestMistakesTogether(t *testing.T) {
	_, err := story.Parse("s.txtar", []byte("A story.\n-- want --\nno\n-- story --\ncomit ada\nreview\n"))
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], "s.txtar:3:")
	require.Contains(t, lines[1], "s.txtar:5:")
	require.Contains(t, lines[2], "s.txtar:6:")
}

// A story says what came out otherwise than it wants, line by line.
func TestDifferences(t *testing.T) {
	text := "Grace approves.\n-- story --\nauthor ada\ncommit ada\nreview grace approved\n-- want --\n" +
		"deny\npending peer-review: nobody\nfail segregation-of-duties\nnot-applicable no-bypass\nunknown: why\n"
	s, err := story.Parse("s.txtar", []byte(text))
	require.NoError(t, err)
	played, err := s.Play(ownPolicy)
	require.NoError(t, err)
	require.Equal(t, []story.Difference{
		{7, "verdict", "deny", "allow"},
		{8, "peer-review", "pending: nobody", "pass: 1 of 1 independent approvals: grace"},
		{9, "segregation-of-duties", "fail", "was not judged"},
		{11, "decision", "unknown: why", "the controls were judged one by one"},
	}, s.Differences(played))
	require.Equal(t, "allow\npass peer-review: 1 of 1 independent approvals: grace\nnot-applicable no-bypass\n", story.Tell(played))
}

// A want may leave out reasons and controls.
func TestWantsOnlyWhatItSays(t *testing.T) {
	s, err := story.Parse("s.txtar", []byte("A.\r\n-- story --\r\nauthor ada\r\ncommit ada\r\n-- want --\r\n# a remark\r\ndeny\r\npending peer-review\r\n"))
	require.NoError(t, err)
	played, err := s.Play(ownPolicy)
	require.NoError(t, err)
	require.Empty(t, s.Differences(played))
}

// Quotation marks keep the words of a name together, and somebody new can come in.
func TestNamesOfTheWritersOwn(t *testing.T) {
	played, err := play(t, telling(
		"account bob github:583231", "account deploy-bot github:9", "bot deploy-bot", "author bob", "commit deploy-bot",
		`check "build (linux, amd64)" from github-actions success of 1`, `touch "a file"`, "review nobody approved"))
	require.NoError(t, err)
	require.Equal(t, "build (linux, amd64)", played.Facts.Checks.Or(nil)[0].Name)
	require.Equal(t, "a file", played.Facts.Files.Or(nil)[0].Path)
	require.Empty(t, played.Facts.Reviews.Or(nil)[0].By)
	opener := played.Facts.People[played.Facts.Opener.Or("")]
	require.Equal(t, change.AccountID("github:583231"), opener.Account)
}

// The events are told apart by their first word, and each says what it tells.
func TestEvents(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range story.Events() {
		name := strings.Fields(e.Form)[0]
		require.False(t, seen[name], name)
		seen[name] = true
		require.NotEmpty(t, e.Doc, name)
	}
	for _, name := range story.FactNames() {
		require.True(t, story.Forget(&change.Facts{}, name))
	}
	require.False(t, story.Forget(&change.Facts{}, "review"))
}

// FuzzParse: no text makes a story panic, and what can be played comes out the same
// twice.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../testdata/policy/*.txtar")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte("A mark without a name.\n-- --\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := story.Parse("s.txtar", data)
		if err != nil {
			require.Contains(t, err.Error(), "s.txtar:")
			return
		}
		played, err := s.Play(ownPolicy)
		if err != nil {
			require.Contains(t, err.Error(), "s.txtar:")
			return
		}
		again, err := s.Play(ownPolicy)
		require.NoError(t, err)
		require.Equal(t, story.Tell(played), story.Tell(again))
	})
}

// A story that is about a policy that cannot be read says so, and is played.
func TestBrokenPolicyIsWanted(t *testing.T) {
	played, err := play(t, telling("author ada", "commit ada")+"unknown: whatever\n-- policy --\nversion: 1\n")
	require.NoError(t, err)
	require.Equal(t, change.Undetermined, played.Decision.Status)
}
