package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// known returns a fact that must be known.
func known[T any](t *testing.T, f change.Fact[T]) T {
	t.Helper()
	v, ok := f.Get()
	require.True(t, ok, "the fact is absent")
	return v
}

func TestGatherOneRound(t *testing.T) {
	s := newStub(t)
	f := newForge(t, s.URL)
	_, err := f.Gather(t.Context(), pull7)
	require.NoError(t, err)
	before := f.Requests()
	require.EqualValues(t, 7, before, "installation, token, query, stack, activity, rules, ruleset")
	g, err := f.Gather(t.Context(), pull7)
	require.NoError(t, err)
	require.EqualValues(t, 2, f.Requests()-before, "query and stack: who pushed that head is known")

	facts := g.Facts
	require.Empty(t, facts.Absent)
	require.Equal(t, "Price in cents", facts.Title)
	require.Equal(t, change.Open, known(t, facts.State))
	require.Equal(t, change.Head{Branch: "cents", Commit: change.SHA(sha(0xa1)), Tree: change.SHA(sha(0x10a1)), Repository: 1}, known(t, facts.Head))
	require.Equal(t, change.Base{Branch: "main", Target: "main", Commit: change.SHA(sha(0xb1)), MergeBase: change.SHA(sha(0xb0))}, known(t, facts.Base))
	ada, grace := known(t, facts.Opener), known(t, facts.Reviews)[0].By
	require.Equal(t, change.Identity{Kind: change.Human, Account: "github:101", Login: "ada"}, facts.People[ada])
	require.Equal(t, change.AccountID("github:202"), facts.People[grace].Account)
	require.Equal(t, ada, known(t, facts.Commits)[0].Committer)
	require.Equal(t, []change.BranchPush{{By: ada, After: change.SHA(sha(0xa1)), At: known(t, facts.Pushes)[0].At}}, known(t, facts.Pushes))
	require.Equal(t, []change.Request{{Key: "acme/shop#3", Found: "closing-reference", URL: "https://github.com/acme/shop/issues/3"}}, known(t, facts.Requests))
	require.Equal(t, change.Landing{}, known(t, facts.Landing))
	require.False(t, facts.Shown.IsKnown(), "what was shown is for our own records to say")
	require.Equal(t, change.Shown{}, known(t, g.Shown))
	require.False(t, known(t, facts.Enforced).Bypass.IsKnown(), "GitHub hides who may bypass")
	require.Equal(t, "Closes #3", g.Description)
	require.Equal(t, "version: 1\n", g.Policy.Text)
	require.Equal(t, change.SHA(sha(0xb1)), g.Policy.Commit)
	require.Contains(t, g.Policy.URI, "/acme/shop/blob/"+sha(0xb1)+"/.countersign.yml")
	require.Equal(t, noon, facts.GatheredAt)
}

func TestGatherPagesToTheEnd(t *testing.T) {
	s := newStub(t)
	s.lists["commits"] = nil
	for i := range 300 {
		s.lists["commits"] = append(s.lists["commits"], obj{"commit": commitOfAda(0x5000+i, 0x4fff+i)})
	}
	s.lists["reviews"] = nil
	for i := range 120 {
		s.lists["reviews"] = append(s.lists["reviews"], reviewBy(300+i, fmt.Sprintf("r%d", i), i+1, "COMMENTED", s.head))
	}
	s.lists["files"] = nil
	for i := range 500 {
		s.lists["files"] = append(s.lists["files"], obj{"path": fmt.Sprintf("f%d", i), "changeType": "ADDED"})
	}
	s.pull["changedFiles"] = 500
	for i := range 101 {
		s.lists["contexts"] = append(s.lists["contexts"], run(1000+i, fmt.Sprintf("test-%d", i), 15368, "SUCCESS"))
		s.lists["timelineItems"] = append(s.lists["timelineItems"], obj{"__typename": "LabeledEvent", "createdAt": "2026-03-01T09:00:00Z", "actor": user(101, "ada"), "label": obj{"name": "x"}})
	}
	g := s.gather(t)
	require.Empty(t, g.Facts.Absent)
	require.Len(t, known(t, g.Facts.Commits), 300)
	require.Len(t, known(t, g.Facts.Reviews), 120)
	require.Len(t, known(t, g.Facts.Files), 500)
	require.Len(t, known(t, g.Facts.Checks), 101)
	require.Len(t, known(t, g.Facts.Timeline), 101)
	require.Equal(t, change.SHA(sha(0x4fff)), known(t, g.Facts.Base).MergeBase)
	require.Len(t, s.queries, 6, "five pages, and one more look at the head")
}

