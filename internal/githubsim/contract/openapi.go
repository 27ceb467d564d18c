package contract

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// rest is GitHub's OpenAPI description, ready to find operations by path.
type rest struct {
	doc   *openapi3.T
	paths []template
	basic *openapi3.Schema // shape of every refusal
}

// template is a path of the description, cut at its slashes.
type template struct {
	path     string
	segments []string
}

func loadREST(file string) (*rest, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("loading GitHub's OpenAPI description: %w", err)
	}
	basic := doc.Components.Schemas["basic-error"]
	if basic == nil {
		return nil, fmt.Errorf("loading GitHub's OpenAPI description: it has no basic-error")
	}
	if err := repair(doc); err != nil {
		return nil, err
	}
	d := &rest{doc: doc, basic: basic.Value}
	for _, path := range doc.Paths.InMatchingOrder() {
		if !strings.Contains(path, "}.") { // an older spelling of another path, with two parameters in a segment
			d.paths = append(d.paths, template{path, strings.Split(path, "/")})
		}
	}
	return d, nil
}

// repair mends what is wrong in the description itself: an installation's account
// is a user or an enterprise, and the list of installations demands that it is
// both; and runs are searched by a range of times, as its own words say, where it
// demands one time.
func repair(doc *openapi3.T) error {
	item := doc.Paths.Value("/app/installations")
	if item == nil || item.Get == nil {
		return fmt.Errorf("mending GitHub's OpenAPI description: no list of installations")
	}
	list := item.Get.Responses.Value("200").Value.Content["application/json"].Schema.Value
	account := list.Items.Value.Properties["account"].Value
	if len(account.AllOf) != 0 {
		account.AnyOf, account.AllOf = account.AllOf, nil
	}
	created := doc.Components.Parameters["created"]
	if created == nil || created.Value == nil || created.Value.Schema == nil {
		return fmt.Errorf("mending GitHub's OpenAPI description: no search for runs by time")
	}
	created.Value.Schema.Value.Format = ""
	return nil
}

// find returns the operation of a call. Of several that match, the one with the
// most literal segments is meant.
func (d *rest) find(method string, u *url.URL) (*routers.Route, map[string]string, error) {
	got := strings.Split(u.EscapedPath(), "/")
	var route *routers.Route
	var params map[string]string
	best := -1
	for _, t := range d.paths {
		p, literals, ok := t.match(got)
		if !ok || literals <= best {
			continue
		}
		item := d.doc.Paths.Value(t.path)
		if op := item.GetOperation(method); op != nil {
			route = &routers.Route{Spec: d.doc, Path: t.path, PathItem: item, Method: method, Operation: op}
			params, best = p, literals
		}
	}
	if route == nil {
		return nil, nil, fmt.Errorf("GitHub describes no operation %s %s", method, u.Path)
	}
	return route, params, nil
}

// match returns the parameters of a path and how many segments are literal. The
// last parameter takes all that is left.
func (t template) match(got []string) (map[string]string, int, bool) {
	if len(got) < len(t.segments) {
		return nil, 0, false
	}
	params, literals := map[string]string{}, 0
	for i, want := range t.segments {
		if !strings.HasPrefix(want, "{") {
			if got[i] != want {
				return nil, 0, false
			}
			literals++
			continue
		}
		value := got[i]
		if i == len(t.segments)-1 {
			value = strings.Join(got[i:], "/")
		}
		value, err := url.PathUnescape(value)
		if err != nil {
			return nil, 0, false
		}
		params[strings.Trim(want, "{}")] = value
	}
	last := t.segments[len(t.segments)-1]
	if len(got) > len(t.segments) && !strings.HasPrefix(last, "{") {
		return nil, 0, false
	}
	return params, literals, true
}

// exchange is one call and its answer.
type exchange struct {
	request *http.Request // its body can be read again
	body    []byte
	answer  *httptest.ResponseRecorder
}

// check validates an exchange.
func (d *rest) check(x exchange) error {
	route, params, err := d.find(x.request.Method, x.request.URL)
	if x.answer.Code >= 400 {
		return d.checkRefusal(x) // of calls that GitHub does not describe as well
	}
	if err != nil {
		return err
	}
	x.request.Body = io.NopCloser(bytes.NewReader(x.body))
	in := &openapi3filter.RequestValidationInput{
		Request: x.request, PathParams: params, Route: route, QueryParams: x.request.URL.Query(),
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true, SkipSettingDefaults: true,
			ExcludeRequestBody: len(x.body) == 0,
		},
	}
	if err := openapi3filter.ValidateRequest(x.request.Context(), in); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: x.answer.Code, Header: x.answer.Header(), Options: in.Options,
	}
	out.SetBodyBytes(x.answer.Body.Bytes())
	if x.answer.Code == http.StatusNotModified {
		return nil // has no body; not every operation lists it
	}
	if err := openapi3filter.ValidateResponse(x.request.Context(), out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func (d *rest) checkRefusal(x exchange) error {
	v, err := decode(x.answer.Body.Bytes())
	if err == nil {
		err = d.basic.VisitJSON(v)
	}
	if err != nil {
		return fmt.Errorf("refusal %d: %w", x.answer.Code, err)
	}
	return nil
}
