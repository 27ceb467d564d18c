package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/countersign-dev/countersign/internal/githubsim"
)

// benchStage returns a stage whose pull request #1 by ada is open and judged.
func benchStage(b *testing.B) *stage {
	b.Helper()
	s, err := openStage(b.Context(), b.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.close(context.WithoutCancel(b.Context()))) })
	s.ctx, s.scene, s.teller = b.Context(), b.Name(), teller{out: io.Discard}
	s.try(s.begin)
	s.repo = s.sim.Repository("acme/shop")
	s.propose("ada", "Add a basket", file("basket.go", "package shop\n"))
	s.try(s.quiet)
	require.NoError(b, s.err)
	return s
}

// An event is one kind of thing that happens to a pull request.
type event struct {
	name string
	do   func(s *stage, i int) error
}

// events are the kinds that BenchmarkRequests counts, on pull request #1.
var events = []event{
	{"push", func(s *stage, i int) error {
		_, err := s.as("ada").Push("ada/1", file("basket.go", fmt.Sprintf("package shop // %d\n", i)))
		return err
	}},
	{"required-check", func(s *stage, _ int) error {
		_, err := s.repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: s.repo.Head("ada/1"), Conclusion: "success", Workflow: ".github/workflows/ci.yml"})
		return err
	}},
	{"other-check", func(s *stage, _ int) error {
		_, err := s.repo.PostCheck(githubsim.CheckRun{Name: "lint", Commit: s.repo.Head("ada/1"), Conclusion: "success"})
		return err
	}},
	{"comment", func(s *stage, _ int) error { _, err := s.as("linus").Comment(1, "Nice."); return err }},
	{"approval", func(s *stage, _ int) error { _, err := s.as("grace").Approve(1); return err }},
	{"change-request", func(s *stage, _ int) error { _, err := s.as("grace").RequestChanges(1, "Hm."); return err }},
	{"label", func(s *stage, i int) error { return s.as("ada").Label(1, fmt.Sprintf("l%d", i)) }},
	{"title", func(s *stage, i int) error { return s.as("ada").EditTitle(1, fmt.Sprintf("Add a basket %d", i)) }},
}

// BenchmarkRequests counts the API requests that one event costs once its verdict
// is shown, and how many of them write.
func BenchmarkRequests(b *testing.B) {
	for _, e := range events {
		b.Run(e.name, func(b *testing.B) {
			s := benchStage(b)
			s.sim.ResetRequests()
			deliveries := len(s.sim.Deliveries())
			for i := range b.N {
				require.NoError(b, e.do(s, i))
				require.NoError(b, s.quiet())
			}
			count := s.sim.ResetRequests()
			n := float64(b.N)
			b.ReportMetric(float64(count.Total())/n, "requests/event")
			b.ReportMetric(float64(count.Writes().Total())/n, "writes/event")
			b.ReportMetric(float64(len(s.sim.Deliveries())-deliveries)/n, "deliveries/event")
		})
	}
}

// BenchmarkLife counts the API requests of one whole life of a pull request with
// 70 deliveries: opened, 32 checks, a comment, a change request, a push, 32 checks,
// an approval and the merge. The naive way, to assess on every delivery what it
// tells of, is measured in the same run by what one assessment costs.
func BenchmarkLife(b *testing.B) {
	for range b.N {
		s := benchStage(b)
		s.sim.ResetRequests()
		s.try(func() error { return s.as("ada").Label(1, "naive") })
		s.try(s.quiet)
		one := s.sim.ResetRequests().Total()
		before := len(s.sim.Deliveries())
		s.life()
		s.try(s.quiet)
		require.NoError(b, s.err)
		count, deliveries := s.sim.ResetRequests(), len(s.sim.Deliveries())-before
		b.ReportMetric(float64(count.Total()), "requests/life")
		b.ReportMetric(float64(count.Writes().Total()), "writes/life")
		b.ReportMetric(float64(deliveries), "deliveries/life")
		b.ReportMetric(float64(count.Total())/float64(deliveries*one), "of-naive")
	}
}

// life is a pull request from opening to merge.
func (s *stage) life() {
	n := s.propose("linus", "Count the stock", file("stock.go", "package shop\n"))
	s.checks("linus/2", 31) // and the required one, which propose has passed
	s.try(func() error { _, err := s.as("ada").Comment(n, "Why?"); return err })
	s.try(func() error { _, err := s.as("grace").RequestChanges(n, "Please explain."); return err })
	s.push("linus", "linus/2", file("stock.go", "package shop // explained\n"))
	s.passTest("linus/2")
	s.checks("linus/2", 31)
	s.approve("grace", n)
	s.try(s.quiet)
	s.try(func() error { _, err := s.as("linus").Merge(n, githubsim.Merge{}); return err })
}

// checks has other checks pass on a branch's tip.
func (s *stage) checks(branch string, n int) {
	for i := range n {
		s.try(func() error {
			_, err := s.repo.PostCheck(githubsim.CheckRun{Name: fmt.Sprintf("check-%d", i), Commit: s.repo.Head(branch), Conclusion: "success"})
			return err
		})
	}
}

// BenchmarkLatency measures from the moment a review is submitted to the moment
// its verdict is shown, the record durable in between.
func BenchmarkLatency(b *testing.B) {
	for _, api := range []time.Duration{0, 50 * time.Millisecond} {
		b.Run("api="+api.String(), func(b *testing.B) {
			s := benchStage(b)
			s.sim.SetLatency(api)
			var took []time.Duration
			for i := range b.N {
				e := events[4+i%2] // an approval and a change request in turn
				begun := time.Now()
				require.NoError(b, e.do(s, i))
				require.NoError(b, s.quiet())
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			if api > 0 {
				b.ReportMetric(float64(took[len(took)/2])/float64(api), "p50-of-one-api-call")
			}
		})
	}
}
