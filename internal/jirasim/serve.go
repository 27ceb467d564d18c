package jirasim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// record is one JSON object.
type record map[string]any

// serve answers one call.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault := s.fault
	s.mu.Unlock()
	if fault != nil {
		fault(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := r.URL.EscapedPath()
	key, rest, _ := strings.Cut(strings.TrimPrefix(path, "/rest/api/3/issue/"), "/")
	switch {
	case r.Method == http.MethodPost && path == "/oauth/token":
		s.count("token")
		s.giveToken(w, r)
	case r.Method != http.MethodGet || !strings.HasPrefix(path, "/rest/api/3/"):
		http.Error(w, "<html>Not found</html>", http.StatusNotFound)
	case path == "/rest/api/3/myself":
		s.count("myself")
		s.myself(w, r)
	case strings.HasPrefix(path, "/rest/api/3/issue/") && rest == "":
		s.count("issue")
		s.issue(w, r, key)
	case strings.HasPrefix(path, "/rest/api/3/issue/") && rest == "changelog":
		s.count("changelog")
		s.changelog(w, r, key)
	default:
		refuse(w, http.StatusNotFound, "null for uri: "+path)
	}
}

func (s *Sim) count(what string) { s.requests[what]++ }

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller is gone if this fails
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, record{"errorMessages": []string{message}, "errors": record{}})
}

// enter finds out who calls. An API token that is wrong makes a stranger of the caller,
// to whom the site is empty; a bearer token that is wrong is refused.
func (s *Sim) enter(w http.ResponseWriter, r *http.Request) (known, ok bool) {
	auth := r.Header.Get("Authorization")
	if token, bearer := strings.CutPrefix(auth, "Bearer "); bearer {
		if s.token == "" || token != s.token {
			answer(w, http.StatusUnauthorized, record{"code": 401, "message": "Unauthorized"})
			return false, false
		}
		return true, true
	}
	email, token, basic := r.BasicAuth()
	if basic && email == Email && token == APIToken {
		w.Header().Set("X-AACCOUNTID", "712020%3Aservice")
		return true, true
	}
	if basic {
		w.Header().Set("X-Seraph-LoginReason", "AUTHENTICATED_FAILED")
	}
	return false, true
}

func (s *Sim) giveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" ||
		r.PostForm.Get("client_id") != ClientID || r.PostForm.Get("client_secret") != ClientSecret {
		answer(w, http.StatusUnauthorized, record{"error": "access_denied", "error_description": "Unauthorized"})
		return
	}
	s.token = secret()
	answer(w, http.StatusOK, record{"access_token": s.token, "expires_in": 3600, "token_type": "Bearer", "scope": "read:jira-work"})
}

func (s *Sim) myself(w http.ResponseWriter, r *http.Request) {
	known, ok := s.enter(w, r)
	switch {
	case !ok:
	case !known:
		refuse(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
	default:
		answer(w, http.StatusOK, record{"accountId": "712020:service", "accountType": "atlassian", "active": true})
	}
}

// find returns the issue that a call is about, by its key, an old key or its id.
func (s *Sim) find(w http.ResponseWriter, r *http.Request, key string) *Issue {
	known, ok := s.enter(w, r)
	if !ok {
		return nil
	}
	i := s.issues[strings.ToUpper(key)]
	for _, other := range s.issues {
		if strconv.Itoa(other.id) == key {
			i = other
		}
	}
	if i == nil || i.Hidden || !known {
		refuse(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
		return nil
	}
	return i
}

func (s *Sim) issue(w http.ResponseWriter, r *http.Request, key string) {
	i := s.find(w, r, key)
	if i == nil {
		return
	}
	all := record{
		"summary": i.Summary, "description": i.Description, "created": stamp(i.Created), "resolutiondate": stamp(i.Resolved),
		"statuscategorychangedate": stamp(i.since), "reporter": i.Reporter.json(), "creator": i.Creator.json(), "labels": []string{},
		"issuetype": record{"id": "10001", "name": i.Type, "subtask": false},
		"status":    record{"id": "3", "name": i.Status, "statusCategory": record{"id": 4, "key": i.Category, "name": i.Category}},
	}
	asked := strings.Split(r.URL.Query().Get("fields"), ",")
	for name := range all {
		if !slices.Contains(asked, name) {
			delete(all, name)
		}
	}
	id := strconv.Itoa(i.id)
	j := record{"id": id, "key": i.Key, "self": s.URL + "/rest/api/3/issue/" + id, "expand": "renderedFields,names,schema,changelog", "fields": all}
	if strings.Contains(r.URL.Query().Get("expand"), "changelog") {
		histories := slices.Clone(i.histories())
		slices.Reverse(histories) // the newest first, and no more than a page
		j["changelog"] = record{"startAt": 0, "maxResults": min(100, len(histories)), "total": len(histories), "histories": histories[:min(100, len(histories))]}
	}
	answer(w, http.StatusOK, j)
}

func (s *Sim) changelog(w http.ResponseWriter, r *http.Request, key string) {
	i := s.find(w, r, key)
	if i == nil {
		return
	}
	all := i.histories()
	start, _ := strconv.Atoi(r.URL.Query().Get("startAt"))
	most, err := strconv.Atoi(r.URL.Query().Get("maxResults"))
	if err != nil || most > 100 {
		most = 100
	}
	from := min(max(start, 0), len(all))
	to := min(from+most, len(all))
	answer(w, http.StatusOK, record{
		"self": s.URL + r.URL.String(), "startAt": from, "maxResults": most, "total": len(all), "isLast": to == len(all), "values": all[from:to],
	})
}

// histories are the changes of an issue, the oldest first.
func (i *Issue) histories() []record {
	all := []record{}
	for n, e := range i.history {
		item := record{"field": e.field, "fieldtype": "jira", "fieldId": e.field, "from": nil, "fromString": e.from, "to": nil, "toString": e.to}
		all = append(all, record{"id": fmt.Sprint(20000 + n), "created": stamp(e.at), "author": i.Reporter.json(), "items": []record{item}})
	}
	return all
}

func (u *User) json() any {
	if u == nil {
		return nil
	}
	return record{"accountId": u.AccountID, "accountType": u.Type, "displayName": u.Name, "active": true, "timeZone": "Etc/UTC"}
}

// stamp writes a time as Jira does.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000-0700")
}
