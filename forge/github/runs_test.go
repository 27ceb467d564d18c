package github

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

const ci = ".github/workflows/ci.yml"

// withWorkflow puts a workflow on main that anybody who may write can set off.
func (w *world) withWorkflow() {
	w.commit(map[string]string{ci: "on: workflow_dispatch\n"})
}

// Mallory runs a workflow that opens a pull request as github-actions[bot]. GitHub
// does not say whose run it was; of all that were at work it tells who started them.
func TestWhoRanTheWorkflow(t *testing.T) {
	w := newWorld(t)
	w.withWorkflow()
	id, err := w.shop.As("mallory").RunWorkflow(githubsim.WorkflowRun{})
	require.NoError(t, err)
	n, head := w.open("github-actions[bot]", "release")
	g := w.gather(w.pull(n))
	require.Equal(t, change.Bot, g.Facts.People[known(t, g.Facts.Opener)].Kind)
	f := w.answer(g, change.Needs{})
	require.False(t, f.Runs.IsKnown(), "nobody asked")

	needs := change.Needs{Starters: []time.Time{g.Facts.Opened}}
	w.sim.ResetRequests()
	f = w.answer(g, needs)
	require.Empty(t, f.Absent)
	require.Equal(t, map[string]int{"GET /repos/{owner}/{repo}/actions/runs": 1}, map[string]int(w.sim.Requests()))
	runs := known(t, f.Runs)
	require.Len(t, runs, 1)
	r := runs[0]
	require.Equal(t, []string{"mallory", "mallory"}, logins(f, r.Actor, r.Starter))
	require.Equal(t, change.Run{ID: id, Attempt: 1, Workflow: ci, Event: "workflow_dispatch", Commit: change.SHA(w.shop.Head("main")), Actor: r.Actor, Starter: r.Starter, Started: r.Started}, r)
	require.True(t, r.AtWork(g.Facts.Opened))
	require.NotEqual(t, head, string(r.Commit))

	require.NoError(t, w.shop.EndWorkflow(id, "success"))
	require.False(t, known(t, w.answer(g, needs).Runs)[0].Updated.IsZero())
}

// runsStub is a GitHub with workflow runs, newest first.
type runsStub struct {
	*stub
	runs     []obj
	attempts map[string]obj // by "ID/attempts/N", and by ID
	asked    []string
}

func newRunsStub(t *testing.T, runs ...obj) *runsStub {
	s := &runsStub{stub: newStub(t), runs: runs, attempts: map[string]obj{}}
	s.before = func(_ *stub, r *http.Request) {
		const base = "/repos/acme/shop/actions/runs"
		if !strings.HasPrefix(r.URL.Path, base) {
			return
		}
		s.asked = append(s.asked, strings.TrimPrefix(r.URL.Path, base)+"?"+r.URL.Query().Get("created"))
		s.override["GET "+r.URL.Path] = s.answer
	}
	return s
}

