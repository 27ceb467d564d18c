package githubsim

import (
	"slices"
	"strings"
	"time"
)

// A CheckRun is a check run as an application posts it.
type CheckRun struct {
	App        string // slug; default github-actions
	Name       string
	Commit     string // default: the tip of the default branch
	Status     string // queued, in_progress or completed; default completed when there is a conclusion
	Conclusion string // success, failure, neutral, cancelled, skipped, timed_out, action_required
	Workflow   string // path of the workflow file, for github-actions; default .github/workflows/ci.yml
	Event      string // what the workflow ran on; default pull_request
	Attempt    int    // run attempt; default 1
	ExternalID string
	DetailsURL string
	Title      string
	Summary    string
	Text       string
	Actions    []string // identifiers of its buttons

	Annotations []Annotation // all that were ever put on it
}

// checkRun is a check run on a commit.
type checkRun struct {
	CheckRun
	id                 int64
	repo               *Repository
	app                *App
	suite              int64
	run                int64 // workflow run id, 0 when it is not a workflow's
	started, completed time.Time
}

// suiteKey identifies a check suite: GitHub keeps one per app and commit, and one
// per workflow for GitHub Actions.
type suiteKey struct {
	commit   string
	app      int64
	workflow string
}

// A Status is a commit status; anybody who may write can post one.
type Status struct {
	Context     string
	State       string // error, failure, pending or success
	Description string
	TargetURL   string
}

// commitStatus is a commit status that was posted.
type commitStatus struct {
	Status
	id      int64
	commit  string
	creator *account
	at      time.Time
}

var checkConclusions = []string{"action_required", "cancelled", "failure", "neutral", "skipped", "stale", "success", "timed_out"}

// PostCheck posts a check run as its application and returns its id.
func (r *Repository) PostCheck(o CheckRun) (int64, error) {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	if o.App == "" {
		o.App = "github-actions"
	}
	app := r.sim.apps[o.App]
	if app == nil {
		return 0, refuse(404, "Not Found: no application is called %q", o.App)
	}
	c, err := r.createCheck(app, o)
	if err != nil {
		return 0, err
	}
	return c.id, nil
}

// Checks returns the latest check run of every name and application on a commit, as
// the commit's page shows them.
func (r *Repository) Checks(commit string) []CheckRun {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	var shown []CheckRun
	for _, c := range r.latestRuns(commit) {
		shown = append(shown, c.CheckRun)
	}
	return shown
}

// createCheck makes a check run, which changes what may merge.
func (r *Repository) createCheck(app *App, o CheckRun) (*checkRun, error) {
	if o.Commit == "" {
		o.Commit = r.branches[r.trunk]
	}
	if _, err := r.git.commit(o.Commit); err != nil || o.Name == "" {
		return nil, refuse(422, "No commit found for SHA: %s", o.Commit)
	}
	c := &checkRun{id: r.sim.nextID(), repo: r, app: app}
	if err := c.set(o); err != nil {
		return nil, err
	}
	key := suiteKey{commit: o.Commit, app: app.ID, workflow: o.Workflow}
	if r.suites[key] == 0 {
		r.suites[key] = r.sim.nextID()
	}
	c.suite = r.suites[key]
	if app.Slug == "github-actions" {
		c.run = c.suite + runsApart
	}
	r.runs[c.id] = c
	r.runsAt[o.Commit] = append(r.runsAt[o.Commit], c)
	if c.run != 0 {
		r.jobOf(c)
	}
	if err := r.sim.emitCheck(c, "created", app.bot); err != nil {
		return nil, err
	}
	return c, r.checked(c)
}

// set takes over what an application says of its run.
func (c *checkRun) set(o CheckRun) error {
	if o.Conclusion != "" {
		o.Status = "completed"
	}
	if o.Status == "" {
		o.Status = "queued"
	}
	if !slices.Contains([]string{"queued", "in_progress", "completed", "waiting", "requested", "pending"}, o.Status) {
		return refuse(422, "Invalid request.\n\n%q is not a check status", o.Status)
	}
	if o.Status == "completed" && !slices.Contains(checkConclusions, o.Conclusion) {
		return refuse(422, "Invalid request.\n\n%q is not a check conclusion", o.Conclusion)
	}
	if len(o.Summary) > 65535 || len(o.Text) > 65535 {
		return refuse(422, "Invalid request.\n\nOnly 65535 characters are allowed; more were supplied.")
	}
	if o.Attempt == 0 {
		o.Attempt = 1
	}
	if o.Event == "" {
		o.Event = "pull_request"
	}
	c.CheckRun = o
	now := c.repo.sim.clock()
	if c.started.IsZero() {
		c.started = now
	}
	c.completed = time.Time{}
	if o.Status == "completed" {
		c.completed = now
	} else {
		c.Conclusion = ""
	}
	return nil
}

// updateCheck changes a run in place.
func (r *Repository) updateCheck(c *checkRun, o CheckRun) error {
	if err := c.set(o); err != nil {
		return err
	}
	if c.run != 0 {
		r.jobOf(c)
	}
	if c.Status == "completed" {
		if err := r.sim.emitCheck(c, "completed", c.app.bot); err != nil {
			return err
		}
	}
	return r.checked(c)
}

