package github

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// obj is a JSON object.
type obj = map[string]any

// A stub is a GitHub that holds one pull request, acme/shop#7, and pages it as
// GitHub does. Tests change its fields before, or through a hook while, it is
// asked.
type stub struct {
	*httptest.Server
	mu sync.Mutex

	head     string
	pull     obj              // the fields that are not paged
	lists    map[string][]any // commits, reviews, files, timelineItems, contexts
	stack    any
	errors   []obj // beside every GraphQL answer
	moves    map[string][]obj
	rules    []obj
	files    []obj // over REST
	queries  []obj // the variables of every pull request query
	branch   obj   // answer to a branch query
	nodes    obj   // commits by node id, for a commits query
	compare  func(base, head string, page int) obj
	team     []obj
	teams    int // answers given about teams
	writes   []obj
	override map[string]http.HandlerFunc // by "METHOD /path"
	before   func(s *stub, r *http.Request)
}

// newStubValues fills a stub with a pull request that nothing is wrong with, and
// returns the whole of it in one piece.
func newStubValues(s *stub) obj {
	*s = stub{
		head: sha(0xa1),
		pull: obj{
			"title": "Price in cents", "body": "Closes #3", "url": "https://github.com/acme/shop/pull/7", "state": "OPEN", "isDraft": false,
			"merged": false, "mergedAt": nil, "createdAt": "2026-03-01T09:00:00Z", "updatedAt": "2026-03-01T10:00:00Z", "changedFiles": 1,
			"author": user(101, "ada"), "mergedBy": nil, "baseRefName": "main", "baseRefOid": sha(0xb0), "headRefName": "cents",
			"headRepository": obj{"databaseId": 1, "nameWithOwner": "acme/shop"},
			"baseRef":        obj{"target": obj{"oid": sha(0xb1), "file": obj{"type": "blob", "object": obj{"byteSize": 11, "isBinary": false, "isTruncated": false, "text": "version: 1\n"}}}},
			"mergeCommit":    nil, "autoMergeRequest": nil, "mergeQueueEntry": nil,
			"labels":                  whole(obj{"name": "billing"}),
			"closingIssuesReferences": whole(obj{"number": 3, "url": "https://github.com/acme/shop/issues/3", "repository": obj{"nameWithOwner": "acme/shop"}}),
		},
		lists: map[string][]any{
			"commits":       {obj{"commit": commitOfAda(0xa1, 0xb0)}},
			"reviews":       {reviewBy(202, "grace", 1, "APPROVED", sha(0xa1))},
			"files":         {obj{"path": "price.go", "changeType": "MODIFIED"}},
			"timelineItems": {},
			"contexts":      {},

			"associatedPullRequests": {},
		},
		moves: map[string][]obj{
			"acme/shop refs/heads/cents": {move(1, "branch_creation", "", sha(0xa1), 101, "ada", "2026-03-01T08:59:00Z", "refs/heads/cents")},
		},
		rules:    []obj{{"type": "pull_request", "ruleset_id": 5, "ruleset_source": "acme/shop", "parameters": obj{"required_approving_review_count": 1}}},
		compare:  func(string, string, int) obj { return obj{"merge_base_commit": obj{"sha": sha(0xb0)}} },
		override: map[string]http.HandlerFunc{},
	}
	return s.pullAnswer(obj{"all": true, "commits": true, "reviews": true, "files": true, "contexts": true, "timeline": true})
}

func sha(n int) string { return fmt.Sprintf("%040x", n) }

