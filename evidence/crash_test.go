package evidence

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/change"
	"github.com/stretchr/testify/require"
)

// crashDir is the environment variable that makes the test binary a writer to
// the ledger in that directory, until somebody kills it.
const crashDir = "COUNTERSIGN_TEST_CRASH_DIR"

// writeUntilKilled records from several goroutines on several branches and
// prints each receipt once it has it.
func writeUntilKilled(dir string) int {
	keys, err := keysFrom("a")
	if err == nil {
		err = writeForEver(Config{Dir: dir, Keys: keys, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func writeForEver(config Config) error {
	l, err := Open(context.Background(), config)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	errs := make(chan error)
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				r, err := l.Record(context.Background(), entry(on(fmt.Sprint("branch-", w%3), pull(w*1000+i))))
				if err != nil {
					errs <- err
					return
				}
				mu.Lock()
				if err := out.Encode(r); err != nil {
					errs <- err
				}
				mu.Unlock()
			}
		}()
	}
	return <-errs
}

// A writer is killed again and again in the middle of its work, and started
// again on what it left. Every record it was promised is there, once, and the
// evidence holds.
func TestKilledWriterLosesNothing(t *testing.T) {
	t.Parallel()
	const kills = 20
	dir := t.TempDir()
	promised := map[uint64]change.Receipt{}
	dice := rand.New(rand.NewPCG(1, 2))
	for range kills {
		for _, r := range killAfter(t, dir, 1+dice.IntN(40)) {
			_, twice := promised[r.Index]
			require.False(t, twice, "index %d was given twice", r.Index)
			promised[r.Index] = r
		}
	}
	t.Logf("%d records were promised over %d kills", len(promised), kills)

	l := open(t, dir)
	rows := dump(t, l)
	for i, r := range promised {
		require.Less(t, i, uint64(len(rows)))
		require.Equal(t, r, rows[i].receipt)
	}
	shut(t, l)
	v := verify(t, dir)
	requireOK(t, v)
	require.Equal(t, len(rows), v.Records)
	require.Zero(t, v.Unsigned)
	require.Empty(t, orphans(v), "what was unfinished is gone")
}

// killAfter starts a writer, kills it once it has printed so many receipts, and
// returns all it printed.
func killAfter(t *testing.T, dir string, receipts int) []change.Receipt {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var got []change.Receipt
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		var r change.Receipt
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			break // cut off by the kill: that promise was not made
		}
		if got = append(got, r); len(got) == receipts {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	err = cmd.Wait()
	require.GreaterOrEqual(t, len(got), receipts, "the writer ended by itself: %v: %s", err, stderr.String())
	return got
}
