package githubsim

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

func commitRoutes() []route {
	return []route{
		{"GET /repos/{owner}/{repo}", "metadata", "read", func(c *call) (int, any, error) { return http.StatusOK, c.repo.fullJSON(), nil }},
		{"GET /repos/{owner}/{repo}/commits/{ref}", "contents", "read", getCommit},
		{"GET /repos/{owner}/{repo}/git/commits/{sha}", "contents", "read", getGitCommit},
		{"GET /repos/{owner}/{repo}/git/trees/{sha}", "contents", "read", getTree},
		{"GET /repos/{owner}/{repo}/git/blobs/{sha}", "contents", "read", getBlob},
		{"GET /repos/{owner}/{repo}/git/ref/{ref...}", "contents", "read", getRef},
		{"GET /repos/{owner}/{repo}/branches", "contents", "read", listBranches},
		{"GET /repos/{owner}/{repo}/branches/{branch...}", "contents", "read", getBranch},
		{"GET /repos/{owner}/{repo}/compare/{basehead...}", "contents", "read", compare},
		{"GET /repos/{owner}/{repo}/contents/{path...}", "contents", "read", getContents},
		{"GET /repos/{owner}/{repo}/activity", "contents", "read", listActivity},
	}
}

func getCommit(c *call) (int, any, error) {
	sha, err := c.repo.resolve(c.r.PathValue("ref"))
	if err != nil {
		return 0, nil, refuse(422, "No commit found for SHA: %s", c.r.PathValue("ref"))
	}
	o, err := c.repo.git.commit(sha)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.commitJSON(o), nil
}

func getGitCommit(c *call) (int, any, error) {
	o, err := c.repo.git.commit(c.r.PathValue("sha"))
	if err != nil {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, c.repo.gitCommitJSON(o), nil
}

func getTree(c *call) (int, any, error) {
	sha := c.r.PathValue("sha")
	if at, err := c.repo.resolve(sha); err == nil {
		o, err := c.repo.git.commit(at)
		if err != nil {
			return 0, nil, err
		}
		sha = o.tree
	}
	args := []string{"ls-tree", "-z", "-l", "--end-of-options", sha}
	if c.r.URL.Query().Get("recursive") != "" {
		args = slices.Insert(args, 1, "-r", "-t")
	}
	out, err := c.repo.git.run(nil, args...)
	if err != nil {
		return 0, nil, refuse(404, "Not Found")
	}
	entries := []record{}
	for _, line := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		meta, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(meta) // mode type sha size
		if !ok || len(f) != 4 {
			continue
		}
		e := record{"path": name, "mode": f[0], "type": f[1], "sha": f[2], "url": c.repo.api("/git/" + f[1] + "s/" + f[2])}
		if n, err := strconv.Atoi(f[3]); err == nil {
			e["size"] = n
		}
		entries = append(entries, e)
	}
	return http.StatusOK, record{"sha": sha, "url": c.repo.api("/git/trees/" + sha), "tree": entries, "truncated": false}, nil
}

