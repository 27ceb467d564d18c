package githubsim

import (
	"net/http"
	"strconv"
)

// appRoutes are what the App does in its own name.
func appRoutes() []route {
	return []route{
		{pattern: "GET /app", do: getApp},
		{pattern: "GET /app/installations", do: listInstallations},
		{pattern: "GET /app/installations/{installation}", do: getInstallation},
		{pattern: "POST /app/installations/{installation}/access_tokens", do: createToken},
		{pattern: "GET /repos/{owner}/{repo}/installation", do: repositoryInstallation},
		{pattern: "GET /orgs/{org}/installation", do: organizationInstallation},
		{pattern: "GET /users/{username}/installation", do: userInstallation},
		{"GET /installation/repositories", "metadata", "read", listInstalled},
		{pattern: "GET /app/hook/deliveries", do: listDeliveries},
		{pattern: "GET /app/hook/deliveries/{delivery}", do: getDelivery},
		{pattern: "POST /app/hook/deliveries/{delivery}/attempts", do: redeliver},
	}
}

func getApp(c *call) (int, any, error) {
	return http.StatusOK, c.sim.appJSON(&c.sim.App).with(record{"installations_count": len(c.sim.organizations)}), nil
}

func listInstallations(c *call) (int, any, error) {
	list := []record{}
	for _, name := range sortedKeys(c.sim.organizations) {
		if o := c.sim.organizations[name]; o.hasApp() {
			list = append(list, c.sim.installationJSON(o))
		}
	}
	return http.StatusOK, page(c, list), nil
}

func getInstallation(c *call) (int, any, error) {
	o, err := c.installation()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.sim.installationJSON(o), nil
}

func repositoryInstallation(c *call) (int, any, error) {
	if !c.repo.owner.shows(c.repo) {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, c.sim.installationJSON(c.repo.owner), nil
}

func organizationInstallation(c *call) (int, any, error) {
	o := c.sim.organizations[lower(c.r.PathValue("org"))]
	if o == nil || !o.hasApp() {
		return 0, nil, refuse(404, "Not Found")
	}
	return http.StatusOK, c.sim.installationJSON(o), nil
}

func (c *call) installation() (*Organization, error) {
	id := c.number("installation")
	for _, o := range c.sim.organizations {
		if o.installation == id && o.hasApp() {
			return o, nil
		}
	}
	return nil, refuse(404, "Not Found")
}

// createToken issues an installation token, narrowed as the caller asks.
func createToken(c *call) (int, any, error) {
	o, err := c.installation()
	if err != nil {
		return 0, nil, err
	}
	if !o.suspended.IsZero() {
		return 0, nil, refuse(403, "This installation has been suspended")
	}
	var in struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if err := c.input(&in); err != nil {
		return 0, nil, err
	}
	granted := c.sim.App.permissions
	permissions := map[string]string{}
	for name, level := range granted {
		if len(in.Permissions) == 0 {
			permissions[name] = level
		}
	}
	for name, level := range in.Permissions {
		if granted[name] != level && granted[name] != "write" {
			return 0, nil, refuse(422, "The permissions requested are not granted to this installation.")
		}
		permissions[name] = level
	}
	reach, err := c.narrow(o, in.Repositories, in.RepositoryIDs)
	if err != nil {
		return 0, nil, err
	}
	t, err := c.sim.issue(o, permissions, reach)
	if err != nil {
		return 0, nil, err
	}
	selection := "all"
	if reach != nil {
		selection = "selected"
	}
	return http.StatusCreated, record{"token": t.text, "expires_at": stamp(t.expires), "permissions": permissions, "repository_selection": selection}, nil
}

// narrow returns the ids of the repositories a token is asked for; nil for all.
func (c *call) narrow(o *Organization, names []string, ids []int64) (map[int64]bool, error) {
	if len(names)+len(ids) == 0 {
		return nil, nil
	}
	reach := map[int64]bool{}
	for _, r := range c.sim.repositories {
		for _, name := range names {
			reach[r.id] = reach[r.id] || (r.owner == o && lower(r.name) == lower(name))
		}
		for _, id := range ids {
			reach[r.id] = reach[r.id] || (r.owner == o && r.id == id)
		}
	}
	found := 0
	for _, yes := range reach {
		if yes {
			found++
		}
	}
	if found < len(names)+len(ids) {
		return nil, refuse(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
	}
	return reach, nil
}

// json is the shape hook-delivery-item.
func (d Delivery) json() record {
	status := d.Status
	if status == "" {
		status = "no answer"
	}
	j := record{
		"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.At), "redelivery": d.Redelivery, "duration": d.Took.Seconds(), "status": status,
		"status_code": d.StatusCode, "event": d.Event, "action": orNull(d.Action), "installation_id": d.installation, "repository_id": nil, "throttled_at": nil,
	}
	if d.repository != 0 {
		j["repository_id"] = d.repository
	}
	return j
}

// listDeliveries lists attempts, the newest first, paged by cursor.
func listDeliveries(c *call) (int, any, error) {
	q := c.r.URL.Query()
	per := 30
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n > 0 {
		per = min(n, 100)
	}
	before, _ := strconv.ParseInt(q.Get("cursor"), 10, 64)
	list := []record{}
	all := c.sim.outbox.list()
	for i := len(all) - 1; i >= 0; i-- {
		d := all[i]
		good := d.StatusCode >= 200 && d.StatusCode < 400
		if (before != 0 && d.ID >= before) || (q.Get("status") == "failure" && good) || (q.Get("status") == "success" && !good) {
			continue
		}
		if len(list) == per {
			c.w.Header().Set("Link", "<"+c.address(map[string]string{"cursor": itoa(all[i+1].ID)})+`>; rel="next"`)
			break
		}
		list = append(list, d.json())
	}
	return http.StatusOK, list, nil
}

func (c *call) delivery() (Delivery, error) {
	id := c.number("delivery")
	for _, d := range c.sim.outbox.list() {
		if d.ID == id {
			return d, nil
		}
	}
	return Delivery{}, refuse(404, "Not Found")
}

func getDelivery(c *call) (int, any, error) {
	d, err := c.delivery()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, d.json().with(record{
		"url":      c.sim.URL + "/app/hook/deliveries/" + itoa(d.ID),
		"request":  record{"headers": record{"X-GitHub-Event": d.Event, "X-GitHub-Delivery": d.GUID}, "payload": rawJSON(d.Body)},
		"response": record{"headers": nil, "payload": nil},
	}), nil
}

func redeliver(c *call) (int, any, error) {
	d, err := c.delivery()
	if err != nil {
		return 0, nil, err
	}
	c.sim.outbox.again(d, c.sim.nextID())
	return http.StatusAccepted, record{}, nil
}
