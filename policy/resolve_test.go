package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/policy"
)

// parsed returns a policy that must be valid.
func parsed(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("p.yml", []byte(text))
	require.NoError(t, err)
	return p
}

// toMain returns facts of a change to main with the given people, p1 first.
func toMain(people ...change.Identity) change.Facts {
	var roster change.Roster
	for _, id := range people {
		roster.Add(id)
	}
	return change.Facts{
		Ref: change.Ref{Kind: change.PullRequest, Number: 1}, People: roster.People(),
		Base: change.Known(change.Base{Branch: "main", Target: "main"}),
	}
}

func human(id int64) change.Identity {
	return change.Identity{Kind: change.Human, Account: change.NewAccountID(change.GitHub, id)}
}

func TestResolveMarksAliases(t *testing.T) {
	p := parsed(t, minimal(`people:
  - {accounts: [github:102, github:103, github:109]}
  - {accounts: [github:104, github:105]}
  - {accounts: [github:301, github:107]}
  - {accounts: [github:302, github:108]}`))
	bot := change.Identity{Kind: change.Bot, Account: "github:301"}
	bot2 := change.Identity{Kind: change.Bot, Account: "github:302"}
	nobody := change.Identity{Kind: change.Unknown, Email: "a@b"}
	f := toMain(human(101), human(103), nobody, human(104), human(102), bot, bot2, human(108))
	before := string(wireOf(f))

	got := p.Resolve(f, "").People
	require.Equal(t, before, string(wireOf(f)), "the argument is left as it was")
	require.Equal(t, change.Person("p2"), got["p5"].SameAs, "the lowest-numbered account stands for the others")
	require.Empty(t, got["p2"].SameAs)
	require.Empty(t, got["p1"].SameAs, "somebody in no entry")
	require.Empty(t, got["p4"].SameAs, "an entry of which only one account was seen")
	require.Equal(t, change.Identity{Kind: change.Human, Account: "github:107", SameAs: "p6"}, got["p9"], "the human who answers for a bot")
	require.Equal(t, change.Person("p7"), got["p8"].SameAs, "a bot's human who was seen")
	require.Len(t, got, 9)

	require.Equal(t, got, p.Resolve(p.Resolve(f, ""), "").People, "twice is as once")

	f.People = change.People{"p1": human(102).Withhold("x"), "p2": human(103).Withhold("y")}
	f.People["p2"] = change.Identity{Kind: change.Human, Digest: "y", SameAs: "p1"}
	require.Equal(t, change.Person("p1"), p.Resolve(f, "").People["p2"].SameAs, "what the record says of identities withheld stays")

	f.People = change.People{"p2": bot}
	require.Contains(t, p.Resolve(f, "").People, change.Person("p3"), "a reference in use is not given out again")
}

func TestResolveAnswersForAccounts(t *testing.T) {
	p := parsed(t, `version: 1
owner: a
roles: {lead: ["user:github:101", "team:acme/leads"], other: ["user:github:555"]}
changes:
  - branches: [main]
    peer-review: {approvals: 1, from: [lead]}
  - branches: [dev]
    peer-review: {approvals: 1, from: [other]}
`)
	f := toMain(human(101), human(102), human(103))
	require.False(t, p.Resolve(f, "").Members.IsKnown(), "nobody has reviewed")

	f.Reviews = change.Known([]change.Review{{By: "p1"}, {By: "p2"}})
	f.Members = change.Known([]change.Membership{
		{Selector: "team:acme/leads", Person: "p1", Member: false},
		{Selector: "user:github:101", Person: "p2", Member: true}, // nobody but Resolve answers this
	})
	got, known := p.Resolve(f, "").Members.Get()
	require.True(t, known)
	require.Equal(t, []change.Membership{
		{Selector: "team:acme/leads", Person: "p1", Member: false},
		{Selector: "user:github:101", Person: "p1", Member: true},
		{Selector: "user:github:101", Person: "p2", Member: false},
	}, got)

	f.People = change.People{"p1": human(101).Withhold("x"), "p2": human(102).Withhold("y")}
	f.Members = change.Known(got)
	again, _ := p.Resolve(f, "").Members.Get()
	require.Equal(t, got, again, "answers about identities withheld stay")
}

