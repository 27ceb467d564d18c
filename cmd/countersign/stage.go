package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/evidence"
	"github.com/countersign-dev/countersign/gate"
	"github.com/countersign-dev/countersign/internal/githubsim"
)

// A stage is a simulated GitHub with a server as its App, on which a day is
// played. Its verbs remember the first error and do nothing after it, so that a
// scene reads as what happens.
type stage struct {
	sim    *githubsim.Sim
	server *server
	dir    string
	keys   evidence.Keys
	floors []string // repositories that keep the floors of organisations
	teller teller
	way    http.RoundTripper // carries the server's calls to GitHub; nil for the usual one

	trackers map[string]gate.Tracker // beside the simulated GitHub
	ahead    atomic.Int64            // how far the stage's clock is ahead, in nanoseconds

	ctx   context.Context // of the day that is played
	err   error
	repo  *githubsim.Repository
	scene string

	proposed int // branches made so far

	mu   sync.Mutex
	seen map[string]sighting // by Ref.String
}

// A sighting is the last assessment of a change.
type sighting struct {
	facts      change.Facts
	assessment gate.Assessment
}

// observe remembers what the server has assessed.
func (s *stage) observe(f change.Facts, a gate.Assessment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[f.Ref.String()] = sighting{f, a}
}

// clock is the time on the stage, for GitHub and the server alike.
func (s *stage) clock() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// later lets time pass.
func (s *stage) later(d time.Duration) { s.ahead.Add(int64(d)) }

// must remembers the first error.
func (s *stage) must(err error) {
	if s.err == nil && err != nil {
		s.err = fmt.Errorf("%s: %w", s.scene, err)
	}
}

// try does something unless an error has ended the day.
func (s *stage) try(do func() error) {
	if s.err == nil {
		s.must(do())
	}
}

// as returns a user acting on the scene's repository.
func (s *stage) as(login string) githubsim.Actor { return s.repo.As(login) }

// propose has a user push a branch with one commit and open a pull request, whose
// test then passes. It returns the number.
func (s *stage) propose(login, title string, commit githubsim.Commit) (number int) {
	s.proposed++
	branch := fmt.Sprintf("%s/%d", login, s.proposed)
	commit.Message = title
	s.try(func() error { return s.as(login).CreateBranch(branch, "main") })
	s.push(login, branch, commit)
	s.try(func() (err error) {
		number, err = s.as(login).Open(githubsim.PullRequest{Title: title, Head: branch})
		return err
	})
	s.passTest(branch)
	return number
}

func (s *stage) push(login, branch string, commit githubsim.Commit) {
	s.try(func() error {
		_, err := s.as(login).Push(branch, commit)
		return err
	})
}

// passTest has the workflow's job "test" pass on a branch's tip.
func (s *stage) passTest(branch string) {
	s.try(func() error {
		_, err := s.repo.PostCheck(githubsim.CheckRun{Name: "test", Commit: s.repo.Head(branch), Conclusion: "success", Workflow: ".github/workflows/ci.yml"})
		return err
	})
}

func (s *stage) approve(login string, number int) {
	s.try(func() error {
		_, err := s.as(login).Approve(number)
		return err
	})
}

// tell waits until the server is done and says what it makes of a pull request.
func (s *stage) tell(number int, format string, args ...any) {
	s.tellOf(fmt.Sprintf("%s#%d", s.repo.FullName(), number), fmt.Sprintf(format, args...))
}

// tellOf is tell for a change by its name.
func (s *stage) tellOf(name, what string) {
	s.try(s.quiet)
	if s.err != nil {
		return
	}
	s.mu.Lock()
	seen, known := s.seen[name]
	s.mu.Unlock()
	if !known {
		s.must(fmt.Errorf("the server has not looked at %s", name))
		return
	}
	s.must(s.teller.assessed(s.scene, name, what, seen))
}

// refused does what GitHub should refuse and says how it did. That GitHub lets it
// happen is an error.
func (s *stage) refused(name, what string, do func() error) {
	if s.err != nil {
		return
	}
	err := do()
	var no *githubsim.Refusal
	if !errors.As(err, &no) {
		s.must(fmt.Errorf("%s was not refused: %w", what, err))
		return
	}
	s.must(s.teller.refused(s.scene, name, what, no.Error()))
}

// quiet waits until GitHub has delivered everything and the server has worked it.
// A verdict that is shown is delivered too, so it takes more than one look.
func (s *stage) quiet() error {
	for {
		before := len(s.sim.Deliveries())
		if err := s.sim.Quiesce(s.ctx); err != nil {
			return err
		}
		if err := s.server.hooks.Idle(s.ctx); err != nil {
			return err
		}
		if len(s.sim.Deliveries()) == before {
			return nil
		}
	}
}

// name returns the name of a pull request of the scene's repository.
func (s *stage) name(number int) string { return fmt.Sprintf("%s#%d", s.repo.FullName(), number) }

// head returns the branch of a pull request that the server has seen.
func (s *stage) head(number int) string {
	s.try(s.quiet)
	s.mu.Lock()
	defer s.mu.Unlock()
	head, known := s.seen[s.name(number)].facts.Head.Get()
	if !known && s.err == nil {
		s.err = fmt.Errorf("%s: the server does not know the head of #%d", s.scene, number)
	}
	return head.Branch
}

// tellGroup says what the server makes of the newest merge group that holds a
// pull request.
func (s *stage) tellGroup(number int, format string, args ...any) {
	s.tellNewest(fmt.Sprintf(format, args...), func(f change.Facts) bool {
		group, known := f.Group.Get()
		return known && slices.ContainsFunc(group.Members, func(m change.Member) bool { return m.Ref.Number == number })
	})
}

// tellPush says what the server makes of the newest push.
func (s *stage) tellPush(what string) {
	s.tellNewest(what, func(f change.Facts) bool { return f.Ref.Kind == change.Push })
}

// tellNewest says what the server makes of the change with the newest record
// among those that are meant.
func (s *stage) tellNewest(what string, meant func(change.Facts) bool) {
	s.try(s.quiet)
	s.mu.Lock()
	var newest string
	for name, seen := range s.seen {
		if meant(seen.facts) && (newest == "" || seen.assessment.Receipt.Index > s.seen[newest].assessment.Receipt.Index) {
			newest = name
		}
	}
	s.mu.Unlock()
	s.tellOf(newest, what)
}