// UpdateCheck changes a check run in place, as its application: the status, the
// conclusion and, where they are set, the texts.
func (r *Repository) UpdateCheck(id int64, o CheckRun) error {
	r.sim.mu.Lock()
	defer r.sim.mu.Unlock()
	c := r.runs[id]
	if c == nil {
		return refuse(404, "Not Found")
	}
	was := c.CheckRun
	was.Status, was.Conclusion = o.Status, o.Conclusion
	if o.Title != "" {
		was.Title, was.Summary, was.Text = o.Title, o.Summary, o.Text
	}
	if o.Attempt != 0 {
		was.Attempt = o.Attempt
	}
	return r.updateCheck(c, was)
}

// Rerequest presses the re-run button of a check run.
func (a Actor) Rerequest(checkRunID int64) error {
	return a.act("write", func(r *Repository, by *account) error {
		c := r.runs[checkRunID]
		if c == nil {
			return refuse(404, "Not Found")
		}
		return r.sim.emitCheck(c, "rerequested", by)
	})
}

// RequestAction presses one of the buttons that a check run offers.
func (a Actor) RequestAction(checkRunID int64, identifier string) error {
	return a.act("write", func(r *Repository, by *account) error {
		c := r.runs[checkRunID]
		if c == nil || !slices.Contains(c.Actions, identifier) {
			return refuse(404, "Not Found")
		}
		return r.sim.emitCheckAction(c, identifier, by)
	})
}

// PostStatus posts a commit status.
func (a Actor) PostStatus(commit string, o Status) error {
	return a.act("write", func(r *Repository, by *account) error {
		_, err := r.createStatus(by, commit, o)
		return err
	})
}

func (r *Repository) createStatus(by *account, commit string, o Status) (*commitStatus, error) {
	if o.Context == "" {
		o.Context = "default"
	}
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, o.State) {
		return nil, refuse(422, "Validation Failed: state is not included in the list")
	}
	if _, err := r.git.commit(commit); err != nil {
		return nil, refuse(422, "No commit found for SHA: %s", commit)
	}
	s := &commitStatus{Status: o, id: r.sim.nextID(), commit: commit, creator: by, at: r.sim.clock()}
	r.statuses[commit] = append(r.statuses[commit], s)
	if err := r.sim.emitStatus(r, s); err != nil {
		return nil, err
	}
	return s, r.verdictChanged(commit)
}

// latestRuns returns the newest run of each name and suite on a commit, in the
// order in which the names first came.
func (r *Repository) latestRuns(commit string) []*checkRun {
	type key struct {
		name  string
		suite int64
	}
	var order []key
	latest := map[key]*checkRun{}
	for _, c := range r.runsAt[commit] {
		k := key{c.Name, c.suite}
		if latest[k] == nil {
			order = append(order, k)
		}
		latest[k] = c
	}
	list := make([]*checkRun, 0, len(order))
	for _, k := range order {
		list = append(list, latest[k])
	}
	return list
}

// latestStatuses returns the newest status of each context on a commit.
func (r *Repository) latestStatuses(commit string) []*commitStatus {
	var order []string
	latest := map[string]*commitStatus{}
	for _, s := range r.statuses[commit] {
		if latest[s.Context] == nil {
			order = append(order, s.Context)
		}
		latest[s.Context] = s
	}
	list := make([]*commitStatus, 0, len(order))
	for _, c := range order {
		list = append(list, latest[c])
	}
	return list
}

// passes reports whether a conclusion satisfies a required check on GitHub.
func passes(conclusion string) bool {
	return conclusion == "success" || conclusion == "neutral" || conclusion == "skipped"
}

// missing returns why a required check does not hold on a commit, in GitHub's
// words, or "".
func (r *Repository) missing(c RequiredCheck, commit string) string {
	found := false
	for _, run := range r.latestRuns(commit) {
		if run.Name != c.Context || (c.AppID != 0 && run.app.ID != c.AppID) {
			continue
		}
		found = true
		if run.Status != "completed" {
			return "Required status check \"" + c.Context + "\" is in progress."
		}
		if !passes(run.Conclusion) {
			return "Required status check \"" + c.Context + "\" is failing."
		}
	}
	for _, s := range r.latestStatuses(commit) {
		app := int64(0)
		if s.creator.app != nil {
			app = s.creator.app.ID
		}
		if s.Context != c.Context || (c.AppID != 0 && app != c.AppID) {
			continue
		}
		found = true
		if s.State != "success" {
			return "Required status check \"" + c.Context + "\" is " + strings.Replace(s.State, "failure", "failing", 1) + "."
		}
	}
	if !found {
		return "Required status check \"" + c.Context + "\" is expected."
	}
	return ""
}

// checked and verdictChanged look whether something can merge now.
func (r *Repository) checked(c *checkRun) error { return r.verdictChanged(c.Commit) }

func (r *Repository) verdictChanged(commit string) error {
	for _, n := range r.openNumbers() {
		if p := r.pulls[n]; p.head == commit && p.state == pullOpen {
			if err := p.settle(); err != nil {
				return err
			}
		}
	}
	return r.advanceQueues()
}
