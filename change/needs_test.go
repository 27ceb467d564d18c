package change_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// Whatever one of two policies needs, both together need: no field is forgotten,
// also not one that is added later.
func TestNeedsOfTwoPolicies(t *testing.T) {
	for i := range reflect.TypeFor[change.Needs]().NumField() {
		var one change.Needs
		field := reflect.ValueOf(&one).Elem().Field(i)
		switch field.Kind() {
		case reflect.Bool:
			field.SetBool(true)
		case reflect.String:
			field.SetString("x")
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
			if element := field.Index(0); element.Kind() == reflect.String {
				element.SetString("x")
			}
		default:
			t.Fatalf("And and this test know nothing of a %s", field.Kind())
		}
		require.Equal(t, one, one.And(change.Needs{}))
		require.Equal(t, one, change.Needs{}.And(one))
		require.Equal(t, one, one.And(one))
	}
	require.Equal(t, change.Needs{}, change.Needs{}.And(change.Needs{}))
}