// getBlob serves the bytes of a file by its id.
func getBlob(c *call) (int, any, error) {
	sha := c.r.PathValue("sha")
	o, err := c.repo.git.objects.read(sha)
	if err != nil || o.kind != "blob" || o.sha != sha {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, record{
		"sha": o.sha, "node_id": nodeID("Blob", c.repo.id) + o.sha, "size": len(o.data), "url": c.repo.api("/git/blobs/" + o.sha),
		"content": base64.StdEncoding.EncodeToString(o.data) + "\n", "encoding": "base64",
	}, nil
}

func getRef(c *call) (int, any, error) {
	ref := c.r.PathValue("ref")
	sha := c.repo.branches[strings.TrimPrefix(ref, "heads/")]
	if sha == "" || !strings.HasPrefix(ref, "heads/") {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, record{
		"ref": "refs/" + ref, "node_id": nodeID("Ref", c.repo.id), "url": c.repo.api("/git/refs/" + ref),
		"object": record{"type": "commit", "sha": sha, "url": c.repo.api("/git/commits/" + sha)},
	}, nil
}

func getBranch(c *call) (int, any, error) {
	name := c.r.PathValue("branch")
	sha := c.repo.branches[name]
	if sha == "" {
		return 0, nil, refuse(404, "Branch not found")
	}
	o, err := c.repo.git.commit(sha)
	if err != nil {
		return 0, nil, err
	}
	api := c.repo.api("/branches/" + escapePath(name))
	return http.StatusOK, record{
		"name": name, "commit": c.repo.commitJSON(o), "protected": len(c.repo.active(name)) > 0, "protection_url": api + "/protection",
		"protection": record{"enabled": false}, "_links": record{"self": api, "html": c.repo.html("/tree/" + escapePath(name))},
	}, nil
}

// listBranches lists the branches by their names.
func listBranches(c *call) (int, any, error) {
	list := []record{}
	for _, name := range page(c, slices.Sorted(maps.Keys(c.repo.branches))) {
		sha := c.repo.branches[name]
		list = append(list, record{
			"name": name, "commit": record{"sha": sha, "url": c.repo.api("/commits/" + sha)}, "protected": len(c.repo.active(name)) > 0,
		})
	}
	return http.StatusOK, list, nil
}

// compare compares two commits from their merge base on. Commits are paged; the
// files come with the first page only.
func compare(c *call) (int, any, error) {
	basehead := c.r.PathValue("basehead")
	left, right, ok := strings.Cut(basehead, "...")
	if !ok {
		return 0, nil, refuse(404, "Not Found")
	}
	base, err := c.repo.resolve(left)
	if err != nil {
		return 0, nil, refuse(404, "Not Found")
	}
	head, err := c.repo.resolve(right)
	if err != nil {
		return 0, nil, refuse(404, "Not Found")
	}
	j, err := c.comparison(base, head)
	if err != nil {
		return 0, nil, err
	}
	api, html := c.repo.api("/compare/"+escapePath(basehead)), c.repo.html("/compare/"+escapePath(basehead))
	return http.StatusOK, j.with(record{
		"url": api, "html_url": html, "permalink_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch",
	}), nil
}

func (c *call) comparison(base, head string) (record, error) {
	g := c.repo.git
	fork, err := g.mergeBase(base, head)
	if err != nil {
		return nil, err
	}
	if fork == "" {
		return nil, refuse(404, "No common ancestor between %s and %s.", base, head)
	}
	ahead, err := g.between(base, head)
	if err != nil {
		return nil, err
	}
	behind, err := g.between(head, base)
	if err != nil {
		return nil, err
	}
	both, err := c.repo.commitList([]string{base, fork})
	if err != nil {
		return nil, err
	}
	commits, err := c.repo.commitList(c.comparedPage(ahead))
	if err != nil {
		return nil, err
	}
	files := []record{}
	if n := c.r.URL.Query().Get("page"); n == "" || n == "1" {
		diff, err := g.diff(fork, head)
		if err != nil {
			return nil, err
		}
		for _, f := range diff[:min(len(diff), 300)] {
			files = append(files, c.repo.fileJSON(f, head))
		}
	}
	return record{
		"base_commit": both[0], "merge_base_commit": both[1], "status": comparisonStatus(len(ahead), len(behind)),
		"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead), "commits": commits, "files": files,
	}, nil
}

// comparedPage is a page of compared commits: the first 250 for a caller that
// asks for no page.
func (c *call) comparedPage(shas []string) []string {
	if q := c.r.URL.Query(); !q.Has("page") && !q.Has("per_page") {
		return shas[:min(len(shas), mostCommits)]
	}
	return page(c, shas)
}

func comparisonStatus(ahead, behind int) string {
	switch {
	case ahead > 0 && behind > 0:
		return "diverged"
	case ahead > 0:
		return "ahead"
	case behind > 0:
		return "behind"
	}
	return "identical"
}

// getContents serves a file. Folders are not served: nobody asks for one.
func getContents(c *call) (int, any, error) {
	ref, name := c.r.URL.Query().Get("ref"), c.r.PathValue("path")
	if ref == "" {
		ref = c.repo.trunk
	}
	sha, err := c.repo.resolve(ref)
	if err != nil {
		return 0, nil, refuse(404, "No commit found for the ref %s", ref)
	}
	o, err := c.repo.git.objects.read(sha + ":" + name)
	if err != nil || o.kind != "blob" {
		return 0, nil, refuse(404, "Not Found")
	}
	api := c.repo.api("/contents/"+escapePath(name)) + "?ref=" + ref
	blob, html := c.repo.api("/git/blobs/"+o.sha), c.repo.html("/blob/"+ref+"/"+escapePath(name))
	return http.StatusOK, record{
		"type": "file", "encoding": "base64", "size": len(o.data), "name": path.Base(name), "path": name, "sha": o.sha, "url": api,
		"content": base64.StdEncoding.EncodeToString(o.data) + "\n", "git_url": blob, "html_url": html,
		"download_url": c.repo.html("/raw/" + ref + "/" + escapePath(name)), "_links": record{"self": api, "git": blob, "html": html},
	}, nil
}

// listActivity lists movements of branches, the newest first, paged by cursor.
func listActivity(c *call) (int, any, error) {
	q := c.r.URL.Query()
	per := 30
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n > 0 {
		per = min(n, 100)
	}
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	list := []record{}
	var last int64
	for _, m := range slices.Backward(c.repo.moves) {
		if !m.matches(q.Get("ref"), q.Get("actor"), q.Get("activity_type")) || (after != 0 && m.id >= after) {
			continue
		}
		if len(list) == per {
			c.w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", c.address(map[string]string{"after": itoa(last)})))
			break
		}
		list, last = append(list, m.json(c.repo)), m.id
	}
	return http.StatusOK, list, nil
}

func (m *movement) matches(ref, actor, kind string) bool {
	return (ref == "" || strings.TrimPrefix(ref, "refs/heads/") == m.branch) &&
		(actor == "" || strings.EqualFold(actor, m.actor.login)) && (kind == "" || kind == m.kind)
}

// json is the shape activity.
func (m *movement) json(r *Repository) record {
	orZero := func(sha string) string {
		if sha == "" {
			return zeroSHA
		}
		return sha
	}
	return record{
		"id": m.id, "node_id": nodeID("Push", m.id), "before": orZero(m.before), "after": orZero(m.after), "ref": "refs/heads/" + m.branch,
		"timestamp": m.at.Format(time.RFC3339), "activity_type": m.kind, "actor": r.sim.accountJSON(m.actor),
	}
}
