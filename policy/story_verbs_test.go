package policy_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/change"
)

// A verb adds one kind of event to a story.
type verb func(s *story, words []string) error

// verbs lists the events of a story. Words in capitals are the writer's; brackets
// mean optional.
func verbs() map[string]verb {
	return map[string]verb{
		// Who is who.
		"bot":      kind(change.Bot),     // bot LOGIN: an automation
		"app":      kind(change.App),     // app LOGIN
		"stranger": kind(change.Unknown), // stranger ADDRESS: a commit e-mail that no account claims, or a deleted account
		"reader":   set(func(s *story) map[string]bool { return s.noWrite }),
		"unasked":  set(func(s *story) map[string]bool { return s.unasked }), // whether LOGIN may write is not known
		"team":     team,                                                     // team ACME/ENGINEERS LOGIN...
		"holds":    holds,                                                    // holds PERMISSION LOGIN...

		// The change.
		"author":      author,      // author LOGIN
		"title":       title,       // title WORDS...
		"description": description, // description WORDS...
		"branch":      branch,      // branch NAME
		"target":      target,      // target BRANCH [through BRANCH]
		"links":       links,       // links KEY: a closing reference
		"commit":      commit,      // commit LOGIN [committer LOGIN|forge] [co-author LOGIN] [pusher LOGIN] [files of-N]
		"rebase":      rebase,      // rebase LOGIN: every commit again, force-pushed
		"touch":       touch,       // touch PATH
		"rename":      rename,      // rename OLD NEW

		// Reviews and the base.
		"review":       review,      // review LOGIN STATE [of N|of gone]
		"dismiss":      dismiss,     // dismiss LOGIN by LOGIN [silently]
		"retarget":     retarget,    // retarget LOGIN FROM TO
		"rewrite-base": rewriteBase, // rewrite-base LOGIN
		"same-moment":  func(s *story, _ []string) error { s.still = true; return nil },

		// Checks.
		"check":  check,  // check NAME from APP OUTCOME [of N]
		"status": status, // status NAME by LOGIN OUTCOME

		// Landing.
		"shown":    shown,    // shown OUTCOME [of N] | shown nothing
		"enforced": enforced, // enforced RULE...
		"land":     land,     // land LOGIN HOW
		"close":    closed,   // close LOGIN

		// Other kinds of change.
		"kind":      kindOf,  // kind KIND: of change
		"push":      push,    // push LOGIN HOW [explained N...]
		"group":     group,   // group BRANCH
		"member":    member,  // member N CONTROL STATUS REASON...
		"stray":     stray,   // stray N: a commit of the group that came by no change
		"unknown":   unknown, // unknown FACT [WHY...]
		"no-policy": func(s *story, _ []string) error { s.noPolicy = true; return nil },
	}
}

func kind(k change.ActorKind) verb {
	return func(s *story, words []string) error {
		for _, login := range words {
			s.kinds[login] = k
		}
		return nil
	}
}

func set(of func(*story) map[string]bool) verb {
	return func(s *story, words []string) error {
		for _, login := range words {
			of(s)[login] = true
		}
		return nil
	}
}

func team(s *story, words []string) error {
	s.members[change.Selector("team:"+words[0])] = words[1:]
	return nil
}

func holds(s *story, words []string) error {
	s.members[change.Selector("permission:"+words[0])] = words[1:]
	return nil
}

func author(s *story, words []string) error {
	s.facts.Opener, s.facts.Opened = change.Known(s.person(words[0])), s.now()
	return nil
}

func title(s *story, words []string) error {
	s.facts.Title = strings.Join(words, " ")
	return nil
}

func description(s *story, words []string) error {
	s.description = strings.Join(words, " ")
	return nil
}

func branch(s *story, words []string) error {
	h, _ := s.facts.Head.Get()
	h.Branch = words[0]
	s.facts.Head = change.Known(h)
	return nil
}

func target(s *story, words []string) error {
	b, _ := s.facts.Base.Get()
	b.Branch, b.Target = words[0], words[0]
	if through := options(words[1:])["through"]; through != "" {
		b.Branch = through
	}
	s.facts.Base = change.Known(b)
	return nil
}

