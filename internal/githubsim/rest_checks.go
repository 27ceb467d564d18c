package githubsim

import (
	"net/http"
	"slices"
)

func checkRoutes() []route {
	return []route{
		{"POST /repos/{owner}/{repo}/check-runs", "checks", "write", postCheck},
		{"PATCH /repos/{owner}/{repo}/check-runs/{check}", "checks", "write", patchCheck},
		{"GET /repos/{owner}/{repo}/check-runs/{check}", "checks", "read", getCheck},
		{"GET /repos/{owner}/{repo}/check-runs/{check}/annotations", "checks", "read", listAnnotations},
		{"GET /repos/{owner}/{repo}/commits/{ref}/check-runs", "checks", "read", listChecks},
		{"POST /repos/{owner}/{repo}/statuses/{sha}", "statuses", "write", postStatus},
		{"GET /repos/{owner}/{repo}/commits/{ref}/statuses", "statuses", "read", listStatuses},
		{"GET /repos/{owner}/{repo}/commits/{ref}/status", "statuses", "read", combinedStatus},
	}
}

// checkInput is what an application sends of a check run. A field that is not
// sent stays as it is.
type checkInput struct {
	Name       *string `json:"name"`
	HeadSHA    string  `json:"head_sha"`
	DetailsURL *string `json:"details_url"`
	ExternalID *string `json:"external_id"`
	Status     *string `json:"status"`
	Conclusion *string `json:"conclusion"`
	Output     *struct {
		Title   string `json:"title"`
		Summary string `json:"summary"`
		Text    string `json:"text"`

		Annotations []Annotation `json:"annotations"`
	} `json:"output"`
	Actions []struct {
		Label       string `json:"label"`
		Description string `json:"description"`
		Identifier  string `json:"identifier"`
	} `json:"actions"`
}

// apply returns the run as it is after the input.
func (in checkInput) apply(o CheckRun) CheckRun {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&o.Name, in.Name)
	set(&o.DetailsURL, in.DetailsURL)
	set(&o.ExternalID, in.ExternalID)
	if in.Status != nil {
		o.Status, o.Conclusion = *in.Status, ""
	}
	set(&o.Conclusion, in.Conclusion)
	if in.Output != nil {
		o.Title, o.Summary, o.Text = in.Output.Title, in.Output.Summary, in.Output.Text
		// GitHub never takes one back.
		o.Annotations = append(slices.Clone(o.Annotations), in.Output.Annotations...)
	}
	if in.Actions != nil {
		o.Actions = nil
		for _, a := range in.Actions {
			o.Actions = append(o.Actions, a.Identifier)
		}
	}
	return o
}

// valid refuses what GitHub's validation refuses.
func (in checkInput) valid() error {
	if len(in.Actions) > 3 {
		return refuse(422, "Invalid request.\n\nNo more than 3 items are allowed; %d were supplied.", len(in.Actions))
	}
	for _, a := range in.Actions {
		if a.Label == "" || len(a.Label) > 20 || a.Description == "" || len(a.Description) > 40 || a.Identifier == "" || len(a.Identifier) > 20 {
			return refuse(422, "Invalid request.\n\nAn action's label and identifier have 1 to 20 characters, its description 1 to 40.")
		}
	}
	if in.Output != nil && (in.Output.Title == "" || in.Output.Summary == "") {
		return refuse(422, "Invalid request.\n\n\"title\" and \"summary\" weren't supplied.")
	}
	if in.Output != nil {
		return validAnnotations(in.Output.Annotations)
	}
	return nil
}

func postCheck(c *call) (int, any, error) {
	var in checkInput
	if err := c.input(&in); err != nil {
		return 0, nil, err
	}
	if in.Name == nil || in.HeadSHA == "" {
		return 0, nil, refuse(422, "Invalid request.\n\n\"name\", \"head_sha\" weren't supplied.")
	}
	if err := in.valid(); err != nil {
		return 0, nil, err
	}
	run, err := c.repo.createCheck(&c.sim.App, in.apply(CheckRun{App: c.sim.App.Slug, Commit: in.HeadSHA}))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, run.json(), nil
}

