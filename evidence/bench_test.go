package evidence

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRecord measures how long a caller waits for one durable record, with
// the ledger's own settings.
func BenchmarkRecord(b *testing.B) {
	for _, c := range []struct{ writers, branches int }{{1, 1}, {64, 1}, {64, 64}} {
		b.Run(fmt.Sprintf("writers=%d/branches=%d", c.writers, c.branches), func(b *testing.B) {
			config := testConfig(b, b.TempDir())
			config.BatchAge = 0 // the default
			l, err := Open(context.Background(), config)
			require.NoError(b, err)
			b.Cleanup(func() { shut(b, l) })
			e := make([]Entry, c.branches)
			for i := range e {
				e[i] = entry(on(fmt.Sprint("branch-", i), approved(pull(i))))
			}
			took := make([]time.Duration, b.N)
			work := make(chan int)
			var wg sync.WaitGroup
			b.ResetTimer()
			for range c.writers {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for i := range work {
						start := time.Now()
						if _, err := l.Record(context.Background(), e[i%len(e)]); err != nil {
							b.Error(err)
						}
						took[i] = time.Since(start)
					}
				}()
			}
			for i := range b.N {
				work <- i
			}
			close(work)
			wg.Wait()
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkVerify measures the whole verification of a ledger, per record.
func BenchmarkVerify(b *testing.B) {
	const records = 1000
	dir := b.TempDir()
	l, err := Open(context.Background(), testConfig(b, dir))
	require.NoError(b, err)
	var wg sync.WaitGroup
	for w := range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range records / 50 {
				if _, err := l.Record(context.Background(), entry(on(fmt.Sprint("branch-", w), approved(pull(i))))); err != nil {
					b.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	shut(b, l)
	b.ResetTimer()
	for range b.N {
		v, err := Verify(context.Background(), dir, Options{Judge: judge})
		require.NoError(b, err)
		require.True(b, v.OK())
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*records), "µs/record")
}
