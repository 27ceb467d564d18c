package github

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// Whoever sends large bodies and does not finish them holds up other large ones and
// nothing else.
func TestLargeBodiesWaitForEachOther(t *testing.T) {
	large := append(append([]byte(`{"a":"`), bytes.Repeat([]byte("x"), 2*modest)...), `"}`...)
	synctest.Test(t, func(t *testing.T) {
		f := newForge(t, "")
		var senders sync.WaitGroup
		var pipes []*io.PipeWriter
		for range largeAtOnce {
			body, pipe := io.Pipe()
			pipes = append(pipes, pipe)
			r := delivery(t, "push", large)
			r.Body, r.ContentLength = body, -1
			senders.Go(func() { _, _ = f.Authenticate(r) })
			_, err := pipe.Write(large[:modest+1])
			require.NoError(t, err)
		}
		synctest.Wait()

		_, err := f.Authenticate(delivery(t, "push", []byte(`{"small":true}`)))
		require.NoError(t, err, "a small one does not wait")

		_, err = f.Authenticate(delivery(t, "push", large)) // waits in the bubble's time
		var refusal *Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, http.StatusServiceUnavailable, refusal.StatusCode())

		for _, pipe := range pipes {
			require.NoError(t, pipe.CloseWithError(io.ErrUnexpectedEOF))
		}
		senders.Wait()
		_, err = f.Authenticate(delivery(t, "push", large))
		require.NoError(t, err)
	})
}
