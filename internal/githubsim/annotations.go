package githubsim

import (
	"net/http"
	"slices"
)

// An Annotation is a note of a check run on lines of a file.
type Annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Level     string `json:"annotation_level"`
	Message   string `json:"message"`
	Title     string `json:"title"`
}

// What GitHub takes of annotations with one request.
const (
	mostAnnotations = 50
	longestMessage  = 64 << 10
	longestTitle    = 255
)

// validAnnotations refuses what GitHub refuses.
func validAnnotations(list []Annotation) error {
	if len(list) > mostAnnotations {
		return refuse(422, "Invalid request.\n\nNo more than %d items are allowed; %d were supplied.", mostAnnotations, len(list))
	}
	for _, a := range list {
		switch {
		case a.Path == "" || a.Message == "" || a.StartLine < 1 || a.EndLine < a.StartLine:
			return refuse(422, "Invalid request.\n\nAn annotation has a path, lines and a message.")
		case !slices.Contains([]string{"notice", "warning", "failure"}, a.Level):
			return refuse(422, "Invalid request.\n\n%q is not an annotation level", a.Level)
		case len(a.Message) > longestMessage || len([]rune(a.Title)) > longestTitle:
			return refuse(422, "Invalid request.\n\nAn annotation's message or title is too long.")
		}
	}
	return nil
}

func listAnnotations(c *call) (int, any, error) {
	run, err := c.check()
	if err != nil {
		return 0, nil, err
	}
	list := []record{}
	for _, a := range run.Annotations {
		list = append(list, record{
			"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": nil, "end_column": nil, "annotation_level": a.Level,
			"title": orNull(a.Title), "message": a.Message, "raw_details": nil, "blob_href": c.repo.html("/blob/" + run.Commit + "/" + a.Path),
		})
	}
	return http.StatusOK, page(c, list), nil
}
