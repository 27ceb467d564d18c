package github

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

func TestIdentities(t *testing.T) {
	human := change.Identity{Kind: change.Human, Account: "github:101", Login: "ada"}
	bot := change.Identity{Kind: change.Bot, Account: "github:49699333", Login: "dependabot[bot]"}
	seen := bots{}
	seen.saw(bot, human, change.Identity{Kind: change.Unknown})
	for name, c := range map[string]struct{ got, want change.Identity }{
		"user":           {(&actor{"User", "ada", 101}).identity(), human},
		"bot":            {(&actor{"Bot", "dependabot", 49699333}).identity(), bot},
		"bot over REST":  {(&account{ID: 49699333, Login: "dependabot[bot]", Type: "Bot"}).identity(), bot},
		"user over REST": {(&account{ID: 101, Login: "ada", Type: "User"}).identity(), human},
		"ghost":          {(&account{ID: 10137, Login: "ghost", Type: "User"}).identity(), change.Identity{Kind: change.Unknown}},
		"deleted":        {(*actor)(nil).identity(), change.Identity{Kind: change.Unknown}},
		"mannequin":      {(&actor{"Mannequin", "old-ada", 77}).identity(), change.Identity{Kind: change.Unknown, Login: "old-ada"}},
		"organisation":   {(&actor{"Organization", "acme", 5}).identity(), change.Identity{Kind: change.Unknown, Login: "acme"}},
		"no id":          {(&actor{"User", "ada", 0}).identity(), change.Identity{Kind: change.Unknown, Login: "ada"}},
		"author":         {seen.named(&gitActor{"Ada", "ada@acme.example", &account{DatabaseID: 101, Login: "ada"}}), human},
		"unclaimed":      {seen.named(&gitActor{"Ada", "ada@home.example", nil}), change.Identity{Kind: change.Unknown, Name: "Ada", Email: "ada@home.example"}},
		"bot author":     {seen.named(&gitActor{"dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", nil}), bot},
		"no bot":         {seen.named(&gitActor{"x", "1+x@users.noreply.github.com", nil}), change.Identity{Kind: change.Unknown, Name: "x", Email: "1+x@users.noreply.github.com"}},
	} {
		require.Equal(t, c.want, c.got, name)
	}
}

// An e-mail address is a label: the account id in it is the writer's word.
func TestBotAddressesNameOnlyBotsThatWereSeen(t *testing.T) {
	dependabot := obj{"__typename": "Bot", "login": "dependabot", "databaseId": 49699333}
	byBot := func(r obj) obj {
		r["actor"] = obj{"id": 49699333, "login": "dependabot[bot]", "type": "Bot"}
		return r
	}
	const ref = "refs/heads/cents"
	for name, c := range map[string]struct {
		email string
		spoil func(*stub)
		kind  change.ActorKind
	}{
		"grace's id as a bot's":           {"202+x[bot]@users.noreply.github.com", func(*stub) {}, change.Unknown},
		"the opener's id, who is no bot":  {"101+ada[bot]@users.noreply.github.com", func(*stub) {}, change.Unknown},
		"a bot that had no hand in it":    {"49699333+dependabot[bot]@users.noreply.github.com", func(*stub) {}, change.Unknown},
		"another bot's id under its name": {"1+dependabot[bot]@users.noreply.github.com", func(s *stub) { s.pull["author"] = dependabot }, change.Unknown},
		"a bot that only reviewed": {"49699333+dependabot[bot]@users.noreply.github.com", func(s *stub) {
			r := reviewBy(1, "x", 2, "COMMENTED", s.head)
			r["author"] = dependabot
			s.lists["reviews"] = append(s.lists["reviews"], r)
		}, change.Unknown},
		"the bot that opened it": {"49699333+dependabot[bot]@users.noreply.github.com", func(s *stub) { s.pull["author"] = dependabot }, change.Bot},
		"the bot that pushed it": {"49699333+dependabot[bot]@users.noreply.github.com", func(s *stub) {
			s.moves["acme/shop "+ref] = []obj{byBot(move(1, "branch_creation", "", sha(0xa1), 0, "", "2026-03-01T08:59:00Z", ref))}
		}, change.Bot},
		"the bot that pushed it over": {"49699333+dependabot[bot]@users.noreply.github.com", func(s *stub) {
			s.lists["timelineItems"] = []any{obj{"__typename": "HeadRefForcePushedEvent", "createdAt": "2026-03-01T09:10:00Z", "actor": dependabot, "beforeCommit": obj{"oid": sha(0xe0)}, "afterCommit": obj{"oid": sha(0xa1)}}}
		}, change.Bot},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			commit, who := commitOfAda(0xa1, 0xb0), obj{"name": "dependabot[bot]", "email": c.email, "user": nil}
			commit["author"], commit["authors"], commit["committer"] = who, whole(who, git(202, "grace")), who
			s.lists["commits"] = []any{obj{"commit": commit}}
			c.spoil(s)
			f := s.gather(t).Facts
			got := known(t, f.Commits)[0]
			want := change.Identity{Kind: change.Unknown, Name: "dependabot[bot]", Email: c.email}
			if c.kind == change.Bot {
				want = change.Identity{Kind: change.Bot, Account: "github:49699333", Login: "dependabot[bot]"}
			}
			require.Equal(t, want, f.People[got.Author])
			require.Equal(t, got.Author, got.Committer)
			require.Equal(t, change.AccountID("github:202"), f.People[got.CoAuthors[0]].Account)
			for _, r := range known(t, f.Reviews) {
				require.NotEqual(t, got.Author, r.By)
			}
		})
	}
}

