package githubsim

import "slices"

// landed notes that a merge of p put commit on its base branch.
func (r *Repository) landed(commit string, p *pull) {
	if !slices.Contains(r.landings[commit], p) {
		r.landings[commit] = append(r.landings[commit], p)
	}
}

// commits returns the commits of a pull request, oldest first: those of its head
// that the base does not have, or did not have when it was merged or closed.
func (p *pull) commits() ([]string, error) { return p.repo.git.between(p.baseCommit(), p.head) }

// baseCommit is what the pull request's commits and files are counted from.
func (p *pull) baseCommit() string {
	if p.baseWhenDone != "" {
		return p.baseWhenDone
	}
	return p.repo.branches[p.baseBranch]
}

// files returns what a pull request changes since it left its base.
func (p *pull) files() ([]fileDiff, error) {
	base, err := p.repo.git.mergeBase(p.baseCommit(), p.head)
	if err != nil {
		return nil, err
	}
	return p.repo.git.diff(base, p.head)
}

// pullsOf returns the pull requests that GitHub associates with a commit: the
// merged ones that brought it to the default branch, or else every one that has
// it.
func (r *Repository) pullsOf(commit string) ([]*pull, error) {
	var merged, others []*pull
	for _, n := range r.numbers() {
		p := r.pulls[n]
		has := slices.Contains(r.landings[commit], p)
		if !has {
			list, err := p.commits()
			if err != nil {
				return nil, err
			}
			has = slices.Contains(list, commit)
		}
		switch {
		case has && !p.merged.IsZero():
			merged = append(merged, p)
		case has && p.state == pullOpen:
			others = append(others, p)
		}
	}
	on, err := r.git.contains(r.branches[r.trunk], commit)
	if err != nil {
		return nil, err
	}
	if on && len(merged) > 0 {
		return merged, nil
	}
	return append(merged, others...), nil
}

// numbers returns the numbers of all pull requests in order.
func (r *Repository) numbers() []int {
	numbers := make([]int, 0, len(r.pulls))
	for n := range r.pulls {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}