func (c *call) check() (*checkRun, error) {
	if run := c.repo.runs[c.number("check")]; run != nil {
		return run, nil
	}
	return nil, refuse(404, "Not Found")
}

func patchCheck(c *call) (int, any, error) {
	run, err := c.check()
	if err != nil {
		return 0, nil, err
	}
	if run.app != &c.sim.App {
		return 0, nil, refuse(403, "Invalid app_id `%d` - check run can only be modified by the GitHub App that created it.", run.app.ID)
	}
	var in checkInput
	if err := c.input(&in); err != nil {
		return 0, nil, err
	}
	if err := in.valid(); err != nil {
		return 0, nil, err
	}
	if err := c.repo.updateCheck(run, in.apply(run.CheckRun)); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, run.json(), nil
}

func getCheck(c *call) (int, any, error) {
	run, err := c.check()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, run.json(), nil
}

func listChecks(c *call) (int, any, error) {
	sha, err := c.repo.resolve(c.r.PathValue("ref"))
	if err != nil {
		return 0, nil, refuse(422, "No commit found for SHA: %s", c.r.PathValue("ref"))
	}
	q := c.r.URL.Query()
	runs := c.repo.latestRuns(sha)
	if q.Get("filter") == "all" {
		runs = c.repo.runsAt[sha]
	}
	var found []*checkRun
	for _, run := range runs {
		if (q.Get("check_name") == "" || q.Get("check_name") == run.Name) && (q.Get("app_id") == "" || q.Get("app_id") == itoa(run.app.ID)) &&
			(q.Get("status") == "" || q.Get("status") == run.Status) {
			found = append(found, run)
		}
	}
	list := []record{}
	for _, run := range page(c, found) {
		list = append(list, run.json())
	}
	return http.StatusOK, record{"total_count": len(found), "check_runs": list}, nil
}

func postStatus(c *call) (int, any, error) {
	var in struct {
		State       string `json:"state"`
		Context     string `json:"context"`
		Description string `json:"description"`
		TargetURL   string `json:"target_url"`
	}
	if err := c.input(&in); err != nil {
		return 0, nil, err
	}
	st, err := c.repo.createStatus(c.sim.App.bot, c.r.PathValue("sha"), Status{in.Context, in.State, in.Description, in.TargetURL})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, st.json(c.repo), nil
}

// json is the shape status.
func (s *commitStatus) json(r *Repository) record {
	return s.simpleJSON(r).with(record{"creator": r.sim.accountJSON(s.creator)})
}

// listStatuses lists every status of a commit, the newest first.
func listStatuses(c *call) (int, any, error) {
	sha, err := c.repo.resolve(c.r.PathValue("ref"))
	if err != nil {
		return 0, nil, refuse(404, "Not Found")
	}
	all := c.repo.statuses[sha]
	list := []record{}
	for i := len(all) - 1; i >= 0; i-- {
		list = append(list, all[i].json(c.repo))
	}
	return http.StatusOK, page(c, list), nil
}

func combinedStatus(c *call) (int, any, error) {
	sha, err := c.repo.resolve(c.r.PathValue("ref"))
	if err != nil {
		return 0, nil, refuse(404, "Not Found")
	}
	latest := c.repo.latestStatuses(sha)
	list := []record{}
	for _, s := range page(c, latest) {
		list = append(list, s.simpleJSON(c.repo))
	}
	return http.StatusOK, record{
		"state": combinedState(latest), "statuses": list, "sha": sha, "total_count": len(latest), "repository": c.repo.minimalJSON(),
		"commit_url": c.repo.api("/commits/" + sha), "url": c.repo.api("/commits/" + sha + "/status"),
	}, nil
}
