package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// decode decodes JSON as the validator wants it.
func decode(data []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	return v, nil
}

func loadWebhooks(file string) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("loading GitHub's description of webhooks: %w", err)
	}
	return doc, nil
}

// checkPayload validates the payload of an event.
func checkPayload(doc *openapi3.T, event string, body []byte) error {
	v, err := decode(body)
	if err != nil {
		return err
	}
	name := event
	if m, ok := v.(map[string]any); ok {
		if action, ok := m["action"].(string); ok {
			name += "-" + action
		}
	}
	hook := doc.Webhooks[strings.ReplaceAll(name, "_", "-")]
	if hook == nil {
		return fmt.Errorf("GitHub describes no webhook %s", name)
	}
	schema := hook.Post.RequestBody.Value.Content["application/json"].Schema.Value
	return schema.VisitJSON(v, openapi3.MultiErrors())
}