// Anybody can write GitHub's own address into a commit.
func TestCommitterGitHub(t *testing.T) {
	webFlow := &gitActor{"GitHub", "noreply@github.com", &account{DatabaseID: 19864447, Login: "web-flow"}}
	for name, c := range map[string]struct {
		committer *gitActor
		signature *signatureState
		byForge   bool
		kind      change.ActorKind
	}{
		"made on the web":       {webFlow, &signatureState{IsValid: true, State: "VALID", WasSignedByGitHub: true}, true, ""},
		"forged, unsigned":      {webFlow, nil, false, change.Unknown},
		"forged, bad signature": {webFlow, &signatureState{State: "INVALID", WasSignedByGitHub: true}, false, change.Unknown},
		"forged, own signature": {webFlow, &signatureState{IsValid: true, State: "VALID", Signer: &account{DatabaseID: 404, Login: "mallory"}}, false, change.Unknown},
		"signed by GitHub for another committer": {&gitActor{"Grace", "grace@acme.example", &account{DatabaseID: 202, Login: "grace"}},
			&signatureState{IsValid: true, WasSignedByGitHub: true}, false, change.Human},
		"no committer": {nil, nil, false, change.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			b := newForge(t, "").builder(reasons{})
			ada := gitActor{"Ada", "ada@acme.example", &account{DatabaseID: 101, Login: "ada"}}
			got, err := b.commit(commit{
				Oid: change.SHA(sha(1)), Tree: oid{change.SHA(sha(2))}, Author: &ada,
				Authors: page[gitActor]{TotalCount: 1, Nodes: []*gitActor{&ada}}, Committer: c.committer, Signature: c.signature,
			})
			require.NoError(t, err)
			require.Equal(t, c.byForge, got.ByForge)
			if c.byForge {
				require.Empty(t, got.Committer)
			} else {
				require.Equal(t, c.kind, b.roster.People()[got.Committer].Kind)
			}
			require.Equal(t, c.signature != nil, known(t, got.Signature).Signed)
		})
	}
}

func TestGhostsAreNotOnePerson(t *testing.T) {
	var r change.Roster
	require.NotEqual(t, r.Add((*actor)(nil).identity()), r.Add((*actor)(nil).identity()))
}

// Of a push, the bot that pushed is the one whose address its commits may bear.
func TestBotAddressesOfAPush(t *testing.T) {
	for pusher, kind := range map[string]change.ActorKind{"User": change.Unknown, "Bot": change.Bot} {
		s := newStub(t)
		c := commitIn(0xc9, 0xb1)
		c["author"] = obj{"name": "dependabot[bot]", "email": "49699333+dependabot[bot]@users.noreply.github.com", "user": nil}
		s.pushed("push", "2026-03-01T10:00:00Z", c)
		if pusher == "Bot" {
			s.moves["acme/shop refs/heads/main"][0]["actor"] = obj{"id": 49699333, "login": "dependabot[bot]", "type": "Bot"}
		}
		g, err := newForge(t, s.URL).Gather(t.Context(), push9)
		require.NoError(t, err)
		require.Equal(t, kind, g.Facts.People[known(t, g.Facts.Commits)[0].Author].Kind, pusher)
	}
}
