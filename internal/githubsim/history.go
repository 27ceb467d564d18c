package githubsim

import "slices"

// History is walked here and not by git: commits are cached, and a walk over a
// few hundred of them is quicker than a process.

// reach returns the commits that from leads to, parents before children, and
// goes no further where stop says so.
func (g *git) reach(from string, stop map[string]bool) ([]string, error) {
	var order []string
	seen := map[string]bool{}
	stack := []string{from}
	for len(stack) > 0 {
		sha := stack[len(stack)-1]
		if stop[sha] || seen[sha] {
			stack = stack[:len(stack)-1]
			continue
		}
		c, err := g.commit(sha)
		if err != nil {
			return nil, err
		}
		waits := false
		for _, p := range slices.Backward(c.parents) {
			if !stop[p] && !seen[p] {
				stack, waits = append(stack, p), true
			}
		}
		if !waits {
			seen[sha] = true
			order = append(order, sha)
			stack = stack[:len(stack)-1]
		}
	}
	return order, nil
}

// between returns the commits of head that base lacks, parents before children;
// base "" lacks all.
func (g *git) between(base, head string) ([]string, error) {
	key := [2]string{base, head}
	if list, known := g.ranges[key]; known {
		return list, nil
	}
	stop := map[string]bool{}
	if base != "" {
		had, err := g.reach(base, nil)
		if err != nil {
			return nil, err
		}
		for _, sha := range had {
			stop[sha] = true
		}
	}
	list, err := g.reach(head, stop)
	if err == nil {
		g.ranges[key] = list
	}
	return list, err
}

// contains reports whether ancestor is in the history of head.
func (g *git) contains(head, ancestor string) (bool, error) {
	if head == ancestor {
		return true, nil
	}
	list, err := g.between(head, ancestor)
	return err == nil && len(list) == 0, err
}

// mergeBase returns the best common ancestor, or "" when histories are unrelated.
func (g *git) mergeBase(a, b string) (string, error) {
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		if in, err := g.contains(pair[0], pair[1]); err != nil || in {
			return pair[1], err
		}
	}
	key := [2]string{a, b}
	if base, known := g.bases[key]; known {
		return base, nil
	}
	base, err := g.line("merge-base", a, b)
	if status(err) == 1 {
		base, err = "", nil
	}
	if err == nil {
		g.bases[key] = base
	}
	return base, err
}