func links(s *story, words []string) error {
	s.requests = append(s.requests, change.Request{Key: words[0], Found: "closing-reference"})
	return nil
}

func commit(s *story, words []string) error {
	login, o, at := words[0], options(words[1:]), s.now()
	s.heads++
	sha, tree := commitID(s.heads), treeID(s.heads)
	if n := strings.TrimPrefix(o["files"], "of-"); n != "" {
		_, tree = s.ofHead(n)
	}
	c := change.Commit{SHA: sha, Tree: tree, Parents: []change.SHA{}, Author: s.person(login), Authored: at, Committed: at}
	switch by := o["committer"]; by {
	case "forge":
		c.ByForge = true
	case "":
		c.Committer = c.Author
	default:
		c.Committer = s.person(by)
	}
	if with := o["co-author"]; with != "" {
		c.CoAuthors = append(c.CoAuthors, s.person(with))
	}
	pusher := o["pusher"]
	if pusher == "" {
		pusher = login
	}
	h, _ := s.facts.Head.Get()
	s.commits = append(s.commits, c)
	s.pushes = append(s.pushes, change.BranchPush{By: s.person(pusher), Before: h.Commit, After: sha, At: at})
	s.head(sha, tree)
	return nil
}

func rebase(s *story, words []string) error {
	at, by := s.now(), s.person(words[0])
	before, _ := s.ofHead("")
	for i := range s.commits {
		s.heads++
		s.commits[i].SHA, s.commits[i].Committer = commitID(s.heads), by
	}
	after := commitID(s.heads)
	s.pushes = append(s.pushes, change.BranchPush{By: by, Before: before, After: after, Forced: true, At: at})
	s.timeline = append(s.timeline, change.Event{Kind: change.HeadForcePushed, By: by, At: at, Before: string(before), After: string(after)})
	s.head(after, treeID(s.heads))
	return nil
}

func touch(s *story, words []string) error {
	s.files = append(s.files, change.File{Path: words[0], Status: "modified"})
	return nil
}

func rename(s *story, words []string) error {
	s.files = append(s.files, change.File{Path: words[1], Previous: words[0], Status: "renamed"})
	return nil
}

func review(s *story, words []string) error {
	login, of := words[0], options(words[2:])["of"]
	r := change.Review{ID: int64(80 + len(s.reviews)), By: s.person(login), State: change.ReviewState(words[1]), At: s.now()}
	if of != "gone" {
		r.Commit, r.Tree = s.ofHead(of)
	}
	for _, c := range s.commits { // a commit may have the files of an earlier one
		if c.SHA == r.Commit {
			r.Tree = c.Tree
		}
	}
	if !s.unasked[login] {
		r.CanPush = change.Known(!s.noWrite[login])
	}
	s.reviews = append(s.reviews, r)
	return nil
}

func dismiss(s *story, words []string) error {
	whose, by, at := s.person(words[0]), s.person(words[2]), s.now()
	for i := len(s.reviews) - 1; i >= 0; i-- {
		r := &s.reviews[i]
		if r.By != whose || r.State == change.Dismissed {
			continue
		}
		d := &change.Dismissal{By: by, At: at, Was: r.State}
		if len(words) > 3 {
			d.Was = ""
		}
		r.State, r.Dismissal = change.Dismissed, d
		s.timeline = append(s.timeline, change.Event{Kind: change.ReviewDismissed, By: by, At: at})
		return nil
	}
	return fmt.Errorf("%s has given no review", words[0])
}

func retarget(s *story, words []string) error {
	s.timeline = append(s.timeline, change.Event{Kind: change.BaseChanged, By: s.person(words[0]), At: s.now(), Before: words[1], After: words[2]})
	return target(s, words[2:])
}

func rewriteBase(s *story, words []string) error {
	s.timeline = append(s.timeline, change.Event{Kind: change.BaseForcePushed, By: s.person(words[0]), At: s.now()})
	return nil
}