func (s *runsStub) answer(w http.ResponseWriter, r *http.Request) {
	which := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/repos/acme/shop/actions/runs"), "/")
	if which != "" {
		if a, ok := s.attempts[which]; ok {
			answer(w, 200, a)
			return
		}
		answer(w, 404, obj{"message": "Not Found"})
		return
	}
	q := r.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	list := []obj{}
	for _, run := range s.runs {
		from, to, _ := strings.Cut(q.Get("created"), "..")
		at := run["created_at"].(string)
		if (q.Has("head_sha") && run["head_sha"] == q.Get("head_sha")) || q.Has("created") && at >= from && at <= to {
			list = append(list, run)
		}
	}
	total := len(list)
	list = list[:min(total, 1000)]
	answer(w, 200, obj{"total_count": total, "workflow_runs": list[min((page-1)*100, len(list)):min(page*100, len(list))]})
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// ran is a run that was created, and whose only attempt went on from start to end, each
// so long before noon.
func ran(id int, created, start, end time.Duration, login string) obj {
	status := "completed"
	if end == 0 {
		status = "in_progress"
	}
	who := obj{"id": id*10 + 1, "login": login, "type": "User"}
	return obj{
		"id": id, "run_attempt": 1, "path": ci + "@refs/heads/main", "event": "push", "head_sha": sha(id), "status": status, "actor": who, "triggering_actor": who,
		"created_at": stamp(noon.Add(-created)), "run_started_at": stamp(noon.Add(-start)), "updated_at": stamp(noon.Add(-end)),
	}
}

// at asks the stub which runs were at work so long before noon, by "ID.ATTEMPT STARTER".
func (s *runsStub) at(t *testing.T, f *Forge, ago ...time.Duration) ([]string, string, error) {
	t.Helper()
	needs := change.Needs{}
	for _, d := range ago {
		needs.Starters = append(needs.Starters, noon.Add(-d))
	}
	facts, err := f.Answer(t.Context(), change.Facts{Ref: pull7}, needs)
	list := []string{}
	for _, r := range facts.Runs.Or(nil) {
		require.Equal(t, ci, r.Workflow)
		list = append(list, fmt.Sprintf("%d.%d %s", r.ID, r.Attempt, facts.People[r.Starter].Login))
	}
	return list, facts.Absent["runs"], err
}

// A run counts for the moments at which it was at work, whenever it was set off.
func TestRunsAtWork(t *testing.T) {
	const h, d = time.Hour, 24 * time.Hour
	s := newRunsStub(t,
		ran(9, h, h, 0, "ada"),             // goes on
		ran(8, 5*h, 5*h, 4*h, "grace"),     // ended
		ran(7, 2*d, 2*d, 3*h, "linus"),     // waited for somebody
		ran(6, 60*d, 60*d, 59*d, "nobody"), // long ago
	)
	f := newForge(t, s.URL)
	for _, c := range []struct {
		ago  time.Duration
		want []string
	}{
		{30 * time.Minute, []string{"9.1 ada"}}, {h + 30*time.Second, []string{"9.1 ada"}}, {h + 2*time.Minute, []string{}},
		{4*h + 30*time.Minute, []string{"7.1 linus", "8.1 grace"}}, {4*h - 30*time.Second, []string{"7.1 linus", "8.1 grace"}}, {4*h - 2*time.Minute, []string{"7.1 linus"}},
	} {
		got, absent, err := s.at(t, f, c.ago)
		require.NoError(t, err)
		require.Empty(t, absent)
		require.Equal(t, c.want, got, c.ago)
	}
	got, _, err := s.at(t, f, 30*time.Minute, 4*h+30*time.Minute)
	require.NoError(t, err)
	require.Equal(t, []string{"7.1 linus", "8.1 grace", "9.1 ada"}, got)
	asked := len(s.asked)
	_, _, err = s.at(t, f, 30*time.Minute, 4*h+30*time.Minute)
	require.NoError(t, err)
	require.Len(t, s.asked, asked, "what was at work in the past stays so")
	require.Contains(t, s.asked[asked-1], stamp(noon.Add(-4*h-30*time.Minute-65*d))+"..", "as far back as a run can reach")
}

// Mallory's run opened the pull request. That ada started it again afterwards does not
// put ada in mallory's place.
func TestARunThatWasStartedAgain(t *testing.T) {
	const h = time.Hour
	again := ran(5, 9*h, 2*h, h, "ada")
	again["run_attempt"], again["actor"] = 3, obj{"id": 66, "login": "mallory", "type": "User"}
	s := newRunsStub(t, again)
	second, first := ran(5, 9*h, 6*h, 5*h, "grace"), ran(5, 9*h, 9*h, 8*h, "mallory")
	second["run_attempt"] = 2
	s.attempts["5/attempts/2"], s.attempts["5/attempts/1"] = second, first
	for ago, want := range map[time.Duration][]string{
		90 * time.Minute: {"5.3 ada"}, 5*h + 30*time.Minute: {"5.2 grace"}, 8*h + 30*time.Minute: {"5.1 mallory"}, 7 * h: {}, 10 * h: {},
	} {
		got, _, err := s.at(t, newForge(t, s.URL), ago)
		require.NoError(t, err)
		require.Equal(t, want, got, ago)
	}
	delete(s.attempts, "5/attempts/1")
	got, absent, err := s.at(t, newForge(t, s.URL), 7*h)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, "the workflow runs that were at work: GitHub does not show it to this application (404)", absent)
	second["run_attempt"] = 1
	_, absent, err = s.at(t, newForge(t, s.URL), 5*h+30*time.Minute)
	require.NoError(t, err)
	require.Contains(t, absent, "another attempt of run 5")
	for n := range 60 {
		a := ran(5, 9*h, 9*h-time.Second, 8*h, "mallory")
		a["run_attempt"] = n + 1
		s.attempts[fmt.Sprintf("5/attempts/%d", n+1)] = a
	}
	again["run_attempt"] = 60
	_, absent, err = s.at(t, newForge(t, s.URL), 9*h)
	require.NoError(t, err)
	require.Contains(t, absent, "started again more than 50 times")
}

// Mallory deletes the run once it has ended; somebody else's stays. It was seen at work
// before, and is not forgotten.
func TestARunThatWasDeleted(t *testing.T) {
	mallorys, graces := ran(1, 30*time.Second, 30*time.Second, 0, "mallory"), ran(2, 30*time.Second, 30*time.Second, 0, "grace")
	s := newRunsStub(t, graces, mallorys)
	f := newForge(t, s.URL)
	got, _, err := s.at(t, f, 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, []string{"1.1 mallory", "2.1 grace"}, got)
	s.change(func() { s.runs = s.runs[:1] })
	got, _, err = s.at(t, f, 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, []string{"1.1 mallory", "2.1 grace"}, got)
	got, _, err = s.at(t, newForge(t, s.URL), 10*time.Second)
	require.NoError(t, err)
	require.Equal(t, []string{"2.1 grace"}, got, "whoever did not look then cannot know")
}

