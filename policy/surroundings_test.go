package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

const surrounded = `version: 1
owner: a
roles:
  lead: [team:acme/leads, "user:github:1", "user:github:9"]
  typo: [team:acme/ledas, permission:admin]
  none: [team:acme/nobody]
changes:
  - branches: [main, release/*, dev]
    peer-review: {approvals: 3, from: [lead]}
    code-owners: {}
    required-checks:
      - {name: test, app: ci}
      - {name: test, app: "7"}
      - {name: test, app: other}
      - {name: tset, app: ci}
      - {name: old, app: ci, workflow: .github/workflows/ci.yml}
      - {name: test, app: ci, workflow: .github/workflows/gone.yml}
      - {class: sast}
  - branches: [dev]
    protected-paths: [{paths: [a], from: [lead, typo]}, {paths: [b], from: [none]}]
people: [{accounts: [github:1, github:2]}]
automations: [{account: "github:301", accountable: "github:8"}, {account: "github:302", accountable: starter}]
classes: [{name: bots, authors: ["github:302", "github:8"]}]
`

func around() *policy.Surroundings {
	return &policy.Surroundings{
		Repository: "acme/shop", CheckName: "countersign",
		Teams: map[change.Selector]policy.Team{
			"team:acme/leads":  {Found: true, Members: []change.AccountID{"github:2", "github:3", "github:301"}},
			"team:acme/ledas":  {Others: []string{"acme/leads", "acme/nobody"}},
			"team:acme/nobody": {Found: true},
		},
		Accounts: map[change.AccountID]policy.Account{
			"github:1": {Found: true, Login: "ada"}, "github:2": {Found: true}, "github:9": {}, "github:301": {Found: true, Bot: true}, "github:8": {},
		},
		Branches: change.Known([]string{"dev", "main"}),
		Runs: map[string][]policy.Ran{"main": {
			{Name: "test", App: "ci", AppID: 7}, {Name: "lint", App: "ci", AppID: 7}, {Name: "old", Status: true},
		}},
		Workflows: map[string]map[string]bool{"main": {".github/workflows/ci.yml": true, ".github/workflows/gone.yml": false}},
		Pins: map[string]change.Fact[[]policy.Required]{
			"main": change.Known([]policy.Required{{Name: "countersign"}}), "dev": change.Known([]policy.Required{{Name: "test"}}),
		},
		Owners: map[string]policy.OwnersFile{"main": {Path: "CODEOWNERS", Problems: []string{"line 7: no owner"}}, "dev": {}},
	}
}

// told returns what is found, a line each.
func told(t *testing.T, text string, around *policy.Surroundings) string {
	t.Helper()
	found, err := policy.ExamineIn("p.yml", []byte(text), around)
	require.NoError(t, err)
	var b strings.Builder
	for _, f := range found {
		kind := map[bool]string{true: "never", false: "warning"}[f.Never]
		if f.Hint {
			kind = "hint"
		}
		fmt.Fprintf(&b, "%s %s\n", kind, strings.TrimPrefix(f.String(), "p.yml:"))
	}
	return b.String()
}

// What the policy names and the forge does not know is found, and who is in the teams
// is counted: of five accounts in the role lead two are one person's and one is an
// automation's.
func TestSurroundings(t *testing.T) {
	require.Equal(t, `never 4:44: there is no account github:9; a numeric id is in what GitHub answers at /users/LOGIN
never 5:10: there is no team "acme/ledas" that this token may see; correct its name, or let the token see it; did you mean "acme/leads"?
warning 6:10: the team "acme/nobody" has no members, so nobody holds the role by it
hint 8:15: no ruleset of "dev" requires the check "countersign", so that a merge does not wait for the verdict; require it, from your App and no other
hint 8:15: a ruleset of "main" requires the check "countersign" from anybody, so that whoever may write can set it; name your App as its source
warning 8:22: no branch of acme/shop matches "release/*"; it holds for branches that are yet to come
warning 9:39: a change that a holder has a part in can never pass, because only 3 people hold "lead", and none can be spared; name another holder
warning 10:18: the branch "dev" has no code owners file, so that nobody owns anything; add one, or leave this out
warning 10:18: CODEOWNERS of the branch "main": "line 7: no owner"
warning 14:27: "test" has lately been run on changes to "main" by "ci" and not by "other", so that the run would not count; name the app that runs it
warning 15:16: no check "tset" has lately run on changes to "main"; did you mean "test"?
warning 16:16: "old" is lately a commit status on changes to "main", which anybody with write access can set and which never counts; have an app run it as a check
warning 17:9: the check "test" of the app "ci" is required in line 12 already; leave one of them out
never 17:41: the branch "main" has no file ".github/workflows/gone.yml", so that no run of it can count
hint 19:15: no ruleset of "dev" requires the check "countersign", so that a merge does not wait for the verdict; require it, from your App and no other
never 20:57: nobody could ever satisfy this: 1 approval is asked for, and nobody holds "none"; lower the number or name more holders
never 22:52: there is no account github:8; a numeric id is in what GitHub answers at /users/LOGIN
warning 23:11: no entry of changes tells the class "bots" from others, so that nothing else is asked of it; name it under classes of an entry, or leave it out
never 23:48: there is no account github:8; a numeric id is in what GitHub answers at /users/LOGIN
`, told(t, surrounded, around()))
}

// What was not asked is not found wrong, and who is in a team that was not asked about
// is not counted.
func TestSurroundingsThatWereNotAsked(t *testing.T) {
	require.Equal(t, told(t, surrounded, nil), told(t, surrounded, &policy.Surroundings{}))
	some := around()
	some.Pins, some.Owners, some.Runs = nil, nil, nil
	require.NotContains(t, told(t, surrounded, some), "lately")
	require.NotContains(t, told(t, surrounded, some), "ruleset")
}

// The entries that name a branch are told by their positions.
func TestRulesFor(t *testing.T) {
	p, err := policy.Parse("p.yml", []byte(surrounded))
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, p.RulesFor("dev"))
	require.Empty(t, p.RulesFor("docs"))
}
