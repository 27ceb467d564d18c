package webhook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"

	"github.com/countersign-dev/countersign/change"
	"github.com/countersign-dev/countersign/internal/turns"
)

// A delivery may be about very many changes: of whoever changed roles, of every
// repository of an installation. Each of them, and each scope that is still to be
// asked about, becomes a job of its own, so that one that fails is tried again
// alone, and none is forgotten when the process dies half-way.

// spreadPriority is River's priority of such a job: what is delivered meanwhile
// comes first.
const spreadPriority = 2

// Later has changes assessed after those that were delivered before. When it
// returns nil that is on disk.
func (s *Server) Later(ctx context.Context, hint change.Hint) error {
	return s.inbox.spread(ctx, hint.Refs, hint.Scopes)
}

// widen puts what a hint means beside its own changes in the queue.
func (w *worker) widen(ctx context.Context, hint change.Hint) error {
	refs, scopes := []change.Ref(nil), hint.Scopes
	for _, owner := range hint.Owners {
		affected, err := w.assessor.Affected(ctx, owner)
		if err != nil {
			return err
		}
		refs = append(refs, affected...)
	}
	for _, request := range hint.Requests {
		linked, err := w.assessor.Linked(ctx, request)
		if err != nil {
			return err
		}
		refs = append(refs, linked...)
	}
	return w.inbox.spread(ctx, refs, scopes)
}

// workSpread works a job that holds a change or a scope.
func (w *worker) workSpread(ctx context.Context, job *river.Job[deliveryArgs]) error {
	s := stored{at: job.CreatedAt}
	if ref := job.Args.Change; ref != nil {
		log := w.config.Log.With("change", ref, "attempt", job.Attempt)
		if failures := w.assess(ctx, change.Hint{Refs: []change.Ref{*ref}}); len(failures) > 0 {
			return w.fail(log, job, s, failures)
		}
		return w.end("done")
	}
	log := w.config.Log.With("scope", job.Args.Scope, "attempt", job.Attempt)
	if err := turns.Guard(func() error { return w.ask(ctx, log, *job.Args.Scope) }); err != nil {
		return w.fail(log, job, s, []failure{{err: err}})
	}
	return w.end("done")
}

// ask finds out what a scope consists of and puts that in the queue.
func (w *worker) ask(ctx context.Context, log *slog.Logger, scope change.Scope) error {
	ctx, cancel := context.WithTimeout(ctx, w.config.JobTimeout)
	defer cancel()
	hint, err := w.assessor.Within(ctx, scope)
	// Beside an error the hint holds what is known all the same.
	if err := errors.Join(w.inbox.spread(ctx, hint.Refs, hint.Scopes), err); err != nil {
		return err
	}
	log.Info("scope worked", "changes", len(hint.Refs), "scopes", len(hint.Scopes))
	return nil
}

// spread stores a job for each change and each scope, in one transaction. One that
// waits to be worked already is not stored twice, and one that waits for its next
// attempt does not wait any longer: what is new may be worth more than what failed.
func (in *inbox) spread(ctx context.Context, refs []change.Ref, scopes []change.Scope) error {
	if len(refs)+len(scopes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	counted := 0
	err := inTx(ctx, in.db.write, func(tx *sql.Tx) error {
		there, err := waiting(ctx, tx)
		if err != nil {
			return err
		}
		var jobs []river.InsertManyParams
		var putOff []int64
		add := func(args deliveryArgs) {
			key := args.key()
			w, waits := there[key]
			switch there[key] = (waitingJob{}); {
			case !waits:
				jobs = append(jobs, river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{Priority: spreadPriority}})
			case w.putOff:
				putOff = append(putOff, w.id)
			}
		}
		for _, ref := range refs {
			add(deliveryArgs{Change: &ref})
		}
		for _, scope := range scopes {
			add(deliveryArgs{Scope: &scope})
		}
		for _, id := range putOff {
			if _, err := in.client.JobRetryTx(ctx, tx, id); err != nil {
				return err
			}
		}
		if len(jobs) == 0 {
			return nil
		}
		counted = len(jobs)
		in.count.add(counted) // before the commit, after which they may end at any time
		_, err = in.client.InsertManyFastTx(ctx, tx, jobs)
		return err
	})
	if err != nil {
		in.count.add(-counted)
		return fmt.Errorf("storing what is to be looked at: %w", err)
	}
	in.wake()
	return nil
}

// A waitingJob is about a change or a scope and is not being worked.
type waitingJob struct {
	id     int64
	putOff bool // to a later time
}

// waiting returns the jobs that wait to be worked, by what they are about. One that is
// being worked may have asked before what it is to be asked for now. River keeps the
// arguments in SQLite's binary form of JSON.
func waiting(ctx context.Context, tx *sql.Tx) (map[string]waitingJob, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, state <> 'available', json(args) FROM river_job
		WHERE state IN ('available', 'retryable', 'scheduled') AND json_extract(args, '$.row') IS NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	there := map[string]waitingJob{}
	for rows.Next() {
		var job waitingJob
		var text []byte
		var args deliveryArgs
		if err := rows.Scan(&job.id, &job.putOff, &text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &args); err != nil {
			return nil, err
		}
		if w, twice := there[args.key()]; !twice || w.putOff {
			there[args.key()] = job
		}
	}
	return there, rows.Err()
}

// key identifies what a job is about that is about no delivery.
func (a deliveryArgs) key() string {
	switch {
	case a.Change != nil:
		return a.Change.Key()
	case a.Scope != nil:
		return fmt.Sprintf("%+v", *a.Scope)
	}
	return ""
}
