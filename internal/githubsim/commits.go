package githubsim

import (
	"regexp"
	"strings"
)

// A Commit is a commit about to be pushed. Its author and committer are whatever
// the story says: git does not check, and neither does GitHub.
type Commit struct {
	Message   string            // default "Change <first path>"
	Files     map[string]string // path to new content
	Delete    []string
	Rename    map[string]string // old path to new
	Author    Identity          // default: the pusher
	Committer Identity          // default: the pusher
	CoAuthors []Identity        // become Co-authored-by trailers
	Merge     string            // a branch or commit that this one merges; Files resolve its conflicts
	Signed    bool              // with a key that GitHub has verified as the pusher's
}

// signature is what GitHub says of a commit's signature. It stands beside the
// repository because the objects themselves are not signed.
type signature struct {
	byGitHub bool
	signer   *account
}

// message returns the commit message with its trailers.
func (c Commit) message() string {
	m := c.Message
	if m == "" {
		m = "Change"
		for path := range c.Files {
			if m == "Change" || "Change "+path < m {
				m = "Change " + path
			}
		}
	}
	m = strings.TrimRight(m, "\n") + "\n"
	if len(c.CoAuthors) > 0 {
		m += "\n"
	}
	for _, a := range c.CoAuthors {
		m += "Co-authored-by: " + a.Name + " <" + a.Email + ">\n"
	}
	return m
}

// commitOn writes commits on top of parent, "" for none, and returns the last.
func (r *Repository) commitOn(parent string, by *account, commits []Commit) (string, error) {
	var batch []newCommit
	var signed []bool
	flush := func() error {
		shas, err := r.git.write(batch)
		if err != nil {
			return err
		}
		for i, sha := range shas {
			parent = sha
			if signed[i] {
				r.signatures[sha] = signature{signer: by}
			}
		}
		batch, signed = nil, nil
		return nil
	}
	for _, c := range commits {
		n := newCommit{
			files: c.Files, deleted: c.Delete, renamed: c.Rename, author: c.Author, committer: c.Committer,
			at: r.sim.clock(), message: c.message(),
		}
		if n.author == (Identity{}) {
			n.author = by.identity()
		}
		if n.committer == (Identity{}) {
			n.committer = by.identity()
		}
		if c.Merge != "" {
			if err := flush(); err != nil {
				return "", err
			}
			if err := r.mergeInto(&n, parent, c.Merge); err != nil {
				return "", err
			}
		}
		if len(batch) == 0 {
			n.parent = parent
		}
		batch, signed = append(batch, n), append(signed, c.Signed)
	}
	err := flush()
	return parent, err
}

// mergeInto makes n a merge of parent and other.
func (r *Repository) mergeInto(n *newCommit, parent, other string) error {
	second, err := r.resolve(other)
	if err != nil {
		return err
	}
	m, err := r.git.merge(parent, second)
	if err != nil {
		return err
	}
	if m.conflict && len(n.files) == 0 {
		return refuse(0, "CONFLICT: automatic merge failed; fix conflicts and then commit the result")
	}
	n.second, n.tree = second, m.tree
	return nil
}

// resolve returns the commit that a branch name or a commit id stands for.
func (r *Repository) resolve(revision string) (string, error) {
	if sha := r.branches[strings.TrimPrefix(revision, "refs/heads/")]; sha != "" {
		return sha, nil
	}
	if c, err := r.git.commit(revision); err == nil {
		return c.sha, nil
	}
	return "", refuse(404, "No commit found for SHA: %s", revision)
}

var coAuthorTrailer = regexp.MustCompile(`(?im)^co-authored-by:[ \t]*(.*?)[ \t]*<([^<>\n]+)>[ \t]*$`)

// authors returns the author of a commit and everyone its trailers name, each
// address once, as GitHub's authors connection does.
func (c *commitObject) authors() []Identity {
	list := []Identity{c.author}
	seen := map[string]bool{strings.ToLower(c.author.Email): true}
	for _, m := range coAuthorTrailer.FindAllStringSubmatch(c.message, -1) {
		if email := strings.ToLower(m[2]); !seen[email] {
			seen[email] = true
			list = append(list, Identity{Name: m[1], Email: m[2]})
		}
	}
	return list
}

// viaWeb reports whether GitHub itself committed c, which its signature proves.
func (r *Repository) viaWeb(c *commitObject) bool { return r.signatures[c.sha].byGitHub }

// headline returns the first line of a commit message.
func (c *commitObject) headline() string {
	line, _, _ := strings.Cut(c.message, "\n")
	return line
}

// webCommitter is who commits what is made on the web page.
func webCommitter() Identity { return Identity{Name: "GitHub", Email: webFlowEmail} }
