package githubsim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// appToken signs a token of the App that is good from issued on for life.
func appToken(t testing.TB, sim *githubsim.Sim, issued time.Time, life time.Duration) string {
	t.Helper()
	key, err := jwt.ParseRSAPrivateKeyFromPEM(sim.App.PrivateKeyPEM)
	require.NoError(t, err)
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: strconv.FormatInt(sim.App.ID, 10), IssuedAt: jwt.NewNumericDate(issued), ExpiresAt: jwt.NewNumericDate(issued.Add(life)),
	}).SignedString(key)
	require.NoError(t, err)
	return signed
}

// token obtains an installation token.
func token(t testing.TB, sim *githubsim.Sim, org string) string {
	t.Helper()
	path := "/app/installations/" + strconv.FormatInt(sim.Organization(org).InstallationID(), 10) + "/access_tokens"
	var issued struct{ Token string }
	resp := call(t, sim, appToken(t, sim, time.Now().Add(-time.Minute), 5*time.Minute), http.MethodPost, path, nil, &issued)
	require.Equal(t, http.StatusCreated, resp.StatusCode)
	return issued.Token
}

// call makes one call and decodes its answer.
func call(t testing.TB, sim *githubsim.Sim, credential, method, path string, body, out any, headers ...string) *http.Response {
	t.Helper()
	var in io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		require.NoError(t, err)
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, sim.URL+path, in)
	require.NoError(t, err)
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if out != nil {
		require.NoError(t, json.Unmarshal(data, out), "%s", data)
	}
	return resp
}

// answer is a GraphQL answer.
type answer struct {
	Data   map[string]any
	Errors []struct {
		Type, Message string
		Path          []any
	}
}

func query(t testing.TB, sim *githubsim.Sim, credential, text string, variables map[string]any) answer {
	t.Helper()
	var a answer
	resp := call(t, sim, credential, http.MethodPost, "/graphql", map[string]any{"query": text, "variables": variables}, &a)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return a
}
