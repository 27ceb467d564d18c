package contract_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// client calls a simulator's API as the App.
type client struct {
	t     *testing.T
	sim   *githubsim.Sim
	token string
}

func newClient(t *testing.T, sim *githubsim.Sim, repo string) *client {
	t.Helper()
	c := &client{t: t, sim: sim}
	var installation struct {
		ID int64 `json:"id"`
	}
	c.call("GET", "/repos/"+repo+"/installation", nil, 200, &installation)
	var issued struct {
		Token string `json:"token"`
	}
	c.call("POST", "/app/installations/"+strconv.FormatInt(installation.ID, 10)+"/access_tokens", nil, 201, &issued)
	c.token = issued.Token
	return c
}

// appToken signs the App's own token.
func appToken(t *testing.T, sim *githubsim.Sim, life time.Duration) string {
	t.Helper()
	key, err := jwt.ParseRSAPrivateKeyFromPEM(sim.App.PrivateKeyPEM)
	require.NoError(t, err)
	now := time.Now()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: strconv.FormatInt(sim.App.ID, 10), IssuedAt: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}).SignedString(key)
	require.NoError(t, err)
	return signed
}

// call makes one call, with the installation's token or, before there is one or
// below /app, with the App's, and returns the answer's header.
func (c *client) call(method, path string, body any, status int, out any) http.Header {
	c.t.Helper()
	var in io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		require.NoError(c.t, err)
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, c.sim.URL+path, in)
	require.NoError(c.t, err)
	token := c.token
	if token == "" || strings.HasPrefix(path, "/app") || strings.HasSuffix(path, "/installation") {
		token = appToken(c.t, c.sim, 5*time.Minute)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.Equal(c.t, status, resp.StatusCode, "%s %s: %s", method, path, data)
	if out != nil {
		require.NoError(c.t, json.Unmarshal(data, out), "%s", data)
	}
	return resp.Header
}

// query runs a GraphQL query that must give no errors.
func (c *client) query(text string, variables map[string]any, out any) {
	c.t.Helper()
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []any           `json:"errors"`
	}
	c.call("POST", "/graphql", map[string]any{"query": text, "variables": variables}, 200, &answer)
	require.Empty(c.t, answer.Errors)
	require.NoError(c.t, json.Unmarshal(answer.Data, out))
}
