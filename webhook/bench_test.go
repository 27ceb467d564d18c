package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/change"
)

// BenchmarkAcknowledge posts deliveries of 20 KB over HTTP and waits for the 202
// that says they are on disk, while they are worked by an assessor that takes no
// time.
func BenchmarkAcknowledge(b *testing.B) {
	for _, senders := range []int{1, 16} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			s := open(b, Config{}, &testAssessor{})
			web := httptest.NewServer(s.Handler())
			defer web.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
			var next atomic.Int64
			took := make([][]time.Duration, senders)
			var all sync.WaitGroup
			before := cpu(b)
			b.ResetTimer()
			for i := range senders {
				all.Go(func() {
					for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
						start := time.Now()
						post(b, client, web.URL, n)
						took[i] = append(took[i], time.Since(start))
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
			report(b, "ack", slices.Concat(took...))
			idle(b, s)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "worked/s")
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/delivery")
		})
	}
}

// BenchmarkPickup measures from the posting of a delivery of 20 KB to the start
// of its assessment, one at a time.
func BenchmarkPickup(b *testing.B) {
	begun := make(chan time.Time, 1)
	s := open(b, Config{}, &testAssessor{assess: func(context.Context, change.Ref) error { begun <- time.Now(); return nil }})
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	var took []time.Duration
	for n := range b.N {
		start := time.Now()
		post(b, web.Client(), web.URL, n)
		took = append(took, (<-begun).Sub(start))
	}
	report(b, "pickup", took)
}

// BenchmarkIdle measures what a server costs that has nothing to do.
func BenchmarkIdle(b *testing.B) {
	open(b, Config{}, &testAssessor{})
	before := cpu(b)
	for range b.N {
		<-time.After(time.Second)
	}
	b.ReportMetric(100*(cpu(b)-before).Seconds()/b.Elapsed().Seconds(), "%cpu")
}

// cpu returns the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func post(b *testing.B, client *http.Client, url string, n int) {
	body, _ := json.Marshal(testBody{Changes: []int{n}, Filler: strings.Repeat("x", 20_000)})
	r, _ := http.NewRequest(http.MethodPost, url+"/webhooks/github", bytes.NewReader(body))
	r.Header = http.Header{"X-Secret": {"right"}, "X-Delivery": {fmt.Sprint(n)}, "Content-Type": {"application/json"}}
	answer, err := client.Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		b.Errorf("delivery %d was answered %s", n, answer.Status)
	}
}

func report(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100].Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", what, p))
	}
}
