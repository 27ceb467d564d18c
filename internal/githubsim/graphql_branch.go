package githubsim

import (
	"fmt"
	"slices"
)

// branchNode is a Ref.
type branchNode struct {
	r      *Repository
	branch string
}

func (branchNode) typeName() string { return "Ref" }

func (n branchNode) field(name string, a arguments) (any, error) {
	r := n.r
	switch name {
	case "id":
		return nodeID("Ref", r.id) + n.branch, nil
	case "name":
		return n.branch, nil
	case "prefix":
		return "refs/heads/", nil
	case "repository":
		return repositoryNode{r}, nil
	case "branchProtectionRule":
		return nil, nil
	case "target":
		return r.commitOrNil(r.branches[n.branch])
	case "associatedPullRequests":
		pulls := r.pullsWhere(a, func(p *pull) bool { return p.headBranch == n.branch })
		return listOf("PullRequestConnection", pulls, a, func(p *pull) graphNode { return pullNode{p} })
	}
	return nil, undefinedField("Ref", name)
}

// pullsWhere returns the pull requests that are meant, by number, of the states that
// the arguments ask for.
func (r *Repository) pullsWhere(a arguments, meant func(*pull) bool) []*pull {
	states, only := a["states"].([]any)
	if one := a.text("states"); one != "" { // a single value stands for a list of it
		states, only = []any{one}, true
	}
	var list []*pull
	for _, n := range sortedNumbers(r.pulls) {
		p := r.pulls[n]
		in := !only || slices.ContainsFunc(states, func(s any) bool { return fmt.Sprint(s) == p.graphState() })
		if in && meant(p) {
			list = append(list, p)
		}
	}
	return list
}

// sortedNumbers returns the numbers of pull requests, ascending.
func sortedNumbers(pulls map[int]*pull) []int {
	numbers := make([]int, 0, len(pulls))
	for n := range pulls {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}
