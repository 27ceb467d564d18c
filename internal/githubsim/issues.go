package githubsim

import (
	"regexp"
	"slices"
	"strconv"
)

// issue is an issue of a repository. It shares its numbers with pull requests.
type issue struct {
	repo   *Repository
	id     int64
	number int
	title  string
	author *account
}

// OpenIssue opens an issue and returns its number. A pull request whose
// description says "closes #7" refers to it.
func (a Actor) OpenIssue(title string) (number int, err error) {
	err = a.act("read", func(r *Repository, by *account) error {
		r.lastNumber++
		number = r.lastNumber
		r.issues[number] = &issue{repo: r, id: r.sim.nextID(), number: number, title: title, author: by}
		return nil
	})
	return number, err
}

var closingWord = regexp.MustCompile(`(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)\b`)

// closes returns the issues that merging the pull request closes.
func (p *pull) closes() []*issue {
	var list []*issue
	for _, m := range closingWord.FindAllStringSubmatch(p.body, -1) {
		n, _ := strconv.Atoi(m[1])
		if i := p.repo.issues[n]; i != nil && !slices.Contains(list, i) {
			list = append(list, i)
		}
	}
	return list
}

// node is an Issue.
func (i *issue) node() graphNode {
	return plain{"Issue", record{
		"id": nodeID("Issue", i.id), "databaseId": i.id, "number": i.number, "title": i.title, "state": "OPEN",
		"url": i.repo.html("/issues/" + strconv.Itoa(i.number)), "author": i.repo.sim.actor(i.author), "repository": repositoryNode{i.repo},
	}}
}
