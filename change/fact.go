package change

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// A Fact is a value that a forge either stated or did not. The zero Fact is
// absent: nobody asked, or the forge did not answer. An absent fact is left out
// of the JSON form (tag fields with omitzero); a known one is written as its
// value, an empty list as [].
type Fact[T any] struct {
	value T
	known bool
}

// Known returns the fact that v was stated. A nil slice or map becomes an empty
// one, because the forge said "none", not "null".
func Known[T any](v T) Fact[T] {
	if r := reflect.ValueOf(&v).Elem(); r.Kind() == reflect.Slice && r.IsNil() {
		r.Set(reflect.MakeSlice(r.Type(), 0, 0))
	} else if r.Kind() == reflect.Map && r.IsNil() {
		r.Set(reflect.MakeMap(r.Type()))
	}
	return Fact[T]{value: v, known: true}
}

// Get returns the value and whether it is known.
func (f Fact[T]) Get() (T, bool) { return f.value, f.known }

// Or returns the value, or otherwise when the fact is absent. Use it where an
// absent fact and otherwise lead to the same safe result, and nowhere else.
func (f Fact[T]) Or(otherwise T) T {
	if f.known {
		return f.value
	}
	return otherwise
}

// IsKnown reports whether the fact was stated.
func (f Fact[T]) IsKnown() bool { return f.known }

// IsZero reports whether the fact is absent; encoding/json asks it for omitzero.
func (f Fact[T]) IsZero() bool { return !f.known }

// MarshalJSON writes the value alone. An absent fact, which omitzero keeps out
// of objects, is written as null where it stands alone.
func (f Fact[T]) MarshalJSON() ([]byte, error) {
	if !f.known {
		return []byte("null"), nil
	}
	return json.Marshal(f.value)
}

// UnmarshalJSON reads a value as a known fact and null as an absent one.
func (f *Fact[T]) UnmarshalJSON(data []byte) error {
	*f = Fact[T]{}
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return nil
	}
	var v T
	if err := strict(data, &v); err != nil {
		return err
	}
	*f = Known(v)
	return nil
}

// strict decodes data into v and refuses unknown fields. A custom UnmarshalJSON
// starts a decoder of its own, so the strictness of the outer one ends here
// unless it is asked for again.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
