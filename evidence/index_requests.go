package evidence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign/change"
)

// lookedUp returns the names of the change requests that a tracker was asked about
// for some facts. Which tracker did not answer, no fact says.
func lookedUp(f change.Facts) []string {
	var names []string
	for _, q := range f.Requests.Or(nil) {
		t, known := q.Ticket.Get()
		if known {
			id := change.Lookup{Tracker: t.Tracker, Key: q.Key}.In(f.Ref.Repository)
			id.ID = t.ID
			names = append(names, id.Names()...)
			names = append(names, change.RequestID{Tracker: t.Tracker, Key: t.Key}.Names()...)
			continue
		}
		if _, asked := f.Absent[change.RequestFact(q.Key)]; !asked {
			continue
		}
		for _, tracker := range []string{change.GitHubIssues, change.GitLabIssues, change.Jira} {
			names = append(names, change.Lookup{Tracker: tracker, Key: q.Key}.In(f.Ref.Repository).Names()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// link writes what r, the newest record of its change, rests on. A record of which
// nothing could be gathered leaves it as it was.
func (r row) link(ctx context.Context, tx *sql.Tx) error {
	if r.state == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM linked WHERE subject = ?", r.subject); err != nil {
		return err
	}
	for _, name := range r.requests {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO linked (request, subject) VALUES (?, ?)", name, r.subject); err != nil {
			return err
		}
	}
	return nil
}

// linkedTo returns the changes that are linked to a request and may be judged again:
// those that are neither closed nor settled after they landed.
func (ix *index) linkedTo(ctx context.Context, names []string) (refs []change.Ref, err error) {
	wanted, err := encode(names)
	if err != nil {
		return nil, err
	}
	found, err := ix.db.QueryContext(ctx, `SELECT DISTINCT newest.change, newest.state, records.judgement FROM linked
		JOIN newest ON newest.subject = linked.subject JOIN records ON records.idx = newest.idx
		WHERE linked.request IN (SELECT value FROM json_each(?)) AND newest.state <> ? ORDER BY newest.idx`, string(wanted), string(change.ClosedState))
	if err != nil {
		return nil, fmt.Errorf("asking the index for what is linked: %w", err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var ref change.Ref
		var judged change.Decision
		var text, judgement []byte
		var state change.State
		if err := found.Scan(&text, &state, &judgement); err != nil {
			return nil, fmt.Errorf("asking the index for what is linked: %w", err)
		}
		if err := errors.Join(json.Unmarshal(text, &ref), json.Unmarshal(judgement, &judged)); err != nil {
			return nil, fmt.Errorf("reading what is linked from the index: %w", err)
		}
		if state != change.LandedState || judged.Status == change.Undetermined {
			refs = append(refs, ref)
		}
	}
	return refs, found.Err()
}

// Linked returns the changes whose newest records rest on what a tracker says of a
// change request, or would if it had answered, and which may be judged again.
func (l *Ledger) Linked(ctx context.Context, request change.RequestID) ([]change.Ref, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.working.Done()
	if err := l.catchUpIfBehind(ctx); err != nil {
		return nil, err
	}
	return l.index.linkedTo(ctx, request.Names())
}
