package change

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// A RequestID names a change request in both ways that it can be known by. Either may
// be empty.
type RequestID struct {
	Tracker string
	Key     string // with its repository, such as "acme/shop#7"
	ID      string // the tracker's own, as in Ticket
}

// Names returns the names that the request may be known by, each with its tracker, in
// the one form in which they can be compared.
func (r RequestID) Names() []string {
	var names []string
	if r.Key != "" {
		names = append(names, r.Tracker+" "+strings.ToLower(r.Key))
	}
	if r.ID != "" {
		names = append(names, r.Tracker+" id "+r.ID)
	}
	return names
}

// An IssueKey is the key of an issue of a forge, taken apart.
type IssueKey struct {
	Host    string // of a key that is an address
	Project string // with its owner or groups; empty for the change's own repository
	Number  int
}

// String returns the key as it is written in any repository.
func (k IssueKey) String() string { return k.Project + "#" + strconv.Itoa(k.Number) }

// maxKey bounds the key of an issue, in bytes.
const maxKey = 500

var (
	shortKey   = regexp.MustCompile(`^(?:((?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]+)?#|GH-)([1-9][0-9]{0,9})$`)
	addressKey = regexp.MustCompile(`^/((?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]+)/(?:issues|work_items)/([1-9][0-9]{0,9})/?$`)
)

// ParseIssueKey reads "#7", "GH-7", "acme/shop#7" or the address of an issue, such as
// https://github.com/acme/shop/issues/7.
func ParseIssueKey(key string) (IssueKey, bool) {
	if len(key) > maxKey {
		return IssueKey{}, false
	}
	if m := shortKey.FindStringSubmatch(key); m != nil {
		return issueKey("", m[1], m[2])
	}
	u, err := url.Parse(key)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Opaque != "" || u.RawQuery != "" || u.RawPath != "" {
		return IssueKey{}, false
	}
	if m := addressKey.FindStringSubmatch(u.Path); m != nil {
		return issueKey(strings.ToLower(u.Host), strings.TrimSuffix(m[1], "/-"), m[2])
	}
	return IssueKey{}, false
}

// issueKey returns the key of its parts, unless one of them could lead elsewhere in a
// path.
func issueKey(host, project, number string) (IssueKey, bool) {
	n, err := strconv.Atoi(number)
	for part := range strings.SplitSeq(project, "/") {
		if part == "." || part == ".." {
			return IssueKey{}, false
		}
	}
	return IssueKey{Host: host, Project: project, Number: n}, err == nil
}

// In returns the name of what is looked up for a change of a repository: the key with
// the repository that it leaves out.
func (l Lookup) In(r Repository) RequestID {
	k, ok := ParseIssueKey(l.Key)
	if !ok || l.Tracker == Jira {
		return RequestID{Tracker: l.Tracker, Key: l.Key}
	}
	if k.Project == "" && l.Tracker == string(r.Forge) {
		k.Project = r.Name
	}
	return RequestID{Tracker: l.Tracker, Key: k.String()}
}
