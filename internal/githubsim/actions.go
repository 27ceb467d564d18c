package githubsim

import (
	"slices"
	"strings"
	"time"
)

// A WorkflowRun is a run of a workflow about to be started.
type WorkflowRun struct {
	Workflow string // path of the workflow file; default .github/workflows/ci.yml
	Event    string // what sets it off; default workflow_dispatch
	Branch   string // on which it runs; default the default branch
}

// workflowRun is a run of a workflow. It keeps its id when it is run again.
type workflowRun struct {
	WorkflowRun
	id, suite int64
	number    int
	repo      *Repository
	commit    string
	actor     *account // who set off the first attempt
	created   time.Time
	attempts  []*runAttempt // the first one first
	implied   bool          // by check runs that were posted without a run: it ends with them
}

// runAttempt is one attempt of a run.
type runAttempt struct {
	by         *account // who started it
	started    time.Time
	ended      time.Time // zero while it is at work
	conclusion string
}

const defaultWorkflow = ".github/workflows/ci.yml"

// runsApart is the distance between the id of a run and that of its check suite.
const runsApart = 1_000_000

// RunWorkflow sets off a run of a workflow and returns its id. While one is at work in
// a repository, github-actions[bot] may write there, as it may with the token that
// GitHub gives to the jobs of a workflow that asks for it.
func (a Actor) RunWorkflow(o WorkflowRun) (id int64, err error) {
	err = a.act("write", func(r *Repository, by *account) error {
		if o.Workflow == "" {
			o.Workflow = defaultWorkflow
		}
		if o.Event == "" {
			o.Event = "workflow_dispatch"
		}
		if o.Branch == "" {
			o.Branch = r.trunk
		}
		commit := r.branches[o.Branch]
		if commit == "" {
			return refuse(422, "No ref found for: %s", o.Branch)
		}
		if file, err := r.git.objects.read(commit + ":" + o.Workflow); err != nil || file.kind != "blob" {
			return refuse(404, "Not Found: no workflow %s on %s", o.Workflow, o.Branch)
		}
		suite := r.sim.nextID()
		r.suites[suiteKey{commit: commit, app: r.sim.apps["github-actions"].ID, workflow: o.Workflow}] = suite
		id = r.startRun(suite, o, commit, by).id
		return nil
	})
	return id, err
}

// startRun notes a run and its first attempt.
func (r *Repository) startRun(suite int64, o WorkflowRun, commit string, by *account) *workflowRun {
	w := &workflowRun{WorkflowRun: o, id: suite + runsApart, suite: suite, number: 1, repo: r, commit: commit, actor: by, created: r.sim.clock()}
	for _, other := range r.workflowRuns {
		if other.Workflow == o.Workflow {
			w.number++
		}
	}
	w.attempts = []*runAttempt{{by: by, started: w.created}}
	r.workflowRuns = append(r.workflowRuns, w)
	return w
}

// RerunWorkflow runs a run again that has ended.
func (a Actor) RerunWorkflow(id int64) error {
	return a.act("write", func(r *Repository, by *account) error {
		w := r.workflowRun(id)
		switch {
		case w == nil:
			return refuse(404, "Not Found")
		case w.last().ended.IsZero():
			return refuse(403, "This workflow is already running")
		case r.sim.clock().Sub(w.created) > 30*24*time.Hour:
			return refuse(403, "Unable to retry this workflow run because it was created over a month ago")
		}
		w.attempts = append(w.attempts, &runAttempt{by: by, started: r.sim.clock()})
		return nil
	})
}

// EndWorkflow ends a run with a conclusion, such as success.
func (r *Repository) EndWorkflow(id int64, conclusion string) error {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	w := r.workflowRun(id)
	if w == nil || !w.last().ended.IsZero() {
		return refuse(404, "Not Found: no run %d is at work", id)
	}
	if !slices.Contains(checkConclusions, conclusion) {
		return refuse(422, "%q is not a conclusion", conclusion)
	}
	w.last().ended, w.last().conclusion = r.sim.clock(), conclusion
	return nil
}

func (r *Repository) workflowRun(id int64) *workflowRun {
	for _, w := range r.workflowRuns {
		if w.id == id {
			return w
		}
	}
	return nil
}

func (w *workflowRun) last() *runAttempt { return w.attempts[len(w.attempts)-1] }

// runsNow reports whether a workflow is at work in the repository.
func (r *Repository) runsNow() bool {
	return slices.ContainsFunc(r.workflowRuns, func(w *workflowRun) bool { return !w.implied && w.last().ended.IsZero() })
}

// jobOf brings the run behind a job up to date with it: one that nobody started was
// set off by whoever brought its commit, and by the same again for a later attempt.
func (r *Repository) jobOf(c *checkRun) {
	w := r.workflowRun(c.run)
	if w == nil {
		o := WorkflowRun{Workflow: c.Workflow, Event: c.Event}
		if o.Workflow == "" {
			o.Workflow = defaultWorkflow
		}
		o.Branch, _ = r.branchAt(c.Commit).(string)
		w = r.startRun(c.suite, o, c.Commit, r.bringer(c.Commit))
		w.implied = true
	}
	for len(w.attempts) < c.Attempt {
		w.last().ended, w.last().conclusion = r.sim.clock(), "failure"
		w.attempts = append(w.attempts, &runAttempt{by: w.last().by, started: r.sim.clock()})
	}
	if !w.implied {
		return
	}
	now := w.last()
	now.ended, now.conclusion = r.sim.clock(), "success"
	for _, job := range r.latestRuns(c.Commit) {
		switch {
		case job.run != w.id:
		case job.Status != "completed":
			now.ended, now.conclusion = time.Time{}, ""
			return
		case !passes(job.Conclusion):
			now.conclusion = "failure"
		}
	}
}

// bringer returns who moved a branch to a commit last.
func (r *Repository) bringer(commit string) *account {
	for _, m := range slices.Backward(r.moves) {
		if m.after == commit {
			return m.actor
		}
	}
	return r.moves[0].actor // who made the repository
}

// within reports whether a time lies in a range as the API's search syntax writes it:
// A..B, >=A, >A, <=B, <B or a whole day.
func within(at time.Time, span string) (bool, error) {
	parse := func(s string) (time.Time, error) {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t, err = time.Parse(time.DateOnly, s)
		}
		if err != nil {
			return t, refuse(422, "Validation Failed: %q is not a time", s)
		}
		return t, nil
	}
	if from, to, ok := strings.Cut(span, ".."); ok {
		a, err := parse(from)
		if err != nil {
			return false, err
		}
		b, err := parse(to)
		return !at.Before(a) && !at.After(b), err
	}
	for _, operator := range []string{">=", "<=", ">", "<"} {
		rest, ok := strings.CutPrefix(span, operator)
		if !ok {
			continue
		}
		t, err := parse(rest)
		return at.After(t) && operator[0] == '>' || at.Before(t) && operator[0] == '<' || at.Equal(t) && len(operator) == 2, err
	}
	day, err := parse(span)
	return !at.Before(day) && at.Before(day.Add(24*time.Hour)), err
}
