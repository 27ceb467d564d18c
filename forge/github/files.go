package github

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/change"
)

// maxFiles is how many files of one pull request GitHub lists.
const maxFiles = 3000

// fileList returns every path that the change touches.
func fileList(m material) ([]change.File, error) {
	if m.files != nil {
		return m.files, nil
	}
	all, err := m.pr.Files.all()
	if err != nil {
		return nil, err
	}
	// The connection's own total ends at GitHub's limit; this one does not.
	if len(all) != m.pr.ChangedFiles {
		return nil, fmt.Errorf("the change touches %d files and GitHub lists %d", m.pr.ChangedFiles, len(all))
	}
	list := make([]change.File, 0, len(all))
	for _, f := range all {
		list = append(list, change.File{Path: f.Path, Status: fileStatus(f.ChangeType)})
	}
	return list, nil
}

func fileStatus(s string) string {
	if s == "DELETED" {
		return "removed"
	}
	return lower(s)
}

// renames reports whether any file has an old path, which GraphQL does not tell.
func renames(pr *pullRequest) bool {
	all, err := pr.Files.all()
	if err != nil {
		return false
	}
	for _, f := range all {
		if f.ChangeType == "RENAMED" || f.ChangeType == "COPIED" {
			return true
		}
	}
	return false
}

// restFile is a file as the REST lists of pull requests and comparisons have it.
type restFile struct {
	Filename string `json:"filename"`
	Previous string `json:"previous_filename"`
	Status   string `json:"status"`
}

func (f restFile) file() change.File {
	return change.File{Path: f.Filename, Previous: f.Previous, Status: f.Status}
}

// restFiles reads the files of a pull request with their old paths.
func (a *api) restFiles(ctx context.Context, ref change.Ref, want int) ([]change.File, error) {
	list := make([]change.File, 0, want)
	for n := 1; n <= maxFiles/100; n++ {
		var some []restFile
		path := fmt.Sprintf("repos/%s/pulls/%d/files?per_page=100&page=%d", ref.Repository.Name, ref.Number, n)
		if _, err := a.get(ctx, path, &some); err != nil {
			return nil, err
		}
		for _, f := range some {
			list = append(list, f.file())
		}
		if len(some) < 100 {
			break
		}
	}
	return list, nil
}