func run(id int, name string, app int, conclusion string) obj {
	return obj{
		"__typename": "CheckRun", "databaseId": id, "name": name, "status": "COMPLETED", "conclusion": conclusion,
		"startedAt": "2026-03-01T09:00:00Z", "completedAt": "2026-03-01T09:01:00Z", "externalId": "", "title": "",
		"checkSuite": obj{"app": obj{"databaseId": app, "slug": "github-actions"},
			"workflowRun": obj{"file": nil, "workflow": obj{"resourcePath": "/acme/shop/actions/workflows/test.yml"}}},
	}
}

// A list that is not whole is no list.
func TestGatherAbsentWhenNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*stub)
		fact  string
	}{
		"a review left out":              {func(s *stub) { s.lists["reviews"] = append(s.lists["reviews"], nil) }, "reviews"},
		"no answer on commits":           {func(s *stub) { s.lists["commits"] = nil }, "commits"},
		"more files changed than listed": {func(s *stub) { s.pull["changedFiles"] = 3001 }, "files"},
		"labels beyond a page": {func(s *stub) {
			s.pull["labels"] = obj{"totalCount": 101, "pageInfo": obj{"hasNextPage": true}, "nodes": []obj{}}
		}, "labels"},
		"fewer labels listed than counted": {func(s *stub) {
			s.pull["labels"] = obj{"totalCount": 2, "pageInfo": obj{"hasNextPage": false}, "nodes": []obj{{"name": "x"}}}
		}, "labels"},
		"an unknown event": {func(s *stub) {
			s.lists["timelineItems"] = []any{obj{"__typename": "TeleportedEvent", "createdAt": "2026-03-01T09:00:00Z"}}
		}, "timeline"},
		"an unknown review state": {func(s *stub) {
			s.lists["reviews"] = []any{reviewBy(202, "grace", 1, "ENDORSED", s.head)}
		}, "reviews"},
		"nobody knows who pushed the head": {func(s *stub) { s.moves = nil }, "pushes"},
		"the fork is gone":                 {func(s *stub) { s.pull["headRepository"] = nil }, "pushes"},
		"the fork is hidden": {func(s *stub) {
			s.override["GET /repos/acme/shop/activity"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 404, obj{"message": "Not Found"}) }
		}, "pushes"},
		"the rules are hidden": {func(s *stub) {
			s.override["GET /repos/acme/shop/rules/branches/main"] = func(w http.ResponseWriter, _ *http.Request) {
				answer(w, 403, obj{"message": "Resource not accessible by integration"})
			}
		}, "enforced"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			c.spoil(s)
			g := s.gather(t)
			require.Contains(t, g.Facts.Absent, c.fact)
			require.NotEmpty(t, g.Facts.Absent[c.fact])
			require.Len(t, g.Facts.Absent, 1, "nothing else is lost: %v", g.Facts.Absent)
			require.NotContains(t, jsonOf(t, g.Facts), `"`+c.fact+`":[`)
		})
	}
}

// An error beside partial data in a 200 is never "no reviews".
func TestGatherErrorsInside200(t *testing.T) {
	s := newStub(t)
	s.lists["reviews"] = []any{}
	s.errors = []obj{{"message": "Something went wrong", "path": []any{"repository", "pullRequest", "reviews"}}}
	g := s.gather(t)
	require.False(t, g.Facts.Reviews.IsKnown())
	require.Contains(t, g.Facts.Absent["reviews"], "Something went wrong")
	require.True(t, g.Facts.Commits.IsKnown())

	s.errors = []obj{{"message": "Resource not accessible by integration", "type": "FORBIDDEN", "path": []any{"repository", "pullRequest", "headCommit"}}}
	g = s.gather(t)
	require.Contains(t, g.Facts.Absent["checks"], "not accessible")
	require.NotContains(t, g.Facts.Absent, "shown")
	require.False(t, g.Shown.IsKnown(), "what stands on the head is listed with the checks")

	s.errors = []obj{{"message": "no", "type": "NOT_FOUND", "path": []any{"repository", "pullRequest"}}}
	g = s.gather(t)
	for _, fact := range []string{"reviews", "commits", "checks", "timeline", "opener", "landing"} {
		require.Contains(t, g.Facts.Absent, fact, "an error about the whole may be about anything in it")
	}

	s.errors = []obj{{"message": "Resource not accessible by integration", "type": "FORBIDDEN", "path": []any{"repository", "pullRequest", "headCommit", "nodes", 0, "commit", "statusCheckRollup", "contexts", "nodes", 0, "checkSuite", "workflowRun"}}}
	require.Empty(t, s.gather(t).Facts.Absent, "the workflow's path is an optional detail")
}