func check(s *story, words []string) error {
	at := s.now()
	c := change.Check{ID: int64(5 + len(s.checks)), Name: words[0], Source: change.CheckRun, App: words[2], AppID: int64(len(words[2])), Started: at}
	c.Commit, _ = s.ofHead(options(words[4:])["of"])
	outcome(&c, words[3])
	s.checks = append(s.checks, c)
	return nil
}

func status(s *story, words []string) error {
	c := change.Check{Name: words[0], Source: change.CommitStatus, Creator: s.person(words[2]), Started: s.now()}
	c.Commit, _ = s.ofHead("")
	outcome(&c, words[3])
	s.checks = append(s.checks, c)
	return nil
}

func outcome(c *change.Check, word string) {
	if word == "queued" || word == "in_progress" {
		c.Status = word
		return
	}
	c.Status, c.Conclusion, c.Completed = "completed", word, c.Started
}

func shown(s *story, words []string) error {
	if words[0] == "nothing" {
		s.facts.Shown = change.Known(change.Shown{})
		return nil
	}
	c := change.Check{Started: s.now()}
	outcome(&c, words[0])
	commit, _ := s.ofHead(options(words[1:])["of"])
	s.facts.Shown = change.Known(change.Shown{ID: 700, Commit: commit, Status: c.Status, Conclusion: c.Conclusion, Completed: c.Completed})
	return nil
}

func enforced(s *story, words []string) error {
	var rules []change.Rule
	for _, w := range words {
		rules = append(rules, change.Rule{Type: w})
	}
	s.facts.Enforced = change.Known(change.Enforcement{Rules: rules})
	return nil
}

func land(s *story, words []string) error {
	_, tree := s.ofHead("")
	s.facts.State = change.Known(change.LandedState)
	s.facts.Landing = change.Known(change.Landing{Landed: true, By: s.person(words[0]), How: words[1], Branch: "main", Commit: commitID(91), Tree: tree, At: s.now()})
	return nil
}

func closed(s *story, words []string) error {
	s.facts.State = change.Known(change.ClosedState)
	s.timeline = append(s.timeline, change.Event{Kind: change.Closed, By: s.person(words[0]), At: s.now()})
	return nil
}

func kindOf(s *story, words []string) error {
	s.facts.Ref.Kind = change.Kind(words[0])
	return nil
}

func push(s *story, words []string) error {
	s.facts.Ref = change.Ref{Repository: s.facts.Ref.Repository, Kind: change.Push, Branch: "main", Commit: commitID(91), Before: commitID(90)}
	l := change.Landing{Landed: true, By: s.person(words[0]), How: words[1], Branch: "main", Before: commitID(90), Commit: commitID(91), At: s.now()}
	if len(words) > 2 {
		for _, w := range words[3:] {
			n, err := strconv.Atoi(w)
			if err != nil {
				return err
			}
			l.Explained = append(l.Explained, n)
		}
	}
	s.facts.Landing = change.Known(l)
	return nil
}

func group(s *story, words []string) error {
	s.facts.Ref = change.Ref{Repository: s.facts.Ref.Repository, Kind: change.MergeGroup, Branch: words[0], Commit: commitID(95), Before: commitID(90)}
	s.head(commitID(95), treeID(95))
	return nil
}

func member(s *story, words []string) error {
	n, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	result := change.Result{Control: words[1], Status: change.Status(words[2]), Reason: change.Text(strings.Join(words[3:], " "))}
	for i := range s.group.Members {
		if m := &s.group.Members[i]; m.Ref.Number == n {
			m.Results = append(m.Results, result)
			return nil
		}
	}
	ref := change.Ref{Repository: s.facts.Ref.Repository, Kind: change.PullRequest, Number: n}
	s.group.Members = append(s.group.Members, change.Member{Ref: ref, Results: []change.Result{result}})
	return nil
}

func stray(s *story, words []string) error {
	n, err := strconv.Atoi(words[0])
	s.group.Unexplained = append(s.group.Unexplained, commitID(n))
	return err
}

func unknown(s *story, words []string) error {
	s.absent = append(s.absent, words[0])
	if len(words) > 1 {
		s.facts.Absent[words[0]] = strings.Join(words[1:], " ")
	}
	return nil
}
