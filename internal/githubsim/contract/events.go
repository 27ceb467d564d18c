package contract

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An Event is a kind of delivery that GitHub describes.
type Event struct {
	Name   string // as the header X-GitHub-Event has it
	Action string // "" for one without actions
}

// Events returns every kind of delivery that GitHub describes, or skips the test. The
// description of each names its event; its action is the only one that the payload
// may have.
func Events(t testing.TB) []Event {
	t.Helper()
	dir, err := Modules()
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "@octokit/openapi-webhooks/generated/api.github.com.json"))
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Ref        string `json:"$ref"`
		Properties map[string]struct {
			Enum []string `json:"enum"`
		} `json:"properties"`
	}
	var doc struct {
		Webhooks map[string]struct {
			Post struct {
				GitHub struct {
					Subcategory string `json:"subcategory"`
				} `json:"x-github"`
				RequestBody struct {
					Content map[string]struct {
						Schema schema `json:"schema"`
					} `json:"content"`
				} `json:"requestBody"`
			} `json:"post"`
		} `json:"webhooks"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(file, &doc); err != nil {
		t.Fatal(err)
	}
	var list []Event
	for name, hook := range doc.Webhooks {
		s := hook.Post.RequestBody.Content["application/json"].Schema
		if s.Ref != "" {
			s = doc.Components.Schemas[filepath.Base(s.Ref)]
		}
		if hook.Post.GitHub.Subcategory == "" {
			t.Fatalf("the description of %s names no event", name)
		}
		actions := s.Properties["action"].Enum
		if len(actions) == 0 {
			actions = []string{""}
		}
		for _, action := range actions {
			list = append(list, Event{strings.ReplaceAll(hook.Post.GitHub.Subcategory, "-", "_"), action})
		}
	}
	slices.SortFunc(list, func(a, b Event) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Action, b.Action)) })
	return list
}