// Trouble at GitHub passes; what it left out is asked again and never judged as
// absent.
func TestGatherTroubleAtGitHubIsAskedAgain(t *testing.T) {
	at := []any{"repository", "pullRequest", "reviews"}
	for name, e := range map[string]obj{
		"nothing but a message": {"message": "Something went wrong while executing your query."},
		"a type without a path": {"message": "no", "type": "FORBIDDEN"},
		"internal":              {"message": "x", "type": "INTERNAL", "path": at},
		"a timeout":             {"message": "x", "type": "TIMEOUT", "path": at},
		"unavailable":           {"message": "x", "type": "SERVICE_UNAVAILABLE", "path": at},
		"a rate limit":          {"message": "x", "type": "RATE_LIMITED", "path": at},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.errors = []obj{{"message": "x", "type": "FORBIDDEN", "path": at}, e}
			_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
			var retry *RetryError
			require.ErrorAs(t, err, &retry)
			require.Positive(t, retry.RetryAfter())
			require.NotErrorIs(t, err, change.ErrNotYet, "an outage is no lag")
		})
	}
}

func TestGatherWholeAnswerMissing(t *testing.T) {
	for name, body := range map[string]obj{
		"null repository":   {"data": obj{"repository": nil}, "errors": []obj{{"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}}},
		"null pull request": {"data": obj{"repository": obj{"databaseId": 1, "pullRequest": nil}}},
		"no data":           {"errors": []obj{{"message": "Field 'x' doesn't exist"}}},
		"another repository": {"data": obj{"repository": obj{"databaseId": 2, "nameWithOwner": "acme/shop", "pullRequest": obj{
			"number": 7, "headRefOid": sha(0xa1), "baseRefName": "main"}}}},
		"policy error": {"data": obj{"repository": obj{"databaseId": 1, "nameWithOwner": "acme/shop", "pullRequest": obj{
			"number": 7, "headRefOid": sha(0xa1), "baseRefName": "main"}}},
			"errors": []obj{{"message": "timeout", "path": []any{"repository", "pullRequest", "baseRef", "target", "file"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.override["POST /graphql"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, body) }
			_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
			require.Error(t, err)
		})
	}
}

func TestGatherStartsAgainWhenTheHeadMoves(t *testing.T) {
	s := newStub(t)
	s.moves["acme/shop refs/heads/cents"] = append([]obj{move(2, "push", sha(0xa1), sha(0xa2), 202, "grace", "2026-03-01T10:00:00Z", "refs/heads/cents")}, s.moves["acme/shop refs/heads/cents"]...)
	for i := range 101 { // a second page, so that there are two moments
		s.lists["timelineItems"] = append(s.lists["timelineItems"], obj{"__typename": "LabeledEvent", "createdAt": "2026-03-01T09:00:00Z", "actor": user(101, "ada"), "label": obj{"name": fmt.Sprint(i)}})
	}
	n := 0
	s.before = func(s *stub, r *http.Request) {
		if r.URL.Path != "/graphql" {
			return
		}
		if n++; n == 2 {
			s.head = sha(0xa2)
			s.lists["commits"] = []any{obj{"commit": commitOfAda(0xa1, 0xb0)}, obj{"commit": commitOfAda(0xa2, 0xa1)}}
		}
	}
	g := s.gather(t)
	require.Equal(t, change.SHA(sha(0xa2)), known(t, g.Facts.Head).Commit)
	require.Len(t, known(t, g.Facts.Commits), 2)
	require.Len(t, known(t, g.Facts.Pushes), 2)

	s.before = func(s *stub, r *http.Request) {
		if r.URL.Path == "/graphql" {
			n++
			s.head = sha(n)
		}
	}
	_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	require.ErrorIs(t, err, ErrMoved)
}

// The two answers of the first round are about one and the same head.
func TestGatherComparesItsTwoAnswers(t *testing.T) {
	s := newStub(t)
	s.override["GET /repos/acme/shop/pulls/7"] = func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, obj{"head": obj{"sha": sha(0xa2)}})
	}
	_, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	require.ErrorIs(t, err, ErrMoved)
	require.Len(t, s.queries, maxStarts)
}

// Who pushed is asked even when a wrong guess was asked first.
func TestGatherWrongGuess(t *testing.T) {
	s := newStub(t)
	f := newForge(t, s.URL)
	f.guesses.Add(pull7.Key(), guess{headRepository: "mallory/shop", headBranch: "main", target: "release/1"})
	g, err := f.Gather(t.Context(), pull7)
	require.NoError(t, err)
	require.Empty(t, g.Facts.Absent)
	require.Len(t, known(t, g.Facts.Pushes), 1)
}

func TestGatherPushersOverAllVersions(t *testing.T) {
	s := newStub(t)
	ref := "refs/heads/cents"
	s.moves["acme/shop "+ref] = []obj{ // newest first
		move(9, "force_push", sha(0xee), sha(0xa1), 101, "ada", "2026-03-01T11:00:00Z", ref),
		move(8, "push", sha(0xed), sha(0xee), 303, "linus", "2026-03-01T10:00:00Z", ref),
		move(7, "branch_creation", "", sha(0xed), 101, "ada", "2026-03-01T08:00:00Z", ref),
		move(6, "branch_deletion", sha(0xcc), "", 404, "mallory", "2026-01-01T08:00:00Z", ref),
		move(5, "push", sha(0xcb), sha(0xcc), 404, "mallory", "2026-01-01T07:00:00Z", ref),
	}
	s.lists["timelineItems"] = []any{
		obj{"__typename": "HeadRefForcePushedEvent", "createdAt": "2026-03-01T11:00:00Z", "actor": user(101, "ada"), "beforeCommit": obj{"oid": sha(0xee)}, "afterCommit": obj{"oid": sha(0xa1)}},
		obj{"__typename": "HeadRefForcePushedEvent", "createdAt": "2026-03-01T09:10:00Z", "actor": user(505, "eve"), "beforeCommit": obj{"oid": sha(0xe0)}, "afterCommit": obj{"oid": sha(0xe1)}},
	}
	g := s.gather(t)
	var who []string
	for _, p := range known(t, g.Facts.Pushes) {
		who = append(who, g.Facts.People[p.By].Login)
	}
	require.Equal(t, []string{"ada", "linus", "ada", "eve"}, who, "an earlier branch of the same name is another change")
}

// A branch that is merged again and again: only what came since counts.
func TestVersionsOfALongLivedBranch(t *testing.T) {
	base := change.SHA(sha(2))
	at := func(kind string, before, after int, hour int) movement {
		return movement{Type: kind, Before: change.SHA(sha(before)), After: change.SHA(sha(after)), Timestamp: noon.Add(time.Duration(hour-30) * time.Hour)}
	}
	moves := []movement{at("push", 3, 4, 20), at("push", 2, 3, 10), at("push", 1, 2, 5), at("push", 0, 1, 1)}
	opened := noon.Add(-15 * time.Hour)
	kept, reached := versions(moves, opened, base)
	require.True(t, reached)
	require.Len(t, kept, 2)

	moves[2].Type = typeForcePush
	kept, reached = versions(moves, opened, base)
	require.False(t, reached, "what was forced away may have come back")
	require.Len(t, kept, 4)
}

func TestGatherStack(t *testing.T) {
	s := newStub(t)
	s.pull["baseRefName"] = "cents-1"
	s.stack = obj{"base": obj{"ref": "main"}}
	s.branch = obj{"policyAt": obj{"oid": sha(0xb9), "file": obj{"type": "blob", "object": obj{"text": "version: 1 # trunk\n"}}}}
	g := s.gather(t)
	require.Equal(t, "cents-1", known(t, g.Facts.Base).Branch)
	require.Equal(t, "main", known(t, g.Facts.Base).Target)
	require.Equal(t, "version: 1 # trunk\n", g.Policy.Text)
	require.Equal(t, change.SHA(sha(0xb9)), g.Policy.Commit)
}

func TestGatherRenamesComeWithTheOldPath(t *testing.T) {
	s := newStub(t)
	s.lists["files"] = []any{obj{"path": "ci.txt", "changeType": "RENAMED"}, obj{"path": "gone", "changeType": "DELETED"}}
	s.pull["changedFiles"] = 2
	s.files = []obj{{"filename": "ci.txt", "previous_filename": ".github/workflows/test.yml", "status": "renamed"}, {"filename": "gone", "status": "removed"}}
	g := s.gather(t)
	require.Equal(t, []change.File{{Path: "ci.txt", Previous: ".github/workflows/test.yml", Status: "renamed"}, {Path: "gone", Status: "removed"}}, known(t, g.Facts.Files))

	s.files = s.files[:1]
	require.Contains(t, s.gather(t).Facts.Absent, "files")
}

func TestGatherOurOwnVerdictIsNoCheck(t *testing.T) {
	s := newStub(t)
	ours := run(55, "countersign", testApp, "SUCCESS")
	ours["title"], ours["externalId"] = "Allowed: 2 controls pass", "countersign:x"
	s.lists["contexts"] = []any{
		run(1, "test", 15368, "SUCCESS"), ours, run(54, "countersign", testApp, "FAILURE"), run(2, "countersign", 15368, "SUCCESS"),
		obj{"__typename": "StatusContext", "context": "lint", "state": "ERROR", "createdAt": "2026-03-01T09:00:00Z", "creator": user(101, "ada")},
	}
	g := s.gather(t)
	checks := known(t, g.Facts.Checks)
	require.Len(t, checks, 3)
	require.Equal(t, ".github/workflows/test.yml", checks[0].Workflow)
	require.Equal(t, int64(15368), checks[1].AppID, "another application's run of our name is a check like any other")
	require.Equal(t, change.CommitStatus, checks[2].Source)
	require.Equal(t, "error", checks[2].Conclusion)
	require.Equal(t, change.Shown{ID: 55, Commit: change.SHA(s.head), Status: "completed", Conclusion: "success",
		Completed: known(t, g.Shown).Completed, Title: "Allowed: 2 controls pass", ExternalID: "countersign:x"}, known(t, g.Shown))
}

// Of a list of siblings that is not whole, what it holds is told.
func TestGatherSiblings(t *testing.T) {
	s := newStub(t)
	at := func(number int, state, head string, repo int) obj {
		p := pullIn(number, state, "release/1", repo, "")
		p["headRefOid"] = head
		return p
	}
	s.lists["associatedPullRequests"] = []any{
		at(7, "OPEN", s.head, 1), at(8, "OPEN", s.head, 1), at(9, "CLOSED", s.head, 1), at(10, "OPEN", sha(0xee), 1), at(11, "OPEN", s.head, 2), nil,
	}
	for i := range 100 {
		s.lists["associatedPullRequests"] = append(s.lists["associatedPullRequests"], at(100+i, "OPEN", sha(0xee), 1))
	}
	want := []change.Sibling{{Ref: change.Ref{Repository: shop, Kind: change.PullRequest, Number: 8}, Target: "release/1"}}
	require.Equal(t, want, known(t, s.gather(t).Siblings))

	s.lists["associatedPullRequests"] = nil // no list at all
	require.False(t, s.gather(t).Siblings.IsKnown())
}

func TestGatherManyAuthors(t *testing.T) {
	s := newStub(t)
	c := commitOfAda(0xa1, 0xb0)
	authors := []obj{git(101, "ada")}
	for i := 1; i < 10; i++ {
		authors = append(authors, git(1000+i, fmt.Sprintf("pair%d", i)))
	}
	c["authors"] = obj{"totalCount": 12, "pageInfo": obj{"hasNextPage": true, "endCursor": "10"}, "nodes": authors}
	s.lists["commits"] = []any{obj{"commit": c}}
	g := s.gather(t)
	require.Len(t, known(t, g.Facts.Commits)[0].CoAuthors, 11)
}

func TestGatherPolicyThatCannotBeRead(t *testing.T) {
	for name, target := range map[string]any{
		"a folder":  obj{"oid": sha(0xb1), "file": obj{"type": "tree", "object": obj{}}},
		"binary":    obj{"oid": sha(0xb1), "file": obj{"type": "blob", "object": obj{"isBinary": true, "text": nil}}},
		"truncated": obj{"oid": sha(0xb1), "file": obj{"type": "blob", "object": obj{"isTruncated": true, "byteSize": 9999999, "text": "version: 1"}}},
		"not UTF-8": obj{"oid": sha(0xb1), "file": obj{"type": "blob", "object": obj{"text": "owner: caf\uFFFD"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStub(t)
			s.pull["baseRef"] = obj{"target": target}
			g := s.gather(t)
			require.True(t, g.Policy.Found)
			require.Empty(t, g.Policy.Text)
			require.NotEmpty(t, g.Facts.Absent["policy"])
		})
	}
	s := newStub(t)
	s.pull["baseRef"] = obj{"target": obj{"oid": sha(0xb1), "file": nil}}
	g := s.gather(t)
	require.False(t, g.Policy.Found)
	require.Equal(t, change.SHA(sha(0xb1)), g.Policy.Commit)
	require.Empty(t, g.Facts.Absent)
}

func TestGatherLongDescriptionIsCut(t *testing.T) {
	s := newStub(t)
	s.pull["body"] = strings.Repeat("x", 100_000)
	require.Len(t, s.gather(t).Description, maxDescription)
}