func newStub(t *testing.T) *stub {
	s := new(stub)
	newStubValues(s)
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func user(id int, login string) obj {
	return obj{"__typename": "User", "login": login, "databaseId": id}
}

func git(id int, login string) obj {
	return obj{"name": login, "email": login + "@acme.example", "user": obj{"databaseId": id, "login": login}}
}

func whole(nodes ...obj) obj {
	return obj{"totalCount": len(nodes), "pageInfo": obj{"hasNextPage": false}, "nodes": nodes}
}

func commitOfAda(n, parent int) obj {
	return obj{
		"oid": sha(n), "authoredDate": "2026-03-01T08:58:00Z", "committedDate": "2026-03-01T08:58:00Z", "tree": obj{"oid": sha(n + 0x1000)},
		"parents": whole(obj{"oid": sha(parent)}), "author": git(101, "ada"), "authors": whole(git(101, "ada")),
		"committer": git(101, "ada"), "signature": nil,
	}
}

func reviewBy(id int, login string, n int, state, commit string) obj {
	return obj{
		"fullDatabaseId": strconv.Itoa(n), "state": state, "submittedAt": "2026-03-01T09:30:00Z", "lastEditedAt": nil,
		"authorCanPushToRepository": true, "author": user(id, login), "commit": obj{"oid": commit, "tree": obj{"oid": sha(0x10a1)}},
	}
}

func move(id int, kind, before, after string, actor int, login, at, ref string) obj {
	if before == "" {
		before = strings.Repeat("0", 40)
	}
	return obj{"id": id, "activity_type": kind, "before": before, "after": after, "timestamp": at, "ref": ref, "actor": obj{"id": actor, "login": login, "type": "User"}}
}

// change changes what the stub answers while calls of an earlier, failed gather may
// still be on their way.
func (s *stub) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *stub) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil {
		s.before(s, r)
	}
	if h, ok := s.override[r.Method+" "+r.URL.Path]; ok {
		h(w, r)
		return
	}
	switch path := r.URL.Path; {
	case path == "/repos/acme/shop/installation":
		answer(w, 200, obj{"id": 9, "permissions": obj{"issues": "read", "metadata": "read"}})
	case path == "/app/installations/9/access_tokens":
		answer(w, 201, obj{"token": "ghs_" + strings.Repeat("x", 500), "expires_at": "2099-01-01T00:00:00Z"})
	case path == "/graphql":
		s.graphql(w, r)
	case path == "/repos/acme/shop/pulls/7":
		// An array-valued custom property stops the client library's own types.
		answer(w, 200, obj{"head": obj{"sha": s.head}, "stack": s.stack,
			"base": obj{"repo": obj{"custom_properties": obj{"areas": []string{"billing", "web"}}}}})
	case path == "/repos/acme/shop/pulls/7/files":
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		answer(w, 200, s.files[min((page-1)*100, len(s.files)):min(page*100, len(s.files))])
	case strings.HasSuffix(path, "/activity"):
		s.activity(w, r)
	case strings.HasPrefix(path, "/repos/acme/shop/rules/branches/"):
		answer(w, 200, s.rules)
	case path == "/repos/acme/shop/rulesets/5":
		answer(w, 200, obj{"id": 5})
	case strings.HasPrefix(path, "/repos/acme/shop/compare/"):
		base, head, _ := strings.Cut(strings.TrimPrefix(path, "/repos/acme/shop/compare/"), "...")
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		answer(w, 200, s.compare(base, head, page))
	case strings.HasPrefix(path, "/orgs/acme/teams/engineers/members"):
		s.teams++
		answer(w, 200, s.team)
	case strings.HasPrefix(path, "/repos/acme/shop/check-runs"):
		s.checkRun(w, r)
	default:
		answer(w, 404, obj{"message": "Not Found"})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// activity pages two movements at a time, with a cursor.
func (s *stub) activity(w http.ResponseWriter, r *http.Request) {
	repo := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/repos/"), "/activity")
	all := s.moves[repo+" "+r.URL.Query().Get("ref")]
	from, _ := strconv.Atoi(r.URL.Query().Get("after"))
	to := min(from+2, len(all))
	if to < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<https://elsewhere.example/activity?after=%d>; rel="next"`, to))
	}
	answer(w, 200, all[min(from, len(all)):to])
}

