package githubsim

import (
	"net/http"
	"slices"
	"strings"
)

// The most that REST lists of one pull request, as GitHub documents it.
const (
	mostCommits = 250
	mostFiles   = 3000
)

func pullRoutes() []route {
	return []route{
		{"GET /repos/{owner}/{repo}/pulls", "pull_requests", "read", listPulls},
		{"GET /repos/{owner}/{repo}/pulls/{number}", "pull_requests", "read", getPull},
		{"GET /repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests", "read", listReviews},
		{"GET /repos/{owner}/{repo}/pulls/{number}/commits", "pull_requests", "read", listPullCommits},
		{"GET /repos/{owner}/{repo}/pulls/{number}/files", "pull_requests", "read", listFiles},
		{"GET /repos/{owner}/{repo}/commits/{sha}/pulls", "pull_requests", "read", listCommitPulls},
	}
}

func (c *call) pull() (*pull, error) {
	if p := c.repo.pulls[int(c.number("number"))]; p != nil {
		return p, nil
	}
	return nil, refuse(404, "Not Found")
}

func getPull(c *call) (int, any, error) {
	p, err := c.pull()
	if err != nil {
		return 0, nil, err
	}
	j, err := p.json()
	return http.StatusOK, j, err
}

// listPulls lists pull requests, the newest first.
func listPulls(c *call) (int, any, error) {
	q := c.r.URL.Query()
	state := q.Get("state")
	if state == "" {
		state = pullOpen
	}
	var found []*pull
	numbers := c.repo.numbers()
	for i := len(numbers) - 1; i >= 0; i-- {
		p := c.repo.pulls[numbers[i]]
		_, head, _ := strings.Cut(q.Get("head"), ":")
		if (state != "all" && p.state != state) || (q.Get("base") != "" && q.Get("base") != p.baseBranch) || (head != "" && head != p.headBranch) {
			continue
		}
		found = append(found, p)
	}
	if q.Get("sort") == "updated" {
		slices.SortStableFunc(found, func(a, b *pull) int { return b.touched().Compare(a.touched()) })
	}
	if q.Get("direction") == "asc" {
		slices.Reverse(found)
	}
	return simplePulls(page(c, found))
}

func simplePulls(pulls []*pull) (int, any, error) {
	list := []record{}
	for _, p := range pulls {
		j, err := p.simpleJSON()
		if err != nil {
			return 0, nil, err
		}
		list = append(list, j)
	}
	return http.StatusOK, list, nil
}

func listReviews(c *call) (int, any, error) {
	p, err := c.pull()
	if err != nil {
		return 0, nil, err
	}
	list := []record{}
	for _, rv := range page(c, p.reviews) {
		list = append(list, rv.json())
	}
	return http.StatusOK, list, nil
}

func listPullCommits(c *call) (int, any, error) {
	p, err := c.pull()
	if err != nil {
		return 0, nil, err
	}
	shas, err := p.commits()
	if err != nil {
		return 0, nil, err
	}
	list, err := c.repo.commitList(page(c, shas[:min(len(shas), mostCommits)]))
	return http.StatusOK, list, err
}

func (r *Repository) commitList(shas []string) ([]record, error) {
	list := []record{}
	for _, sha := range shas {
		o, err := r.git.commit(sha)
		if err != nil {
			return nil, err
		}
		list = append(list, r.commitJSON(o))
	}
	return list, nil
}

func listFiles(c *call) (int, any, error) {
	p, err := c.pull()
	if err != nil {
		return 0, nil, err
	}
	files, err := p.files()
	if err != nil {
		return 0, nil, err
	}
	list := []record{}
	for _, f := range page(c, files[:min(len(files), mostFiles)]) {
		list = append(list, c.repo.fileJSON(f, p.head))
	}
	return http.StatusOK, list, nil
}

func listCommitPulls(c *call) (int, any, error) {
	sha, err := c.repo.resolve(c.r.PathValue("sha"))
	if err != nil {
		return 0, nil, refuse(422, "No commit found for SHA: %s", c.r.PathValue("sha"))
	}
	pulls, err := c.repo.pullsOf(sha)
	if err != nil {
		return 0, nil, err
	}
	return simplePulls(page(c, pulls))
}
