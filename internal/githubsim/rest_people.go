package githubsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

func peopleRoutes() []route {
	return []route{
		{"GET /repos/{owner}/{repo}/collaborators/{username}/permission", "metadata", "read", getPermission},
		{"GET /orgs/{org}/teams", "members", "read", listTeams},
		{"GET /orgs/{org}/teams/{slug}", "members", "read", getTeam},
		{"GET /orgs/{org}/teams/{slug}/members", "members", "read", listTeamMembers},
		{"GET /orgs/{org}/teams/{slug}/memberships/{username}", "members", "read", getMembership},
		{"GET /users/{username}", "metadata", "read", getUser},
		{"GET /user/{id}", "metadata", "read", getUserByID},
		{"GET /rate_limit", "metadata", "read", getRateLimit},
	}
}

func lower(s string) string { return strings.ToLower(s) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func rawJSON(b []byte) any { return json.RawMessage(b) }

// list returns the attempts that can be listed, the oldest first.
func (o *outbox) list() []Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sent)
}

func getPermission(c *call) (int, any, error) {
	a, err := c.sim.account(c.r.PathValue("username"))
	if err != nil || a.kind == typeOrganization {
		return 0, nil, refuse(404, "%s is not a user", c.r.PathValue("username"))
	}
	role := c.repo.permission(a)
	at := rank(role)
	user := c.sim.accountJSON(a).(record).with(record{"role_name": role, "permissions": record{
		"admin": at >= rank("admin"), "maintain": at >= rank("maintain"), "push": at >= rank("write"), "triage": at >= rank("triage"), "pull": at >= rank("read"),
	}})
	return http.StatusOK, record{"permission": legacyPermission(role), "role_name": role, "user": user}, nil
}

// teamOf returns the team of the path, of an organisation that the token is for.
func (c *call) teamOf() (*team, error) {
	o := c.sim.organizations[lower(c.r.PathValue("org"))]
	if o == nil || o != c.token.installation || o.teams[c.r.PathValue("slug")] == nil {
		return nil, refuse(404, "Not Found")
	}
	return o.teams[c.r.PathValue("slug")], nil
}

// listTeams lists the teams of an organisation that the token is for.
func listTeams(c *call) (int, any, error) {
	o := c.sim.organizations[lower(c.r.PathValue("org"))]
	if o == nil || o != c.token.installation {
		return 0, nil, refuse(404, "Not Found")
	}
	list := []record{}
	for _, slug := range page(c, sortedKeys(o.teams)) {
		t := o.teams[slug]
		var parent any
		if t.parent != nil {
			parent = c.sim.teamJSON(t.parent)
		}
		list = append(list, c.sim.teamJSON(t).with(record{"parent": parent}))
	}
	return http.StatusOK, list, nil
}

func getTeam(c *call) (int, any, error) {
	t, err := c.teamOf()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.sim.teamFullJSON(t), nil
}

func listTeamMembers(c *call) (int, any, error) {
	t, err := c.teamOf()
	if err != nil {
		return 0, nil, err
	}
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(c.sim.byID)) {
		if t.role(id) != "" {
			list = append(list, c.sim.accountJSON(c.sim.byID[id]))
		}
	}
	return http.StatusOK, page(c, list), nil
}

// getMembership answers 404 for somebody who is not in the team, as GitHub does.
func getMembership(c *call) (int, any, error) {
	t, err := c.teamOf()
	if err != nil {
		return 0, nil, err
	}
	a, err := c.sim.account(c.r.PathValue("username"))
	if err != nil || t.role(a.id) == "" {
		return 0, nil, refuse(404, "Not Found")
	}
	url := c.sim.URL + "/organizations/" + itoa(t.org.account.id) + "/team/" + itoa(t.id) + "/memberships/" + a.login
	return http.StatusOK, record{"url": url, "role": t.role(a.id), "state": "active"}, nil
}

func getUser(c *call) (int, any, error) {
	a, err := c.sim.account(c.r.PathValue("username"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.sim.publicUser(a), nil
}

func getUserByID(c *call) (int, any, error) {
	a := c.sim.byID[c.number("id")]
	if a == nil {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, c.sim.publicUser(a), nil
}

// publicUser is the shape public-user.
func (s *Sim) publicUser(a *account) record {
	return s.accountJSON(a).(record).with(record{
		"name": a.name, "company": nil, "blog": nil, "location": nil, "email": nil, "hireable": nil, "bio": nil, "public_repos": 0,
		"public_gists": 0, "followers": 0, "following": 0, "created_at": stamp(a.created), "updated_at": stamp(a.created), "user_view_type": "public",
	})
}

func getRateLimit(c *call) (int, any, error) {
	w := c.token.rate
	core := record{"limit": w.limit, "used": w.used, "remaining": w.limit - w.used, "reset": w.reset.Unix()}
	return http.StatusOK, record{"rate": core, "resources": record{"core": core, "search": record{"limit": 30, "used": 0, "remaining": 30, "reset": w.reset.Unix()}, "graphql": core}}, nil
}
