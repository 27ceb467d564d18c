package github

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/codeowners"
)

// ownersFiles are the code owners files that a commit has, in the three places where
// GitHub looks for one. They are asked with the policy; their texts are not.
type ownersFiles struct {
	InGitHub *treeFile `json:"ownersInGitHub"`
	AtRoot   *treeFile `json:"ownersAtRoot"`
	InDocs   *treeFile `json:"ownersInDocs"`
}

// treeFile is an entry of a commit's tree.
type treeFile struct {
	Type string     `json:"type"`
	Mode int        `json:"mode"`
	Oid  change.SHA `json:"oid"`
	Size int        `json:"size"`
}

// symlink is the mode of a symbolic link, which git keeps as a blob with its target.
const symlink = 0o120000

// first returns the file that GitHub reads and its path: the first that there is.
func (o ownersFiles) first() (string, *treeFile) {
	for i, file := range []*treeFile{o.InGitHub, o.AtRoot, o.InDocs} {
		if file != nil {
			return codeowners.Locations()[i], file
		}
	}
	return "", nil
}

// ownersMemory remembers which code owners files commits have, and the files
// themselves by the id of their text: neither ever changes.
type ownersMemory struct {
	byCommit *lru.Cache[policyKey, ownersFiles]
	byBlob   *weighed[policyKey, codeowners.File]
}

// Bounds of that memory: commits, files, and what all files weigh. A file that was
// read takes about four times the room of its text.
const (
	maxOwnersCommits = 2000
	maxOwnersFiles   = 500
	maxOwnersWeight  = 16 << 20
	weightOfText     = 4
)

func newOwnersMemory(size int) (*ownersMemory, error) {
	commits, err := lru.New[policyKey, ownersFiles](min(size, maxOwnersCommits))
	if err != nil {
		return nil, err
	}
	files, err := newWeighed[policyKey, codeowners.File](maxOwnersFiles, maxOwnersWeight)
	return &ownersMemory{commits, files}, err
}

// keep remembers the files of a commit as they were read with its policy, unless a
// part of the answer is missing.
func (m *ownersMemory) keep(repo change.Repository, at *commitAt, absent reasons) {
	if _, unread := absent["owners"]; at != nil && at.Oid.Valid() && !unread {
		m.byCommit.Add(policyKey{repo.ID, at.Oid}, at.ownersFiles)
	}
}

// ownersFilesAt returns the code owners files that a commit has.
func (f *Forge) ownersFilesAt(ctx context.Context, a *api, repo change.Repository, commit change.SHA) (ownersFiles, error) {
	if files, known := f.owners.byCommit.Get(policyKey{repo.ID, commit}); known {
		return files, nil
	}
	var answer struct {
		Repository *struct {
			DatabaseID int64     `json:"databaseId"`
			Object     *commitAt `json:"object"`
		} `json:"repository"`
	}
	owner, name, _ := strings.Cut(repo.Name, "/")
	errs, err := a.query(ctx, ownersDocument, map[string]any{"owner": owner, "name": name, "commit": commit}, &answer)
	switch r := answer.Repository; {
	case err != nil:
		return ownersFiles{}, err
	case len(errs) > 0:
		return ownersFiles{}, final("GitHub answered with an error: %s", words(errs))
	case r == nil || r.DatabaseID != repo.ID || r.Object == nil || r.Object.Oid != commit:
		return ownersFiles{}, final("GitHub does not show the commit %s", commit.Short())
	}
	f.owners.keep(repo, answer.Repository.Object, reasons{})
	return answer.Repository.Object.ownersFiles, nil
}

// ownersFile returns what a code owners file says. Its bytes are read over REST:
// GraphQL gives half a megabyte of a text at most, and hides what is not UTF-8.
func (f *Forge) ownersFile(ctx context.Context, a *api, repo change.Repository, path string, file *treeFile) (codeowners.File, error) {
	switch {
	case file.Type != "blob" || file.Mode == symlink || !file.Oid.Valid():
		return codeowners.File{}, final("%s is not a file", path)
	case file.Size > codeowners.MaxBytes:
		return codeowners.File{}, final("%s has %d bytes, and GitHub reads %d at most", path, file.Size, codeowners.MaxBytes)
	}
	key := policyKey{repo.ID, file.Oid}
	if parsed, known := f.owners.byBlob.get(key); known {
		return parsed, nil
	}
	text, err := a.blob(ctx, repo.Name, file.Oid)
	switch {
	case err != nil:
		return codeowners.File{}, err
	case strings.ContainsRune(text, 0):
		return codeowners.File{}, final("%s is not a text", path)
	case !utf8.ValidString(text):
		return codeowners.File{}, final("%s is not UTF-8", path)
	}
	parsed := codeowners.Parse(text)
	f.owners.byBlob.add(key, parsed, 1024+weightOfText*len(text))
	return parsed, nil
}

// blob returns the bytes of a file by its id.
func (a *api) blob(ctx context.Context, repository string, id change.SHA) (string, error) {
	var answer struct {
		SHA      change.SHA `json:"sha"`
		Size     int        `json:"size"`
		Encoding string     `json:"encoding"`
		Content  string     `json:"content"`
	}
	if _, err := a.get(ctx, fmt.Sprintf("repos/%s/git/blobs/%s", repository, id), &answer); err != nil {
		return "", err
	}
	data, err := base64.StdEncoding.DecodeString(answer.Content) // which passes over line ends
	if err != nil || answer.SHA != id || answer.Encoding != "base64" || len(data) != answer.Size {
		return "", final("GitHub does not show the whole of it")
	}
	return string(data), nil
}
