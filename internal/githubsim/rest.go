package githubsim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds the body of an API call.
const maxBody = 1 << 20

// docs is where refusals point to.
const docs = "https://docs.github.com/rest"

// call is one API call being answered, under the simulator's mutex.
type call struct {
	sim   *Sim
	w     http.ResponseWriter
	r     *http.Request
	token *token      // nil for a call with the App's own JWT
	repo  *Repository // set for paths below /repos/{owner}/{repo}
}

// route is one operation of the API.
type route struct {
	pattern    string // method and template, as net/http matches it
	permission string // that the installation needs; "" for calls with the App's JWT
	level      string // read or write
	do         func(c *call) (status int, answer any, err error)
}

// routes are all operations but GraphQL.
func (s *Sim) routes() []route {
	var all []route
	for _, part := range [][]route{appRoutes(), pullRoutes(), commitRoutes(), checkRoutes(), ruleRoutes(), peopleRoutes(), actionRoutes(), issueRoutes()} {
		all = append(all, part...)
	}
	return all
}

// handler serves the API at the root and, as an Enterprise Server does, below
// /api/v3 and at /api/graphql.
func (s *Sim) handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(rt, w, r) })
	}
	graph := route{pattern: "POST /graphql", permission: "metadata", level: "read", do: serveGraphQL}
	mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) { s.serve(graph, w, r) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.requests.add(r.Method + " (not served)")
		s.log.Warn("the simulator does not serve this", "method", r.Method, "path", r.URL.Path)
		fail(w, r, http.StatusNotFound, "Not Found")
	})
	enterprise := http.StripPrefix("/api/v3", mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/api/v3/"):
			enterprise.ServeHTTP(w, r)
		case r.URL.Path == "/api/graphql":
			http.StripPrefix("/api", mux).ServeHTTP(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// serve answers one call: faults first, then who asks, then what.
func (s *Sim) serve(rt route, w http.ResponseWriter, r *http.Request) {
	s.requests.add(rt.pattern)
	fault, hit, latency := s.faults.next(rt.pattern)
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-r.Context().Done():
			return
		}
	}
	if hit && fault.strike(w, r) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	body, err := io.ReadAll(r.Body) // before the mutex: a slow sender must not hold it
	if err != nil {
		fail(w, r, http.StatusBadRequest, "Problems reading the body")
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	status, j, t := s.locked(rt, w, r)
	if hit && fault.Partial && status == http.StatusOK {
		if g, ok := j.(record); ok {
			g["errors"] = []record{fault.graphQLError()}
		}
	}
	if answer(w, r, status, j) == http.StatusNotModified && t != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.rate.used-- // what has not changed costs nothing
	}
}

// locked answers a call under the mutex, and returns the token it came with.
func (s *Sim) locked(rt route, w http.ResponseWriter, r *http.Request) (int, any, *token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{sim: s, w: w, r: r}
	err := c.authorize(rt)
	if err == nil {
		var status int
		var j any
		if status, j, err = rt.do(c); err == nil {
			return status, j, c.token
		}
	}
	if errors.Is(err, errRateLimit) && rt.pattern == "POST /graphql" {
		return http.StatusOK, record{"errors": []record{{"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation."}}}, c.token
	}
	var no *Refusal
	if !errors.As(err, &no) || no.Status == 0 {
		s.log.Error("the simulator cannot answer", "route", rt.pattern, "err", err)
		no = &Refusal{Status: http.StatusInternalServerError, Message: "Server Error: " + err.Error()}
	}
	return no.Status, refusalJSON(no.Status, no.Message), c.token
}

// authorize finds out who calls and whether they may.
func (c *call) authorize(rt route) error {
	kind, credential, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	credential = strings.TrimSpace(credential)
	switch {
	case credential == "":
		return refuse(401, "Requires authentication")
	case !strings.EqualFold(kind, "bearer") && !strings.EqualFold(kind, "token"):
		return refuse(401, "Bad credentials")
	}
	if rt.permission == "" {
		if err := c.sim.verifyAppJWT(credential); err != nil {
			return err
		}
		return c.find()
	}
	t := c.sim.tokens.tokens[credential]
	if t == nil || !t.expires.After(c.sim.now()) {
		return refuse(401, "Bad credentials")
	}
	c.token = t
	if err := c.spend(t); err != nil {
		return err
	}
	if err := c.find(); err != nil {
		return err
	}
	if !t.allows(rt.permission, rt.level) {
		c.w.Header().Set("X-Accepted-GitHub-Permissions", rt.permission+"="+rt.level)
		return refuse(403, "Resource not accessible by integration")
	}
	return nil
}

