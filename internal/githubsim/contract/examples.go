package contract

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// An Example is the body of a delivery that GitHub publishes as one.
type Example struct {
	Event string
	Body  json.RawMessage
}

// Examples returns every delivery that GitHub publishes, or skips the test.
func Examples(t testing.TB) []Example {
	t.Helper()
	dir, err := Modules()
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "@octokit/webhooks-examples/api.github.com/index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(file, &events); err != nil {
		t.Fatal(err)
	}
	var list []Example
	for _, e := range events {
		for _, body := range e.Examples {
			list = append(list, Example{e.Name, body})
		}
	}
	return list
}
