package evidence

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// follows reports whether every field of a recorded statement is as derived, and
// otherwise names the first that is not, such as "predicate.approvals[0].counted".
// A field that only the derived statement has was added after the record was
// written, and does not matter.
func follows(recorded []byte, derived Statement) (field string, same bool) {
	data, err := encode(derived)
	if err != nil {
		return "statement", false
	}
	if bytes.Equal(recorded, data) {
		return "", true
	}
	a, errA := generic(recorded)
	b, errB := generic(data)
	if errA != nil || errB != nil {
		return "statement", false
	}
	field = differs(a, b, "")
	return strings.TrimPrefix(field, "."), field == ""
}

func generic(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return v, d.Decode(&v)
}

// differs returns the path of the first field of recorded that derived does not
// have with the same value, and nothing when there is none.
func differs(recorded, derived any, at string) string {
	switch r := recorded.(type) {
	case map[string]any:
		d, ok := derived.(map[string]any)
		if !ok {
			return at
		}
		for _, name := range slices.Sorted(maps.Keys(r)) {
			if diff := differs(r[name], d[name], at+"."+name); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		d, ok := derived.([]any)
		if !ok || len(d) != len(r) {
			return at
		}
		for i, value := range r {
			if diff := differs(value, d[i], at+"["+strconv.Itoa(i)+"]"); diff != "" {
				return diff
			}
		}
		return ""
	}
	if reflect.DeepEqual(recorded, derived) {
		return ""
	}
	return at
}

// doesNotFollow says what it means that field is not as derived.
func doesNotFollow(field string) string {
	name := strings.TrimPrefix(field, "predicate.")
	head, _, _ := strings.Cut(name, ".")
	head, _, _ = strings.Cut(head, "[")
	switch head {
	case "policy":
		return "the text of its policy is not the one that its digest names"
	case "decision", "outcome":
		return "its decision is not what its judgement comes to (" + name + ")"
	case "people":
		return "its people are not the people of its facts (" + name + ")"
	}
	return "it states " + name + ", which does not follow from its facts and judgement"
}