// errRateLimit refuses a call beyond the installation's hour. GraphQL says it in
// a 200.
var errRateLimit = refuse(403, "API rate limit exceeded for installation.")

// spend counts the call against the installation's hour.
func (c *call) spend(t *token) error {
	now := c.sim.now()
	within := t.rate.take(now)
	h := c.w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(t.rate.limit))
	h.Set("X-RateLimit-Used", strconv.Itoa(t.rate.used))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(t.rate.limit-t.rate.used))
	h.Set("X-RateLimit-Reset", itoa(t.rate.reset.Unix()))
	h.Set("X-RateLimit-Resource", "core")
	if !within {
		return errRateLimit
	}
	return nil
}

// find looks up the repository of the path. What the caller may not see is not
// found.
func (c *call) find() error {
	owner := c.r.PathValue("owner")
	if owner == "" {
		return nil
	}
	c.repo = c.sim.repositories[strings.ToLower(owner+"/"+c.r.PathValue("repo"))]
	if c.repo == nil || (c.token != nil && !c.token.reaches(c.repo)) {
		return refuse(404, "Not Found")
	}
	return nil
}

// input decodes the body.
func (c *call) input(v any) error {
	if err := json.NewDecoder(c.r.Body).Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return refuse(400, "Problems parsing JSON")
	}
	return nil
}

// number returns a numeric part of the path.
func (c *call) number(name string) int64 {
	n, err := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// page cuts the page out of a list that the query asks for and links the others.
func page[T any](c *call, list []T) []T {
	per, number := 30, 1
	if n, err := strconv.Atoi(c.r.URL.Query().Get("per_page")); err == nil && n > 0 {
		per = min(n, 100)
	}
	if n, err := strconv.Atoi(c.r.URL.Query().Get("page")); err == nil && n > 0 {
		number = n
	}
	last := max(1, (len(list)+per-1)/per)
	var links []string
	link := func(n int, rel string) {
		links = append(links, fmt.Sprintf("<%s>; rel=%q", c.address(map[string]string{"page": strconv.Itoa(n)}), rel))
	}
	if number > 1 {
		link(number-1, "prev")
	}
	if number < last {
		link(number+1, "next")
		link(last, "last")
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ", "))
	}
	from := min((number-1)*per, len(list))
	return list[from:min(from+per, len(list))]
}

// address is the call's own address with other query values.
func (c *call) address(values map[string]string) string {
	u := *c.r.URL
	q := u.Query()
	for k, v := range values {
		q.Set(k, v)
	}
	u.RawQuery = q.Encode()
	return c.sim.URL + u.String()
}

// answer writes a JSON answer. A GET carries an ETag, and costs nothing when the
// caller has it already. The status that was written is returned.
func answer(w http.ResponseWriter, r *http.Request, status int, j any) int {
	h := w.Header()
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	if j == nil {
		w.WriteHeader(status)
		return status
	}
	data, err := json.Marshal(j)
	if err != nil {
		panic("githubsim: an answer that is not JSON: " + err.Error()) // a bug here: answers are maps of plain values
	}
	if r.Method == http.MethodGet && status == http.StatusOK {
		sum := sha256.Sum256(data)
		tag := `"` + hex.EncodeToString(sum[:]) + `"`
		h.Set("ETag", tag)
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return http.StatusNotModified
		}
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // the caller is gone if this fails
	return status
}

func fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	answer(w, r, status, refusalJSON(status, message))
}

// refusalJSON is the shape basic-error.
func refusalJSON(status int, message string) record {
	return record{"message": message, "documentation_url": docs, "status": strconv.Itoa(status)}
}