// Many runs are many pages, and too many are not known.
func TestManyRuns(t *testing.T) {
	many := func(n int) []obj {
		var runs []obj
		for i := range n {
			at := time.Hour + time.Duration(i)*time.Minute
			runs = append(runs, ran(n-i, at, at, at-30*time.Second, "ada"))
		}
		return runs
	}
	s := newRunsStub(t, many(1205)...)
	s.runs[1204]["status"] = "in_progress" // the oldest of them goes on
	got, absent, err := s.at(t, newForge(t, s.URL), time.Hour)
	require.NoError(t, err)
	require.Empty(t, absent)
	require.Equal(t, []string{"1.1 ada", "1204.1 ada", "1205.1 ada"}, got)
	require.Equal(t, 10+3, len(s.asked))

	s = newRunsStub(t, many(3001)...)
	_, absent, err = s.at(t, newForge(t, s.URL), time.Hour)
	require.NoError(t, err)
	require.Contains(t, absent, "more than 3000 have been set off since 2025-12-27")
	require.Len(t, s.asked, 1)

	s = newRunsStub(t)
	for i := range 1001 {
		s.runs = append(s.runs, ran(i+1, time.Hour, time.Hour, time.Hour, "ada"))
	}
	_, absent, err = s.at(t, newForge(t, s.URL), 2*time.Hour)
	require.NoError(t, err)
	require.Empty(t, absent, "none of them was created then")
	_, absent, err = s.at(t, newForge(t, s.URL), time.Hour+30*time.Second)
	require.NoError(t, err)
	require.Contains(t, absent, "more than 500 were")
}

// Whoever started a run may be gone, may be a bot, and is somebody in any case.
func TestStartersOfAllKinds(t *testing.T) {
	gone, timer := ran(1, time.Hour, time.Hour, 0, ""), ran(2, time.Hour, time.Hour, 0, "x")
	gone["actor"], gone["triggering_actor"] = nil, nil
	timer["actor"], timer["triggering_actor"] = obj{"id": 41898282, "login": "github-actions[bot]", "type": "Bot"}, nil
	old := ran(3, time.Hour, time.Hour, 0, "ada")
	old["run_attempt"], old["triggering_actor"] = 2, nil
	s := newRunsStub(t, gone, timer, old)
	facts, err := newForge(t, s.URL).Answer(t.Context(), change.Facts{Ref: pull7}, change.Needs{Starters: []time.Time{noon.Add(-time.Minute * 50)}})
	require.NoError(t, err)
	runs := known(t, facts.Runs)
	require.Len(t, runs, 3)
	require.Equal(t, change.Unknown, facts.People[runs[0].Actor].Kind)
	require.Equal(t, change.Bot, facts.People[runs[1].Starter].Kind, "the first attempt was started by whoever set it off")
	require.Equal(t, change.Unknown, facts.People[runs[2].Starter].Kind, "and a later one by somebody")
}

// A list may lag behind what was done a moment ago; what is refused is not known.
func TestRunsThatCannotBeRead(t *testing.T) {
	s := newRunsStub(t)
	_, _, err := s.at(t, newForge(t, s.URL), time.Second)
	require.ErrorIs(t, err, change.ErrNotYet)
	got, absent, err := s.at(t, newForge(t, s.URL), time.Hour)
	require.NoError(t, err)
	require.Empty(t, absent)
	require.Empty(t, got, "that there was none is an answer")
	for status, want := range map[int]string{403: "the workflow runs that were at work: GitHub refuses this application (403): check its permissions", 500: ""} {
		s.before = nil
		s.override["GET /repos/acme/shop/actions/runs"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, status, obj{}) }
		_, absent, err := s.at(t, newForge(t, s.URL), time.Hour)
		require.Equal(t, want == "", err != nil)
		require.Equal(t, want, absent)
	}
	s = newRunsStub(t, obj{"id": 1, "created_at": stamp(noon.Add(-time.Hour))})
	_, absent, err = s.at(t, newForge(t, s.URL), time.Hour)
	require.NoError(t, err)
	require.Contains(t, absent, "without an id, a time or a status")
}

// FuzzRuns looks for an answer about runs that makes facts which cannot be told apart.
func FuzzRuns(f *testing.F) {
	f.Add([]byte(`{"total_count":1,"workflow_runs":[{"id":1,"run_attempt":1,"status":"completed","path":"a@b","actor":{"id":2,"login":"ada","type":"User"},"created_at":"2026-03-02T11:00:00Z","run_started_at":"2026-03-02T11:00:00Z","updated_at":"2026-03-02T11:30:00Z"}]}`))
	f.Add([]byte(`{"workflow_runs":[{"id":1,"status":"x","created_at":"2026-03-02T11:00:00Z","actor":null,"head_sha":"0"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := decodeRuns(data)
		if err != nil {
			return
		}
		roster := &change.Roster{}
		for _, r := range list.Runs {
			run := r.run(roster)
			require.Positive(t, run.ID)
			require.NotEmpty(t, run.Actor)
			require.NotEmpty(t, run.Starter)
			require.False(t, run.Started.IsZero())
			require.False(t, !run.Updated.IsZero() && run.Updated.Before(run.Started))
		}
	})
}