func TestResolveFindsRequests(t *testing.T) {
	p := parsed(t, minimal(`    linked-request: {pattern: "[A-Z]+-[0-9]+|#[0-9]+"}`))
	f := toMain()
	f.Title = "SHOP-1: as SHOP-2, not xSHOP-3, SHOP-4x, SHOP-5é or éSHOP-6"
	f.Head = change.Known(change.Head{Branch: "ada/SHOP-1_SHOP-7-topic"})
	got, known := p.Resolve(f, "(SHOP-8)SHOP-8 #9").Requests.Get()
	require.True(t, known)
	require.Equal(t, []change.Request{
		{Key: "SHOP-1", Found: "title"}, {Key: "SHOP-2", Found: "title"},
		{Key: "SHOP-8", Found: "description"}, {Key: "#9", Found: "description"},
	}, got)

	f.Requests = change.Known([]change.Request{{Key: "SHOP-1", Found: "title", URL: "u"}, {Key: "acme/shop#1", Found: "closing-reference"}})
	require.Len(t, p.Resolve(f, "").Requests.Or(nil), 3, "a link that was looked up, and so has an address, is the same link")
	once := p.Resolve(f, "SHOP-9")
	require.Equal(t, once, p.Resolve(once, "SHOP-9"), "twice is as once")

	require.False(t, p.Resolve(toMain(), "nothing").Requests.IsKnown(), "links that the forge did not state stay unknown")
	f = toMain()
	f.Requests = change.Known([]change.Request{})
	require.True(t, p.Resolve(f, "nothing").Requests.IsKnown())

	long := strings.Repeat("A", 200) + "-1"
	require.False(t, p.Resolve(toMain(), long).Requests.IsKnown(), "a key has a length that can be shown")
	require.Len(t, p.Resolve(toMain(), strings.Repeat("SHOP-1 ", 5)+strings.Repeat("#1 ", 500)).Requests.Or(nil), 2)
	var many strings.Builder
	for i := range 300 {
		many.WriteString(" #1" + strings.Repeat("0", i%90) + "1")
	}
	require.LessOrEqual(t, len(p.Resolve(toMain(), many.String()).Requests.Or(nil)), 100)

	other := toMain()
	other.Title = "SHOP-1"
	other.Base = change.Known(change.Base{Target: "dev"})
	require.False(t, p.Resolve(other, "").Requests.IsKnown(), "no rule for that branch asks for one")
}

func TestNeeds(t *testing.T) {
	p := parsed(t, `version: 1
owner: a
roles:
  engineer: [team:acme/engineers, "user:github:101"]
  platform: [team:acme/platform, "permission:admin"]
  other: [team:acme/other]
changes:
  - branches: [main]
    peer-review: {approvals: 1, from: [engineer]}
    linked-request: {pattern: "[A-Z]+-[0-9]+"}
    protected-paths:
      - {paths: [CODEOWNERS], from: [platform]}
      - {paths: [deploy/], from: [platform, engineer]}
  - branches: [dev]
    peer-review: {approvals: 1, from: [other]}
`)
	f := toMain()
	all := change.Needs{
		Selectors: []change.Selector{"permission:admin", "team:acme/engineers", "team:acme/platform"},
		Requests:  []string{"[A-Z]+-[0-9]+"},
	}
	require.Equal(t, all, p.Needs(f), "any file may be touched while the files are not known")
	f.Files = change.Known([]change.File{{Path: "a.go"}})
	require.Equal(t, []change.Selector{"team:acme/engineers"}, p.Needs(f).Selectors)
	f.Files = change.Known([]change.File{{Path: "x/deploy/y"}})
	require.Equal(t, all, p.Needs(f))

	f.Base = change.Known(change.Base{Branch: "dev"})
	require.Equal(t, []change.Selector{"team:acme/other"}, p.Needs(f).Selectors, "a base without a target is its own")
	f.Base = change.Fact[change.Base]{}
	require.Empty(t, p.Needs(f))
	f = toMain()
	f.Ref = change.Ref{Kind: change.Push, Branch: "main"}
	require.Empty(t, p.Needs(f), "the changes that explain a push are judged by themselves")
}