func (s *stub) graphql(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Query     string `json:"query"`
		Variables obj    `json:"variables"`
	}
	_ = json.NewDecoder(r.Body).Decode(&q)
	v := q.Variables
	out := obj{}
	switch {
	case strings.Contains(q.Query, "CountersignPullRequest("):
		s.queries = append(s.queries, v)
		out["repository"] = obj{"databaseId": 1, "nameWithOwner": "acme/shop", "pullRequest": s.pullAnswer(v)}
	case strings.Contains(q.Query, "CountersignBranch("):
		b := obj{"databaseId": 1, "nameWithOwner": "acme/shop"}
		maps.Copy(b, s.branch)
		out["repository"] = b
	case strings.Contains(q.Query, "CountersignCommits("):
		nodes := []any{}
		for _, id := range v["ids"].([]any) {
			nodes = append(nodes, s.nodes[id.(string)])
		}
		out["nodes"] = nodes
	case strings.Contains(q.Query, "CountersignAuthors("):
		nodes := []obj{}
		for i := 10; i < 12; i++ {
			nodes = append(nodes, git(1000+i, fmt.Sprintf("pair%d", i)))
		}
		out["repository"] = obj{"object": obj{"authors": obj{"totalCount": 12, "pageInfo": obj{"hasNextPage": false}, "nodes": nodes}}}
	}
	body := obj{"data": out}
	if len(s.errors) > 0 {
		body["errors"] = s.errors
	}
	answer(w, 200, body)
}

func (s *stub) pullAnswer(v obj) obj {
	out := obj{"number": 7, "headRefOid": s.head}
	if v["all"] == true {
		maps.Copy(out, s.pull)
	}
	for _, name := range []string{"commits", "reviews", "files"} {
		if v[name] == true {
			out[name] = s.connection(name, v[name+"After"])
		}
	}
	if v["timeline"] == true {
		out["timelineItems"] = s.connection("timelineItems", v["timelineAfter"])
	}
	if v["contexts"] == true {
		out["headCommit"] = obj{"nodes": []obj{{"commit": obj{
			"oid": s.head, "tree": obj{"oid": sha(0x10a1)}, "parents": whole(obj{"oid": sha(0xb0)}),
			"statusCheckRollup":      obj{"contexts": s.connection("contexts", v["contextsAfter"])},
			"associatedPullRequests": s.connection("associatedPullRequests", nil),
		}}}}
	}
	return out
}

// connection returns the page of 100 after a cursor.
func (s *stub) connection(name string, after any) any {
	all := s.lists[name]
	if all == nil {
		return nil
	}
	cursor, _ := after.(string)
	from, _ := strconv.Atoi(cursor)
	to := min(from+100, len(all))
	return obj{
		"totalCount": len(all), "nodes": all[from:to],
		"pageInfo": obj{"hasNextPage": to < len(all), "endCursor": strconv.Itoa(to)},
	}
}

func (s *stub) checkRun(w http.ResponseWriter, r *http.Request) {
	var body obj
	_ = json.NewDecoder(r.Body).Decode(&body)
	body["method"], body["path"] = r.Method, r.URL.Path
	s.writes = append(s.writes, body)
	id := 77
	if r.Method == http.MethodPatch {
		id, _ = strconv.Atoi(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	}
	answer(w, 200, obj{"id": id, "status": body["status"], "conclusion": body["conclusion"]})
}

// gather gathers acme/shop#7 from the stub.
func (s *stub) gather(t *testing.T) change.Gathered {
	t.Helper()
	g, err := newForge(t, s.URL).Gather(t.Context(), pull7)
	require.NoError(t, err)
	return g
}

var shop = change.Repository{Forge: change.GitHub, Host: "127.0.0.1", ID: 1, Name: "acme/shop"}

var pull7 = change.Ref{Repository: shop, Kind: change.PullRequest, Number: 7}
