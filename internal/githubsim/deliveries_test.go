package githubsim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// receiver keeps the deliveries it gets, and refuses those that are not signed
// with the secret.
type receiver struct {
	mu   sync.Mutex
	got  []string // "event action"
	ids  []string
	code int
}

func listen(t *testing.T, sim *githubsim.Sim) *receiver {
	t.Helper()
	r := &receiver{code: http.StatusAccepted}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		mac := hmac.New(sha256.New, sim.App.WebhookSecret)
		mac.Write(body)
		if err != nil || req.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var payload struct{ Action string }
		if err := json.Unmarshal(body, &payload); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, strings.TrimSpace(req.Header.Get("X-GitHub-Event")+" "+payload.Action))
		r.ids = append(r.ids, req.Header.Get("X-GitHub-Delivery"))
		w.WriteHeader(r.code)
	}))
	t.Cleanup(server.Close)
	sim.DeliverTo(server.URL)
	return r
}

func (r *receiver) events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

func TestDeliveriesComeSignedAndInOrder(t *testing.T) {
	sim, repo := shop(t)
	r := listen(t, sim)
	n, _ := open(t, repo, "ada", "feature")
	_, err := repo.As("grace").Approve(n)
	require.NoError(t, err)
	_, err = repo.As("ada").Merge(n, githubsim.Merge{})
	require.NoError(t, err)
	require.NoError(t, sim.Quiesce(t.Context()))
	require.Equal(t, []string{"create", "push", "pull_request opened", "pull_request_review submitted", "push", "pull_request closed"}, r.events())
	for _, d := range sim.Deliveries() {
		require.Equal(t, http.StatusAccepted, d.StatusCode, "the receiver checks the signature")
	}
}

func TestRedeliveryKeepsItsID(t *testing.T) {
	sim, repo := shop(t)
	r := listen(t, sim)
	r.code = http.StatusInternalServerError
	open(t, repo, "ada", "feature")
	require.NoError(t, sim.Quiesce(t.Context()))
	app := appToken(t, sim, time.Now().Add(-time.Minute), 5*time.Minute)
	var failed []struct {
		ID   int64
		GUID string
	}
	call(t, sim, app, http.MethodGet, "/app/hook/deliveries?status=failure", nil, &failed)
	require.Len(t, failed, 3)
	resp := call(t, sim, app, http.MethodPost, "/app/hook/deliveries/"+strconv.FormatInt(failed[0].ID, 10)+"/attempts", nil, nil)
	require.Equal(t, http.StatusAccepted, resp.StatusCode)
	require.NoError(t, sim.Quiesce(t.Context()))
	require.Len(t, r.events(), 4)
	require.Equal(t, failed[0].GUID, r.ids[3])
	require.Equal(t, r.ids[2], r.ids[3])
}

func TestMayhemIsDecidedByItsSeed(t *testing.T) {
	run := func(m githubsim.Mayhem) []string {
		sim, repo := shop(t)
		r := listen(t, sim)
		sim.SetMayhem(m)
		for _, b := range []string{"a", "b", "c"} {
			open(t, repo, "ada", b)
		}
		require.NoError(t, sim.Quiesce(t.Context()))
		return r.events()
	}
	calm := run(githubsim.Mayhem{})
	require.Len(t, calm, 9)
	mad := githubsim.Mayhem{Seed: 7, Drop: 200, Double: 200, Reorder: 200}
	first := run(mad)
	require.Equal(t, first, run(mad))
	require.NotEqual(t, calm, first)
	require.Empty(t, run(githubsim.Mayhem{Seed: 1, Drop: 1000}))
	require.Len(t, run(githubsim.Mayhem{Seed: 1, Double: 1000}), 18)
	require.ElementsMatch(t, calm, run(githubsim.Mayhem{Seed: 1, Reorder: 500}))
}
