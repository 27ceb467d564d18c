package githubsim

import "net/http"

func ruleRoutes() []route {
	return []route{
		{"GET /repos/{owner}/{repo}/rules/branches/{branch...}", "metadata", "read", branchRules},
		{"GET /repos/{owner}/{repo}/rulesets", "metadata", "read", listRulesets},
		{"GET /repos/{owner}/{repo}/rulesets/{ruleset}", "metadata", "read", getRuleset},
	}
}

func branchRules(c *call) (int, any, error) {
	return http.StatusOK, page(c, c.repo.rulesOn(c.r.PathValue("branch"))), nil
}

func listRulesets(c *call) (int, any, error) {
	list := []record{}
	for _, s := range c.repo.rulesets {
		if s.FromOrg && c.r.URL.Query().Get("includes_parents") == "false" {
			continue
		}
		list = append(list, s.listJSON(c.repo))
	}
	return http.StatusOK, page(c, list), nil
}

func getRuleset(c *call) (int, any, error) {
	id := c.number("ruleset")
	for _, s := range c.repo.rulesets {
		if s.id == id {
			return http.StatusOK, s.json(c.repo, c.token.allows("administration", "write")), nil
		}
	}
	return 0, nil, refuse(404, "Not Found")
}
